//! Recycled buffers, so that memory is bounded however many transfers run.
//!
//! Who asks for a buffer waits in line until one is free. Nobody may hold an unfilled buffer while waiting
//! for something that may never come, such as the next byte of a client; then every filled buffer is on
//! its way through a bounded amount of work, so the line always moves and no number of transfers can
//! lock each other up.

use std::io;
use std::ops::Deref;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rustix::io::Errno;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
mod tests;

/// Size of a buffer in bytes: large enough that a system call or a change of threads per buffer does not
/// count, small enough to stay in the processor's cache between hashing and writing.
pub const BUFFER_LEN: usize = 256 * 1024;

/// Number of buffers that exist at most, unless told otherwise: 32 MiB.
pub const DEFAULT_BUFFERS: usize = 128;

/// Number of unused buffers that are kept for the next transfer; more go back to the allocator, so that a
/// burst does not stay resident for ever.
const KEPT_IDLE: usize = 32;

/// A bounded supply of buffers; clones share it.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// Makes a pool of so many buffers, at least one. None is allocated yet.
    #[must_use]
    pub fn new(buffers: usize) -> Self {
        let buffers = buffers.clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Shared { permits: Arc::new(Semaphore::new(buffers)), idle: Mutex::new(Vec::new()) }))
    }

    /// Waits, first come first served, for an empty buffer.
    pub async fn acquire(&self) -> Buffer {
        let permits = Arc::clone(&self.0.permits);
        // The semaphore is never closed, so the permit is always there.
        let permit = permits.acquire_owned().await.ok();
        let recycled = self.0.idle().pop();
        Buffer {
            bytes: recycled.unwrap_or_else(|| Vec::with_capacity(BUFFER_LEN)),
            shared: Arc::clone(&self.0),
            permit,
        }
    }

    /// Number of buffers that nobody holds.
    #[must_use]
    pub fn available(&self) -> usize {
        self.0.permits.available_permits()
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(DEFAULT_BUFFERS)
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        // The list is whole between any two statements, whatever panicked.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A buffer that its one owner fills. It goes back to the pool when it, or the [`Chunk`] it became, drops.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    shared: Arc<Shared>,
    /// Dropped after the bytes went back, so that the next in line finds them there.
    permit: Option<OwnedSemaphorePermit>,
}

impl Buffer {
    /// Number of bytes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no bytes in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether no more bytes fit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() >= BUFFER_LEN
    }

    /// Moves as many bytes as fit from the front of `source`.
    pub fn take_from(&mut self, source: &mut Bytes) {
        let fitting = source.len().min(BUFFER_LEN.saturating_sub(self.len()));
        self.bytes.extend_from_slice(&source.split_to(fitting));
    }

    /// Reads up to `max` bytes at an offset of a file, blocking, and returns how many it read: 0 at the
    /// end of the file or when the buffer is full.
    ///
    /// # Errors
    ///
    /// Those of `pread`.
    pub fn read_at(&mut self, file: impl AsFd, offset: u64, max: usize) -> io::Result<usize> {
        let start = self.len();
        let max = max.min(BUFFER_LEN.saturating_sub(start));
        if max == 0 {
            return Ok(0);
        }
        loop {
            // Reading into the spare capacity saves writing zeros there first.
            let spare = rustix::buffer::spare_capacity(&mut self.bytes);
            match rustix::io::pread(&file, spare, offset) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
                Ok(_) => break,
            }
        }
        self.bytes.truncate(start + max);
        Ok(self.len() - start)
    }

    /// Ends the filling.
    #[must_use]
    pub fn freeze(self) -> Chunk {
        Chunk(Bytes::from_owner(self))
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut idle = self.shared.idle();
        if idle.len() < KEPT_IDLE {
            idle.push(bytes);
        }
        drop(idle);
        drop(self.permit.take());
    }
}

/// Bytes to be read only, which any number of clones share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk(Bytes);

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for Chunk {
    /// Takes bytes that are in memory anyway, without a buffer of the pool.
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl From<Chunk> for Bytes {
    /// Gives the same bytes; a buffer of the pool goes back once these drop.
    fn from(chunk: Chunk) -> Self {
        chunk.0
    }
}
