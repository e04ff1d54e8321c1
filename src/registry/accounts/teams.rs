//! Teams of an organisation.

use serde_json::json;

use super::{AccountError, changed, namespace, taken, unknown, user, within};
use crate::auth::Permissions;
use crate::auth::account_name;
use crate::db::namespaces::NamespaceRow;
use crate::db::{Tx, roles, teams};
use crate::registry::{Ctx, Error, Registry};

/// Finds an organisation: a user's namespace has no teams.
fn organisation(tx: &mut Tx<'_>, name: &str) -> Result<NamespaceRow, Error> {
    let found = namespace(tx, name)?;
    if found.owner_kind == "organisation" { Ok(found) } else { Err(unknown("organisation", name).into()) }
}

fn team(tx: &mut Tx<'_>, within: &str, name: &str) -> Result<i64, Error> {
    let namespace = organisation(tx, within)?;
    Ok(teams::find(tx, namespace.id, name)?.ok_or_else(|| unknown("team", name))?)
}

/// Makes a team.
pub async fn add(registry: &Registry, ctx: &Ctx, within: &str, name: &str) -> Result<(), Error> {
    account_name::check_within(name).map_err(|why| AccountError::Name { name: name.to_owned(), why })?;
    let (ctx, within, name) = (ctx.clone(), within.to_owned(), name.to_owned());
    let add = move |tx: &mut Tx<'_>| {
        let namespace = organisation(tx, &within)?;
        teams::insert(tx, namespace.id, &name, ctx.now)?.ok_or_else(|| taken("team", &name))?;
        changed(tx, &ctx, "team.create", &json!({ "namespace": within, "team": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(add).await
}

/// Removes a team; its members lose the roles that they hold through it.
pub async fn remove(registry: &Registry, ctx: &Ctx, organisation: &str, name: &str) -> Result<(), Error> {
    let (ctx, organisation, name) = (ctx.clone(), organisation.to_owned(), name.to_owned());
    let remove = move |tx: &mut Tx<'_>| {
        let id = team(tx, &organisation, &name)?;
        teams::delete(tx, id)?;
        changed(tx, &ctx, "team.delete", &json!({ "namespace": organisation, "team": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(remove).await
}

/// Puts a user into a team, or takes the user out of it; tells whether anything changed.
pub async fn set_member(
    registry: &Registry,
    ctx: &Ctx,
    (organisation, name): (&str, &str),
    member: &str,
    inside: bool,
) -> Result<bool, Error> {
    let (ctx, organisation, name, member) = (ctx.clone(), organisation.to_owned(), name.to_owned(), member.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let (id, user) = (team(tx, &organisation, &name)?, user(tx, &member)?);
        if inside {
            within(&ctx, roles::of_team(tx, id)?.into_iter().map(Permissions::from_bits).collect())?;
        }
        let (done, kind) = if inside {
            (teams::add_member(tx, id, user.id, ctx.now)?, "team.join")
        } else {
            (teams::remove_member(tx, id, user.id)?, "team.leave")
        };
        if done {
            let detail = json!({ "namespace": organisation, "team": name, "user": user.public_id });
            changed(tx, &ctx, kind, &detail)?;
        }
        Ok::<_, Error>(done)
    };
    registry.db.write(set).await
}

/// Lists the teams of an organisation behind `after`, with how many members each has.
pub async fn list(registry: &Registry, within: &str, after: &str, limit: usize) -> Result<Vec<(String, i64)>, Error> {
    let (within, after, limit) = (within.to_owned(), after.to_owned(), i64::try_from(limit).unwrap_or(i64::MAX));
    let list = move |tx: &mut Tx<'_>| {
        let namespace = organisation(tx, &within)?;
        Ok::<_, Error>(teams::list(tx, namespace.id, &after, limit)?)
    };
    registry.db.scan(list).await
}

/// Counts the members of a team.
pub async fn count(registry: &Registry, organisation: &str, name: &str) -> Result<i64, Error> {
    let (organisation, name) = (organisation.to_owned(), name.to_owned());
    let count = move |tx: &mut Tx<'_>| {
        let id = team(tx, &organisation, &name)?;
        Ok::<_, Error>(teams::count(tx, id)?)
    };
    registry.db.read(count).await
}

/// Lists the members of a team behind `after`.
pub async fn members(
    registry: &Registry,
    (organisation, name): (&str, &str),
    after: &str,
    limit: usize,
) -> Result<Vec<String>, Error> {
    let (organisation, name, after) = (organisation.to_owned(), name.to_owned(), after.to_owned());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let list = move |tx: &mut Tx<'_>| {
        let id = team(tx, &organisation, &name)?;
        Ok::<_, Error>(teams::members(tx, id, &after, limit)?)
    };
    registry.db.scan(list).await
}
