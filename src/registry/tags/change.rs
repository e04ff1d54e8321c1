//! What people do to tags by hand: take some away, have one point to where it pointed before; and what happened to one.

use oci::{Digest, RepositoryName, Tag};

use super::{Target, delete, move_to};
use crate::auth::Permissions;
use crate::db::tags::{self, DeedRow, TagRow};
use crate::db::{Tx, manifests, repositories};
use crate::registry::access::admit_again;
use crate::registry::audit::actor_name;
use crate::registry::{Ctx, Error, Registry};

/// At most this many tags are taken away at once.
pub const AT_ONCE: usize = 200;
/// At most this many tags of an image are named.
const OTHERS: i64 = 100;
/// Tags of an image that are counted.
const COUNTED: i64 = 1_000;

/// A tag that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doomed {
    /// The tag.
    pub tag: TagRow,
    /// Every tag of its image, the first few.
    pub others: Vec<String>,
}

/// Tells what would go with tags; those that are not there are left out.
pub async fn preview(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    names: &[String],
) -> Result<Vec<Doomed>, Error> {
    let (name, mut names) = (repository.clone(), names.to_vec());
    names.sort_unstable();
    names.dedup();
    names.truncate(AT_ONCE);
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let mut doomed: Vec<Doomed> = Vec::new();
        for name in &names {
            let Some(tag) = tags::find(tx, id, name)? else { continue };
            let known = doomed.iter().find(|one| one.tag.manifest_id == tag.manifest_id);
            let others = match known {
                Some(known) => known.others.clone(),
                None => tags::first_of_manifest(tx, tag.manifest_id, OTHERS)?,
            };
            doomed.push(Doomed { tag, others });
        }
        Ok::<_, Error>(doomed)
    };
    registry.db.scan(find).await
}

/// Takes tags away, each only as long as it points to what the caller saw; tells how many went. The images stay, by their
/// digests.
pub async fn delete_many(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    seen: &[(Tag, Digest)],
) -> Result<usize, Error> {
    let (ctx, name, mut seen) = (ctx.clone(), repository.clone(), seen.to_vec());
    // In the order of their names: pushes lock several tags in the same one.
    seen.sort_unstable();
    seen.dedup();
    seen.truncate(AT_ONCE);
    let change = move |tx: &mut Tx<'_>| {
        admit_again(tx, &ctx, &name, Permissions::DELETE_TAG)?;
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let mut gone = 0;
        for (tag, digest) in &seen {
            let points_to = manifests::hold(tx, id, digest)?;
            // Each deletion is recorded by the function that does it.
            if points_to.is_some() && delete(tx, &ctx, &name, id, tag, points_to)? {
                gone += 1;
            }
        }
        Ok::<_, Error>(gone)
    };
    registry.db.write(change).await
}

/// Has a tag point to a manifest that is in the repository, as a push of that manifest would.
pub async fn put_back(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    tag: &Tag,
    digest: &Digest,
) -> Result<(), Error> {
    let (ctx, name, tag, digest) = (ctx.clone(), repository.clone(), tag.clone(), *digest);
    let change = move |tx: &mut Tx<'_>| {
        admit_again(tx, &ctx, &name, Permissions::WRITE)?;
        let repository_id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let unknown = || Error::ManifestUnknown { repository: name.clone(), reference: digest.into() };
        let manifest_id = manifests::hold(tx, repository_id, &digest)?.ok_or_else(unknown)?;
        let target = Target { repository: &name, repository_id, manifest_id, digest: &digest };
        Ok::<_, Error>(move_to(tx, &ctx, &target, &tag)?)
    };
    registry.db.write(change).await
}

/// A move of a tag, and who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The move.
    pub row: DeedRow,
    /// The present name of who did it; nothing where nobody has one, or it may not be told.
    pub name: Option<String>,
}

/// A tag, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The tag, where it is there.
    pub tag: Option<TagRow>,
    /// How many tags its image has, itself included.
    pub shared_by: i64,
    /// Its moves, the newest first.
    pub deeds: Vec<Deed>,
    /// The key before which the next page begins.
    pub next: Option<i64>,
}

/// Tells what happened to a tag before the key `before`, with names only for who may see who did what. Nothing of a tag that
/// there never was.
pub async fn history(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    tag: &Tag,
    before: Option<i64>,
    with_names: bool,
    limit: usize,
) -> Result<Option<History>, Error> {
    let (name, tag) = (repository.clone(), tag.clone());
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let found = tags::find(tx, id, tag.as_str())?;
        let shared_by = match &found {
            Some(row) => tags::count_of_manifest(tx, row.manifest_id, COUNTED)?,
            None => 0,
        };
        let mut rows = tags::deeds(tx, id, tag.as_str(), before.unwrap_or(i64::MAX), limit as i64 + 1)?;
        if found.is_none() && rows.is_empty() {
            return Ok(None);
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id);
        let mut deeds = Vec::new();
        for row in rows {
            let name = match row.actor.as_deref().filter(|_| with_names) {
                Some(actor) => actor_name(tx, actor)?,
                None => None,
            };
            deeds.push(Deed { row, name });
        }
        Ok::<_, Error>(Some(History { tag: found, shared_by, deeds, next }))
    };
    registry.db.scan(find).await
}
