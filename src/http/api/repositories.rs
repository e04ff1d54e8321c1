//! Repositories.

use http::Method;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply, given};
use super::problem::Refused;
use super::route::{Needs, Parameter, Route};
use super::times::time;
use crate::auth::Permissions;
use crate::registry::accounts::namespaces;
use crate::registry::accounts::repositories::{self as owned, REMOVING};
use crate::registry::catalog;
use crate::registry::catalog::RepositoryRow;
use crate::registry::repositories::{self, Description, Details};

/// Longest body of a change: a README of 256 KiB, escaped.
const MAX_BODY: usize = 1024 * 1024;

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
        "Change who may see a repository, what it says of itself, or its name: with another first part, it moves",
        Needs::Repository,
        Permissions::SETTINGS,
        |call| Box::pin(patch(call)),
    )
    .group("repositories")
    .takes_body::<RepositoryChange>()
    .body_up_to(MAX_BODY)
    .answers::<Repository>(200),
    Route::new(
        Method::DELETE,
        "/repositories/{repository}",
        "Remove a repository with all its tags and images; there is no way back",
        Needs::Repository,
        REMOVING,
        |call| Box::pin(delete(call)),
    )
    .group("repositories")
    .answers_nothing(),
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
    /// What it is, in a line.
    description: Option<String>,
    /// What there is to say of it, in Markdown; in the answer about one repository only.
    #[serde(skip_serializing_if = "Option::is_none")]
    readme: Option<String>,
}

impl From<Details> for Repository {
    fn from(details: Details) -> Self {
        Self {
            name: details.name,
            visibility: details.visibility,
            created_at: time(details.created_at),
            description: details.description,
            readme: details.readme,
        }
    }
}

impl From<RepositoryRow> for Repository {
    fn from(row: RepositoryRow) -> Self {
        Self {
            name: row.name,
            visibility: row.visibility,
            created_at: time(row.created_at),
            description: row.description,
            readme: None,
        }
    }
}

/// What is to change of a repository; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryChange {
    /// Who may see it without a role: `public`, `internal` or `private`.
    visibility: Option<String>,
    /// Its whole name. Takes the right to push there; the old name goes on to be read by until another repository has it.
    name: Option<String>,
    /// What it is, in a line of at most 256 characters; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// What there is to say of it, in Markdown, at most 256 KiB; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    readme: Option<Option<String>>,
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
    let details = repositories::find(call.registry(), call.ctx(), &call.repository()?).await?;
    Ok(Reply::json(200, &Repository::from(details)))
}

async fn patch(call: Call) -> Result<Reply, Refused> {
    let (mut name, change) = (call.repository()?, call.body::<RepositoryChange>()?);
    if let Some(word) = &change.visibility {
        namespaces::set_visibility(call.registry(), call.ctx(), &name, word).await?;
    }
    if change.description.is_some() || change.readme.is_some() {
        let change = Description { description: change.description, readme: change.readme };
        repositories::describe(call.registry(), call.ctx(), &name, change).await?;
    }
    if let Some(text) = &change.name {
        let to = RepositoryName::parse(text).ok().filter(|_| text.contains('/'));
        let to = to.ok_or_else(|| {
            Refused::invalid(format!("{text:?} names no repository; write its whole name, such as acme/app"))
        })?;
        if to != name {
            owned::rename(call.registry(), call.ctx(), &name, &to).await?;
            name = to;
        }
    }
    let details = repositories::find(call.registry(), call.ctx(), &name).await?;
    Ok(Reply::json(200, &Repository::from(details)))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    owned::delete(call.registry(), call.ctx(), &call.repository()?).await?;
    Ok(Reply::nothing())
}
