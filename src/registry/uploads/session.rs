//! A session held by one request.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use oci::{Algorithm, Hasher, RepositoryName};

use super::{Body, Chunk, check_limit, check_range, receive_error};
use crate::blobs::receive::{self, Checkpoint, ReceiveError};
use crate::blobs::{self, BoxFuture, Location, UploadId};
use crate::config::ByteSize;
use crate::db::uploads::{self, Progress, UploadRow};
use crate::db::{self, Db, Tx, garbage};
use crate::registry::{Ctx, Error, Registry};

/// How long a request may hold a session without a sign of life: longer than a silent connection is let live.
pub const LEASE: Duration = Duration::from_secs(120);

/// How often a lease is extended before it runs out, while a request is busy with the bytes it has: one that comes late,
/// or is lost, must not cost the lease.
const EXTENSIONS: u32 = 3;

/// A session that this request holds: where it stands, and the hash over the bytes it has.
pub(super) struct Session<'a> {
    pub(super) registry: &'a Registry,
    pub(super) id: UploadId,
    pub(super) holder: Arc<str>,
    pub(super) received: u64,
    /// Nothing, when the saved state cannot be trusted and no byte had to be hashed yet.
    hasher: Option<Hasher>,
    algorithm: Algorithm,
    /// Where its blob was, or is, about to be published.
    location: Option<String>,
    /// Whether this request has just written the bytes up to where the session stands, and none behind.
    exact: bool,
    clock: Clock,
}

/// Dates what happens during a request that may last for hours, from when the claim was made.
#[derive(Clone, Copy)]
struct Clock {
    claimed: i64,
    started: Instant,
    lease: Duration,
}

impl Clock {
    fn now(self) -> i64 {
        self.claimed.saturating_add(i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX))
    }

    /// When a lease ends that is taken or extended now.
    fn until(self) -> i64 {
        ending(self.now(), self.lease)
    }
}

