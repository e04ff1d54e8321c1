//! The teams of an organisation.

use askama::Template;

use super::{Head, after, enter, pages, refused, whole};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::form::Form;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::manage::Target;
use crate::registry::accounts::teams;

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{namespace}/-/teams", |visit| Box::pin(list(visit))),
    Route::post("/{namespace}/-/teams", |visit| Box::pin(make(visit))),
    Route::get("/{namespace}/-/teams/{team}", |visit| Box::pin(show(visit))),
    Route::post("/{namespace}/-/teams/{team}", |visit| Box::pin(join(visit))),
    Route::post("/{namespace}/-/teams/{team}/leave", |visit| Box::pin(leave(visit))),
    Route::post("/{namespace}/-/teams/{team}/remove", |visit| Box::pin(remove(visit))),
];

#[derive(Template)]
#[template(path = "namespace/teams.html")]
struct TeamsPage<'a> {
    v: &'a View,
    h: &'a Head,
    form: &'a Form,
    error: Option<String>,
    teams: Vec<(String, i64)>,
    first: Option<String>,
    next: Option<String>,
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    page(&mut visit, None).await
}

async fn page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ACTIVITY, "teams").await?;
    let name = &h.row.name;
    let mut teams = teams::list(visit.registry(), name, after(visit), super::PAGE + 1).await?;
    let (first, next) = pages(&mut teams, &format!("/{name}/-/teams"), visit, |(name, _)| name.clone());
    let failed = error.is_some();
    let page = TeamsPage { v: &v, h: &h, form: &visit.form, error, teams, first, next };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

async fn make(mut visit: Visit) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let (namespace, team) = (visit.argument("namespace").to_owned(), visit.form.get("name").trim().to_owned());
    match teams::add(visit.registry(), visit.ctx(), &namespace, &team).await {
        Ok(()) => Ok(Answer::redirect(format!("/{namespace}/-/teams/{team}?done=team-made"))),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}

#[derive(Template)]
#[template(path = "namespace/team.html")]
struct TeamPage<'a> {
    v: &'a View,
    h: &'a Head,
    form: &'a Form,
    error: Option<String>,
    team: &'a str,
    members: Vec<String>,
    first: Option<String>,
    next: Option<String>,
}

async fn show(mut visit: Visit) -> Result<Answer, Failure> {
    team_page(&mut visit, None).await
}

async fn team_page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ACTIVITY, "teams").await?;
    let team = visit.argument("team").to_owned();
    let within = (h.row.name.as_str(), team.as_str());
    let mut members = teams::members(visit.registry(), within, after(visit), super::PAGE + 1).await?;
    let path = path(visit);
    let (first, next) = pages(&mut members, &path, visit, Clone::clone);
    let failed = error.is_some();
    let page = TeamPage { v: &v, h: &h, form: &visit.form, error, team: &team, members, first, next };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

/// The path of a team's page, also of one whose name no team can have.
fn path(visit: &Visit) -> String {
    format!("/{}/-/teams/{}", visit.argument("namespace"), oci::encode_component(visit.argument("team")))
}

async fn join(visit: Visit) -> Result<Answer, Failure> {
    set(visit, true).await
}

async fn leave(visit: Visit) -> Result<Answer, Failure> {
    set(visit, false).await
}

async fn set(mut visit: Visit, inside: bool) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let team = (visit.argument("namespace"), visit.argument("team"));
    let user = visit.form.get("user").trim();
    match teams::set_member(visit.registry(), visit.ctx(), team, user, inside).await {
        Ok(_) => {
            let done = if inside { "member-added" } else { "member-removed" };
            Ok(Answer::redirect(format!("{}?done={done}", path(&visit))))
        }
        Err(error) => {
            let error = refused(&visit, error.into())?;
            team_page(&mut visit, Some(error)).await
        }
    }
}

async fn remove(mut visit: Visit) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let (namespace, team) = (visit.argument("namespace"), visit.argument("team"));
    if visit.form.get("confirm") != team {
        let error = visit.view().ta("confirm-differs", "name", team);
        return team_page(&mut visit, Some(error)).await;
    }
    teams::remove(visit.registry(), visit.ctx(), namespace, team).await?;
    Ok(Answer::redirect(format!("/{namespace}/-/teams?done=team-removed")))
}
