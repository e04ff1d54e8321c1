//! Receives the body of a push: hashes the bytes and writes them while the next ones arrive.
//!
//! Receiving, hashing and writing overlap. The bytes of a frame are copied once, into a buffer of the
//! [`Pool`], and from there on shared. A body that ends within one small buffer is hashed right here, and
//! then takes one change of threads in all.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use oci::Hasher;
use tokio::sync::mpsc;

use super::pool::Buffer;
use super::{Append, Chunk, Error, Pool};
use checkpoints::{Checkpoints, Marks};
use digester::Digester;
use intake::{Intake, Next};

mod checkpoints;
mod digester;
mod intake;

#[cfg(test)]
mod tests;

/// A client that is silent for so long has what it sent so far hashed and written, so that its buffer is
/// free for others. Long enough that a busy connection never fills less than whole buffers.
const QUIET: Duration = Duration::from_millis(20);

/// The error of a request body, of whatever kind.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// What a call of [`receive()`] achieved.
#[derive(Debug)]
pub struct Received {
    /// Number of bytes of this body that lie in the upload and are hashed. The upload itself may have more
    /// after an error of the store; [`super::Blobs::append`] at the right offset cuts them off.
    pub written: u64,
    /// The hash of what was hashed before and exactly these bytes.
    pub hasher: Hasher,
    /// Whether the body came to its end.
    pub outcome: Result<(), ReceiveError>,
}

/// Why a body was not received whole.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The body broke off, was malformed, or no byte came for too long.
    #[error("the request body broke off")]
    Client(#[source] BodyError),
    /// There are more bytes than allowed.
    #[error("the request body is longer than {limit} bytes")]
    TooLarge {
        /// Number of bytes allowed.
        limit: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// How far a body has come: what can be recorded so that an upload goes on from there after a crash.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// Number of bytes of this body that lie in the upload.
    pub written: u64,
    /// The hash of what was hashed before and exactly these bytes.
    pub hasher: Hasher,
}

/// Receives a body into an upload and closes it.
///
/// `hasher` has the bytes that are in the upload already. At most `limit` bytes are taken. Time-outs are the
/// body's business: it ends with an error when the client is silent for too long. `record` is called about
/// every 64 MiB or 10 s, whichever comes first; its future runs beside the receiving and is done when this
/// returns.
///
/// Cancelling this future keeps at least what was last recorded.
pub async fn receive<B, R, F>(
    body: B,
    append: Box<dyn Append>,
    hasher: Hasher,
    pool: &Pool,
    limit: Option<u64>,
    mut record: R,
) -> Received
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BodyError>,
    R: FnMut(Checkpoint) -> F + Send,
    F: Future<Output = ()> + Send,
{
    let (confirmed, mut checkpoints) = mpsc::channel(1);
    let marks = Marks::default();
    let body = pin!(body);
    let receiving = Receiving {
        intake: Intake::new(body, limit),
        checkpoints: Checkpoints::new(append.written(), hasher.clone(), marks.clone(), confirmed),
        digester: Digester::new(hasher, marks),
        append,
        pool,
        rest: Bytes::new(),
        passed: 0,
    };
    let recording = async {
        while let Some(checkpoint) = checkpoints.recv().await {
            // Once the body ended, the caller is about to record more than this.
            if !checkpoints.is_closed() {
                record(checkpoint).await;
            }
        }
    };
    tokio::join!(receiving.run(), recording).0
}

struct Receiving<'a, B> {
    intake: Intake<'a, B>,
    append: Box<dyn Append>,
    digester: Digester,
    checkpoints: Checkpoints,
    pool: &'a Pool,
    /// What of the last frame did not fit into the buffer.
    rest: Bytes,
    /// Number of bytes handed to the digester and the writer.
    passed: u64,
}

impl<B> Receiving<'_, B>
where
    B: Body<Data = Bytes> + Send,
    B::Error: Into<BodyError>,
{
    async fn run(mut self) -> Received {
        let moved = self.move_body().await;
        // Also after an error: the file is closed where closing may block.
        let closed = self.append.close().await;
        let hashed = self.digester.finish().await;
        let ended = moved.and_then(|ended| closed.and(Ok(ended)));
        match ended.and_then(|ended| Ok((ended, hashed?))) {
            Ok((outcome, hasher)) => Received { written: self.passed, hasher, outcome },
            Err(error) => {
                let Checkpoint { written, hasher } = self.checkpoints.into_last();
                let outcome = Err(ReceiveError::Store(error));
                Received { written, hasher, outcome }
            }
        }
    }

    /// Passes chunk after chunk on, until the body has no more or the store fails.
    async fn move_body(&mut self) -> Result<Result<(), ReceiveError>, Error> {
        loop {
            let (chunk, ended) = self.gather().await;
            if !chunk.is_empty() {
                self.pass_on(chunk).await?;
            }
            if let Some(outcome) = ended {
                return Ok(outcome);
            }
            self.checkpoints.confirm(self.append.written());
        }
    }

    /// Hashes and writes a chunk.
    async fn pass_on(&mut self, chunk: Chunk) -> Result<(), Error> {
        self.passed += chunk.len() as u64;
        // First the hash: a small chunk is hashed on this thread, and then nothing comes between its writing
        // and the closing, so that another thread does both in one go.
        self.digester.update(chunk.clone()).await?;
        self.append.write(chunk).await?;
        if self.checkpoints.due(self.passed) {
            self.digester.mark(self.passed).await?;
        }
        Ok(())
    }

    /// Fills a buffer until it is full, the client falls silent, or the body ends in one way or another.
    async fn gather(&mut self) -> (Chunk, Option<Result<(), ReceiveError>>) {
        let mut filling: Option<Buffer> = None;
        let ended = loop {
            if self.rest.is_empty() {
                let impatient = filling.is_some() || self.checkpoints.pending();
                match self.next_frame(impatient).await {
                    Some(Next::Data(bytes)) => self.rest = bytes,
                    Some(Next::End(outcome)) => break Some(outcome),
                    None => break None,
                }
            }
            if filling.is_none() && self.intake.is_over() {
                // The last frame has a buffer of its own; to copy it would only cost.
                return (Chunk::from(std::mem::take(&mut self.rest)), Some(Ok(())));
            }
            let buffer = match &mut filling {
                Some(buffer) => buffer,
                // Only now that there is something to put in: who holds a buffer must be able to go on.
                None => filling.insert(self.pool.acquire().await),
            };
            buffer.take_from(&mut self.rest);
            if buffer.is_full() {
                break None;
            }
        };
        (filling.map(Buffer::freeze).unwrap_or_default(), ended)
    }

    /// The next frame; when impatient, `None` if the client is silent.
    async fn next_frame(&mut self, impatient: bool) -> Option<Next> {
        if impatient {
            tokio::time::timeout(QUIET, self.intake.next()).await.ok()
        } else {
            Some(self.intake.next().await)
        }
    }
}
