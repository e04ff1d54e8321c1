//! Organisations, and who may see what stands in a namespace.

use oci::RepositoryName;
use serde_json::json;

use super::{
    AccountError, changed, changed_in, description_is_plain, display_name_is_plain, namespace, taken, unknown,
};
use crate::auth::{Visibility, account_name};
pub use crate::db::access::ShownRow;
use crate::db::namespaces::{self, NamespaceRow};
use crate::db::{Tx, access, repositories};
use crate::registry::{Ctx, Error, Identity, Registry};

/// Refuses what would make a namespace of a word that is kept for the registry itself, such as a first push. One that
/// exists, from a time when the registry was open, may be written to.
pub(in crate::registry) async fn refuse_reserved(registry: &Registry, name: &RepositoryName) -> Result<(), Error> {
    if registry.access.open || !account_name::is_reserved(name.namespace()) {
        return Ok(());
    }
    let namespace = name.namespace().to_owned();
    match registry.db.read(move |tx| namespaces::find(tx, &namespace)).await? {
        Some(_) => Ok(()),
        None => Err(Error::NameReserved(name.clone())),
    }
}

/// Whether whoever asks may give a namespace an owner that exists without one: its images become readable to the owner, so
/// that nobody but an administrator decides this.
pub(super) fn adopts(ctx: &Ctx) -> bool {
    match &ctx.identity {
        Identity::System => true,
        Identity::User(account) => account.admin,
        Identity::Anonymous | Identity::Robot(_) => false,
    }
}

/// Makes an organisation; for an administrator, one whose namespace exists without an owner takes it over.
pub async fn add_organisation(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    display_name: Option<String>,
) -> Result<(), Error> {
    account_name::check(name).map_err(|why| AccountError::Name { name: name.to_owned(), why })?;
    display_name_is_plain(display_name.as_deref())?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let add = move |tx: &mut Tx<'_>| {
        match namespaces::find(tx, &name)? {
            Some(found) if found.owner_kind == "none" && adopts(&ctx) => {
                namespaces::set_owner(tx, found.id, "organisation", None)?;
                if display_name.is_some() {
                    namespaces::set_display_name(tx, found.id, display_name.as_deref())?;
                }
            }
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

/// Finds a namespace that is in use.
pub async fn find(registry: &Registry, name: &str) -> Result<NamespaceRow, Error> {
    let name = name.to_owned();
    registry.db.read(move |tx| namespace(tx, &name)).await
}

/// Tells who may see a repository without a role.
pub async fn visibility_of(registry: &Registry, name: &RepositoryName) -> Result<Visibility, Error> {
    let name = name.clone();
    let find = move |tx: &mut Tx<'_>| {
        let found = access::target(tx, &name)?.and_then(|target| target.visibility);
        let word = found.ok_or_else(|| unknown("repository", name.as_str()))?;
        Ok::<_, Error>(visibility(&word)?)
    };
    registry.db.read(find).await
}

/// Finds a namespace that is in use and that the caller may know of; nothing otherwise: one must not tell which.
pub async fn find_seen(registry: &Registry, ctx: &Ctx, name: &str) -> Result<Option<NamespaceRow>, Error> {
    let (viewer, name) = (registry.viewer(ctx), name.to_owned());
    let find = move |tx: &mut Tx<'_>| {
        let Some(found) = namespaces::find(tx, &name)?.filter(|found| found.owner_kind != "retired") else {
            return Ok(None);
        };
        Ok(access::sees_namespace(tx, viewer, found.id)?.then_some(found))
    };
    Ok(registry.db.read::<_, crate::db::Error, _>(find).await?)
}

/// Lists the repositories of a namespace that the caller may read, as its page shows them, behind `after`.
pub async fn repositories_shown(
    registry: &Registry,
    ctx: &Ctx,
    namespace: &NamespaceRow,
    after: &str,
    limit: usize,
) -> Result<Vec<ShownRow>, Error> {
    let (viewer, id, after) = (registry.viewer(ctx), namespace.id, after.to_owned());
    Ok(registry.db.scan(move |tx| access::shown_in(tx, viewer, id, &after, limit as i64)).await?)
}

/// Lists the namespaces behind `after` that the caller may know of.
pub async fn seen(registry: &Registry, ctx: &Ctx, after: &str, limit: usize) -> Result<Vec<NamespaceRow>, Error> {
    let (viewer, after) = (registry.viewer(ctx), after.to_owned());
    Ok(registry.db.scan(move |tx| access::namespaces(tx, viewer, &after, limit as i64)).await?)
}

/// Sets what people call a namespace.
pub async fn set_display_name(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    display_name: Option<String>,
) -> Result<(), Error> {
    display_name_is_plain(display_name.as_deref())?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let found = namespace(tx, &name)?;
        namespaces::set_display_name(tx, found.id, display_name.as_deref())?;
        changed(tx, &ctx, "namespace.display_name", &json!({ "namespace": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Sets what a namespace is, in a line.
pub async fn set_description(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    description: Option<String>,
) -> Result<(), Error> {
    description_is_plain(description.as_deref())?;
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let found = namespace(tx, &name)?;
        namespaces::set_description(tx, found.id, description.as_deref())?;
        changed(tx, &ctx, "namespace.describe", &json!({ "namespace": name }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Marks a namespace as official or verified, which tells people whom they can trust: for administrators to decide.
pub async fn set_marks(
    registry: &Registry,
    ctx: &Ctx,
    name: &str,
    official: bool,
    verified: bool,
) -> Result<(), Error> {
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let found = namespace(tx, &name)?;
        namespaces::set_marks(tx, found.id, official, verified)?;
        let detail = json!({ "namespace": name, "official": official, "verified": verified });
        changed(tx, &ctx, "namespace.marks", &detail)?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}

/// Has users need a second factor for what they hold in an organisation, or no longer; acts at the next request.
pub async fn require_second_factor(registry: &Registry, ctx: &Ctx, name: &str, on: bool) -> Result<(), Error> {
    let shuts_out = matches!(&ctx.identity, Identity::User(account) if !account.admin && !account.second_factor);
    if on && shuts_out {
        let why = "you have no second factor yourself, and would be shut out; set one up first";
        return Err(AccountError::InUse(why.to_owned()).into());
    }
    let (ctx, name) = (ctx.clone(), name.to_owned());
    let set = move |tx: &mut Tx<'_>| {
        let found = namespace(tx, &name)?;
        if found.owner_kind != "organisation" {
            let why = "a second factor is asked for in organisations, or of everybody with auth.require_second_factor";
            return Err(AccountError::NotOffered(why).into());
        }
        namespaces::set_require_second_factor(tx, found.id, on)?;
        changed(tx, &ctx, "namespace.second_factor", &json!({ "namespace": name, "required": on }))?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
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
        let detail = json!({ "repository": name, "visibility": visibility });
        changed_in(tx, &ctx, "repository.visibility", Some(&name), &detail)?;
        Ok::<_, Error>(())
    };
    registry.db.write(set).await
}
