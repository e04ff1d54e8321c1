//! A blob, or a range of one, as the body of a response.

use std::fmt;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::task::JoinHandle;

use super::buffers::{Buffer, LARGE_BYTES, Pool, SMALL_BYTES};
use super::source::{Immediate, OnCorrupt, Presence, Source};
use crate::blobs::Reader;
use crate::http::sendfile;

/// Streams a range of a blob in windows; how is decided window by window.
///
/// - In memory: the bytes as they are.
/// - A file, with `sendfile` granted: tokens of up to [`sendfile::WINDOW_BYTES`] that the connection's writer turns
///   into `sendfile(2)`. What is not in the page cache is first read off the async workers.
/// - A file otherwise: recycled buffers, filled in place when the page cache has the bytes, else off the workers.
pub struct BlobBody {
    content: Content,
    position: u64,
    end: u64,
    sendfile: bool,
    /// Whether any window had to come from the disk: then each is read while the one before is sent.
    cold: bool,
    step: Step,
}

enum Content {
    File(Arc<Source>),
    Memory(Bytes),
}

/// What the body waits for.
enum Step {
    /// Nothing: the next window can be begun.
    Ready,
    /// Nothing: this buffer can be filled with the next window.
    Fill(Buffer),
    /// A free buffer.
    Buffer(Pin<Box<dyn Future<Output = Option<Buffer>> + Send>>),
    /// A window that is read into a buffer off the workers.
    Read(JoinHandle<io::Result<Bytes>>),
    /// A window that is brought into the page cache off the workers.
    Warm(JoinHandle<io::Result<()>>),
    /// A window that was found or brought into the page cache: it is sent without another look.
    Warmed,
}

impl BlobBody {
    /// Streams the bytes of `reader` in `range`, which the caller has checked against the length of the blob.
    #[must_use]
    pub fn new(reader: Reader, range: Range<u64>) -> Self {
        let content = match reader {
            Reader::File { file, .. } => Content::File(Arc::new(Source::new(file))),
            Reader::Memory(bytes) => Content::Memory(bytes),
        };
        let end = range.end.max(range.start);
        Self { content, position: range.start, end, sendfile: false, cold: false, step: Step::Ready }
    }

    /// Has `hook` called, at most once, when the file turns out to be shorter than recorded, so that the blob can be
    /// quarantined. It is called on the task of the connection and must not block.
    #[must_use]
    pub fn on_corrupt(mut self, hook: Arc<dyn Fn() + Send + Sync>) -> Self {
        self.set_on_corrupt(hook);
        self
    }

    fn set_on_corrupt(&mut self, hook: OnCorrupt) {
        if let Content::File(source) = &mut self.content
            && let Some(source) = Arc::get_mut(source)
        {
            source.set_on_corrupt(hook);
        }
    }

    pub(super) fn grant_sendfile(&mut self) {
        self.sendfile = true;
    }

    pub(super) fn remaining(&self) -> u64 {
        self.end - self.position
    }

