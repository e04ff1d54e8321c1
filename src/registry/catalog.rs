//! The list of repositories.

use oci::RepositoryName;

use super::{Ctx, Error, Registry};
use crate::db::Tx;
use crate::db::access;
pub use crate::db::access::RepositoryRow;

/// One page of a list in ASCII order.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The names on it.
    pub names: Vec<String>,
    /// Whether more follow.
    pub more: bool,
}

impl Page {
    /// Makes a page of at most `limit` from a list that was asked for one more.
    pub(super) fn cut(mut names: Vec<String>, limit: usize) -> Self {
        let more = names.len() > limit;
        names.truncate(limit);
        Self { names, more }
    }
}

/// Lists the repositories that hold a manifest and that the caller may read, behind `last`.
pub async fn list(registry: &Registry, ctx: &Ctx, last: Option<&str>, limit: usize) -> Result<Page, Error> {
    let last = last.unwrap_or_default().to_owned();
    let viewer = registry.viewer(ctx);
    let names = registry.db.scan(move |tx| access::repositories(tx, viewer, &last, limit as i64 + 1)).await?;
    Ok(Page::cut(names, limit))
}

/// Lists the repositories that the caller may read, empty ones too, behind `after`; with `namespace`, those in it.
pub async fn repositories(
    registry: &Registry,
    ctx: &Ctx,
    namespace: Option<&str>,
    after: &str,
    limit: usize,
) -> Result<Vec<RepositoryRow>, Error> {
    let (viewer, after) = (registry.viewer(ctx), after.to_owned());
    let prefix = namespace.map(|name| format!("{name}/")).unwrap_or_default();
    Ok(registry.db.scan(move |tx| access::repositories_below(tx, viewer, &prefix, &after, limit as i64)).await?)
}

/// Finds a repository.
pub async fn find(registry: &Registry, name: &RepositoryName) -> Result<RepositoryRow, Error> {
    let name = name.clone();
    let find =
        move |tx: &mut Tx<'_>| access::repository_named(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()));
    registry.db.read(find).await
}
