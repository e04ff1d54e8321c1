//! A session held by one request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oci::{Algorithm, Hasher, RepositoryName};

use super::{Body, Chunk, check_limit, check_range, receive_error};
use crate::blobs::receive::{self, Checkpoint};
use crate::blobs::{self, BoxFuture, Location, UploadId};
use crate::db::uploads::{self, Progress, UploadRow};
use crate::config::ByteSize;
use crate::registry::{Ctx, Error, Registry};

/// How long a request may hold a session without a sign of life: longer than a silent connection is let live.
const LEASE: Duration = Duration::from_secs(120);

/// A session that this request holds: where it stands, and the hash over the bytes it has.
pub(super) struct Session<'a> {
    pub(super) registry: &'a Registry,
    pub(super) id: UploadId,
    pub(super) holder: Arc<str>,
    pub(super) received: u64,
    /// Nothing, when the saved state cannot be trusted and no byte had to be hashed yet.
    hasher: Option<Hasher>,
    algorithm: Algorithm,
    clock: Clock,
}

/// Dates what happens during a request that may last for hours, from when the claim was made.
#[derive(Clone, Copy)]
struct Clock {
    claimed: i64,
    started: Instant,
}

impl Clock {
    fn now(self) -> i64 {
        self.claimed.saturating_add(i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX))
    }
}

