//! What happened, as sentences: in a repository, in a namespace, by oneself.

use std::sync::Arc;

use askama::Template;
use serde_json::Value;

use super::answer::Answer;
use super::failure::Failure;
use super::frame::{Crumb, Tab, crumbs_of};
use super::route::Route;
use super::sentence::sentence;
use super::view::{Html, View};
use super::visit::Visit;
use crate::auth::{Pattern, Permissions};
use crate::registry::access::manage::Target;
use crate::registry::accounts::namespaces;
use crate::registry::audit::{self, Entry, Filter};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/activity", |visit| Box::pin(of_repository(visit))),
    Route::get("/{namespace}/-/activity", |visit| Box::pin(of_namespace(visit))),
    Route::get("/-/account/activity", |visit| Box::pin(of_account(visit))),
];

/// Entries of a page.
const LIMIT: usize = 50;

/// What can be chosen to be shown: the word of the parameter, and what kinds begin with.
const KINDS: [(&str, &str); 7] = [
    ("tags", "tag."),
    ("manifests", "manifest."),
    ("blobs", "blob."),
    ("roles", "role."),
    ("teams", "team."),
    ("robots", "robot."),
    ("repositories", "repository."),
];

/// Something that happened.
pub(super) struct Line {
    pub sentence: Html,
    pub at: i64,
    pub refused: bool,
    pub digest: Option<String>,
}

/// A choice of what is shown.
pub(super) struct Choice {
    pub value: &'static str,
    pub text: String,
    pub selected: bool,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct ActivityPage<'a> {
    v: &'a View,
    title: String,
    crumbs: Vec<Crumb>,
    tabs: Vec<Tab>,
    lines: Vec<Line>,
    choices: Vec<Choice>,
    action: String,
    first: Option<String>,
    next: Option<String>,
}

/// Which part of what happened is asked for.
struct Asked {
    filter: Filter,
    after: Option<(i64, i64)>,
    kind: String,
}

fn asked(visit: &Visit) -> Asked {
    let kind = KINDS.iter().find(|(word, _)| *word == visit.parameter("kind"));
    let after =
        visit.parameter("after").split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let action = kind.map(|(_, prefix)| (*prefix).to_owned());
    Asked { filter: Filter { action, ..Filter::default() }, after, kind: kind.map_or("", |(word, _)| word).to_owned() }
}

/// The lines of a page, and where the next one begins.
fn page(v: &View, mut rows: Vec<Entry>, path: &str, kind: &str) -> (Vec<Line>, Option<String>) {
    let more = rows.len() > LIMIT;
    rows.truncate(LIMIT);
    let next = rows.last().filter(|_| more).map(|entry| {
        let (at, id) = entry.cursor();
        format!("{path}?kind={kind}&after={at}.{id}")
    });
    (worth_telling(&rows, kind).map(|entry| line(v, entry)).collect(), next)
}

/// What is shown of everything: layers come and go with images, and an image that got a tag is told by the tag.
fn worth_telling<'r>(rows: &'r [Entry], kind: &str) -> impl Iterator<Item = &'r Entry> {
    let all = kind.is_empty();
    let tagged = |entry: &Entry| {
        let same = |other: &&Entry| other.event.kind.starts_with("tag.") && other.event.digest == entry.event.digest;
        entry.event.kind == "manifest.push" && rows.iter().any(|other| same(&other))
    };
    rows.iter().filter(move |entry| {
        !all || !(entry.event.kind.starts_with("blob.") || entry.event.kind == "manifest.pull" || tagged(entry))
    })
}

pub(super) fn line(v: &View, entry: &Entry) -> Line {
    let event = &entry.event;
    let detail = event.detail.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()).unwrap_or_default();
    Line {
        sentence: sentence(v, entry, &detail),
        at: event.at,
        refused: event.result == "refused",
        digest: event.digest().map(|digest| digest.to_string()),
    }
}

fn choices(v: &View, kind: &str, kinds: &[&'static str]) -> Vec<Choice> {
    let choice = |value: &'static str| Choice {
        value,
        text: v.t(&format!("activity-kind-{}", if value.is_empty() { "all" } else { value })),
        selected: value == kind,
    };
    std::iter::once("").chain(kinds.iter().copied()).map(choice).collect()
}

async fn of_repository(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::READ | Permissions::ACTIVITY).await?;
    let (v, path) = (visit.view(), format!("/{name}/-/activity"));
    let mut asked = asked(&visit);
    asked.filter.repository = Some(name.to_string());
    let rows = audit::query(visit.registry(), &asked.filter, asked.after, LIMIT + 1).await?;
    let (lines, next) = page(&v, rows, &path, &asked.kind);
    let settings = visit.may(&name, Permissions::SETTINGS).await?;
    Ok(Answer::ok(&ActivityPage {
        title: v.ta("activity-title", "what", name.as_str()),
        crumbs: crumbs_of(name.as_str()),
        tabs: super::frame::repository_tabs(&v, name.as_str(), "activity", true, settings),
        lines,
        choices: choices(&v, &asked.kind, &["tags", "manifests", "blobs", "repositories"]),
        action: path.clone(),
        first: asked.after.map(|_| format!("{path}?kind={}", asked.kind)),
        next,
        v: &v,
    }))
}

async fn of_namespace(mut visit: Visit) -> Result<Answer, Failure> {
    let namespace: Arc<str> = visit.argument("namespace").into();
    let target = Target::Over(Pattern::namespace(&namespace));
    visit.manage(target.clone(), Permissions::READ | Permissions::ACTIVITY).await?;
    let (v, path) = (visit.view(), format!("/{namespace}/-/activity"));
    let asked = asked(&visit);
    let rows = audit::of_namespace(visit.registry(), &namespace, &asked.filter, asked.after, LIMIT + 1).await?;
    let (lines, next) = page(&v, rows, &path, &asked.kind);
    let allowed = super::frame::namespace_rights(&visit, &namespace).await?;
    let mut tabs = super::frame::namespace_tabs(&v, &namespace, "activity", allowed);
    // A user's own namespace has no teams.
    if namespaces::find(visit.registry(), &namespace).await?.owner_kind != "organisation" {
        tabs.retain(|tab| !tab.href.ends_with("/-/teams"));
    }
    Ok(Answer::ok(&ActivityPage {
        title: v.ta("activity-title", "what", &namespace),
        crumbs: crumbs_of(&namespace),
        tabs,
        lines,
        choices: choices(&v, &asked.kind, &["tags", "manifests", "blobs", "repositories"]),
        action: path.clone(),
        first: asked.after.map(|_| format!("{path}?kind={}", asked.kind)),
        next,
        v: &v,
    }))
}

async fn of_account(visit: Visit) -> Result<Answer, Failure> {
    let user = visit.user()?;
    let (v, path) = (visit.view(), "/-/account/activity");
    let mut asked = asked(&visit);
    asked.filter.actor = Some(format!("user:{}", user.public_id));
    let rows = audit::query(visit.registry(), &asked.filter, asked.after, LIMIT + 1).await?;
    let (lines, next) = page(&v, rows, path, &asked.kind);
    Ok(Answer::ok(&ActivityPage {
        title: v.t("activity-own"),
        crumbs: vec![Crumb::new(v.t("nav-account"), "/-/account"), Crumb::here(v.t("activity-own"))],
        tabs: Vec::new(),
        lines,
        choices: choices(&v, &asked.kind, &["tags", "manifests", "roles", "teams", "robots", "repositories"]),
        action: path.to_owned(),
        first: asked.after.map(|_| format!("{path}?kind={}", asked.kind)),
        next,
        v: &v,
    }))
}
