//! Tags: their list, and how they move.

pub mod change;
pub mod image;
pub mod page;

use oci::{Digest, RepositoryName, Tag};

use super::catalog::Page;
use super::{Ctx, Error, Event, Registry};
use crate::db::{self, Tx, repositories, tags};

/// Lists a repository's tags behind `last`, in ASCII order.
pub async fn list(
    registry: &Registry,
    _ctx: &Ctx,
    repository: &RepositoryName,
    last: Option<&str>,
    limit: usize,
) -> Result<Page, Error> {
    let (name, last) = (repository.clone(), last.unwrap_or_default().to_owned());
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        Ok::<_, Error>(tags::list(tx, id, &last, limit as i64 + 1)?)
    };
    Ok(Page::cut(registry.db.scan(find).await?, limit))
}

/// The manifest a tag is moved to.
pub(super) struct Target<'a> {
    pub(super) repository: &'a RepositoryName,
    pub(super) repository_id: i64,
    pub(super) manifest_id: i64,
    pub(super) digest: &'a Digest,
}

/// Points a tag to a manifest, with its event and its line of history; a tag that points there already is left alone.
pub(super) fn move_to(tx: &mut Tx<'_>, ctx: &Ctx, target: &Target<'_>, tag: &Tag) -> Result<(), db::Error> {
    let previous = tags::lock(tx, target.repository_id, tag)?;
    if previous.as_ref().is_some_and(|(id, _)| *id == target.manifest_id) {
        return Ok(());
    }
    let kind = if previous.is_some() {
        tags::set(tx, target.repository_id, tag, target.manifest_id, ctx.now)?;
        "tag.move"
    } else {
        if !tags::insert(tx, target.repository_id, tag, target.manifest_id, ctx.now)? {
            // Run again, this sees where the other push pointed it, and the history tells both.
            return Err(db::Error::new(db::Kind::Conflict, "the same tag was made at the same moment"));
        }
        "tag.create"
    };
    record(tx, ctx, kind, target.repository, target.repository_id, tag.as_str(), Some(target.digest), previous)
}

/// Deletes a tag, with its event and its line of history; tells whether it was there. With `of`, only as long as it points
/// to that manifest.
pub(super) fn delete(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    repository: &RepositoryName,
    repository_id: i64,
    tag: &Tag,
    of: Option<i64>,
) -> Result<bool, db::Error> {
    let Some(previous) = tags::lock(tx, repository_id, tag)? else { return Ok(false) };
    if of.is_some_and(|manifest_id| manifest_id != previous.0) {
        return Ok(false);
    }
    tags::delete(tx, repository_id, tag)?;
    record(tx, ctx, "tag.delete", repository, repository_id, tag.as_str(), None, Some(previous))?;
    Ok(true)
}

#[expect(
    clippy::too_many_arguments,
    reason = "one line of history has this many facts, and they come from two callers"
)]
fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    kind: &'static str,
    repository: &RepositoryName,
    repository_id: i64,
    tag: &str,
    digest: Option<&Digest>,
    previous: Option<(i64, Digest)>,
) -> Result<(), db::Error> {
    let previous = previous.map(|(_, digest)| digest);
    let event = Event {
        kind,
        repository: Some(repository),
        tag: Some(tag),
        digest: digest.or(previous.as_ref()),
        detail: previous.as_ref().map(|digest| format!("{{\"previous\":\"{digest}\"}}")),
        ..Event::default()
    };
    let event_id = ctx.record(tx, &event)?;
    let moved = tags::Move { repository_id, tag, digest, previous: previous.as_ref(), event_id, at: ctx.now };
    tags::record_move(tx, &moved)
}
