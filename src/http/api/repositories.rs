//! Repositories.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use super::times::time;
use crate::auth::Permissions;
use crate::registry::accounts::namespaces;
use crate::registry::catalog;
use crate::registry::catalog::RepositoryRow;

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/repositories",
        "List the repositories that the caller may read",
        Needs::Anybody,
        Permissions::NONE,
        |call| Box::pin(list(call)),
    )
    .group("repositories")
    .query(&[Parameter { name: "namespace", about: "only those in this namespace", required: false }])
    .pages::<Repository>(),
    Route::new(
        Method::GET,
        "/repositories/{repository}",
        "Show a repository, whose name may hold slashes",
        Needs::Repository,
        Permissions::READ,
        |call| Box::pin(get(call)),
    )
    .group("repositories")
    .answers::<Repository>(200),
    Route::new(
        Method::PATCH,
        "/repositories/{repository}",
        "Change who may see a repository",
        Needs::Repository,
        Permissions::SETTINGS,
        |call| Box::pin(patch(call)),
    )
    .group("repositories")
    .takes_body::<RepositoryChange>()
    .answers::<Repository>(200),
];

/// A repository.
#[derive(Debug, Serialize, ToSchema)]
struct Repository {
    /// Its name.
    name: String,
    /// Who may see it without a role: `public`, `internal` (any signed-in user) or `private`.
    visibility: String,
    /// When it was made.
    created_at: String,
}

impl From<RepositoryRow> for Repository {
    fn from(row: RepositoryRow) -> Self {
        Self { name: row.name, visibility: row.visibility, created_at: time(row.created_at) }
    }
}

/// What is to change of a repository.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryChange {
    /// Who may see it without a role: `public`, `internal` or `private`.
    visibility: String,
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let (cursor, namespace) = (call.cursor()?, call.query("namespace"));
    let rows = match call.ctx().may_read_at_all() {
        true => catalog::repositories(call.registry(), call.ctx(), namespace, &cursor.after, cursor.limit + 1).await?,
        false => Vec::new(),
    };
    Ok(call.page(&cursor.page(rows, |row| row.name.clone(), Repository::from), &cursor))
}

async fn get(call: Call) -> Result<Reply, Refused> {
    let row = catalog::find(call.registry(), &call.repository()?).await?;
    Ok(Reply::json(200, &Repository::from(row)))
}

async fn patch(call: Call) -> Result<Reply, Refused> {
    let (name, change) = (call.repository()?, call.body::<RepositoryChange>()?);
    namespaces::set_visibility(call.registry(), call.ctx(), &name, &change.visibility).await?;
    let row = catalog::find(call.registry(), &name).await?;
    Ok(Reply::json(200, &Repository::from(row)))
}
