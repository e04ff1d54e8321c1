//! What administrators look at, and set: how much there is, how it is doing, who is there, what was done.

use std::sync::Arc;

use askama::Template;

use super::activity::{Line, line};
use super::answer::Answer;
use super::failure::Failure;
use super::frame::Tab;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::app::Health;
use crate::auth::Permissions;
use crate::registry::access::manage::Target;
use crate::registry::accounts::{NamespaceRow, UserRow, namespaces, recovery, second_factor, users};
use crate::registry::audit::{self, Filter};
use crate::registry::instance::{self, Figures};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/admin", |visit| Box::pin(dashboard(visit))),
    Route::get("/-/admin/users", |visit| Box::pin(list_users(visit))),
    Route::post("/-/admin/users", |visit| Box::pin(add_user(visit))),
    Route::post("/-/admin/users/{user}", |visit| Box::pin(change_user(visit))),
    Route::get("/-/admin/organisations", |visit| Box::pin(list_organisations(visit))),
    Route::get("/-/admin/audit", |visit| Box::pin(search_audit(visit))),
    Route::get("/-/admin/settings", |visit| Box::pin(settings(visit))),
    Route::post("/-/admin/settings", |visit| Box::pin(set_settings(visit))),
];

/// Entries of a page.
const LIMIT: usize = 50;
/// How many of the busiest repositories are shown.
const BUSIEST: usize = 10;
/// How high the bars of a chart are at most.
const HEIGHT: i64 = 40;

async fn admit(visit: &mut Visit) -> Result<View, Failure> {
    visit.user()?;
    visit.manage(Target::Instance, Permissions::INSTANCE).await?;
    Ok(visit.view())
}

fn tabs(v: &View, current: &str) -> Vec<Tab> {
    let tab = |word: &str, path: &str| Tab {
        text: v.t(&format!("admin-tab-{word}")),
        href: format!("/-/admin{path}"),
        current: word == current,
        count: None,
    };
    vec![
        tab("dashboard", ""),
        tab("users", "/users"),
        tab("organisations", "/organisations"),
        tab("audit", "/audit"),
        tab("settings", "/settings"),
    ]
}

/// A bar of a chart.
pub(super) struct Bar {
    pub label: String,
    pub value: i64,
    pub height: i64,
    pub x: usize,
}

/// The bars of so many on each day.
pub(super) fn bars(v: &View, days: &[(i64, i64)]) -> Vec<Bar> {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    let most = days.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
    let bar = |(at, (day, count)): (usize, &(i64, i64))| Bar {
        label: v.day(day.saturating_mul(DAY)),
        value: *count,
        // What is little is still something.
        height: if *count == 0 { 0 } else { (count.saturating_mul(HEIGHT) / most).max(1) },
        x: at * 4,
    };
    days.iter().enumerate().map(bar).collect()
}

#[derive(Template)]
#[template(path = "admin/dashboard.html")]
struct Dashboard<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    health: Health,
    figures: Option<Arc<Figures>>,
    pulls: Vec<Bar>,
    pushes: Vec<Bar>,
    busiest: Vec<(String, i64)>,
}

async fn dashboard(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let figures = instance::figures(visit.registry(), visit.ctx().now);
    let busiest = instance::busiest(visit.registry(), BUSIEST).await?;
    let health = visit.exchange.app.health().await;
    let (pulls, pushes) = figures.as_ref().map_or_else(Default::default, |f| (bars(&v, &f.pulls), bars(&v, &f.pushes)));
    Ok(Answer::ok(&Dashboard { tabs: tabs(&v, "dashboard"), v: &v, health, figures, pulls, pushes, busiest }))
}

#[derive(Template)]
#[template(path = "admin/users.html")]
struct UsersPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    rows: Vec<UserRow>,
    /// A link to a new password that was made just now, and for whom.
    link: Option<(String, String)>,
    error: Option<String>,
    given: &'a str,
    email: &'a str,
    first: Option<String>,
    next: Option<String>,
}

/// What stands on the page of users besides the list.
#[derive(Default)]
struct Said<'a> {
    link: Option<(String, String)>,
    error: Option<String>,
    name: &'a str,
    email: &'a str,
}

async fn users_page(visit: &Visit, v: &View, said: Said<'_>) -> Result<Answer, Failure> {
    let after = visit.parameter("after");
    let mut rows = users::list(visit.registry(), after, LIMIT + 1).await?;
    let more = rows.len() > LIMIT;
    rows.truncate(LIMIT);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| format!("/-/admin/users?after={}", oci::encode_component(&row.name)));
    let first = (!after.is_empty()).then(|| "/-/admin/users".to_owned());
    let Said { link, error, name, email } = said;
    let again = error.is_some();
    let page = UsersPage { v, tabs: tabs(v, "users"), rows, link, error, given: name, email, first, next };
    Ok(if again { Answer::again(&page) } else { Answer::ok(&page) })
}

async fn list_users(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    users_page(&visit, &v, Said::default()).await
}

