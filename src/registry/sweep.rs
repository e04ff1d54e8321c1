//! Sweeps away what nobody needs: abandoned uploads, blobs that no manifest names, bytes that no row names.
//!
//! It goes in bounded steps of short transactions, so that no push or pull waits for it, and may run on several nodes
//! at once: every step checks again, under a lock, what it is about to remove.

use std::time::{Duration, Instant, SystemTime};

use super::access::sessions;
use super::{Ctx, Error, Event, Registry, audit, blobs::parse_location};
use crate::blobs::UploadId;
use crate::db::{self, Tx, blobs, garbage, uploads};

/// At most this many rows in one step.
const STEP: i64 = 100;
/// Steps in one sweep of each kind: a flood is worked off over several sweeps.
const STEPS: usize = 1000;
/// Longest rest between two steps.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// How long removed bytes stay in the store, so that a pull that has just looked them up still opens them.
const BYTES_GRACE: Duration = Duration::from_secs(60);
/// When the removal of bytes that the store would not remove is tried again.
const RETRY: Duration = Duration::from_secs(3600);

/// What a sweep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Upload sessions that had expired.
    pub uploads: u64,
    /// Blobs that had been let go of by a repository.
    pub links: u64,
    /// Blobs that no repository held.
    pub blobs: u64,
    /// Bytes given back to the store.
    pub bytes: u64,
    /// Events that were older than they are kept.
    pub events: u64,
}

/// Runs one sweep.
pub async fn sweep(registry: &Registry, ctx: &Ctx) -> Result<Swept, Error> {
    let mut swept = Swept::default();
    // Somebody may be copying what there is.
    if registry.instance.settings().read_only {
        return Ok(swept);
    }
    let mut pace = Pace::default();
    while pace.goes_on().await {
        swept.uploads += pace.did(expire_uploads(registry, ctx).await?);
    }
    swept.uploads += abort_strays(registry, ctx).await?;
    let mut pace = Pace::default();
    while pace.goes_on().await {
        swept.links += pace.did(unlink_unreferenced(registry, ctx).await?);
    }
    let mut pace = Pace::default();
    while pace.goes_on().await {
        swept.blobs += pace.did(delete_unlinked(registry, ctx).await?);
    }
    let mut pace = Pace::default();
    while pace.goes_on().await {
        let (done, bytes) = remove_garbage(registry, ctx).await?;
        swept.bytes += bytes;
        pace.did(done);
    }
    let mut pace = Pace::default();
    while pace.goes_on().await {
        pace.did(sessions::expire(registry, ctx.now, STEP).await?);
    }
    audit::erase(registry, ctx.now).await?;
    let mut pace = Pace::default();
    while pace.goes_on().await {
        swept.events += pace.did(audit::expire(registry, ctx).await?);
    }
    Ok(swept)
}

/// Steps of one kind, each followed by a rest as long as it took: pushes and pulls have the processor and the disk at least
/// half of the time.
#[derive(Default)]
struct Pace {
    steps: usize,
    began: Option<Instant>,
    over: bool,
}

impl Pace {
    /// Rests, and tells whether there is another step.
    async fn goes_on(&mut self) -> bool {
        if self.over || self.steps == STEPS {
            return false;
        }
        if let Some(began) = self.began {
            tokio::time::sleep(began.elapsed().min(LONGEST_REST)).await;
        }
        self.steps += 1;
        self.began = Some(Instant::now());
        true
    }

    /// Takes note of what a step did; the one that did nothing is the last.
    fn did(&mut self, done: u64) -> u64 {
        self.over = done == 0;
        done
    }
}

fn before(now: i64, age: Duration) -> i64 {
    now.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
}

fn after(now: i64, time: Duration) -> i64 {
    now.saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

async fn expire_uploads(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    let (now, cutoff) = (ctx.now, before(ctx.now, registry.storage.upload_expiry));
    let rows = registry.db.scan(move |tx| uploads::abandoned(tx, cutoff, now, STEP)).await?;
    let mut done = 0;
    for row in rows {
        let Some(id) = UploadId::parse(&row.id) else { continue };
        let expire = move |tx: &mut Tx<'_>| {
            // A request may have taken it up since it was listed.
            if !uploads::delete_abandoned(tx, &row.id, cutoff, now)? {
                return Ok::<_, db::Error>(false);
            }
            // It may have been published, and the server stopped before its blob was recorded.
            if let Some(location) = &row.location
                && !garbage::is_in_use(tx, location)?
            {
                garbage::insert(tx, location, now)?;
            }
            Ok(true)
        };
        match registry.db.write(expire).await {
            Ok(true) => {
                registry.blobs.abort(id).await?;
                done += 1;
            }
            Ok(false) => {}
            Err(error) => {
                // The database may lie on the disk that these bytes fill: without them it can go on.
                if error.kind == db::Kind::Full {
                    registry.blobs.abort(id).await?;
                }
                return Err(error.into());
            }
        }
    }
    Ok(done)
}

