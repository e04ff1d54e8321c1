//! Namespaces and organisations.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply, given};
use super::problem::Refused;
use super::route::{Needs, Route};
use crate::auth::Permissions;
use crate::registry::Error;
use crate::registry::accounts::NamespaceRow;
use crate::registry::accounts::{AccountError, namespaces};

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/namespaces",
        "List the namespaces that the caller may know of",
        Needs::Anybody,
        Permissions::NONE,
        |call| Box::pin(list(call)),
    )
    .group("namespaces")
    .pages::<Namespace>(),
    Route::new(
        Method::PUT,
        "/organisations/{namespace}",
        "Make an organisation",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(put(call)),
    )
    .group("namespaces")
    .takes_body::<NewOrganisation>()
    .makes::<Namespace>(),
    Route::new(
        Method::GET,
        "/namespaces/{namespace}",
        "Show a namespace",
        Needs::Namespace,
        Permissions::READ,
        |call| Box::pin(get(call)),
    )
    .group("namespaces")
    .answers::<Namespace>(200),
    Route::new(
        Method::PATCH,
        "/namespaces/{namespace}",
        "Change a namespace",
        Needs::Namespace,
        Permissions::SETTINGS,
        |call| Box::pin(patch(call)),
    )
    .group("namespaces")
    .takes_body::<NamespaceChange>()
    .answers::<Namespace>(200),
    Route::new(
        Method::PUT,
        "/namespaces/{namespace}/marks",
        "Mark a namespace as official or verified, or no longer",
        Needs::Instance,
        Permissions::INSTANCE,
        |call| Box::pin(mark(call)),
    )
    .group("namespaces")
    .takes_body::<Marks>()
    .answers::<Namespace>(200),
];

/// A namespace: the first part of a repository's name.
#[derive(Debug, Serialize, ToSchema)]
struct Namespace {
    /// Its name.
    name: String,
    /// Whose it is: `user`, `organisation` or `none`.
    kind: String,
    /// What people call it.
    display_name: Option<String>,
    /// What repositories that are made in it begin with: `public`, `internal` or `private`.
    default_visibility: String,
    /// Whether users need a second factor for what they hold in it.
    require_second_factor: bool,
    /// What it is, in a line.
    description: Option<String>,
    /// Whether administrators have marked it as official.
    official: bool,
    /// Whether administrators have marked it as verified.
    verified: bool,
}

impl From<NamespaceRow> for Namespace {
    fn from(row: NamespaceRow) -> Self {
        Self {
            name: row.name,
            kind: row.owner_kind,
            display_name: row.display_name,
            default_visibility: row.visibility,
            require_second_factor: row.require_second_factor,
            description: row.description,
            official: row.official,
            verified: row.verified,
        }
    }
}

/// An organisation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOrganisation {
    /// What people call it.
    display_name: Option<String>,
}

/// What is to change of a namespace; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NamespaceChange {
    /// What people call it; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    /// What repositories that are made in it begin with: `public`, `internal` or `private`.
    default_visibility: Option<String>,
    /// Whether users need a second factor for what they hold in it; of organisations.
    require_second_factor: Option<bool>,
    /// What it is, in a line; null takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
}

/// What administrators say of a namespace.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Marks {
    /// Whether its images are the registry's own choice.
    official: bool,
    /// Whether it was checked whose it is.
    verified: bool,
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = namespaces::seen(call.registry(), call.ctx(), &cursor.after, cursor.limit + 1).await?;
    Ok(call.page(&cursor.page(rows, |row| row.name.clone(), Namespace::from), &cursor))
}

/// Sent again, it finds the organisation as it was made.
async fn put(call: Call) -> Result<Reply, Refused> {
    let (name, new) = (call.argument("namespace"), call.body::<NewOrganisation>()?);
    let made = match namespaces::add_organisation(call.registry(), call.ctx(), name, new.display_name.clone()).await {
        Ok(()) => true,
        Err(Error::Account(taken @ AccountError::Taken { .. })) => {
            let row = namespaces::find(call.registry(), name).await.map_err(|_| Error::from(taken.clone()))?;
            if row.owner_kind != "organisation" || row.display_name != new.display_name {
                return Err(taken.into());
            }
            false
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Reply::made(made, &Namespace::from(namespaces::find(call.registry(), name).await?)))
}

async fn get(call: Call) -> Result<Reply, Refused> {
    let row = namespaces::find(call.registry(), call.argument("namespace")).await?;
    Ok(Reply::json(200, &Namespace::from(row)))
}

async fn patch(call: Call) -> Result<Reply, Refused> {
    let (name, change) = (call.argument("namespace"), call.body::<NamespaceChange>()?);
    if let Some(word) = &change.default_visibility {
        namespaces::set_default(call.registry(), call.ctx(), name, word).await?;
    }
    if let Some(display_name) = change.display_name {
        namespaces::set_display_name(call.registry(), call.ctx(), name, display_name).await?;
    }
    if let Some(description) = change.description {
        namespaces::set_description(call.registry(), call.ctx(), name, description).await?;
    }
    if let Some(on) = change.require_second_factor {
        namespaces::require_second_factor(call.registry(), call.ctx(), name, on).await?;
    }
    let row = namespaces::find(call.registry(), name).await?;
    Ok(Reply::json(200, &Namespace::from(row)))
}

async fn mark(call: Call) -> Result<Reply, Refused> {
    let (name, marks) = (call.argument("namespace"), call.body::<Marks>()?);
    namespaces::set_marks(call.registry(), call.ctx(), name, marks.official, marks.verified).await?;
    Ok(Reply::json(200, &Namespace::from(namespaces::find(call.registry(), name).await?)))
}
