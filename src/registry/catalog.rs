//! The list of repositories.

use super::{Ctx, Error, Registry};
use crate::db::access;

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
