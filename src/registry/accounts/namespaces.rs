//! Organisations, and who may see what stands in a namespace.

use oci::RepositoryName;
use serde_json::json;

use super::{AccountError, changed, namespace, taken, unknown};
use crate::auth::{Visibility, account_name};
use crate::db::namespaces::{self, NamespaceRow};
use crate::db::{Tx, repositories};
use crate::registry::{Ctx, Error, Registry};

/// Makes an organisation; one whose namespace exists without an owner takes it over.
pub async fn add_organisation(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    display_name: Option<String>,
) -> Result<(), Error> {
    account_name::check(name).map_err(|why| AccountError::Name { name: name.to_owned(), why })?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let add = move |tx: &mut Tx<'_>| {
        match namespaces::find(tx, &name)? {
            Some(found) if found.owner_kind == "none" => namespaces::set_owner(tx, found.id, "organisation", None)?,
            Some(_) => return Err(taken("organisation", &name).into()),
            None => {
                let made = namespaces::insert(tx, &name, "organisation", None, display_name.as_deref(), ctx.now)?;
                made.ok_or_else(|| taken("organisation", &name))?;
            }
        }
        changed(tx, &ctx, "organisation.create", &json!({ "namespace": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(add).await
}

/// Lists namespaces behind `after`; with `kind`, those of that kind of owner.
pub async fn list(
    registry: &Registry,
    kind: Option<&'static str>,
    after: &str,
    limit: usize,
) -> Result<Vec<NamespaceRow>, Error> {
    let after = after.to_owned();
    Ok(registry.db.scan(move |tx| namespaces::list(tx, kind, &after, limit as i64)).await?)
}

fn visibility(word: &str) -> Result<Visibility, AccountError> {
    Visibility::parse(word).ok_or_else(|| AccountError::Word {
        kind: "visibility",
        word: word.to_owned(),
        known: Visibility::ALL.map(Visibility::as_str).join(", "),
    })
}

/// Sets what repositories that are made in a namespace begin with; those that exist stay as they are.
pub async fn set_default(registry: &Registry, ctx: &Ctx, name: &str, word: &str) -> Result<(), Error> {
    let (ctx, name, visibility) = (ctx.clone(), name.to_owned(), visibility(word)?.as_str());
    let set = move |tx: &mut Tx<'_>| {
        let found = namespace(tx, &name)?;
        namespaces::set_visibility(tx, found.id, visibility)?;
        changed(tx, &ctx, "namespace.visibility", &json!({ "namespace": name, "visibility": visibility }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Sets who may see a repository without a role.
pub async fn set_visibility(registry: &Registry, ctx: &Ctx, name: &RepositoryName, word: &str) -> Result<(), Error> {
    let (ctx, name, visibility) = (ctx.clone(), name.clone(), visibility(word)?.as_str());
    let set = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| unknown("repository", name.as_str()))?;
        repositories::set_visibility(tx, id, visibility)?;
        changed(tx, &ctx, "repository.visibility", &json!({ "repository": name, "visibility": visibility }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}
