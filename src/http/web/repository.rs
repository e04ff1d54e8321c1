//! The pages of a repository: what it is, its tags, one tag, two compared.

pub(super) mod compare;
pub(super) mod delete;
pub(super) mod edit;
pub(super) mod overview;
pub(super) mod tag;
pub(super) mod tags;

use oci::RepositoryName;

use super::failure::Failure;
use super::frame::{Crumb, Tab, crumbs_of, repository_tabs};
use super::view::View;
use super::visit::Visit;
use crate::auth::Permissions;
use crate::registry::repositories::{self, Details};
use crate::registry::tags::page;

/// A repository that is looked at, and what its reader may do.
pub(super) struct Seen {
    pub name: RepositoryName,
    /// The path of its first page.
    pub path: String,
    pub details: Details,
    pub starred: bool,
    /// Whether the reader may push, and so move tags.
    pub may_write: bool,
    pub may_delete: bool,
    pub may_settings: bool,
    /// Whether the reader may see who did what.
    pub may_activity: bool,
    pub crumbs: Vec<Crumb>,
    pub tabs: Vec<Tab>,
}

impl Seen {
    /// Finds the repository of the path, for who may do there what takes `needed`; `current` is the page beside others.
    pub async fn find(visit: &mut Visit, needed: Permissions, current: &str) -> Result<Self, Failure> {
        let name = visit.repository(needed).await?;
        let details = repositories::find(visit.registry(), visit.ctx(), &name).await?;
        let starred = repositories::is_starred(visit.registry(), visit.ctx(), &details).await?;
        let count = page::count(visit.registry(), visit.ctx(), &details).await?;
        let may_settings = visit.may(&name, Permissions::SETTINGS).await?;
        let may_activity = visit.may(&name, Permissions::ACTIVITY).await?;
        let v = visit.view();
        let mut tabs = repository_tabs(&v, name.as_str(), current, may_activity, may_settings);
        if let Some(tab) = tabs.get_mut(1) {
            tab.count = Some(count.map_or_else(|| format!("{}+", v.number(page::SORTED)), |count| v.number(count)));
        }
        Ok(Self {
            path: format!("/{name}"),
            crumbs: crumbs_of(name.as_str()),
            tabs,
            starred,
            may_write: visit.may(&name, Permissions::WRITE).await?,
            may_delete: visit.may(&name, Permissions::DELETE_TAG).await?,
            may_settings,
            may_activity,
            details,
            name,
        })
    }

    /// The page of a tag.
    pub fn tag(&self, tag: &str) -> String {
        format!("{}/-/tags/{}", self.path, oci::encode_component(tag))
    }

    /// The page of an image.
    pub fn image(&self, digest: &oci::Digest) -> String {
        format!("{}/-/images/{digest}", self.path)
    }

    /// Where a README is rendered before it is kept.
    pub fn preview(&self) -> String {
        format!("{}/-/preview", self.path)
    }

    /// What to pull.
    pub fn reference(&self, v: &View, tag: &str) -> String {
        format!("{}/{}:{tag}", v.host, self.name)
    }

    /// What to type for a first push.
    pub fn first_push(&self, v: &View) -> String {
        let (host, name) = (&v.host, &self.name);
        let own = self.name.components().next_back().unwrap_or_default();
        let login = if v.open { String::new() } else { format!("docker login {host}\n") };
        format!("{login}docker tag {own} {host}/{name}:1.0.0\ndocker push {host}/{name}:1.0.0")
    }
}

/// A choice of a form.
pub(super) struct Choice {
    pub value: String,
    pub text: String,
    pub selected: bool,
}

/// A tag that leads to its page.
pub(super) struct Chip {
    pub name: String,
    pub href: String,
    /// `stable`, `pre` or nothing.
    pub kind: &'static str,
}

impl Chip {
    fn of(seen: &Seen, entry: &page::Entry) -> Self {
        let kind = match (entry.version.is_stable(), entry.version.is_pre_release()) {
            (true, _) => "stable",
            (_, true) => "pre",
            _ => "",
        };
        Self { name: entry.name.clone(), href: seen.tag(&entry.name), kind }
    }
}
