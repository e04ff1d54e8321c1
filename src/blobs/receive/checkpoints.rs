//! Finds the points that are safe to go on from: hashed, and written too.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oci::Hasher;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Checkpoint;

/// Number of bytes between two checkpoints: what a client sends again at most after a crash.
const EVERY_BYTES: u64 = 64 * 1024 * 1024;

/// Time between two checkpoints of a slow client.
const EVERY: Duration = Duration::from_secs(10);

/// Where the digester leaves the state that it was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Arc<Mutex<Option<Checkpoint>>>);

impl Marks {
    pub(super) fn set(&self, mark: Checkpoint) {
        *self.get() = Some(mark);
    }

    fn get(&self) -> MutexGuard<'_, Option<Checkpoint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The checkpoints of one body. One at a time is under way.
pub(super) struct Checkpoints {
    /// Number of bytes in the upload before the body.
    base: u64,
    /// The last checkpoint whose bytes are in the upload.
    last: Checkpoint,
    marks: Marks,
    pending: bool,
    asked_at: Instant,
    asked_bytes: u64,
    confirmed: mpsc::Sender<Checkpoint>,
}

impl Checkpoints {
    /// Starts at the state before the body, which is a checkpoint itself.
    pub(super) fn new(base: u64, hasher: Hasher, marks: Marks, confirmed: mpsc::Sender<Checkpoint>) -> Self {
        Self {
            base,
            last: Checkpoint { written: 0, hasher },
            marks,
            pending: false,
            asked_at: Instant::now(),
            asked_bytes: 0,
            confirmed,
        }
    }

    /// Whether the state behind so many bytes is to be marked.
    pub(super) fn due(&mut self, passed: u64) -> bool {
        let fresh = passed - self.asked_bytes;
        if self.pending || (fresh < EVERY_BYTES && self.asked_at.elapsed() < EVERY) {
            return false;
        }
        self.pending = true;
        self.asked_at = Instant::now();
        self.asked_bytes = passed;
        true
    }

    /// Whether a mark waits for its bytes to be hashed and written.
    pub(super) const fn pending(&self) -> bool {
        self.pending
    }

    /// Lets the mark become a checkpoint if the upload has its bytes by now.
    pub(super) fn confirm(&mut self, in_upload: u64) {
        if !self.pending {
            return;
        }
        let mut mark = self.marks.get();
        if mark.as_ref().is_some_and(|mark| self.base + mark.written <= in_upload)
            && let Some(checkpoint) = mark.take()
        {
            self.pending = false;
            self.last = checkpoint.clone();
            // When the last one is still being recorded, this one is not missed: another will come.
            let _ = self.confirmed.try_send(checkpoint);
        }
    }

    /// The last checkpoint.
    pub(super) fn into_last(self) -> Checkpoint {
        self.last
    }
}
