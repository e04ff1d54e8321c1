//! The API reference, drawn from the OpenAPI document that the server serves: what is declared is what is shown.

mod document;

use askama::Template;

use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use document::{DOCUMENT, Document, Group, Refusal, Schema};

pub(super) const ROUTES: &[Route] =
    &[Route::get("/-/api", |visit| Box::pin(all(visit))), Route::get("/-/api/{group}", |visit| Box::pin(group(visit)))];

/// The way from here to all groups.
struct Crumb {
    text: String,
    href: &'static str,
}

#[derive(Template)]
#[template(path = "explore/api.html")]
struct ReferencePage<'a> {
    v: &'a View,
    document: &'a Document,
    example: String,
    refusals: &'a [Refusal],
}

#[derive(Template)]
#[template(path = "explore/api_group.html")]
struct GroupPage<'a> {
    v: &'a View,
    crumbs: Vec<Crumb>,
    group: &'a Group,
    schemas: Vec<&'a Schema>,
}

async fn all(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let example =
        format!("curl -H \"Authorization: Bearer $TOKEN\" \"{}://{}/api/v1/repositories?limit=10\"", v.scheme, v.host);
    Ok(Answer::ok(&ReferencePage { document: &DOCUMENT, example, refusals: &DOCUMENT.refusals, v: &v }))
}

async fn group(visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let name = visit.argument("group");
    let group = DOCUMENT.groups.iter().find(|group| group.name == name).ok_or(Failure::NotFound)?;
    let crumbs = vec![Crumb { text: v.t("nav-api"), href: "/-/api" }, Crumb { text: group.name.clone(), href: "" }];
    Ok(Answer::ok(&GroupPage { schemas: DOCUMENT.schemas_of(group), group, crumbs, v: &v }))
}
