//! Teams of an organisation.

use http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use crate::auth::Permissions;
use crate::registry::Error;
use crate::registry::accounts::{AccountError, teams};

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/teams",
        "List the teams of an organisation",
        Needs::Namespace,
        Permissions::ACTIVITY,
        |call| Box::pin(list(call)),
    )
    .group("teams")
    .pages::<Team>(),
    Route::new(
        Method::PUT,
        "/namespaces/{namespace}/teams/{team}",
        "Make a team",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(put(call)),
    )
    .group("teams")
    .makes::<Team>(),
    Route::new(
        Method::DELETE,
        "/namespaces/{namespace}/teams/{team}",
        "Remove a team, with the roles that its members hold through it",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(delete(call)),
    )
    .group("teams")
    .answers_nothing(),
    Route::new(
        Method::GET,
        "/namespaces/{namespace}/teams/{team}/members",
        "List the members of a team",
        Needs::Namespace,
        Permissions::ACTIVITY,
        |call| Box::pin(members(call)),
    )
    .group("teams")
    .pages::<Member>(),
    Route::new(
        Method::PUT,
        "/namespaces/{namespace}/teams/{team}/members/{user}",
        "Put a user into a team",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(join(call)),
    )
    .group("teams")
    .makes::<Member>(),
    Route::new(
        Method::DELETE,
        "/namespaces/{namespace}/teams/{team}/members/{user}",
        "Take a user out of a team",
        Needs::Namespace,
        Permissions::MEMBERS,
        |call| Box::pin(leave(call)),
    )
    .group("teams")
    .answers_nothing(),
];

/// A team.
#[derive(Debug, Serialize, ToSchema)]
struct Team {
    /// Its name.
    name: String,
    /// How many members it has.
    members: i64,
}

/// A member of a team.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    /// The user's name.
    user: String,
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = teams::list(call.registry(), call.argument("namespace"), &cursor.after, cursor.limit + 1).await?;
    let page = cursor.page(rows, |(name, _)| name.clone(), |(name, members)| Team { name, members });
    Ok(call.page(&page, &cursor))
}

async fn put(call: Call) -> Result<Reply, Refused> {
    let (namespace, name) = (call.argument("namespace"), call.argument("team"));
    let made = match teams::add(call.registry(), call.ctx(), namespace, name).await {
        Ok(()) => true,
        Err(Error::Account(AccountError::Taken { .. })) => false,
        Err(error) => return Err(error.into()),
    };
    let members = teams::count(call.registry(), namespace, name).await?;
    Ok(Reply::made(made, &Team { name: name.to_owned(), members }))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    teams::remove(call.registry(), call.ctx(), call.argument("namespace"), call.argument("team")).await?;
    Ok(Reply::nothing())
}

async fn members(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let team = (call.argument("namespace"), call.argument("team"));
    let names = teams::members(call.registry(), team, &cursor.after, cursor.limit + 1).await?;
    Ok(call.page(&cursor.page(names, Clone::clone, |user| Member { user }), &cursor))
}

async fn join(call: Call) -> Result<Reply, Refused> {
    let new = set(&call, true).await?;
    Ok(Reply::made(new, &Member { user: call.argument("user").to_owned() }))
}

async fn leave(call: Call) -> Result<Reply, Refused> {
    set(&call, false).await?;
    Ok(Reply::nothing())
}

async fn set(call: &Call, inside: bool) -> Result<bool, Refused> {
    let team = (call.argument("namespace"), call.argument("team"));
    Ok(teams::set_member(call.registry(), call.ctx(), team, call.argument("user"), inside).await?)
}
