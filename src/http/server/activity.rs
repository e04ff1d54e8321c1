//! What the timeouts of a connection must know of the requests on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Shared between the socket of a connection, which keeps its timeouts, and the requests on it.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests whose answer is being made.
    open: AtomicUsize,
    /// Requests since the connection was opened.
    seen: AtomicUsize,
    /// Reasons why silence is the server's doing.
    busy: AtomicUsize,
    /// Whether bytes of the peer may be waiting that belong to no request that was read to its end.
    unread: AtomicBool,
}

impl Activity {
    /// Notes that a request was read; it is open until the returned guard drops.
    ///
    /// A request without a body has nothing more to say, so the connection counts as busy until the answer is made.
    pub(super) fn request(self: &Arc<Self>, has_body: bool) -> Open {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        self.unread.store(has_body, Ordering::Relaxed);
        Open { _busy: (!has_body).then(|| Busy::new(Arc::clone(self))), activity: Arc::clone(self) }
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(super) fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed) > 0
    }

    pub(super) fn note_read(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn may_be_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }
}

/// A request whose answer is being made.
#[derive(Debug)]
pub(super) struct Open {
    activity: Arc<Activity>,
    _busy: Option<Busy>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.activity.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Suspends the idle timeout of a connection while it lives; see [`super::ConnInfo::busy`].
#[derive(Debug)]
pub struct Busy(Arc<Activity>);

impl Busy {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        activity.busy.fetch_add(1, Ordering::Relaxed);
        Self(activity)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
    }
}
