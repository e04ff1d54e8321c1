//! The audit: who did what, proved by a chain of keyed hashes, and how often was pulled.
//!
//! A change records its event in its own transaction ([`Ctx::record`](super::Ctx::record)). What is not a change (a
//! pull, a refused sign-in) is gathered in memory, bounded, and written by [`flush`] twice a second. [`chain`] then gives
//! each event its place and its hash, on one node at a time.

mod chain;
mod gather;
mod query;
mod retention;
mod verify;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub use chain::{Head, chain, head};
pub use gather::{Pull, flush};
pub(in crate::registry) use query::actor_name;
pub use query::{Entry, Filter, of_namespace, query};
pub use retention::{erase, expire};
pub use verify::{Broken, Fault, Verified, verify};

use crate::auth::chain::{ChainKey, LEN};
use crate::config;
use gather::{Pulls, Refusals};

/// What is to be written down, and the key of its chain.
pub struct Audit {
    settings: config::Audit,
    /// Nothing for commands that cannot read the master key.
    key: Option<ChainKey>,
    pulls: Mutex<Pulls>,
    refusals: Mutex<Refusals>,
    dropped: AtomicU64,
    /// The last end of the chain that this node knows. It lies outside the database, so that who writes there alone cannot
    /// have the chain made anew.
    kept: Mutex<Option<(i64, [u8; LEN])>>,
}

impl Audit {
    /// Begins with nothing gathered.
    #[must_use]
    pub fn new(settings: config::Audit, key: Option<ChainKey>) -> Self {
        Self {
            settings,
            key,
            pulls: Mutex::default(),
            refusals: Mutex::default(),
            dropped: AtomicU64::new(0),
            kept: Mutex::default(),
        }
    }

    /// The last end of the chain that this node knows.
    #[must_use]
    pub fn kept(&self) -> Option<(i64, [u8; LEN])> {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of an end of the chain.
    pub fn keep(&self, head: Option<(i64, [u8; LEN])>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }

    /// Whether the key of the chain is at hand.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// How much was not written down one by one since this was asked last.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}
