//! A store that tells how long its operations take.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use oci::{Algorithm, Digest, Hasher};

use super::{Append, Blobs, BoxFuture, Error, Location, Reader, UploadId};

/// What is done with the bytes of blobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// An upload is opened for writing.
    Append,
    /// An upload becomes a blob; with full durability, this includes the synchronisation.
    Finish,
    /// An upload is thrown away.
    Abort,
    /// A blob is opened for reading.
    Open,
    /// A blob's size is asked for.
    Stat,
    /// A blob is removed.
    Delete,
}

/// Told of every operation, and how long it took.
pub type Observer = Arc<dyn Fn(Operation, Duration) + Send + Sync>;

/// Wraps a store. What walks it or reads it over (`list`, `verify`) is not observed: it says nothing about requests.
pub struct Observed {
    inner: Arc<dyn Blobs>,
    observer: Observer,
}

impl Observed {
    /// Has `observer` told of what is done with `inner`.
    pub fn new(inner: Arc<dyn Blobs>, observer: Observer) -> Self {
        Self { inner, observer }
    }

    fn timed<'a, T>(
        &'a self,
        operation: Operation,
        future: BoxFuture<'a, Result<T, Error>>,
    ) -> BoxFuture<'a, Result<T, Error>>
    where
        T: 'a,
    {
        Box::pin(async move {
            let started = Instant::now();
            let result = future.await;
            (self.observer)(operation, started.elapsed());
            result
        })
    }
}

impl Blobs for Observed {
    fn append(&self, id: UploadId, offset: u64) -> BoxFuture<'_, Result<Box<dyn Append>, Error>> {
        self.timed(Operation::Append, self.inner.append(id, offset))
    }

    fn upload_len(&self, id: UploadId) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.inner.upload_len(id)
    }

    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> BoxFuture<'_, Result<Hasher, Error>> {
        self.inner.hash_upload(id, len, algorithm)
    }

    fn finish(&self, id: UploadId, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.timed(Operation::Finish, self.inner.finish(id, location))
    }

    fn abort(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        self.timed(Operation::Abort, self.inner.abort(id))
    }

    fn open(&self, location: &Location) -> BoxFuture<'_, Result<Reader, Error>> {
        self.timed(Operation::Open, self.inner.open(location))
    }

    fn stat(&self, location: &Location) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.timed(Operation::Stat, self.inner.stat(location))
    }

    fn delete(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.timed(Operation::Delete, self.inner.delete(location))
    }

    fn quarantine(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.quarantine(location)
    }

    fn list(&self, after: Option<&Location>, limit: usize) -> BoxFuture<'_, Result<Vec<(Location, u64)>, Error>> {
        self.inner.list(after, limit)
    }

    fn list_uploads(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(UploadId, SystemTime, u64)>, Error>> {
        self.inner.list_uploads(limit)
    }

    fn verify(&self, location: &Location) -> BoxFuture<'_, Result<Digest, Error>> {
        self.inner.verify(location)
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.probe()
    }
}
