//! A store that fails when a test tells it to.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use oci::{Algorithm, Digest, Hasher};
use rustix::io::Errno;
use tokio::sync::Semaphore;

use super::{Append, Blobs, BoxFuture, Chunk, Error, Location, Reader, UploadId};

#[cfg(test)]
mod tests;

/// An operation that can be made to fail: the methods of [`Blobs`] and of [`Append`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after its method")]
pub enum Operation {
    Append,
    Write,
    Close,
    UploadLen,
    HashUpload,
    Finish,
    Abort,
    Open,
    Stat,
    Delete,
    Quarantine,
    List,
    ListUploads,
    Verify,
    Probe,
}

/// What happens instead of an operation, or before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No room is left (`ENOSPC`).
    NoSpace,
    /// The file system is read-only (`EROFS`).
    ReadOnly,
    /// The device failed (`EIO`).
    InputOutput,
    /// Only so many bytes of a chunk are written, and then no room is left. Like [`Fault::NoSpace`] for
    /// other operations.
    Cut(usize),
    /// The operation is done, and then reported as failed (`EIO`): as when the answer is lost.
    Lost,
    /// The operation is done after this time.
    Delay(Duration),
    /// The operation is done once [`Faulty::let_go`] is called, which lets one such call go on.
    Held,
}

/// A store that does what another one does, apart from the faults of its script. Clones share the script.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Blobs>,
    script: Arc<Mutex<Script>>,
    /// One permit for each held call that may go on.
    gate: Arc<Semaphore>,
}

#[derive(Default)]
struct Script {
    calls: HashMap<Operation, u64>,
    faults: HashMap<(Operation, u64), Fault>,
    always: HashMap<Operation, Fault>,
}

impl Faulty {
    /// Wraps a store; without a script nothing fails.
    #[must_use]
    pub fn new(inner: Arc<dyn Blobs>) -> Self {
        Self { inner, script: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    /// Schedules a fault for the `nth` call of an operation from now on; the next call is the first.
    pub fn fail(&self, operation: Operation, nth: u64, fault: Fault) {
        let mut script = self.script();
        let call = script.calls.get(&operation).copied().unwrap_or(0) + nth;
        script.faults.insert((operation, call), fault);
    }

    /// Lets every further call of an operation fail for which no other fault is scheduled.
    pub fn fail_always(&self, operation: Operation, fault: Fault) {
        self.script().always.insert(operation, fault);
    }

    /// Ends all faults.
    pub fn mend(&self) {
        let mut script = self.script();
        script.faults.clear();
        script.always.clear();
    }

    /// Lets one held call go on, now or when it comes.
    pub fn let_go(&self) {
        self.gate.add_permits(1);
    }

    /// Number of calls of an operation so far.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        self.script().calls.get(&operation).copied().unwrap_or(0)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and finds what is to happen to it.
    fn called(&self, operation: Operation) -> Option<Fault> {
        let mut script = self.script();
        let calls = script.calls.entry(operation).or_default();
        *calls += 1;
        let call = *calls;
        let scheduled = script.faults.remove(&(operation, call));
        scheduled.or_else(|| script.always.get(&operation).copied())
    }

    /// Does an operation, or what the script says.
    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        work: BoxFuture<'a, Result<T, Error>>,
    ) -> BoxFuture<'a, Result<T, Error>> {
        Box::pin(async move {
            let fault = self.called(operation);
            self.before(fault).await?;
            let result = work.await?;
            after(fault)?;
            Ok(result)
        })
    }

    /// Fails in place of an operation, or waits.
    async fn before(&self, fault: Option<Fault>) -> Result<(), Error> {
        match fault {
            None | Some(Fault::Lost) => Ok(()),
            Some(Fault::NoSpace | Fault::Cut(_)) => Err(error(Errno::NOSPC)),
            Some(Fault::ReadOnly) => Err(error(Errno::ROFS)),
            Some(Fault::InputOutput) => Err(error(Errno::IO)),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
            Some(Fault::Held) => {
                // The gate is never closed.
                if let Ok(permit) = self.gate.acquire().await {
                    permit.forget();
                }
                Ok(())
            }
        }
    }
}

/// Fails after an operation was done.
fn after(fault: Option<Fault>) -> Result<(), Error> {
    if fault == Some(Fault::Lost) {
        return Err(error(Errno::IO));
    }
    Ok(())
}

fn error(errno: Errno) -> Error {
    Error::io("use", "a faulty store", io::Error::from(errno))
}

impl Blobs for Faulty {
    fn append(&self, id: UploadId, offset: u64) -> BoxFuture<'_, Result<Box<dyn Append>, Error>> {
        Box::pin(async move {
            let inner = self.run(Operation::Append, self.inner.append(id, offset)).await?;
            let faulty = self.clone();
            Ok(Box::new(Writer { inner, faulty }) as Box<dyn Append>)
        })
    }

    fn upload_len(&self, id: UploadId) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.run(Operation::UploadLen, self.inner.upload_len(id))
    }

    fn hash_upload(&self, id: UploadId, len: u64, algorithm: Algorithm) -> BoxFuture<'_, Result<Hasher, Error>> {
        self.run(Operation::HashUpload, self.inner.hash_upload(id, len, algorithm))
    }

    fn finish(&self, id: UploadId, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Operation::Finish, self.inner.finish(id, location))
    }

    fn abort(&self, id: UploadId) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Operation::Abort, self.inner.abort(id))
    }

    fn open(&self, location: &Location) -> BoxFuture<'_, Result<Reader, Error>> {
        self.run(Operation::Open, self.inner.open(location))
    }

    fn stat(&self, location: &Location) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        self.run(Operation::Stat, self.inner.stat(location))
    }

    fn delete(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Operation::Delete, self.inner.delete(location))
    }

    fn quarantine(&self, location: &Location) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Operation::Quarantine, self.inner.quarantine(location))
    }

    fn list(&self, after: Option<&Location>, limit: usize) -> BoxFuture<'_, Result<Vec<(Location, u64)>, Error>> {
        self.run(Operation::List, self.inner.list(after, limit))
    }

    fn list_uploads(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(UploadId, SystemTime, u64)>, Error>> {
        self.run(Operation::ListUploads, self.inner.list_uploads(limit))
    }

    fn verify(&self, location: &Location) -> BoxFuture<'_, Result<Digest, Error>> {
        self.run(Operation::Verify, self.inner.verify(location))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.run(Operation::Probe, self.inner.probe())
    }
}

struct Writer {
    inner: Box<dyn Append>,
    faulty: Faulty,
}

impl Append for Writer {
    fn write(&mut self, chunk: Chunk) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let fault = self.faulty.called(Operation::Write);
            if let Some(Fault::Cut(len)) = fault {
                let bytes = Bytes::from(chunk.clone());
                let cut = bytes.slice(..len.min(bytes.len()));
                self.inner.write(cut.into()).await?;
            }
            self.faulty.before(fault).await?;
            self.inner.write(chunk).await?;
            after(fault)
        })
    }

    fn written(&self) -> u64 {
        self.inner.written()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<u64, Error>> {
        Box::pin(async move {
            let fault = self.faulty.called(Operation::Close);
            self.faulty.before(fault).await?;
            let len = self.inner.close().await?;
            after(fault)?;
            Ok(len)
        })
    }
}
