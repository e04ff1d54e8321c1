//! The writer of an upload's file.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::Advice;
use tokio::task::spawn_blocking;

use super::Store;
use super::claim::Claim;
use super::layout::{FILE_MODE, upload_name};
use crate::blobs::lane::{Lane, Stage};
use crate::blobs::{Append, BoxFuture, Chunk, Durability, Error, UploadId};

/// Number of chunks that wait for the disk at most: 2 MiB in full buffers, enough to bridge its pauses.
const QUEUED: u32 = 8;

/// After so many bytes the kernel is told to begin writing them out.
const FLUSH_EVERY: u64 = 16 * 1024 * 1024;

/// Appends to an upload's file.
pub(super) struct Writer {
    lane: Lane<Writing>,
    written: Arc<AtomicU64>,
}

/// The side that blocks.
struct Writing {
    claim: Claim,
    file: UploadFile,
}

/// An upload's file.
struct UploadFile {
    store: Arc<Store>,
    id: UploadId,
    /// Opened by the first item, so that creating a small upload and writing it take one change of threads.
    open: Option<File>,
    /// Where the next byte goes.
    position: u64,
    /// Up to where the kernel was told to write out.
    flushed: u64,
    written: Arc<AtomicU64>,
}

enum Item {
    Bytes(Chunk),
    /// Closes the file on that thread, since closing may block too.
    Close,
}

impl Writer {
    /// Opens an upload at an offset. At 0 no file is touched yet.
    pub(super) async fn open(store: &Arc<Store>, id: UploadId, offset: u64) -> Result<Box<dyn Append>, Error> {
        let written = Arc::new(AtomicU64::new(offset));
        let file = UploadFile {
            store: Arc::clone(store),
            id,
            open: None,
            position: offset,
            flushed: offset,
            written: Arc::clone(&written),
        };
        let claim = store.claims.claim(id);
        let mut writing = Writing { claim, file };
        if offset > 0 {
            let resumed = spawn_blocking(move || writing.resume().map(|()| writing)).await;
            writing = resumed.unwrap_or_else(|_| Err(Error::task(upload_name(id))))?;
        }
        let lane = Lane::new(upload_name(id), writing, QUEUED);
        Ok(Box::new(Self { lane, written }))
    }
}

impl Append for Writer {
    fn write(&mut self, chunk: Chunk) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.lane.push(Item::Bytes(chunk)))
    }

    fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<u64, Error>> {
        Box::pin(async move {
            self.lane.push(Item::Close).await?;
            self.lane.settle().await?;
            Ok(self.written())
        })
    }
}

impl Stage for Writing {
    type Item = Item;

    fn run(&mut self, item: Item) -> Result<(), Error> {
        let _turn = self.claim.enter()?;
        match item {
            Item::Bytes(chunk) => self.file.write(&chunk),
            Item::Close => self.file.close(),
        }
    }
}

impl Writing {
    fn resume(&mut self) -> Result<(), Error> {
        let _turn = self.claim.enter()?;
        self.file.resume()
    }
}

impl UploadFile {
    /// The open file. Creates it, or empties the one that an earlier attempt left, unless it is open.
    fn file(&mut self) -> Result<&File, Error> {
        if self.open.is_none() {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(FILE_MODE);
            let created = options.open(self.store.layout.upload_path(self.id));
            self.open = Some(created.map_err(|e| self.failed("create", e))?);
        }
        self.open.as_ref().ok_or_else(|| Error::task(upload_name(self.id)))
    }

    /// Opens the file that is there and cuts off what lies behind the position.
    fn resume(&mut self) -> Result<(), Error> {
        let expected = self.position;
        let opened = File::options().write(true).open(self.store.layout.upload_path(self.id));
        let file = match opened {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Err(Error::Short { expected, actual: 0 });
            }
            opened => opened.map_err(|e| self.failed("open", e))?,
        };
        let actual = file.metadata().map_err(|e| self.failed("look at", e))?.len();
        if actual < expected {
            return Err(Error::Short { expected, actual });
        }
        if actual > expected {
            file.set_len(expected).map_err(|e| self.failed("cut", e))?;
        }
        self.open = Some(file);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let position = self.position;
        let result = self.file()?.write_all_at(bytes, position);
        result.map_err(|e| self.failed("write", e))?;
        self.position += bytes.len() as u64;
        self.written.store(self.position, Ordering::Release);
        if self.position - self.flushed >= FLUSH_EVERY {
            self.flush();
            self.flushed = self.position;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        // An upload of no bytes has a file too.
        self.file()?;
        self.open = None;
        Ok(())
    }

    /// Lets the kernel begin to write out, so that little is left when the final sync comes.
    ///
    /// On dirty pages this advice starts the writing and drops nothing: they stay in the cache for the
    /// first pull. It does not wait and does not commit the journal, as a sync from a second thread would.
    /// An error of the writing is kept by the kernel and comes out of the final sync.
    fn flush(&self) {
        if let Some(file) = &self.open
            && self.store.layout.durability() == Durability::Full
        {
            let fresh = NonZeroU64::new(self.position - self.flushed);
            let _ = rustix::fs::fadvise(file, self.flushed, fresh, Advice::DontNeed);
        }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> Error {
        Error::io(action, upload_name(self.id), source)
    }
}