fn ending(now: i64, lease: Duration) -> i64 {
    now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
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
        let until = ending(now, registry.lease);
        let (name, by) = (repository.clone(), holder.clone());
        let location = location.map(|location| location.as_str().to_owned());
        let claim = move |tx: &mut Tx<'_>| {
            // Looked at before it is taken: another caller's session looks like none, and is not touched.
            let row = uploads::find(tx, &key)?;
            let row = row.filter(|row| row.repository == name.as_str() && row.principal == principal);
            let before = row.ok_or(Error::UploadUnknown)?.location;
            // An earlier closing request may have published its bytes under another digest. They cannot be thrown away as
            // long as the session lives: a third request could make them a blob while they are being removed.
            if before.is_some_and(|before| location.as_ref().is_some_and(|location| *location != before)) {
                return Err(Error::UploadUnknown);
            }
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
        Self {
            registry,
            id,
            holder,
            received: row.received,
            hasher,
            algorithm: row.algorithm,
            location: row.location.clone(),
            exact: false,
            clock: Clock { claimed: now, started: Instant::now(), lease: registry.lease },
        }
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
        let append = self.append().await?;
        let record = self.recorder();
        let left = limit.map(|limit| limit.saturating_sub(self.received));
        let most = [left, chunk.range.map(|range| range.len())].into_iter().flatten().min();
        let before = (self.received, hasher.clone());
        let done = receive::receive(chunk.body, append, hasher, &self.registry.pool, most, record).await;
        self.received = before.0.saturating_add(done.written);
        self.hasher = Some(done.hasher);
        self.exact = done.outcome.is_ok();
        match (done.outcome, chunk.range) {
            (Ok(()), Some(range)) if range.len() != done.written => {
                Err(Error::SizeMismatch { announced: range.len(), received: done.written })
            }
            (Ok(()), _) => Ok(()),
            (Err(ReceiveError::TooLarge { limit: taken }), Some(range)) if taken == range.len() => {
                // Which of the bytes the client means is not to be told: none of them counts.
                (self.received, self.hasher) = (before.0, Some(before.1));
                Err(Error::SizeMismatch { announced: taken, received: taken.saturating_add(1) })
            }
            (Err(error @ ReceiveError::Store(_)), _) => {
                // A full disk stays full as long as it holds bytes that nobody counts.
                let _ = self.cut().await;
                Err(receive_error(error, limit))
            }
            (Err(error), _) => Err(receive_error(error, limit)),
        }
    }

    /// Opens the bytes for writing where the session stands; what lies behind is cut off.
    async fn append(&self) -> Result<Box<dyn blobs::Append>, Error> {
        match self.registry.blobs.append(self.id, self.received).await {
            Err(blobs::Error::NotFound(_) | blobs::Error::Short { .. }) => Err(Error::UploadUnknown),
            opened => Ok(opened?),
        }
    }

    /// Cuts off bytes that the session does not count.
    async fn cut(&self) -> Result<(), Error> {
        self.append().await?.close().await?;
        Ok(())
    }

    /// Makes the session's bytes, and no others, a blob at `location`. Doing it again does nothing.
    pub(super) async fn publish(&self, location: &Location) -> Result<(), Error> {
        if !self.exact {
            // They were written by an earlier request, which a fault may have cut short or left with too many.
            match self.registry.blobs.upload_len(self.id).await? {
                Some(len) if len > self.received => self.cut().await?,
                Some(len) if len == self.received => {}
                None if self.registry.blobs.stat(location).await? == Some(self.received) => return Ok(()),
                _ => return Err(Error::UploadUnknown),
            }
        }
        match self.holding(self.registry.blobs.finish(self.id, location)).await {
            // An earlier attempt failed so that its bytes could not be trusted: the client has to begin again.
            Err(blobs::Error::NotFound(_)) => Err(Error::UploadUnknown),
            published => Ok(published?),
        }
    }

    /// The hash by `algorithm` over all bytes of the session; they are read once more when it was not kept on the way.
    pub(super) async fn hasher(&mut self, algorithm: Algorithm) -> Result<Hasher, Error> {
        // Kept here as well: should what follows fail, the session is saved with it.
        if let Some(hasher) = self.hasher.as_ref().filter(|hasher| hasher.algorithm() == algorithm) {
            return Ok(hasher.clone());
        }
        match self.holding(self.registry.blobs.hash_upload(self.id, self.received, algorithm)).await {
            Ok(hasher) => Ok(hasher),
            // The store lost bytes that the session counts: the client has to begin again.
            Err(blobs::Error::NotFound(_) | blobs::Error::Short { .. }) => Err(Error::UploadUnknown),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the store to read or to synchronise the bytes, and extends the lease meanwhile: for a large blob, either
    /// takes longer than a lease.
    async fn holding<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            match tokio::time::timeout(self.clock.lease / EXTENSIONS, &mut work).await {
                Ok(done) => return done,
                Err(_) => self.extend().await,
            }
        }
    }

    async fn extend(&self) {
        let (key, holder) = (self.id.to_string(), self.holder.clone());
        let (now, until) = (self.clock.now(), self.clock.until());
        let extend = move |tx: &mut Tx<'_>| uploads::extend(tx, &key, &holder, now, until);
        // A lease that is lost all the same is found out by the transaction that ends the upload.
        if let Err(error) = self.registry.db.write_soft(extend).await {
            tracing::warn!(%error, "cannot extend the lease of an upload");
        }
    }

    /// Records progress on the way, so that an upload that a crash ends goes on from there.
    fn recorder(&self) -> impl FnMut(Checkpoint) -> BoxFuture<'static, ()> + Send + use<> {
        let (db, base) = (Arc::clone(&self.registry.db), self.received);
        let (key, holder, boot) = (self.id.to_string(), self.holder.clone(), self.registry.boot.clone());
        let clock = self.clock;
        move |checkpoint| {
            let received = base.saturating_add(checkpoint.written);
            let save = save(&key, &holder, &boot, received, &checkpoint.hasher, clock);
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
        let save = self.hasher.map(|hasher| save(&key, &holder, &self.registry.boot, received, &hasher, self.clock));
        let release = move |tx: &mut Tx<'_>| {
            if let Some(save) = &save
                && !save(tx)?
            {
                return Err(Error::UploadUnknown);
            }
            Ok(uploads::release(tx, &key, &holder)?)
        };
        match self.registry.db.write_soft(release.clone()).await {
            Ok(()) => Ok(received),
            Err(error) => {
                if error.trouble().is_some() {
                    tokio::spawn(release_later(Arc::clone(&self.registry.db), self.clock.lease, release));
                }
                Err(error)
            }
        }
    }

    /// Removes the session and its bytes.
    pub(super) async fn discard(self) -> Result<(), Error> {
        self.registry.blobs.abort(self.id).await?;
        let (key, holder, location, now) = (self.id.to_string(), self.holder, self.location, self.clock.now());
        let delete = move |tx: &mut Tx<'_>| {
            if uploads::delete_held(tx, &key, &holder)?
                && let Some(location) = &location
            {
                throw_away(tx, location, now)?;
            }
            Ok::<_, db::Error>(())
        };
        Ok(self.registry.db.write_soft(delete).await?)
    }
}

/// Lets go of a session once the database is well again: until then, and for the rest of its lease, the client would be
/// told that its own broken request still writes.
async fn release_later(
    db: Arc<Db>,
    lease: Duration,
    release: impl FnMut(&mut Tx<'_>) -> Result<(), Error> + Clone + Send + 'static,
) {
    for _ in 0..lease.as_secs() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match db.write_soft(release.clone()).await {
            Err(error) if error.trouble().is_some() => {}
            _ => return,
        }
    }
}

/// Has what may have been published at `location` removed, unless a blob lies there.
fn throw_away(tx: &mut Tx<'_>, location: &str, now: i64) -> Result<(), db::Error> {
    if garbage::is_in_use(tx, location)? { Ok(()) } else { garbage::insert(tx, location, now) }
}

fn save(
    key: &str,
    holder: &Arc<str>,
    boot: &Arc<str>,
    received: u64,
    hasher: &Hasher,
    clock: Clock,
) -> impl Fn(&mut Tx<'_>) -> Result<bool, db::Error> + Clone + Send + 'static + use<> {
    let (key, holder, boot) = (key.to_owned(), holder.clone(), boot.clone());
    let (state, algorithm) = (hasher.save(), hasher.algorithm());
    let (now, until) = (clock.now(), clock.until());
    move |tx| {
        let progress = Progress { received, hash_state: &state, algorithm, boot: &boot };
        uploads::checkpoint(tx, &key, &holder, &progress, now, until)
    }
}
