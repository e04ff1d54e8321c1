//! One pool of recycled buffers for every body that cannot go by `sendfile`.
//!
//! The pool bounds memory without letting slow readers starve the others: at most [`LARGE_COUNT`] large buffers are
//! out at once, and when slow clients hold them all the rest go on with small ones.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The size of a large buffer, in bytes: enough that a system call per buffer costs nothing beside the copy.
pub(super) const LARGE_BYTES: usize = 256 * 1024;
/// How many large buffers may be out at once (64 MiB).
const LARGE_COUNT: usize = 256;
/// The size of a small buffer, in bytes: one TLS record.
pub(super) const SMALL_BYTES: usize = 16 * 1024;
/// How many small buffers may be out at once (64 MiB).
const SMALL_COUNT: usize = 4096;
/// How many more large buffers are kept for the next transfer than are in use, so that the memory of a rush is
/// given back after it.
const SPARE_COUNT: usize = 16;

/// A bounded set of buffers that are used again and again.
#[derive(Debug)]
pub(super) struct Pool {
    large_count: usize,
    large: Arc<Semaphore>,
    small: Arc<Semaphore>,
    spare: Mutex<Vec<Box<[u8]>>>,
}

impl Pool {
    fn new(large: usize, small: usize) -> Self {
        Self {
            large_count: large,
            large: Arc::new(Semaphore::new(large)),
            small: Arc::new(Semaphore::new(small)),
            spare: Mutex::new(Vec::new()),
        }
    }

    /// Returns the pool that all bodies share.
    pub(super) fn shared() -> &'static Arc<Self> {
        static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Arc::new(Pool::new(LARGE_COUNT, SMALL_COUNT)));
        &POOL
    }

    /// Takes a buffer for up to `wanted` bytes, if one is free: a large one, else a small one.
    pub(super) fn try_take(self: &Arc<Self>, wanted: usize) -> Option<Buffer> {
        if wanted > SMALL_BYTES
            && let Ok(permit) = Arc::clone(&self.large).try_acquire_owned()
        {
            return Some(self.large(permit));
        }
        let permit = Arc::clone(&self.small).try_acquire_owned().ok()?;
        Some(self.small(wanted, permit))
    }

    /// Waits for a small buffer, which is what is left when [`Pool::try_take`] has nothing.
    pub(super) async fn take_small(self: Arc<Self>, wanted: usize) -> Option<Buffer> {
        let permit = Arc::clone(&self.small).acquire_owned().await.ok()?;
        Some(self.small(wanted, permit))
    }

    fn large(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Buffer {
        let storage = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer {
            storage: storage.unwrap_or_else(|| zeroed(LARGE_BYTES)),
            filled: 0,
            home: Some(Arc::clone(self)),
            _permit: permit,
        }
    }

    fn small(&self, wanted: usize, permit: OwnedSemaphorePermit) -> Buffer {
        // Not recycled: the allocator is good at small blocks, and each is only as large as what it must hold.
        Buffer { storage: zeroed(wanted.min(SMALL_BYTES)), filled: 0, home: None, _permit: permit }
    }

    fn give_back(&self, storage: Box<[u8]>) {
        let in_use = self.large_count.saturating_sub(self.large.available_permits());
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(storage);
        spare.truncate(in_use + SPARE_COUNT);
    }
}

fn zeroed(len: usize) -> Box<[u8]> {
    vec![0; len].into_boxed_slice()
}

/// A buffer on loan from the pool.
#[derive(Debug)]
pub(super) struct Buffer {
    storage: Box<[u8]>,
    filled: usize,
    home: Option<Arc<Pool>>,
    _permit: OwnedSemaphorePermit,
}

impl Buffer {
    /// Returns the first `wanted` bytes of the buffer, or all of it if it is smaller, to be written to.
    pub(super) fn space(&mut self, wanted: u64) -> &mut [u8] {
        let len = usize::try_from(wanted).unwrap_or(usize::MAX).min(self.storage.len());
        &mut self.storage[..len]
    }

    /// Turns the first `filled` bytes into `Bytes`; the buffer goes back to the pool when the last of them drops.
    pub(super) fn freeze(mut self, filled: usize) -> Bytes {
        self.filled = filled.min(self.storage.len());
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.storage[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.home.take() {
            pool.give_back(std::mem::take(&mut self.storage));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_returns_to_the_pool_when_its_bytes_drop() {
        let pool = Arc::new(Pool::new(1, 0));
        let mut buffer = pool.try_take(LARGE_BYTES).unwrap();
        buffer.space(5).copy_from_slice(b"hello");
        let bytes = buffer.freeze(5);
        assert_eq!(&bytes[..], b"hello");
        let tail = bytes.slice(3..);
        drop(bytes);
        assert!(pool.try_take(LARGE_BYTES).is_none(), "a slice of the bytes still holds the buffer");
        drop(tail);
        assert!(pool.try_take(LARGE_BYTES).is_some());
        assert_eq!(pool.spare.lock().unwrap().len(), 1);
    }

    #[test]
    fn small_buffers_stand_in_when_the_large_ones_are_out() {
        let pool = Arc::new(Pool::new(1, 1));
        let large = pool.try_take(LARGE_BYTES).unwrap();
        let mut small = pool.try_take(LARGE_BYTES).unwrap();
        assert_eq!(small.space(u64::MAX).len(), SMALL_BYTES);
        assert!(pool.try_take(LARGE_BYTES).is_none());
        drop(large);
        assert!(pool.try_take(LARGE_BYTES).is_some());
    }

    #[tokio::test]
    async fn a_waiting_body_gets_the_next_small_buffer() {
        let pool = Arc::new(Pool::new(0, 1));
        let held = pool.try_take(100).unwrap();
        let waiting = tokio::spawn(Arc::clone(&pool).take_small(100));
        drop(held);
        assert_eq!(waiting.await.unwrap().unwrap().space(u64::MAX).len(), 100);
    }

    #[test]
    fn memory_of_a_rush_is_given_back() {
        let pool = Arc::new(Pool::new(LARGE_COUNT, 0));
        let rush: Vec<_> = (0..LARGE_COUNT).map(|_| pool.try_take(LARGE_BYTES).unwrap()).collect();
        drop(rush);
        assert!(pool.spare.lock().unwrap().len() <= SPARE_COUNT + 1);
    }
}
