//! The access log: one line on standard output for each request.
//!
//! A request only copies its line into a buffer in memory. A thread of its own swaps that buffer for an empty one and
//! writes it out, so that neither a slow disk nor a full pipe ever holds a request up. When what waits grows beyond
//! [`MAX_WAITING`], lines are dropped and counted, and the log says how many as soon as it can.

mod line;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::{self, Write};
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use prometheus_client::metrics::counter::Counter;

use crate::config::LogFormat;

/// The most bytes that wait to be written; lines beyond are dropped.
pub const MAX_WAITING: usize = 8 << 20;

/// How long lines are gathered before they are written in one piece.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long [`AccessLog::close`] waits for a reader that does not read.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A buffer that has grown beyond this during a burst is given back.
const MAX_KEPT: usize = 1 << 20;

/// What one line tells about a request.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// When the request was received.
    pub at: SystemTime,
    /// The address of the client, behind trusted proxies.
    pub client: IpAddr,
    /// The method.
    pub method: &'a str,
    /// The path, best without its query; cut after 512 bytes.
    pub path: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// The bytes of the answer's body that were sent.
    pub bytes_sent: u64,
    /// From the first byte of the request to the last of the answer.
    pub duration: Duration,
    /// The id of the request.
    pub request_id: &'a str,
    /// The `User-Agent` as it was sent, empty if there was none; cut after 256 bytes.
    pub user_agent: &'a [u8],
}

/// The access log. Clones write to the same one.
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// `None` if nothing is to be written.
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    format: LogFormat,
    dropped: Counter,
    state: Mutex<State>,
    /// Told when the first line after a swap has come, and when the log closes.
    work: Condvar,
    /// Told when the thread has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    dropped_since_swap: u64,
    closing: bool,
    ended: bool,
}

thread_local! {
    /// Where a line is put together before the lock is taken.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl AccessLog {
    /// Returns a log that writes to standard output. `dropped` counts the lines for which there was no room.
    ///
    /// # Errors
    ///
    /// Fails if the thread that writes cannot be started.
    pub fn stdout(format: LogFormat, dropped: Counter) -> io::Result<Self> {
        Self::to(io::stdout(), format, dropped)
    }

    /// Returns a log that writes to `writer`, as [`Self::stdout`].
    ///
    /// # Errors
    ///
    /// Fails if the thread that writes cannot be started.
    pub fn to(writer: impl Write + Send + 'static, format: LogFormat, dropped: Counter) -> io::Result<Self> {
        let shared =
            Arc::new(Shared { format, dropped, state: Mutex::default(), work: Condvar::new(), ended: Condvar::new() });
        let for_thread = Arc::clone(&shared);
        thread::Builder::new().name("access-log".to_owned()).spawn(move || for_thread.write_to(writer))?;
        Ok(Self { shared: Some(shared) })
    }

    /// Returns a log that writes nothing.
    #[must_use]
    pub const fn disabled() -> Self {
        Self { shared: None }
    }

    /// Writes the line of a request, soon. Never waits for the reader of the log.
    pub fn record(&self, access: &Access<'_>) {
        let Some(shared) = &self.shared else { return };
        LINE.with_borrow_mut(|line| {
            line.clear();
            match shared.format {
                LogFormat::Text => line::write_text(line, access),
                LogFormat::Json => line::write_json(line, access),
            }
            shared.push(line);
        });
    }

    /// Writes out what waits, and ends; lines that come later are dropped. Returns after a second at the latest, even
    /// if nobody reads.
    pub fn close(&self) {
        let Some(shared) = &self.shared else { return };
        let mut state = shared.lock();
        state.closing = true;
        shared.work.notify_all();
        let ended = shared.ended.wait_timeout_while(state, CLOSE_TIMEOUT, |state| !state.ended);
        drop(ended);
    }
}

impl Shared {
    /// A panic while the lock was held cannot have left the buffer in pieces: it is only ever appended to or taken.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.closing || state.waiting.len() + line.len() > MAX_WAITING {
            state.dropped_since_swap += 1;
            drop(state);
            self.dropped.inc();
            return;
        }
        let first = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        drop(state);
        if first {
            self.work.notify_one();
        }
    }

    /// What the thread does until the log is closed.
    fn write_to(&self, mut writer: impl Write) {
        let mut buffer = Vec::new();
        let mut failing = false;
        let mut closing = false;
        while !closing {
            let dropped;
            (closing, dropped) = self.swap(&mut buffer);
            if dropped > 0 {
                tracing::warn!(lines = dropped, "the access log was not read fast enough, lines were dropped");
            }
            let written = writer.write_all(&buffer).and_then(|()| writer.flush());
            self.note(&written, failing, &buffer);
            failing = written.is_err();
            buffer.clear();
            buffer.shrink_to(MAX_KEPT);
        }
        self.lock().ended = true;
        self.ended.notify_all();
    }

    /// Counts the lines that could not be written, and says why when it begins: a closed pipe stays closed, and one
    /// warning for every interval would fill the other log.
    fn note(&self, written: &io::Result<()>, failing: bool, buffer: &[u8]) {
        let Err(error) = written else { return };
        self.dropped.inc_by(buffer.iter().filter(|byte| **byte == b'\n').count() as u64);
        if !failing {
            tracing::warn!(%error, "the access log cannot be written, lines are dropped");
        }
    }

    /// Waits until there is something to write and the interval has passed, then swaps what waits for the empty
    /// `buffer`. Returns whether the log closes, and how many lines were dropped since the last time.
    fn swap(&self, buffer: &mut Vec<u8>) -> (bool, u64) {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closing;
        let state = self.work.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let gathering = |state: &mut State| !state.closing;
        let gathered = self.work.wait_timeout_while(state, INTERVAL, gathering);
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, buffer);
        (state.closing, std::mem::take(&mut state.dropped_since_swap))
    }
}
