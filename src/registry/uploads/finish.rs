//! The end of an upload: its bytes become a blob of the repository.

use oci::{Digest, RepositoryName};

use super::session::Session;
use super::{Body, Chunk, verify};
use crate::auth::Permissions;
use crate::blobs::{Location, UploadId};
use crate::db::{self, Tx, blobs, garbage, repositories, uploads};
use crate::registry::access::admit_again;
use crate::registry::blobs::is_whole;
use crate::registry::{Ctx, Error, Event, Registry};

/// Appends the last chunk and makes the session's bytes the blob `digest`. Durable when it returns.
pub async fn finish<B: Body>(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    id: UploadId,
    digest: Digest,
    chunk: Chunk<B>,
) -> Result<(), Error> {
    let location = Location::new(&digest, id);
    // The location is recorded before anything is published, so that what a crash leaves behind is found by its row;
    // a loss of power may take the row's latest state along, and then `havre check` finds the bytes.
    let session = Session::claim(registry, ctx, repository, id, Some(&location)).await?;
    let (mut session, written) = session.write(chunk, Some(digest.algorithm())).await;
    let complete = match written {
        Ok(()) => session.hasher(digest.algorithm()).await.and_then(|hasher| verify(&digest, hasher.finish())),
        Err(error) => Err(error),
    };
    match complete {
        Ok(()) => match publish(registry, ctx, repository, &session, digest, &location).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // The client may try again at once; that the session cannot be let go of either changes nothing.
                let _ = session.release().await;
                Err(error)
            }
        },
        Err(error @ Error::DigestMismatch { .. }) => {
            // Its bytes can never become what the client wants: keeping them would only fill the disk.
            let _ = session.discard().await;
            Err(error)
        }
        Err(error) => {
            let _ = session.release().await;
            Err(error)
        }
    }
}

/// Receives a whole blob in one request.
pub async fn monolithic<B: Body>(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digest: Digest,
    chunk: Chunk<B>,
) -> Result<(), Error> {
    let id = super::start(registry, ctx, repository, digest.algorithm()).await?;
    let result = finish(registry, ctx, repository, id, digest, chunk).await;
    if result.is_err() {
        // Nobody knows the session, so that nobody can go on with it. Left behind, it is found by the sweeper.
        let _ = super::cancel(registry, ctx, repository, id).await;
    }
    result
}

async fn publish(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    session: &Session<'_>,
    digest: Digest,
    location: &Location,
) -> Result<(), Error> {
    let known = look_up(registry, ctx, digest).await?;
    let mut published = known != Known::Whole;
    if published {
        session.publish(location).await?;
    }
    let mut commit = Commit {
        ctx: ctx.clone(),
        repository: repository.clone(),
        upload: session.id.to_string(),
        holder: session.holder.clone(),
        digest,
        size: session.received,
        location: location.clone(),
        published,
        mends: known == Known::Damaged,
    };
    let again = commit.clone();
    if registry.db.write(move |tx| commit.run(tx)).await? == Outcome::BytesNeeded {
        // The blob that made these bytes superfluous has been deleted since it was looked up.
        session.publish(location).await?;
        published = true;
        commit = Commit { published, ..again };
        registry.db.write(move |tx| commit.run(tx)).await?;
    }
    if !published {
        // Left behind, it is found by the sweeper.
        let _ = registry.blobs.abort(session.id).await;
    }
    Ok(())
}

/// What is known of a blob before its bytes are published once more.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// It is there: these bytes are not needed.
    Whole,
    /// Its bytes are gone or damaged: these replace them.
    Damaged,
    /// Nothing.
    Absent,
}

/// Looks a blob up. One whose bytes are gone or cut short is taken out of service.
async fn look_up(registry: &Registry, ctx: &Ctx, digest: Digest) -> Result<Known, Error> {
    let Some(row) = registry.db.read(move |tx| blobs::lookup(tx, &digest)).await? else { return Ok(Known::Absent) };
    let whole = !row.quarantined && is_whole(registry, ctx, &digest, &row).await?;
    Ok(if whole { Known::Whole } else { Known::Damaged })
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    BytesNeeded,
}

/// The transaction that ends an upload.
#[derive(Clone)]
struct Commit {
    ctx: Ctx,
    repository: RepositoryName,
    upload: String,
    holder: std::sync::Arc<str>,
    digest: Digest,
    size: u64,
    location: Location,
    /// Whether the bytes lie at `location` already.
    published: bool,
    /// Whether they are to replace damaged ones.
    mends: bool,
}

impl Commit {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Outcome, Error> {
        admit_again(tx, &self.ctx, &self.repository, Permissions::WRITE)?;
        let Some(blob_id) = self.blob(tx)? else { return Ok(Outcome::BytesNeeded) };
        if !uploads::delete_held(tx, &self.upload, &self.holder)? {
            // Its lease ran out and somebody else took it.
            return Err(Error::UploadUnknown);
        }
        let (repository_id, made) = repositories::ensure(tx, &self.repository, self.ctx.now)?;
        if made {
            let event = Event { kind: "repository.create", repository: Some(&self.repository), ..Event::default() };
            self.ctx.record(tx, &event)?;
        }
        blobs::link(tx, repository_id, blob_id, &self.digest, self.ctx.now)?;
        let event = Event {
            kind: "blob.push",
            repository: Some(&self.repository),
            digest: Some(&self.digest),
            detail: Some(format!("{{\"size\":{}}}", self.size)),
            ..Event::default()
        };
        self.ctx.record(tx, &event)?;
        Ok(Outcome::Done)
    }

    /// Finds or makes the blob's row; nothing when there is none and the bytes are not published.
    fn blob(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, db::Error> {
        let location = self.location.as_str();
        // Of two that held it before they gave it new bytes, each would wait for the other.
        let row = if self.mends { blobs::lock(tx, &self.digest)? } else { blobs::hold(tx, &self.digest)? };
        if let Some(row) = row {
            match (self.published, row.quarantined) {
                (false, true) => return Ok(None),
                (false, false) => {}
                // Another upload of the same blob was faster: these bytes are not needed.
                (true, false) => garbage::insert(tx, location, self.ctx.now)?,
                (true, true) => {
                    if !blobs::replace_bytes(tx, row.id, self.size, location)? {
                        return Err(same_moment());
                    }
                    let event = Event { kind: "blob.restore", digest: Some(&self.digest), ..Event::default() };
                    self.ctx.record(tx, &event)?;
                    garbage::insert(tx, &row.location, self.ctx.now)?;
                }
            }
            return Ok(Some(row.id));
        }
        if !self.published {
            return Ok(None);
        }
        let inserted = blobs::insert(tx, &self.digest, self.size, location, self.ctx.now)?;
        inserted.map(Some).ok_or_else(same_moment)
    }
}

/// Has the transaction run again, which then sees what the other one did.
fn same_moment() -> db::Error {
    db::Error::new(db::Kind::Conflict, "the same blob was pushed at the same moment")
}