/// Removes unfinished bytes that have no session, left by a stop between a commit and their removal.
async fn abort_strays(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    let Some(cutoff) = SystemTime::now().checked_sub(registry.storage.upload_expiry) else { return Ok(0) };
    let mut done = 0;
    for (id, modified, _) in registry.blobs.list_uploads(STEPS).await? {
        let stray =
            modified < cutoff && registry.db.read(move |tx| uploads::find(tx, &id.to_string())).await?.is_none();
        if stray {
            tracing::debug!(upload = %id, at = ctx.now, "removing unfinished bytes without a session");
            registry.blobs.abort(id).await?;
            done += 1;
        }
    }
    Ok(done)
}

async fn unlink_unreferenced(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    let cutoff = before(ctx.now, registry.storage.unreferenced_grace);
    let found = registry.db.scan(move |tx| blobs::unreferenced(tx, cutoff, STEP)).await?;
    let mut done = 0;
    for link in found {
        let ctx = ctx.clone();
        let unlink = move |tx: &mut Tx<'_>| {
            if !blobs::lock_link_unreferenced_since(tx, link.repository_id, link.blob_id, cutoff)? {
                return Ok::<_, db::Error>(());
            }
            if blobs::is_referenced(tx, link.repository_id, &link.digest)? {
                return blobs::set_referenced(tx, link.repository_id, link.blob_id);
            }
            blobs::unlink(tx, link.repository_id, link.blob_id, ctx.now)?;
            let repository = oci::RepositoryName::parse(&link.repository).ok();
            let event = Event {
                kind: "blob.expire",
                repository: repository.as_ref(),
                digest: Some(&link.digest),
                ..Event::default()
            };
            ctx.record(tx, &event)?;
            Ok(())
        };
        // A crash that takes it back leaves a link that is removed again.
        registry.db.write_soft(unlink).await?;
        done += 1;
    }
    Ok(done)
}

async fn delete_unlinked(registry: &Registry, ctx: &Ctx) -> Result<u64, Error> {
    // The link's grace period is over; from the last link to here nothing more is waited for.
    let now = ctx.now;
    let ids = registry.db.scan(move |tx| blobs::unlinked(tx, now.saturating_add(1), STEP)).await?;
    let mut done = 0;
    for id in ids {
        let ctx = ctx.clone();
        let delete = move |tx: &mut Tx<'_>| {
            let Some((location, digest)) = blobs::delete_unlinked(tx, id)? else { return Ok::<_, db::Error>(0) };
            ctx.record(tx, &Event { kind: "blob.remove", digest: Some(&digest), ..Event::default() })?;
            garbage::insert(tx, &location, after(ctx.now, BYTES_GRACE))?;
            Ok(1)
        };
        done += registry.db.write(delete).await?;
    }
    Ok(done)
}

async fn remove_garbage(registry: &Registry, ctx: &Ctx) -> Result<(u64, u64), Error> {
    let now = ctx.now;
    let due = registry.db.scan(move |tx| garbage::due(tx, now, STEP)).await?;
    let (mut done, mut bytes) = (0, 0);
    for (id, location) in due {
        match remove_bytes(registry, &location).await {
            Ok(freed) => {
                bytes += freed;
                registry.db.write_soft(move |tx| garbage::delete(tx, id)).await?;
            }
            Err(error) => {
                // One that cannot be removed must not keep the others from it.
                tracing::warn!(location, %error, "cannot remove bytes that nobody needs; trying again later");
                registry.db.write(move |tx| garbage::postpone(tx, id, after(now, RETRY))).await?;
            }
        }
        done += 1;
    }
    Ok((done, bytes))
}

async fn remove_bytes(registry: &Registry, location: &str) -> Result<u64, Error> {
    let key = location.to_owned();
    // Never, as a location is used once; but bytes in use are not worth a doubt.
    if registry.db.read(move |tx| garbage::is_in_use(tx, &key)).await? {
        return Ok(0);
    }
    let location = parse_location(location)?;
    let freed = registry.blobs.stat(&location).await?.unwrap_or(0);
    registry.blobs.delete(&location).await?;
    Ok(freed)
}
