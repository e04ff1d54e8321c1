//! Repositories as a whole: another name or namespace for one, and its removal.

use oci::RepositoryName;
use serde_json::json;

use super::{AccountError, changed_in, namespace, unknown};
use crate::auth::Permissions;
use crate::db::removal::{self, Locked};
use crate::db::{Tx, former_names, namespaces, pulls, repositories, roles};
use crate::registry::access::former::also_may;
use crate::registry::{Ctx, Error, Event, Registry};

/// What it takes to remove a repository: the right to remove each part of it, and the right to its settings.
pub const REMOVING: Permissions =
    Permissions::SETTINGS.with(Permissions::DELETE_TAG).with(Permissions::DELETE_MANIFEST);

/// Counting goes up to this many of each: what is more is "more than".
const COUNTED: i64 = 10_000;
/// How many of the latest pulls are told.
const PULLS_TOLD: i64 = 3;
/// How many former names are told.
const NAMES_TOLD: i64 = 20;
const DAY: i64 = 24 * 3600 * 1_000_000;
/// Over how many days pulls are counted.
const DAYS: i64 = 30;

fn locked(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Locked, Error> {
    removal::lock(tx, name)?.ok_or_else(|| Error::NameUnknown(name.clone()))
}

/// Gives a repository another name, in the same namespace or in another one. Reads by the old name go on, until another
/// repository is made under it; what is pushed there makes one.
///
/// Takes the right to make a repository under the new name. Roles on exactly this repository go with it. Into another
/// namespace go only those of users, and of them only what whoever moves it may give there: teams, robots and roles of a
/// namespace's own mean nothing in another one.
pub async fn rename(registry: &Registry, ctx: &Ctx, from: &RepositoryName, to: &RepositoryName) -> Result<(), Error> {
    if !registry.access.open {
        super::namespaces::refuse_reserved(registry, to).await?;
    }
    let (ctx, from, to, open) = (ctx.clone(), from.clone(), to.canonical(), registry.access.open);
    let rename = move |tx: &mut Tx<'_>| {
        let repository = locked(tx, &from)?;
        let rights = also_may(tx, &ctx, &to, Permissions::WRITE)?;
        let in_use = || AccountError::InUse(format!("there is a repository {to} already, or one that was called so"));
        if repositories::find(tx, &to)?.is_some() {
            return Err(in_use().into());
        }
        match former_names::find(tx, &to)? {
            Some(other) if other != repository.id => return Err(in_use().into()),
            Some(_) => former_names::delete(tx, &to)?,
            None => {}
        }
        if open {
            repositories::ensure_namespace(tx, to.namespace(), ctx.now)?;
        }
        let target = match open {
            true => namespaces::find(tx, to.namespace())?.ok_or_else(|| unknown("namespace", to.namespace()))?,
            // A misspelt one is not made, as a push by an administrator would.
            false => namespace(tx, to.namespace())?,
        };
        // Before anything is changed on which the decision depends.
        let detail = json!({ "from": from, "to": to });
        changed_in(tx, &ctx, "repository.rename", Some(&from), &detail)?;
        // Under both names, so that the history of either one tells of it.
        let kind = "repository.rename";
        let event = Event { kind, repository: Some(&to), detail: Some(detail.to_string()), ..Event::default() };
        ctx.record(tx, &event)?;
        former_names::rename(tx, repository.id, target.id, &to)?;
        former_names::insert(tx, &from, repository.id, ctx.now)?;
        take_roles_along(tx, (repository.namespace_id, &from), (target.id, &to), rights)
    };
    registry.db.write(rename).await
}

/// Has the roles on exactly one repository be about its new name, or end.
fn take_roles_along(
    tx: &mut Tx<'_>,
    (from_namespace, from): (i64, &RepositoryName),
    (to_namespace, to): (i64, &RepositoryName),
    rights: Permissions,
) -> Result<(), Error> {
    for role in roles::exactly_on(tx, from_namespace, from.as_str())? {
        // Nobody gives what he may not do himself, by moving a repository as little as by giving a role.
        let gives = rights.contains(Permissions::MEMBERS | Permissions::from_bits(role.permissions));
        if from_namespace == to_namespace || (role.anywhere && gives) {
            roles::move_to(tx, role.id, to_namespace, to.as_str())?;
        } else {
            roles::end(tx, role.id)?;
        }
    }
    Ok(())
}

