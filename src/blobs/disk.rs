//! A store in a directory of a local file system.
//!
//! ```text
//! uploads/<upload id>                       bytes that arrive
//! blobs/<algorithm>/<aa>/<hash>.<upload id> blobs, never changed
//! quarantine/<algorithm>-<hash>.<upload id> blobs found damaged
//! ```
//!
//! The three lie on one file system, so that publishing a blob is one rename.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use oci::{Algorithm, Digest, Hasher};
use tokio::task::spawn_blocking;

use super::{Append, Blobs, BoxFuture, Durability, Error, Location, Reader, UploadId};
use claim::Claims;
use layout::Layout;
use writer::Writer;

mod claim;
mod layout;
mod read;
mod writer;

#[cfg(test)]
mod tests;

/// A store in a directory. Clones share it. One process at a time may write to the directory.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Store>);

#[derive(Debug)]
struct Store {
    layout: Layout,
    claims: Arc<Claims>,
}

impl Disk {
    /// Opens the store in a directory, which is created when it is missing. Blocking, and quick however
    /// many blobs there are.
    ///
    /// # Errors
    ///
    /// When the directory cannot be written, or when its parts lie on different file systems.
    pub fn open(root: impl Into<PathBuf>, durability: Durability) -> Result<Self, Error> {
        Ok(Self::with(Layout::open(root.into(), durability)?))
    }

    /// Opens a store that a server has made, without trying to write to it: for a command beside the server.
    ///
    /// # Errors
    ///
    /// When there is no store.
    pub fn open_existing(root: impl Into<PathBuf>, durability: Durability) -> Result<Self, Error> {
        Ok(Self::with(Layout::open_existing(root.into(), durability)?))
    }

    fn with(layout: Layout) -> Self {
        let claims = Arc::default();
        Self(Arc::new(Store { layout, claims }))
    }

    /// Does something with the store on a thread that may block.
    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Store>) -> Result<T, Error> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Error>> {
        let store = Arc::clone(&self.0);
        Box::pin(async move {
            let done = spawn_blocking(move || work(&store)).await;
            done.unwrap_or_else(|_| Err(Error::task("a file")))
        })
    }
}

impl Store {
    fn finish(&self, id: UploadId, location: &Location) -> Result<(), Error> {
        // Waits for a write that a cancelled request left on its way: it must not reach a published blob.
        let claim = self.claims.claim(id);
        let _turn = claim.enter()?;
        self.publish(id, location)?;
        // The file is synced after the rename, not before: one commit of the file system's journal then
        // carries both, which saves a third of the time. The order is safe, since nobody hears of the blob
        // before both syncs returned, and the upload's row knows both names. The uploads directory needs
        // no sync of its own: a rename is one change, which the sync of the other directory makes last.
        self.make_durable(location)
    }

    fn make_durable(&self, location: &Location) -> Result<(), Error> {
        let durable = self.layout.sync_blob(location);
        if durable.is_err() {
            // A failed sync marks the lost pages clean, so that the next sync would succeed without them.
            // The bytes cannot be trusted any more, and must not be there for another attempt to find.
            let _ = self.layout.remove_blob(location);
        }
        durable
    }

    /// Gives the upload its final name, if it does not have it already.
    fn publish(&self, id: UploadId, location: &Location) -> Result<(), Error> {
        self.layout.prepare(location)?;
        match self.layout.rename_upload(id, location) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result.map_err(|e| Error::io("publish", layout::upload_name(id), e)),
        }
        if self.layout.upload_len(id)?.is_some() {
            // It was the directory that is missing: someone removed it since.
            self.layout.forget(location);
            self.layout.prepare(location)?;
            let renamed = self.layout.rename_upload(id, location);
            return renamed.map_err(|e| Error::io("publish", layout::upload_name(id), e));
        }
        match self.layout.blob_len(location)? {
            Some(_) => Ok(()),
            None => Err(Error::NotFound(layout::upload_name(id))),
        }
    }

    fn abort(&self, id: UploadId) -> Result<(), Error> {
        // A write still on its way would create the file again behind our back.
        let claim = self.claims.claim(id);
        let _turn = claim.enter()?;
        self.layout.remove_upload(id)
    }
}

impl Blobs for Disk {
    fn append(&self, id: UploadId, offset: u64) -> BoxFuture<'_, Result<Box<dyn Append>, Error>> {
        Box::pin(Writer::open(&self.0, id, offset))
    }

    fn upload_len(&self, id: UploadId) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.blocking(move |store| store.layout.upload_len(id))
    }

    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> BoxFuture<'_, Result<Hasher, Error>> {
        self.blocking(move |store| store.layout.hash_upload(id, len, algorithm))
    }

    fn finish(&self, id: UploadId, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        self.blocking(move |store| store.finish(id, &location))
    }

    fn abort(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        self.blocking(move |store| store.abort(id))
    }

    fn open(&self, location: &Location) -> BoxFuture<'_, Result<Reader, Error>> {
        let location = location.clone();
        Box::pin(async move {
            // Most blobs asked for were asked for before; what the kernel still knows needs no other thread.
            match self.0.layout.open_cached(&location) {
                Some(opened) => opened,
                None => self.blocking(move |store| store.layout.open_blob(&location)).await,
            }
        })
    }

    fn stat(&self, location: &Location) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let location = location.clone();
        self.blocking(move |store| store.layout.blob_len(&location))
    }

    fn delete(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        // Not synced: a file that a power loss brings back is an orphan, which `havre check` finds, and a
        // sync for each of a million deletions would slow down every push beside them.
        self.blocking(move |store| store.layout.remove_blob(&location))
    }

    fn quarantine(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        self.blocking(move |store| store.layout.quarantine(&location))
    }

    fn list(&self, after: Option<&Location>, limit: usize) -> BoxFuture<'_, Result<Vec<(Location, u64)>, Error>> {
        let after = after.cloned();
        self.blocking(move |store| store.layout.list(after.as_ref(), limit))
    }

    fn list_uploads(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(UploadId, SystemTime, u64)>, Error>> {
        self.blocking(move |store| store.layout.list_uploads(limit))
    }

    fn verify(&self, location: &Location) -> BoxFuture<'_, Result<Digest, Error>> {
        let location = location.clone();
        self.blocking(move |store| store.layout.verify(&location))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.blocking(move |store| store.layout.probe())
    }
}
