//! Where the bytes of blobs lie: uploads while they arrive, blobs once they are whole.
//!
//! The store knows bytes and nothing else. Which repository may read a blob, which upload is whose and
//! which location a digest has are rows of the database, so a store is never walked to find something out.
//!
//! A push goes through it as [`Blobs::append`] → [`receive()`] → [`Append::close`] (as often as the client
//! sends a chunk) → [`Blobs::finish`]. A crash in between leaves an upload, or a blob under its final
//! name, and the row of the upload names both.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use oci::{Algorithm, Digest, Hasher};

pub mod disk;
mod error;
pub mod faulty;
mod lane;
mod location;
pub mod memory;
mod observed;
pub mod pool;
pub mod receive;

#[cfg(test)]
pub mod conformance;

pub use disk::Disk;
pub use error::{Error, Failure};
pub use faulty::Faulty;
pub use location::{Location, UploadId};
pub use memory::Memory;
pub use observed::{Observed, Operation};
pub use pool::{Chunk, Pool};
pub use receive::{Checkpoint, ReceiveError, Received, receive};

/// A future that a trait object returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What an answered [`Blobs::finish`] promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The blob is there after a power loss.
    Full,
    /// The blob is there after the process dies; a power loss may take it. For tests and mirrors.
    Relaxed,
}

/// An upload, when it was last written to, and its number of bytes.
pub type StoredUpload = (UploadId, SystemTime, u64);

/// A store of blobs.
///
/// Every method may be called by many requests at once; nothing is done before its future is polled. One upload has one writer at a time: a newer
/// [`Blobs::append`] of the same upload takes it over, and the older writer fails with
/// [`Error::Superseded`] without having touched a byte since.
pub trait Blobs: Send + Sync + 'static {
    /// Opens an upload for writing at an offset, cutting off the bytes behind it.
    ///
    /// At offset 0 the upload is created; it surely exists once the writer was closed.
    ///
    /// # Errors
    ///
    /// [`Error::Short`] when fewer bytes than `offset` are there.
    fn append(&self, id: UploadId, offset: u64) -> BoxFuture<'_, Result<Box<dyn Append>, Error>>;

    /// The number of bytes of an upload, `None` when there is no such upload.
    fn upload_len(&self, id: UploadId) -> BoxFuture<'_, Result<Option<u64>, Error>>;

    /// Hashes the first `len` bytes of an upload, reading them once more.
    ///
    /// # Errors
    ///
    /// [`Error::Short`] when fewer are there.
    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> BoxFuture<'_, Result<Hasher, Error>>;

    /// Publishes an upload under its final name. Calling it again after it succeeded does nothing.
    ///
    /// The caller has compared the digest before and recorded the location, so that a blob which nobody
    /// got to hear of can be found again.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is neither the upload nor the blob. After any other error than
    /// that the bytes may be gone, and the client has to send them again.
    fn finish(&self, id: UploadId, location: &Location) -> BoxFuture<'_, Result<(), Error>>;

    /// Removes an upload, if it is there.
    fn abort(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>>;

    /// Opens a blob for reading.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is not there.
    fn open(&self, location: &Location) -> BoxFuture<'_, Result<Reader, Error>>;

    /// The number of bytes of a blob, `None` when it is not there.
    fn stat(&self, location: &Location) -> BoxFuture<'_, Result<Option<u64>, Error>>;

    /// Removes a blob, if it is there. Who reads it at that moment reads on.
    fn delete(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>>;

    /// Moves a blob aside, whence it is never served again but can still be examined. Calling it again
    /// after it succeeded does nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when the blob is neither in its place nor aside.
    fn quarantine(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>>;

    /// A page of all blobs with their sizes in bytes, in the order of their locations, those behind
    /// `after` only. It walks the store: for `havre check`, never for a request.
    fn list(&self, after: Option<&Location>, limit: usize) -> BoxFuture<'_, Result<Vec<(Location, u64)>, Error>>;

    /// The uploads last written to the longest ago, the oldest first.
    fn list_uploads(&self, limit: usize) -> BoxFuture<'_, Result<Vec<StoredUpload>, Error>>;

    /// The digest that the stored bytes of a blob really have.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when it is not there.
    fn verify(&self, location: &Location) -> BoxFuture<'_, Result<Digest, Error>>;

    /// Whether the store can be written at this moment: writes, syncs and removes a small object.
    fn probe(&self) -> BoxFuture<'_, Result<(), Error>>;
}

/// The one writer of an upload.
///
/// Dropping it keeps what was written so far; bytes on their way may or may not arrive.
pub trait Append: Send {
    /// Takes the bytes that follow. They may still be on their way when the future is ready; an error
    /// may therefore be that of an earlier chunk. After an error the writer is of no more use.
    fn write(&mut self, chunk: Chunk) -> BoxFuture<'_, Result<(), Error>>;

    /// The number of bytes that lie in the upload by now, those from before this writer included.
    fn written(&self) -> u64;

    /// Waits for all bytes to arrive and returns how many are now in the upload.
    fn close(self: Box<Self>) -> BoxFuture<'static, Result<u64, Error>>;
}

/// A blob opened for reading.
#[derive(Clone, Debug)]
pub enum Reader {
    /// The bytes are a file.
    File {
        /// The open file; its cursor means nothing, read at offsets.
        file: Arc<File>,
        /// Number of bytes when it was opened.
        len: u64,
    },
    /// The bytes are in memory.
    Memory(Bytes),
}

impl Reader {
    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::File { len, .. } => *len,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads all bytes into memory, off the async workers; nothing when there are more than `limit`.
    pub async fn read(self, limit: usize) -> io::Result<Option<Bytes>> {
        let Some(len) = usize::try_from(self.len()).ok().filter(|len| *len <= limit) else { return Ok(None) };
        match self {
            Self::Memory(bytes) => Ok(Some(bytes)),
            Self::File { file, .. } => {
                let read = move || {
                    let mut bytes = vec![0; len];
                    file.read_exact_at(&mut bytes, 0)?;
                    Ok(Some(bytes.into()))
                };
                tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
            }
        }
    }
}
