//! The robots of a namespace: accounts of machines, whose secrets are shown once.

use askama::Template;

use super::{Choice, Head, after, enter, pages, refused, role_choices};
use crate::auth::{Pattern, Permissions, Secret};
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::form::Form;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::manage::Target;
use crate::registry::accounts::roles::{self, Subject};
use crate::registry::accounts::{AccountError, RobotRow, robots};

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{namespace}/-/robots", |visit| Box::pin(list(visit))),
    Route::post("/{namespace}/-/robots", |visit| Box::pin(make(visit))),
    Route::post("/{namespace}/-/robots/{robot}/rotate", |visit| Box::pin(rotate(visit))),
    Route::post("/{namespace}/-/robots/{robot}/disable", |visit| Box::pin(set_disabled(visit, true))),
    Route::post("/{namespace}/-/robots/{robot}/enable", |visit| Box::pin(set_disabled(visit, false))),
    Route::post("/{namespace}/-/robots/{robot}/remove", |visit| Box::pin(remove(visit))),
];

/// For how many days a robot may be made; the empty one is for ever.
const DAYS: [&str; 4] = ["30", "90", "365", ""];
const DAY: i64 = 24 * 3600 * 1_000_000;

#[derive(Template)]
#[template(path = "namespace/robots.html")]
struct RobotsPage<'a> {
    v: &'a View,
    h: &'a Head,
    form: &'a Form,
    error: Option<String>,
    robots: Vec<RobotRow>,
    first: Option<String>,
    next: Option<String>,
    /// Nothing to choose from where the reader may give no role.
    roles: Vec<Choice>,
    on: String,
    days: Vec<Choice>,
}

impl RobotsPage<'_> {
    fn is_over(&self, robot: &RobotRow) -> bool {
        robot.expires_at.is_some_and(|at| at <= self.v.now)
    }
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    page(&mut visit, None).await
}

async fn page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ROBOTS, "robots").await?;
    let name = &h.row.name;
    let mut robots = robots::list(visit.registry(), name, after(visit), super::PAGE + 1).await?;
    let (first, next) = pages(&mut robots, &format!("/{name}/-/robots"), visit, |row| row.name.clone());
    let mut roles = Vec::new();
    if h.may_choose_members() {
        roles.push(Choice { value: String::new(), text: v.t("robot-no-role"), selected: false });
        roles.extend(role_choices(visit, h.rights, visit.form.get("role")).await?);
    }
    let chosen = if visit.form.is_ticked("days") { visit.form.get("days") } else { "90" };
    let days = DAYS.map(|days| Choice {
        value: days.to_owned(),
        text: days.parse::<i64>().map_or_else(|_| v.t("robot-for-ever"), |n| v.tn("robot-days", n)),
        selected: days == chosen,
    });
    let failed = error.is_some();
    let page = RobotsPage {
        v: &v,
        h: &h,
        form: &visit.form,
        error,
        robots,
        first,
        next,
        roles,
        on: visit.form.text("on").unwrap_or(name).to_owned(),
        days: days.into(),
    };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

#[derive(Template)]
#[template(path = "namespace/secret.html")]
struct SecretPage<'a> {
    v: &'a View,
    h: &'a Head,
    robot: &'a str,
    secret: &'a str,
    login: &'a str,
    /// Whether it replaces an earlier one.
    rotated: bool,
    /// Why the role was not given, where one was asked for.
    warning: Option<String>,
}

fn shown(v: &View, h: &Head, robot: &str, secret: &Secret, rotated: bool, warning: Option<String>) -> Answer {
    let login = format!("docker login {} --username {robot}", v.host);
    let page = SecretPage { v, h, robot, secret: secret.reveal(), login: &login, rotated, warning };
    Answer::ok(&page)
}

/// The role that a robot is to be given, and on what.
struct Wanted {
    role: String,
    on: String,
    pattern: Pattern,
}

fn wanted(visit: &Visit) -> Result<Option<Wanted>, Failure> {
    let Some(role) = visit.form.text("role") else { return Ok(None) };
    let namespace = visit.argument("namespace");
    let on = visit.form.text("on").unwrap_or(namespace);
    let pattern = Pattern::parse(on).filter(|pattern| pattern.namespace_name() == namespace);
    let pattern = pattern.ok_or_else(|| AccountError::Pattern(on.to_owned()))?;
    Ok(Some(Wanted { role: role.to_owned(), on: on.to_owned(), pattern }))
}

async fn make(mut visit: Visit) -> Result<Answer, Failure> {
    match Box::pin(add(&mut visit)).await {
        Ok(answer) => Ok(answer),
        Err(failure) => {
            let error = refused(&visit, failure)?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn add(visit: &mut Visit) -> Result<Answer, Failure> {
    let wanted = wanted(visit)?;
    if let Some(wanted) = &wanted {
        // Looked at first: a robot is not made that then gets less than was asked for.
        visit.manage(Target::Over(wanted.pattern.clone()), Permissions::MEMBERS).await?;
    }
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ROBOTS, "robots").await?;
    let name = format!("{}+{}", h.row.name, visit.form.get("name").trim());
    let days = visit.form.get("days").parse::<i64>().ok().filter(|days| (1..=3650).contains(days));
    let expires_at = days.map(|days| v.now.saturating_add(days.saturating_mul(DAY)));
    let description = visit.form.text("description").map(str::to_owned);
    let (secret, _) = robots::add(visit.registry(), visit.ctx(), &name, description, expires_at).await?;
    // From here on the secret is shown whatever happens: it cannot be asked for again.
    let warning = match wanted {
        Some(wanted) => match Box::pin(give(visit, &name, wanted)).await {
            Ok(()) => None,
            Err(failure) => Some(failure.text(&v).unwrap_or_else(|| v.t("robot-role-failed"))),
        },
        None => None,
    };
    Ok(shown(&v, &h, &name, &secret, false, warning))
}

async fn give(visit: &mut Visit, robot: &str, wanted: Wanted) -> Result<(), Failure> {
    visit.manage(Target::Over(wanted.pattern), Permissions::MEMBERS).await?;
    let subject = Subject::Robot(robot.to_owned());
    roles::set(visit.registry(), visit.ctx(), &wanted.role, subject, &wanted.on, true).await?;
    Ok(())
}

fn full_name(visit: &Visit) -> String {
    format!("{}+{}", visit.argument("namespace"), visit.argument("robot"))
}

async fn rotate(mut visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(&mut visit, &v, Permissions::ROBOTS, "robots").await?;
    let name = full_name(&visit);
    match robots::rotate(visit.registry(), visit.ctx(), &name).await {
        Ok(secret) => Ok(shown(&v, &h, &name, &secret, true, None)),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn set_disabled(mut visit: Visit, disabled: bool) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(&mut visit, &v, Permissions::ROBOTS, "robots").await?;
    match robots::set_disabled(visit.registry(), visit.ctx(), &full_name(&visit), disabled).await {
        Ok(()) => {
            let done = if disabled { "robot-disabled" } else { "robot-enabled" };
            Ok(Answer::redirect(format!("/{}/-/robots?done={done}", h.row.name)))
        }
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn remove(mut visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(&mut visit, &v, Permissions::ROBOTS, "robots").await?;
    robots::remove(visit.registry(), visit.ctx(), &full_name(&visit)).await?;
    Ok(Answer::redirect(format!("/{}/-/robots?done=robot-removed", h.row.name)))
}