/// Makes a user without a password, and shows the link by which it is chosen.
async fn add_user(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let (name, email) = (visit.form.get("name").trim().to_owned(), visit.form.text("email").map(str::to_owned));
    let add = users::Add {
        name: name.clone(),
        email: email.clone(),
        display_name: visit.form.text("display_name").map(str::to_owned),
        password: None,
        admin: visit.form.is_ticked("admin"),
    };
    let made = match users::add(visit.registry(), visit.ctx(), add).await {
        Ok(()) => recovery::link(visit.registry(), visit.ctx(), &name).await,
        Err(error) => Err(error),
    };
    match made {
        Ok(link) => users_page(&visit, &v, Said { link: Some((name, link)), ..Said::default() }).await,
        Err(error) => {
            let failure = Failure::from(error);
            let Some(text) = failure.text(&v) else { return Err(failure) };
            let said = Said { error: Some(text), name: &name, email: email.as_deref().unwrap_or_default(), link: None };
            users_page(&visit, &v, said).await
        }
    }
}

async fn change_user(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let name = visit.argument("user").to_owned();
    let (registry, ctx) = (visit.registry(), visit.ctx());
    match visit.form.get("act") {
        "activate" => users::set_active(registry, ctx, &name, true).await?,
        "deactivate" => users::set_active(registry, ctx, &name, false).await?,
        "admin" => users::set_admin(registry, ctx, &name, true).await?,
        "no-admin" => users::set_admin(registry, ctx, &name, false).await?,
        "reset-second-factor" => second_factor::reset(registry, ctx, &name).await?,
        "link" => {
            let link = recovery::link(registry, ctx, &name).await?;
            return users_page(&visit, &v, Said { link: Some((name, link)), ..Said::default() }).await;
        }
        _ => return Err(Failure::Form),
    }
    Ok(Answer::redirect("/-/admin/users?done=changed"))
}

#[derive(Template)]
#[template(path = "admin/organisations.html")]
struct OrganisationsPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    rows: Vec<NamespaceRow>,
    first: Option<String>,
    next: Option<String>,
}

async fn list_organisations(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let after = visit.parameter("after");
    let mut rows = namespaces::list(visit.registry(), None, after, LIMIT + 1).await?;
    let more = rows.len() > LIMIT;
    rows.truncate(LIMIT);
    let next = rows.last().filter(|_| more);
    let next = next.map(|row| format!("/-/admin/organisations?after={}", oci::encode_component(&row.name)));
    let first = (!after.is_empty()).then(|| "/-/admin/organisations".to_owned());
    Ok(Answer::ok(&OrganisationsPage { tabs: tabs(&v, "organisations"), v: &v, rows, first, next }))
}

/// A line of the audit, with what only administrators see.
struct AuditLine {
    line: Line,
    kind: String,
    address: Option<String>,
    credential: Option<String>,
    request_id: String,
}

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    lines: Vec<AuditLine>,
    actor: &'a str,
    action: &'a str,
    repository: &'a str,
    seq: i64,
    error: Option<String>,
    first: Option<String>,
    next: Option<String>,
}

async fn search_audit(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let text = |name: &str| Some(visit.parameter(name).trim().to_owned()).filter(|text| !text.is_empty());
    let filter =
        Filter { actor: text("actor"), action: text("action"), repository: text("repository"), ..Filter::default() };
    let after =
        visit.parameter("after").split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
    let (mut rows, error) = match audit::query(visit.registry(), &filter, after, LIMIT + 1).await {
        Ok(rows) => (rows, None),
        Err(error) => {
            let failure = Failure::from(error);
            let Some(text) = failure.text(&v) else { return Err(failure) };
            (Vec::new(), Some(text))
        }
    };
    let more = rows.len() > LIMIT;
    rows.truncate(LIMIT);
    let path = ["actor", "action", "repository"].iter().fold("/-/admin/audit?".to_owned(), |path, name| {
        format!("{path}{name}={}&", oci::encode_component(visit.parameter(name)))
    });
    let next =
        rows.last().filter(|_| more).map(|entry| format!("{path}after={}.{}", entry.cursor().0, entry.cursor().1));
    let lines = rows
        .iter()
        .map(|entry| AuditLine {
            line: line(&v, entry),
            kind: entry.event.kind.clone(),
            address: entry.event.personal.as_ref().and_then(|personal| personal.address.clone()),
            credential: entry.event.credential.clone(),
            request_id: entry.event.request_id.clone(),
        })
        .collect();
    Ok(Answer::ok(&AuditPage {
        tabs: tabs(&v, "audit"),
        v: &v,
        lines,
        actor: visit.parameter("actor"),
        action: visit.parameter("action"),
        repository: visit.parameter("repository"),
        seq: audit::head(visit.registry()).await?.seq,
        error,
        first: after.map(|_| path.clone()),
        next,
    }))
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    banner: &'a str,
    read_only: bool,
    error: Option<String>,
}

async fn settings(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let now = visit.registry().instance.settings();
    let banner = now.banner.as_deref().unwrap_or_default();
    Ok(Answer::ok(&SettingsPage { tabs: tabs(&v, "settings"), v: &v, banner, read_only: now.read_only, error: None }))
}

async fn set_settings(mut visit: Visit) -> Result<Answer, Failure> {
    let v = admit(&mut visit).await?;
    let (banner, read_only) = (visit.form.get("banner"), visit.form.is_ticked("read_only"));
    match instance::set(visit.registry(), visit.ctx(), banner, read_only).await {
        Ok(()) => Ok(Answer::redirect("/-/admin/settings?done=changed")),
        Err(error) => {
            let failure = Failure::from(error);
            let Some(error) = failure.text(&v) else { return Err(failure) };
            let page = SettingsPage { tabs: tabs(&v, "settings"), v: &v, banner, read_only, error: Some(error) };
            Ok(Answer::again(&page))
        }
    }
}
