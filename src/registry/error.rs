//! The one error of the rules. Every surface renders it by an exhaustive match.

use oci::{Digest, ManifestError, Reference, RepositoryName};

use super::access::Denial;
use super::accounts::AccountError;
use crate::{blobs, db};

/// Why a rule refused, or could not do, what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// There is no such repository.
    #[error("repository {0} does not exist")]
    NameUnknown(RepositoryName),
    /// The repository's namespace does not exist, and its name is kept for the registry itself.
    #[error("{} is a word that the registry keeps for itself, and no namespace", .0.namespace())]
    NameReserved(RepositoryName),
    /// The repository has no such tag or manifest.
    #[error("{reference} is not in repository {repository}")]
    ManifestUnknown {
        /// The repository.
        repository: RepositoryName,
        /// What was asked for.
        reference: Reference,
    },
    /// The repository holds no such blob.
    #[error("blob {digest} is not in repository {repository}")]
    BlobUnknown {
        /// The repository.
        repository: RepositoryName,
        /// What was asked for.
        digest: Digest,
    },
    /// The blob's bytes were found damaged or gone.
    #[error("the bytes of blob {0} are damaged or gone")]
    BlobDamaged(Digest),
    /// There is no such upload session for this caller in this repository.
    #[error("the upload does not exist or is over")]
    UploadUnknown,
    /// Another request writes to the same session.
    #[error("another request is writing to this upload")]
    UploadBusy,
    /// A chunk does not begin where the session stands.
    #[error("the chunk begins at byte {start}, the upload stands at {received}")]
    ChunkOutOfOrder {
        /// Where the chunk begins.
        start: u64,
        /// How many bytes the session has.
        received: u64,
    },
    /// The bytes are fewer or more than were announced.
    #[error("{announced} bytes were announced, {received} came")]
    SizeMismatch {
        /// What the client announced.
        announced: u64,
        /// What came.
        received: u64,
    },
    /// The connection broke before all bytes had come.
    #[error("the body ended early: {0}")]
    BodyBroken(String),
    /// The blob is larger than the configured limit.
    #[error("the blob is larger than the limit of {limit} bytes")]
    BlobTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The manifest is larger than the configured limit.
    #[error("the manifest is larger than the limit of {limit} bytes")]
    ManifestTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The bytes hash to something else.
    #[error("the content hashes to {actual}, not to {expected}")]
    DigestMismatch {
        /// What the client said.
        expected: Digest,
        /// What came out. Boxed, so that every result of a rule does not carry the room for two digests.
        actual: Box<Digest>,
    },
    /// The manifest breaks a rule of its format.
    #[error("{0}")]
    ManifestInvalid(#[from] ManifestError),
    /// The manifest names what the repository does not hold.
    #[error("the manifest names {} that the repository does not hold", list(.0))]
    ReferencesMissing(Vec<Digest>),
    /// What is to be deleted is named by manifests of the repository.
    #[error("{digest} is named by {}", list(.parents))]
    Referenced {
        /// What was to be deleted.
        digest: Digest,
        /// Manifests that name it; the first few.
        parents: Vec<Digest>,
    },
    /// Too many large manifests are on their way at once.
    #[error("too many large manifests are being pushed at this moment")]
    Crowded,
    /// The caller may not do what it asked for.
    #[error("access denied: {0:?}")]
    Denied(Box<Denial>),
    /// An account, a role or a token is not as it was asked for.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A sealed secret in the database cannot be opened, or there is no key to sign with.
    #[error(
        "the secrets in the database cannot be opened with this master key; put the right one back or, if it is lost for \
         good, type: havre admin new-signing-keys"
    )]
    MasterKey,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The blob store failed.
    #[error("{0}")]
    Store(#[source] std::sync::Arc<blobs::Error>),
}

/// What of the surroundings keeps a rule from being carried out; the same request may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A disk is full.
    Full,
    /// A file system or a database takes no writes.
    ReadOnly,
    /// Another process holds the database.
    Busy,
    /// It cannot be reached, or fails.
    Unavailable,
}

impl Error {
    /// Names the repository as the caller did, who may know it by an alias only.
    #[must_use]
    pub fn naming(mut self, asked: &RepositoryName) -> Self {
        match &mut self {
            Self::NameUnknown(repository)
            | Self::NameReserved(repository)
            | Self::ManifestUnknown { repository, .. }
            | Self::BlobUnknown { repository, .. } => repository.clone_from(asked),
            Self::Denied(denial) => denial.repository = Some(asked.clone()),
            Self::BlobDamaged(_)
            | Self::UploadUnknown
            | Self::UploadBusy
            | Self::ChunkOutOfOrder { .. }
            | Self::SizeMismatch { .. }
            | Self::BodyBroken(_)
            | Self::BlobTooLarge { .. }
            | Self::ManifestTooLarge { .. }
            | Self::DigestMismatch { .. }
            | Self::ManifestInvalid(_)
            | Self::ReferencesMissing(_)
            | Self::Referenced { .. }
            | Self::Crowded
            | Self::Account(_)
            | Self::MasterKey
            | Self::Db(_)
            | Self::Store(_) => {}
        }
        self
    }

    /// Tells whether the fault lies in the surroundings, and which.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Db(error) => match error.kind {
                db::Kind::Full => Some(Trouble::Full),
                db::Kind::ReadOnly => Some(Trouble::ReadOnly),
                db::Kind::Busy | db::Kind::Conflict => Some(Trouble::Busy),
                db::Kind::Unavailable => Some(Trouble::Unavailable),
                _ => None,
            },
            Self::Store(error) => match &**error {
                blobs::Error::Full(_) => Some(Trouble::Full),
                blobs::Error::ReadOnly(_) => Some(Trouble::ReadOnly),
                error => error.is_unavailable().then_some(Trouble::Unavailable),
            },
            _ => None,
        }
    }
}

impl From<blobs::Error> for Error {
    fn from(error: blobs::Error) -> Self {
        match error {
            blobs::Error::Superseded => Self::UploadBusy,
            error => Self::Store(std::sync::Arc::new(error)),
        }
    }
}

impl db::Retry for Error {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Db(error) if error.is_conflict())
    }
}

fn list(digests: &[Digest]) -> String {
    let shown: Vec<String> = digests.iter().map(ToString::to_string).collect();
    shown.join(", ")
}
