//! A store in memory, for tests.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use oci::{Algorithm, Digest, Hasher};

use super::{Append, Blobs, BoxFuture, Chunk, Error, Location, Reader, UploadId};

#[cfg(test)]
mod tests;

/// A store whose bytes are gone when it drops. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    uploads: BTreeMap<UploadId, Upload>,
    blobs: BTreeMap<Location, Bytes>,
    quarantine: BTreeMap<Location, Bytes>,
    writers: u64,
}

#[derive(Debug)]
struct Upload {
    bytes: Vec<u8>,
    modified: SystemTime,
    /// The newest writer; older ones may no longer write.
    writer: u64,
}

impl Memory {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes stored bytes in place, as a failing disk would; `false` when the blob is not there.
    pub fn tamper(&self, location: &Location, bytes: Bytes) -> bool {
        let mut contents = self.contents();
        let stored = contents.blobs.get_mut(location);
        stored.map(|stored| *stored = bytes).is_some()
    }

    /// A future that does its work when it is polled, as that of a real store does.
    fn lazily<'a, T>(
        &'a self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'a,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(async move { work(self) })
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn append(&mut self, id: UploadId, offset: u64) -> Result<u64, Error> {
        let actual = self.upload_len(id).unwrap_or(0);
        if actual < offset {
            return Err(Error::Short { expected: offset, actual });
        }
        self.writers += 1;
        let writer = self.writers;
        let modified = SystemTime::now();
        let upload = self.uploads.entry(id).or_insert_with(|| Upload { bytes: Vec::new(), modified, writer });
        upload.bytes.truncate(offset.try_into().unwrap_or(usize::MAX));
        upload.modified = modified;
        upload.writer = writer;
        Ok(writer)
    }

    fn upload_len(&self, id: UploadId) -> Option<u64> {
        self.uploads.get(&id).map(|upload| upload.bytes.len() as u64)
    }

    fn write(&mut self, id: UploadId, writer: u64, bytes: &[u8]) -> Result<u64, Error> {
        let upload = self.uploads.get_mut(&id);
        let upload = upload.filter(|u| u.writer == writer).ok_or(Error::Superseded)?;
        upload.bytes.extend_from_slice(bytes);
        upload.modified = SystemTime::now();
        Ok(upload.bytes.len() as u64)
    }

    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> Result<Hasher, Error> {
        let bytes = self.uploads.get(&id).map_or(&[][..], |upload| &upload.bytes);
        let short = Error::Short { expected: len, actual: bytes.len() as u64 };
        let bytes = usize::try_from(len).ok().and_then(|len| bytes.get(..len)).ok_or(short)?;
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        Ok(hasher)
    }

    fn finish(&mut self, id: UploadId, location: &Location) -> Result<(), Error> {
        if let Some(upload) = self.uploads.remove(&id) {
            self.blobs.insert(location.clone(), upload.bytes.into());
        }
        self.blob(location).map(drop)
    }

    fn blob(&self, location: &Location) -> Result<&Bytes, Error> {
        self.blobs.get(location).ok_or_else(|| Error::NotFound(location.to_string()))
    }

    fn quarantine(&mut self, location: &Location) -> Result<(), Error> {
        match self.blobs.remove(location) {
            Some(bytes) => drop(self.quarantine.insert(location.clone(), bytes)),
            None if self.quarantine.contains_key(location) => {}
            None => return Err(Error::NotFound(location.to_string())),
        }
        Ok(())
    }

    fn list(&self, after: Option<&Location>, limit: usize) -> Vec<(Location, u64)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.blobs.range((from, Bound::Unbounded)).take(limit);
        page.map(|(location, bytes)| (location.clone(), bytes.len() as u64)).collect()
    }

    fn list_uploads(&self, limit: usize) -> Vec<(UploadId, SystemTime, u64)> {
        let uploads = self.uploads.iter();
        let mut listed: Vec<_> = uploads.map(|(id, u)| (*id, u.modified, u.bytes.len() as u64)).collect();
        listed.sort_by_key(|(id, modified, _)| (*modified, *id));
        listed.truncate(limit);
        listed
    }
}

impl Blobs for Memory {
    fn append(&self, id: UploadId, offset: u64) -> BoxFuture<'_, Result<Box<dyn Append>, Error>> {
        self.lazily(move |memory| {
            let writer = memory.contents().append(id, offset)?;
            let memory = memory.clone();
            let written = offset;
            Ok(Box::new(Writer { memory, id, writer, written }) as Box<dyn Append>)
        })
    }

    fn upload_len(&self, id: UploadId) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.lazily(move |memory| Ok(memory.contents().upload_len(id)))
    }

    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> BoxFuture<'_, Result<Hasher, Error>> {
        self.lazily(move |memory| memory.contents().hash_upload(id, len, algorithm))
    }

    fn finish(&self, id: UploadId, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        self.lazily(move |memory| memory.contents().finish(id, &location))
    }

    fn abort(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        self.lazily(move |memory| {
            memory.contents().uploads.remove(&id);
            Ok(())
        })
    }

    fn open(&self, location: &Location) -> BoxFuture<'_, Result<Reader, Error>> {
        let location = location.clone();
        self.lazily(move |memory| memory.contents().blob(&location).cloned().map(Reader::Memory))
    }

    fn stat(&self, location: &Location) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let location = location.clone();
        self.lazily(move |memory| {
            let contents = memory.contents();
            Ok(contents.blobs.get(&location).map(|bytes| bytes.len() as u64))
        })
    }

    fn delete(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        self.lazily(move |memory| {
            memory.contents().blobs.remove(&location);
            Ok(())
        })
    }

    fn quarantine(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        let location = location.clone();
        self.lazily(move |memory| memory.contents().quarantine(&location))
    }

    fn list(&self, after: Option<&Location>, limit: usize) -> BoxFuture<'_, Result<Vec<(Location, u64)>, Error>> {
        let after = after.cloned();
        self.lazily(move |memory| Ok(memory.contents().list(after.as_ref(), limit)))
    }

    fn list_uploads(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(UploadId, SystemTime, u64)>, Error>> {
        self.lazily(move |memory| Ok(memory.contents().list_uploads(limit)))
    }

    fn verify(&self, location: &Location) -> BoxFuture<'_, Result<Digest, Error>> {
        let location = location.clone();
        self.lazily(move |memory| {
            let bytes = memory.contents().blob(&location).cloned()?;
            Ok(location.digest().algorithm().digest(&bytes))
        })
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.lazily(|_| Ok(()))
    }
}

struct Writer {
    memory: Memory,
    id: UploadId,
    writer: u64,
    written: u64,
}

impl Append for Writer {
    fn write(&mut self, chunk: Chunk) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.written = self.memory.contents().write(self.id, self.writer, &chunk)?;
            Ok(())
        })
    }

    fn written(&self) -> u64 {
        self.written
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<u64, Error>> {
        Box::pin(async move { self.memory.contents().write(self.id, self.writer, &[]) })
    }
}
