//! Who may write to an upload.
//!
//! A request that is cancelled leaves writes queued on other threads. Were they to land after the client
//! resumed, a blob would have bytes that were never hashed. So whoever touches an upload claims it first,
//! and from then on nothing under an older claim touches it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::blobs::{Error, UploadId};

/// The claims of all uploads that are being written.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<HashMap<UploadId, Arc<Slot>>>);

/// What all claims of one upload share.
#[derive(Debug, Default)]
struct Slot {
    newest: AtomicU64,
    /// Held while a claim is used.
    turn: Mutex<()>,
}

/// The right to write to an upload until somebody else claims it.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Arc<Claims>,
    id: UploadId,
    slot: Arc<Slot>,
    number: u64,
}

impl Claims {
    /// Claims an upload, ending all older claims. Does not block.
    pub(super) fn claim(self: &Arc<Self>, id: UploadId) -> Claim {
        let slot = Arc::clone(self.slots().entry(id).or_default());
        let number = slot.newest.fetch_add(1, Ordering::SeqCst) + 1;
        Claim { claims: Arc::clone(self), id, slot, number }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<UploadId, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of uploads that are claimed.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots().len()
    }
}

impl Claim {
    /// Uses the claim for as long as the guard lives, waiting for who uses an older one at this moment.
    /// Blocking.
    ///
    /// # Errors
    ///
    /// [`Error::Superseded`] when there is a newer claim.
    pub(super) fn enter(&self) -> Result<MutexGuard<'_, ()>, Error> {
        let turn = self.slot.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.slot.newest.load(Ordering::SeqCst) == self.number { Ok(turn) } else { Err(Error::Superseded) }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut slots = self.claims.slots();
        // Clones of a slot are made under this lock only: two are left, the map's and this one.
        if Arc::strong_count(&self.slot) == 2 {
            slots.remove(&self.id);
        }
    }
}