/// What a repository holds, as far as is told before it is removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// Its tags.
    pub tags: Count,
    /// Its manifests: images, indexes, what is attached to them.
    pub manifests: Count,
    /// Its blobs.
    pub blobs: Count,
    /// The bytes of those blobs.
    pub bytes: u64,
    /// The bytes that no other repository holds.
    pub own_bytes: u64,
    /// How often was pulled from it within thirty days.
    pub pulls: i64,
    /// Tags that were pulled last, and when.
    pub last_pulls: Vec<(String, i64)>,
    /// Names that it had before.
    pub former_names: Vec<String>,
}

/// How many there are; counting ends somewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// As many as were counted.
    pub number: i64,
    /// Whether there are more.
    pub more: bool,
}

impl Count {
    fn of(number: i64) -> Self {
        Self { number: number.min(COUNTED), more: number > COUNTED }
    }
}

/// Tells what a repository holds.
pub async fn extent(registry: &Registry, ctx: &Ctx, name: &RepositoryName) -> Result<Extent, Error> {
    let (name, today) = (name.clone(), ctx.now.div_euclid(DAY));
    let look = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let blobs = removal::blobs(tx, id, COUNTED + 1)?;
        let bytes_of = |shared: bool| {
            blobs.iter().filter(|blob| shared || !blob.shared).fold(0_u64, |sum, blob| sum.saturating_add(blob.size))
        };
        let days = pulls::of_repository(tx, id, today - DAYS)?;
        Ok::<_, Error>(Extent {
            tags: Count::of(removal::count_tags(tx, id, COUNTED + 1)?),
            manifests: Count::of(removal::count_manifests(tx, id, COUNTED + 1)?),
            blobs: Count::of(i64::try_from(blobs.len()).unwrap_or(i64::MAX)),
            bytes: bytes_of(true),
            own_bytes: bytes_of(false),
            pulls: days.iter().map(|(_, count)| count.pulls).sum(),
            last_pulls: removal::last_pulls(tx, id, PULLS_TOLD)?,
            former_names: former_names::of_repository(tx, id, NAMES_TOLD)?,
        })
    };
    registry.db.scan(look).await
}

/// Lists the names that a repository had before, the latest first.
pub async fn former(registry: &Registry, name: &RepositoryName) -> Result<Vec<String>, Error> {
    let name = name.clone();
    let list = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        Ok::<_, Error>(former_names::of_repository(tx, id, NAMES_TOLD)?)
    };
    registry.db.read(list).await
}

/// Removes a repository with its tags and manifests, the roles on exactly it, and the names that led to it. What was
/// written down of it stays. The sweeper removes the bytes that nobody else holds.
///
/// One transaction, however much it holds: half a repository, whose tags lead nowhere, would be worse than pushes that
/// wait. Each statement goes by an index over what is removed, which takes about a second for 100,000 rows.
pub async fn delete(registry: &Registry, ctx: &Ctx, name: &RepositoryName) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.clone());
    let delete = move |tx: &mut Tx<'_>| {
        let repository = locked(tx, &name)?;
        let tags = removal::count_tags(tx, repository.id, COUNTED + 1)?;
        let manifests = removal::count_manifests(tx, repository.id, COUNTED + 1)?;
        // Before the roles go on which the decision depends.
        let detail = json!({ "tags": tags, "manifests": manifests });
        changed_in(tx, &ctx, "repository.delete", Some(&name), &detail)?;
        for role in roles::exactly_on(tx, repository.namespace_id, name.as_str())? {
            roles::end(tx, role.id)?;
        }
        removal::delete(tx, repository.id, ctx.now)?;
        Ok::<_, Error>(())
    };
    registry.db.write(delete).await
}
