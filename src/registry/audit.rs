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

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub use chain::{Head, chain, head};
pub use gather::{Pull, flush};
pub use query::{Entry, Filter, query};
pub use retention::{erase, expire};
pub use verify::{Broken, Fault, Verified, verify};

use crate::auth::chain::ChainKey;
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
}

impl Audit {
    /// Begins with nothing gathered.
    #[must_use]
    pub fn new(settings: config::Audit, key: Option<ChainKey>) -> Self {
        Self { settings, key, pulls: Mutex::default(), refusals: Mutex::default(), dropped: AtomicU64::new(0) }
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
