//! What can go wrong in a store, told apart by who can mend it.

use std::{fmt, io};

use rustix::io::Errno;

/// An error of a blob store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The upload or blob is not there.
    #[error("{0} is not in the blob store")]
    NotFound(String),
    /// An upload has fewer bytes than it was taken for.
    #[error("the upload has {actual} bytes in the blob store, {expected} were expected")]
    Short {
        /// Number of bytes that had to be there.
        expected: u64,
        /// Number of bytes that are there.
        actual: u64,
    },
    /// A newer writer took over the upload.
    #[error("another request took over the upload")]
    Superseded,
    /// No room is left, or the quota of the file system is used up.
    #[error("the blob store is full: {0}")]
    Full(#[source] Failure),
    /// The file system takes no writes.
    #[error("the blob store is read-only: {0}")]
    ReadOnly(#[source] Failure),
    /// Any other failure of the machine.
    #[error("the blob store failed: {0}")]
    Io(#[source] Failure),
    /// Something lies in the store where it cannot be.
    #[error("the blob store is damaged: {0}")]
    Corrupt(String),
}

/// A failed operation of the operating system and what it was done to.
#[derive(Debug, thiserror::Error)]
pub struct Failure {
    action: &'static str,
    path: String,
    source: io::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, path, source } = self;
        write!(f, "cannot {action} {path}: {source}")
    }
}

impl Error {
    /// Sorts a failure of the operating system.
    ///
    /// `action` is a verb that goes before the path, which is relative to the root of the store.
    #[must_use]
    pub fn io(action: &'static str, path: impl Into<String>, source: io::Error) -> Self {
        let errno = Errno::from_io_error(&source);
        let failure = Failure { action, path: path.into(), source };
        match errno {
            Some(Errno::NOSPC | Errno::DQUOT) => Self::Full(failure),
            Some(Errno::ROFS) => Self::ReadOnly(failure),
            _ => Self::Io(failure),
        }
    }

    /// The failure of a task that ended without a result.
    pub(super) fn task(path: impl Into<String>) -> Self {
        Self::io("finish the work on", path, io::Error::other("the task ended early"))
    }

    /// Whether it is the operator who has to mend the cause, so that the request may be tried again later.
    #[must_use]
    pub const fn is_unavailable(&self) -> bool {
        match self {
            Self::Full(_) | Self::ReadOnly(_) | Self::Io(_) => true,
            Self::NotFound(_) | Self::Short { .. } | Self::Superseded | Self::Corrupt(_) => false,
        }
    }
}