    /// Returns the next window, or nothing when all was sent.
    pub(super) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if self.remaining() == 0 {
            return Poll::Ready(None);
        }
        let data = match &self.content {
            Content::Memory(bytes) => Poll::Ready(slice(bytes, self.position, self.end)),
            Content::File(source) => {
                let source = Arc::clone(source);
                self.poll_file(&source, cx)
            }
        };
        if let Poll::Ready(Ok(data)) = &data {
            self.position += data.len() as u64;
        }
        data.map(Some)
    }

    fn poll_file(&mut self, source: &Arc<Source>, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        loop {
            self.step = match std::mem::replace(&mut self.step, Step::Ready) {
                Step::Ready if self.by_sendfile() => self.look(source, self.position)?,
                Step::Ready => self.take_buffer(),
                Step::Warm(mut job) => match Pin::new(&mut job).poll(cx) {
                    Poll::Pending => return self.wait(Step::Warm(job)),
                    Poll::Ready(warmed) => {
                        warmed.map_err(io::Error::other)??;
                        Step::Warmed
                    }
                },
                Step::Warmed => match sendfile::token(source, self.position, self.window(self.position)) {
                    Some(token) => {
                        self.look_ahead(source, token.len());
                        return Poll::Ready(Ok(token));
                    }
                    // Every slot is taken: this window goes through a buffer.
                    None => self.take_buffer(),
                },
                Step::Buffer(mut free) => match free.as_mut().poll(cx) {
                    Poll::Pending => return self.wait(Step::Buffer(free)),
                    Poll::Ready(buffer) => {
                        Step::Fill(buffer.ok_or_else(|| io::Error::other("the pool of buffers is closed"))?)
                    }
                },
                Step::Fill(mut buffer) => match source.read_now(buffer.space(self.remaining()), self.position)? {
                    Immediate::Read(count) => return Poll::Ready(Ok(buffer.freeze(count))),
                    Immediate::End => return Poll::Ready(Err(source.truncated())),
                    Immediate::Cold => {
                        self.note_cold(source);
                        Step::Read(self.read(source, buffer))
                    }
                },
                Step::Read(mut job) => match Pin::new(&mut job).poll(cx) {
                    Poll::Pending => return self.wait(Step::Read(job)),
                    Poll::Ready(bytes) => return Poll::Ready(bytes.map_err(io::Error::other)?),
                },
            };
        }
    }

    fn wait(&mut self, step: Step) -> Poll<io::Result<Bytes>> {
        self.step = step;
        Poll::Pending
    }

    /// Whether the next window goes by `sendfile`. A small one does not: one `writev` of head and body is cheaper.
    fn by_sendfile(&self) -> bool {
        self.sendfile && self.remaining() > SMALL_BYTES as u64
    }

    /// Returns the length of the window from `offset` that goes by `sendfile`.
    fn window(&self, offset: u64) -> usize {
        usize::try_from(self.end - offset).unwrap_or(usize::MAX).min(sendfile::WINDOW_BYTES)
    }

    /// Decides what the window from `offset`, which goes by `sendfile`, needs before it is sent.
    fn look(&mut self, source: &Arc<Source>, offset: u64) -> io::Result<Step> {
        let len = self.window(offset) as u64;
        match source.presence(offset, len)? {
            Presence::Short => Err(source.truncated()),
            Presence::Warm => Ok(Step::Warmed),
            Presence::Cold => {
                self.note_cold(source);
                let source = Arc::clone(source);
                Ok(Step::Warm(tokio::task::spawn_blocking(move || source.warm(offset, len))))
            }
        }
    }

    fn note_cold(&mut self, source: &Source) {
        if !self.cold {
            self.cold = true;
            source.expect_sequential();
        }
    }

    /// Begins to read the window after the one that is about to be sent, if the file has proved to be cold.
    fn look_ahead(&mut self, source: &Arc<Source>, sent: usize) {
        let next = self.position + sent as u64;
        if self.cold && self.end - next > SMALL_BYTES as u64 {
            // What is wrong with it is found when its turn comes.
            self.step = self.look(source, next).unwrap_or(Step::Ready);
        }
    }

    /// Begins a window that goes through a buffer.
    fn take_buffer(&self) -> Step {
        let wanted = usize::try_from(self.remaining()).unwrap_or(usize::MAX).min(LARGE_BYTES);
        let pool = Pool::shared();
        match pool.try_take(wanted) {
            Some(buffer) => Step::Fill(buffer),
            None => Step::Buffer(Box::pin(Arc::clone(pool).take_small(wanted))),
        }
    }

    fn read(&self, source: &Arc<Source>, mut buffer: Buffer) -> JoinHandle<io::Result<Bytes>> {
        let (source, offset, remaining) = (Arc::clone(source), self.position, self.remaining());
        tokio::task::spawn_blocking(move || {
            let space = buffer.space(remaining);
            let count = space.len();
            source.read_blocking(space, offset)?;
            Ok(buffer.freeze(count))
        })
    }
}

/// Returns a part of a blob that is in memory.
fn slice(bytes: &Bytes, start: u64, end: u64) -> io::Result<Bytes> {
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range {
        Some((start, end)) if end <= bytes.len() => Ok(bytes.slice(start..end)),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the range ends beyond the blob")),
    }
}

impl fmt::Debug for BlobBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobBody")
            .field("position", &self.position)
            .field("end", &self.end)
            .field("sendfile", &self.sendfile)
            .finish_non_exhaustive()
    }
}
