//! The first page.

use askama::Template;

use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::registry::catalog::{self, RepositoryRow};

pub(super) const ROUTES: &[Route] = &[Route::get("/", |visit| Box::pin(home(visit)))];

/// How many repositories are shown.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    v: &'a View,
    repositories: Vec<RepositoryRow>,
    first: String,
}

async fn home(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let repositories = catalog::repositories(visit.registry(), visit.ctx(), None, "", SHOWN).await?;
    Ok(Answer::ok(&HomePage { first: first_commands(&v), v: &v, repositories }))
}

/// What to type first, from logging in to the first push.
fn first_commands(v: &View) -> String {
    let host = &v.host;
    let namespace = v.user.as_ref().map_or("me", |user| &user.name);
    let login = if v.open { String::new() } else { format!("docker login {host}\n") };
    format!("{login}docker tag my-app {host}/{namespace}/my-app:1.0.0\ndocker push {host}/{namespace}/my-app:1.0.0")
}