impl<'a> Session<'a> {
    /// Takes hold of a session of this caller. `location` is where its blob is about to be published.
    pub(super) async fn claim(
        registry: &'a Registry,
        ctx: &Ctx,
        repository: &RepositoryName,
        id: UploadId,
        location: Option<&Location>,
    ) -> Result<Session<'a>, Error> {
        let holder: Arc<str> = format!("{}/{}", registry.node, uuid::Uuid::new_v4()).into();
        let (key, principal, now) = (id.to_string(), ctx.identity.principal(), ctx.now);
        let (name, by) = (repository.clone(), holder.clone());
        let location = location.map(|location| location.as_str().to_owned());
        let claim = move |tx: &mut crate::db::Tx<'_>| {
            // Looked at before it is taken: another caller's session looks like none, and is not touched.
            let row = uploads::find(tx, &key)?;
            if !row.is_some_and(|row| row.repository == name.as_str() && row.principal == principal) {
                return Err(Error::UploadUnknown);
            }
            let until = now.saturating_add(LEASE.as_micros() as i64);
            uploads::claim(tx, &key, &by, location.as_deref(), now, until)?.ok_or(Error::UploadBusy)
        };
        let row = registry.db.write_soft(claim).await?;
        Ok(Self::from_row(registry, id, holder, &row, now))
    }

    fn from_row(registry: &'a Registry, id: UploadId, holder: Arc<str>, row: &UploadRow, now: i64) -> Self {
        let fresh = (row.received == 0).then(|| Hasher::new(row.algorithm));
        // After a loss of power the bytes in the store may be others than those that were hashed.
        let trusted = row.hash_state.as_deref().filter(|_| row.boot == *registry.boot);
        let hasher = fresh.or_else(|| Hasher::restore(row.algorithm, trusted?));
        Self { registry, id, holder, received: row.received, hasher, algorithm: row.algorithm, clock: Clock { claimed: now, started: Instant::now() } }
    }

    /// Receives a chunk into the store. `algorithm` is the one of the closing digest, which an empty session takes over.
    pub(super) async fn write<B: Body>(
        mut self,
        chunk: Chunk<B>,
        algorithm: Option<Algorithm>,
    ) -> (Self, Result<(), Error>) {
        let result = self.try_write(chunk, algorithm).await;
        (self, result)
    }

    async fn try_write<B: Body>(&mut self, chunk: Chunk<B>, algorithm: Option<Algorithm>) -> Result<(), Error> {
        let limit = self.registry.settings.max_blob_size.map(ByteSize::bytes);
        check_range(self.received, chunk.range, chunk.length)?;
        check_limit(limit, self.received, chunk.length)?;
        if self.received == 0
            && let Some(algorithm) = algorithm
        {
            self.algorithm = algorithm;
            self.hasher = Some(Hasher::new(algorithm));
        }
        if chunk.length == Some(0) && self.received > 0 {
            return Ok(());
        }
        let hasher = self.hasher(self.algorithm).await?;
        let append = match self.registry.blobs.append(self.id, self.received).await {
            Err(blobs::Error::NotFound(_) | blobs::Error::Short { .. }) => return Err(Error::UploadUnknown),
            opened => opened?,
        };
        let record = self.recorder();
        let left = limit.map(|limit| limit.saturating_sub(self.received));
        let before = self.received;
        let done = receive::receive(chunk.body, append, hasher, &self.registry.pool, left, record).await;
        self.received = before.saturating_add(done.written);
        self.hasher = Some(done.hasher);
        done.outcome.map_err(|error| receive_error(error, limit))?;
        match chunk.range {
            Some(range) if range.len() != done.written => {
                Err(Error::SizeMismatch { announced: range.len(), received: done.written })
            }
            _ => Ok(()),
        }
    }

    /// The hash by `algorithm` over all bytes of the session; they are read once more when it was not kept on the way.
    pub(super) async fn hasher(&mut self, algorithm: Algorithm) -> Result<Hasher, Error> {
        // Kept here as well: should what follows fail, the session is saved with it.
        if let Some(hasher) = self.hasher.as_ref().filter(|hasher| hasher.algorithm() == algorithm) {
            return Ok(hasher.clone());
        }
        match self.registry.blobs.hash_upload(self.id, self.received, algorithm).await {
            Ok(hasher) => Ok(hasher),
            // The store lost bytes that the session counts: the client has to begin again.
            Err(blobs::Error::NotFound(_) | blobs::Error::Short { .. }) => Err(Error::UploadUnknown),
            Err(error) => Err(error.into()),
        }
    }

    /// Records progress on the way, so that an upload that a crash ends goes on from there.
    fn recorder(&self) -> impl FnMut(Checkpoint) -> BoxFuture<'static, ()> + Send + use<> {
        let (db, base) = (Arc::clone(&self.registry.db), self.received);
        let (key, holder, boot) = (self.id.to_string(), self.holder.clone(), self.registry.boot.clone());
        let clock = self.clock;
        move |checkpoint| {
            let received = base.saturating_add(checkpoint.written);
            let save = save(&key, &holder, &boot, received, &checkpoint.hasher, clock.now());
            let db = Arc::clone(&db);
            Box::pin(async move {
                // A lost checkpoint costs at most bytes sent twice.
                if let Err(error) = db.write_soft(save).await {
                    tracing::warn!(%error, "cannot record the progress of an upload");
                }
            })
        }
    }

    /// Records where the session stands and lets go of it; returns how many bytes it has.
    pub(super) async fn release(self) -> Result<u64, Error> {
        let (key, holder, received) = (self.id.to_string(), self.holder, self.received);
        let save = self.hasher.map(|hasher| save(&key, &holder, &self.registry.boot, received, &hasher, self.clock.now()));
        let release = move |tx: &mut crate::db::Tx<'_>| {
            if let Some(save) = &save
                && !save(tx)?
            {
                return Err(Error::UploadUnknown);
            }
            Ok(uploads::release(tx, &key, &holder)?)
        };
        self.registry.db.write_soft(release).await?;
        Ok(received)
    }

    /// Removes the session and its bytes.
    pub(super) async fn discard(self) -> Result<(), Error> {
        self.registry.blobs.abort(self.id).await?;
        let (key, holder) = (self.id.to_string(), self.holder);
        self.registry.db.write_soft(move |tx| uploads::delete_held(tx, &key, &holder)).await?;
        Ok(())
    }
}

fn save(
    key: &str,
    holder: &Arc<str>,
    boot: &Arc<str>,
    received: u64,
    hasher: &Hasher,
    now: i64,
) -> impl Fn(&mut crate::db::Tx<'_>) -> Result<bool, crate::db::Error> + Send + use<> {
    let (key, holder, boot) = (key.to_owned(), holder.clone(), boot.clone());
    let (state, algorithm) = (hasher.save(), hasher.algorithm());
    let until = now.saturating_add(LEASE.as_micros() as i64);
    move |tx| {
        let progress = Progress { received, hash_state: &state, algorithm, boot: &boot };
        uploads::checkpoint(tx, &key, &holder, &progress, now, until)
    }
}
