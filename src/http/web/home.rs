//! The first page: what is pulled most, what was pushed last, what is one's own; and what to type first where there is nothing.

use askama::Template;

use super::answer::Answer;
use super::commands::{Example, Variant};
use super::entries::{self, Entry};
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::registry::explore::{self, Order, OwnRow};

pub(super) const ROUTES: &[Route] = &[Route::get("/", |visit| Box::pin(home(visit)))];

/// How many repositories each list shows.
const SHOWN: usize = 6;
/// How many of one's own namespaces are shown.
const OWN: usize = 12;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage<'a> {
    v: &'a View,
    own: Vec<OwnRow>,
    popular: Vec<Entry>,
    recent: Vec<Entry>,
    /// What to type first, each with what it does.
    first: Vec<Step>,
}

/// One thing to type.
struct Step {
    id: &'static str,
    title: String,
    variants: Vec<Variant>,
}

async fn home(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let (registry, ctx) = (visit.registry(), visit.ctx());
    let popular = explore::list(registry, ctx, Order::Popular, "", SHOWN).await?.rows;
    let recent = explore::list(registry, ctx, Order::Recent, "", SHOWN).await?.rows;
    let own = explore::own(registry, ctx, OWN).await?;
    let first = if popular.is_empty() && recent.is_empty() { first(&v) } else { Vec::new() };
    Ok(Answer::ok(&HomePage { popular: entries::of(popular), recent: entries::of(recent), own, first, v: &v }))
}

/// From logging in to the first push and pull.
fn first(v: &View) -> Vec<Step> {
    let example = Example::new(v);
    let step = |id, title, variants| Step { id, title, variants };
    let mut steps = Vec::new();
    if !v.open {
        steps.push(step("login", v.t("start-login"), example.login()));
    }
    steps.push(step("build", v.t("start-build"), example.build("1.0.0")));
    steps.push(step("tag", v.t("home-tag"), example.tag()));
    steps.push(step("push", v.t("start-push"), example.push("1.0.0")));
    steps.push(step("pull", v.t("start-pull"), example.pull("1.0.0")));
    steps
}
