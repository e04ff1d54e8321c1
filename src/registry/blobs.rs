//! Blobs as clients see them: through a repository that holds them.

use oci::{Digest, RepositoryName};

use super::accounts::namespaces::refuse_reserved;
use super::{Ctx, Error, Event, Registry};
use crate::blobs::{self as store, Location, Reader};
use crate::db::blobs::{self, BlobRow};
use crate::db::{self, access, manifests, repositories};

/// How many parents a refusal names.
const PARENTS_SHOWN: i64 = 10;

/// A blob that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    location: Location,
}

impl Blob {
    /// Where its bytes lie.
    pub fn location(&self) -> &Location {
        &self.location
    }
}

/// Finds a blob of a repository.
pub async fn find(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Blob, Error> {
    let (name, wanted) = (repository.clone(), *digest);
    let row = registry.db.read(move |tx| blobs::find(tx, &name, &wanted)).await?;
    let Some(row) = row else { return Err(unknown(registry, repository, digest).await?) };
    if row.quarantined {
        return Err(Error::BlobDamaged(*digest));
    }
    blob(digest, &row)
}

fn blob(digest: &Digest, row: &BlobRow) -> Result<Blob, Error> {
    Ok(Blob { digest: *digest, size: row.size, location: parse_location(&row.location)? })
}

pub(super) fn parse_location(text: &str) -> Result<Location, db::Error> {
    Location::parse(text)
        .ok_or_else(|| db::Error::new(db::Kind::Corrupt, "a blob's location is not one the store makes"))
}

async fn unknown(registry: &Registry, repository: &RepositoryName, digest: &Digest) -> Result<Error, Error> {
    let name = repository.clone();
    Ok(match registry.db.read(move |tx| repositories::find(tx, &name)).await? {
        Some(_) => Error::BlobUnknown { repository: repository.clone(), digest: *digest },
        None => Error::NameUnknown(repository.clone()),
    })
}

/// Makes sure that a blob's bytes are there, without opening them.
pub async fn check(registry: &Registry, ctx: &Ctx, blob: &Blob) -> Result<(), Error> {
    match registry.blobs.stat(&blob.location).await? {
        Some(size) if size == blob.size => Ok(()),
        found => Err(damaged(registry, ctx, blob, found).await?),
    }
}

/// Tells whether the bytes of a blob's row are there. Where they are not, the blob is taken out of service.
pub(super) async fn is_whole(registry: &Registry, ctx: &Ctx, digest: &Digest, row: &BlobRow) -> Result<bool, Error> {
    match check(registry, ctx, &blob(digest, row)?).await {
        Ok(()) => Ok(true),
        Err(Error::BlobDamaged(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a blob's bytes; damage found here is recorded before the refusal.
pub async fn open(registry: &Registry, ctx: &Ctx, blob: &Blob) -> Result<Reader, Error> {
    match registry.blobs.open(&blob.location).await {
        Ok(reader) if reader.len() == blob.size => Ok(reader),
        Ok(reader) => Err(damaged(registry, ctx, blob, Some(reader.len())).await?),
        Err(store::Error::NotFound(_)) => Err(damaged(registry, ctx, blob, None).await?),
        Err(error) => Err(error.into()),
    }
}

async fn damaged(registry: &Registry, ctx: &Ctx, blob: &Blob, found: Option<u64>) -> Result<Error, Error> {
    let (digest, expected) = (blob.digest, blob.size);
    let request_id = &*ctx.request_id;
    tracing::error!(request_id, %digest, expected, found, "a blob's bytes are gone from the store, or not all there");
    quarantine(registry, ctx, &digest, &blob.location).await?;
    Ok(Error::BlobDamaged(digest))
}

/// Records that the bytes at `location` are bad, so that they are never served again and a new push replaces them.
pub async fn quarantine(registry: &Registry, ctx: &Ctx, digest: &Digest, location: &Location) -> Result<(), Error> {
    let (ctx, digest, key) = (ctx.clone(), *digest, location.as_str().to_owned());
    let quarantine = move |tx: &mut db::Tx<'_>| {
        if blobs::quarantine(tx, &key)? {
            ctx.record(tx, &Event { kind: "blob.quarantine", digest: Some(&digest), ..Event::default() })?;
        }
        Ok(())
    };
    registry.db.write::<_, Error, _>(quarantine).await
}

/// Finds a blob through a repository from which the caller may pull now. The scopes of a token do not matter here: clients
/// ask for the repository they push to, and learn of a mount's source later.
async fn source(
    registry: &Registry,
    ctx: &Ctx,
    digest: &Digest,
    from: Option<&RepositoryName>,
) -> Result<Option<BlobRow>, Error> {
    if !ctx.may_read_at_all() {
        return Ok(None);
    }
    let (viewer, digest, from) = (registry.viewer(ctx), *digest, from.cloned());
    let find = move |tx: &mut db::Tx<'_>| match &from {
        Some(from) => access::blob_in(tx, viewer, from, &digest),
        None => access::blob_anywhere(tx, viewer, &digest),
    };
    Ok(registry.db.read(find).await?)
}

/// Makes a blob that another repository holds available in this one; tells whether it could.
///
/// Only repositories that the caller may pull from now are considered; without `from`, any of them will do.
pub async fn mount(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digest: &Digest,
    from: Option<&RepositoryName>,
) -> Result<bool, Error> {
    refuse_reserved(registry, repository).await?;
    let (name, digest, from) = (repository.clone(), *digest, from.cloned());
    let found = source(registry, ctx, &digest, from.as_ref()).await?;
    let Some(found) = found.filter(|row| !row.quarantined) else { return Ok(false) };
    // Whoever mounts it does not push it: what is promised must be there.
    if !is_whole(registry, ctx, &digest, &found).await? {
        return Ok(false);
    }
    let ctx = ctx.clone();
    let mount = move |tx: &mut db::Tx<'_>| {
        // It may have been deleted since it was looked up.
        let Some(row) = blobs::hold(tx, &digest)? else { return Ok(false) };
        if row.quarantined {
            return Ok(false);
        }
        let (repository_id, made) = repositories::ensure(tx, &name, ctx.now)?;
        if made {
            ctx.record(tx, &Event { kind: "repository.create", repository: Some(&name), ..Event::default() })?;
        }
        if blobs::link(tx, repository_id, row.id, &digest, ctx.now)? {
            let detail = from.as_ref().map(|from| format!("{{\"from\":\"{from}\"}}"));
            let event = Event {
                kind: "blob.mount",
                repository: Some(&name),
                digest: Some(&digest),
                detail,
                ..Event::default()
            };
            ctx.record(tx, &event)?;
        }
        Ok::<_, Error>(true)
    };
    registry.db.write(mount).await
}

/// Removes a blob from a repository, unless a manifest there names it.
pub async fn delete(registry: &Registry, ctx: &Ctx, repository: &RepositoryName, digest: &Digest) -> Result<(), Error> {
    let (ctx, name, digest) = (ctx.clone(), repository.clone(), *digest);
    let delete = move |tx: &mut db::Tx<'_>| {
        let repository_id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let unknown = || Error::BlobUnknown { repository: name.clone(), digest };
        let row = blobs::find(tx, &name, &digest)?.ok_or_else(unknown)?;
        if !blobs::lock_link(tx, repository_id, row.id)? {
            return Err(unknown());
        }
        let parents = manifests::users(tx, repository_id, &digest, PARENTS_SHOWN)?;
        if !parents.is_empty() {
            return Err(Error::Referenced { digest, parents });
        }
        blobs::unlink(tx, repository_id, row.id, ctx.now)?;
        let event = Event { kind: "blob.delete", repository: Some(&name), digest: Some(&digest), ..Event::default() };
        ctx.record(tx, &event)?;
        Ok(())
    };
    registry.db.write(delete).await
}
