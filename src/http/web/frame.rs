//! What pages about one repository, or one namespace, have in common: where they are, and their neighbours.

use super::failure::Failure;
use super::view::View;
use super::visit::Visit;
use crate::auth::{Pattern, Permissions};
use crate::registry::access::manage::Target;

/// A step on the way to a page.
#[derive(Debug, Clone)]
pub(super) struct Crumb {
    pub text: String,
    /// Where it leads; nowhere for the page itself.
    pub href: String,
}

impl Crumb {
    /// A step on the way.
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }

    /// The page itself.
    pub fn here(text: impl Into<String>) -> Self {
        Self::new(text, "")
    }
}

/// The way to a repository: its namespace and itself are pages, what is between them is not.
pub(super) fn crumbs_of(name: &str) -> Vec<Crumb> {
    let parts: Vec<&str> = name.split('/').collect();
    let last = parts.len() - 1;
    let href = |at: usize| match at {
        _ if at == last => format!("/{name}"),
        0 => format!("/{}", parts.first().copied().unwrap_or_default()),
        _ => String::new(),
    };
    parts.iter().enumerate().map(|(at, part)| Crumb::new(*part, href(at))).collect()
}

/// A page beside this one.
#[derive(Debug, Clone)]
pub(super) struct Tab {
    pub text: String,
    pub href: String,
    pub current: bool,
    pub count: Option<String>,
}

/// The pages of a repository that the reader may look at.
pub(super) fn repository_tabs(v: &View, name: &str, current: &str, activity: bool, settings: bool) -> Vec<Tab> {
    let tab = |word: &str, href: String| Tab {
        text: v.t(&format!("tab-{word}")),
        href,
        current: word == current,
        count: None,
    };
    let mut tabs = vec![tab("overview", format!("/{name}")), tab("tags", format!("/{name}/-/tags"))];
    if activity {
        tabs.push(tab("activity", format!("/{name}/-/activity")));
    }
    if settings {
        tabs.push(tab("settings", format!("/{name}/-/settings")));
    }
    tabs
}

/// What the reader may do in all of a namespace, as far as its pages go.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamespaceRights {
    pub members: bool,
    pub robots: bool,
    pub activity: bool,
    pub settings: bool,
}

/// Finds out what the reader may do in all of a namespace.
pub(super) async fn namespace_rights(visit: &Visit, namespace: &str) -> Result<NamespaceRights, Failure> {
    let target = || Target::Over(Pattern::namespace(namespace));
    Ok(NamespaceRights {
        members: visit.may_manage(target(), Permissions::MEMBERS).await?,
        robots: visit.may_manage(target(), Permissions::ROBOTS).await?,
        activity: visit.may_manage(target(), Permissions::ACTIVITY).await?,
        settings: visit.may_manage(target(), Permissions::SETTINGS).await?,
    })
}

/// The pages of a namespace that the reader may look at.
pub(super) fn namespace_tabs(v: &View, namespace: &str, current: &str, rights: NamespaceRights) -> Vec<Tab> {
    let pages = [
        ("repositories", "", true),
        ("members", "/-/members", rights.members || rights.activity),
        ("teams", "/-/teams", rights.members || rights.activity),
        ("robots", "/-/robots", rights.robots),
        ("roles", "/-/roles", rights.members || rights.activity),
        ("activity", "/-/activity", rights.activity),
        ("settings", "/-/settings", rights.settings),
    ];
    pages
        .into_iter()
        .filter(|(.., shown)| *shown)
        .map(|(word, path, _)| Tab {
            text: v.t(&format!("tab-{word}")),
            href: format!("/{namespace}{path}"),
            current: word == current,
            count: None,
        })
        .collect()
}
