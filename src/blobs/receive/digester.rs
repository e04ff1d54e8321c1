//! Hashes the chunks of a body in order: small ones at once, large ones on another thread.

use oci::Hasher;

use super::Checkpoint;
use super::checkpoints::Marks;
use crate::blobs::lane::{Lane, Stage};
use crate::blobs::{Chunk, Error};

/// Number of bytes that are hashed on an async thread at most: some 60 µs of work, about what it costs in
/// all to wake up another thread for it.
const HASHED_HERE: usize = 64 * 1024;

/// Number of chunks that wait to be hashed at most.
const QUEUED: u32 = 8;

/// Hashes in order.
pub(super) struct Digester(Lane<Hashing>);

struct Hashing {
    hasher: Hasher,
    marks: Marks,
}

enum Item {
    Bytes(Chunk),
    /// Puts the state aside as that behind so many bytes.
    Mark(u64),
}

impl Digester {
    pub(super) fn new(hasher: Hasher, marks: Marks) -> Self {
        let hashing = Hashing { hasher, marks };
        Self(Lane::new("the hash of an upload".to_owned(), hashing, QUEUED))
    }

    /// Hashes the bytes that follow, at once or later.
    pub(super) async fn update(&self, chunk: Chunk) -> Result<(), Error> {
        if chunk.len() > HASHED_HERE {
            return self.0.push(Item::Bytes(chunk)).await;
        }
        match self.0.run_here(Item::Bytes(chunk)) {
            Ok(done) => done,
            Err(item) => self.0.push(item).await,
        }
    }

    /// Has the state behind all bytes so far, which are `written`, left in the marks.
    pub(super) async fn mark(&self, written: u64) -> Result<(), Error> {
        self.0.push(Item::Mark(written)).await
    }

    /// Waits for all bytes to be hashed.
    pub(super) async fn finish(&self) -> Result<Hasher, Error> {
        self.0.settle().await?;
        Ok(self.0.with_stage(|hashing| hashing.hasher.clone()))
    }
}

impl Stage for Hashing {
    type Item = Item;

    fn run(&mut self, item: Item) -> Result<(), Error> {
        match item {
            Item::Bytes(chunk) => self.hasher.update(&chunk),
            Item::Mark(written) => self.marks.set(Checkpoint { written, hasher: self.hasher.clone() }),
        }
        Ok(())
    }
}
