//! Saying what a repository is, in its place: a line, and a text in Markdown with a preview.

use askama::Template;
use http::StatusCode;

use super::Seen;
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::markdown;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::repositories::{self, Description};

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{repository}/-/edit", |visit| Box::pin(form(visit))),
    Route::post("/{repository}/-/edit", |visit| Box::pin(save(visit))),
    Route::post("/{repository}/-/preview", |visit| Box::pin(preview(visit))),
];

#[derive(Template)]
#[template(path = "repository/edit.html")]
struct EditPage<'a> {
    v: &'a View,
    f: &'a Seen,
    description: &'a str,
    readme: &'a str,
    error: Option<String>,
}

async fn form(mut visit: Visit) -> Result<Answer, Failure> {
    let seen = Seen::find(&mut visit, Permissions::SETTINGS, "overview").await?;
    let v = visit.view();
    let description = seen.details.description.as_deref().unwrap_or_default();
    let readme = seen.details.readme.as_deref().unwrap_or_default();
    Ok(Answer::ok(&EditPage { v: &v, f: &seen, description, readme, error: None }))
}

async fn save(mut visit: Visit) -> Result<Answer, Failure> {
    let name = visit.repository(Permissions::SETTINGS).await?;
    let (description, readme) = (visit.form.get("description").to_owned(), visit.form.get("readme").to_owned());
    let change = Description { description: Some(Some(description.clone())), readme: Some(Some(readme.clone())) };
    match repositories::describe(visit.registry(), visit.ctx(), &name, change).await {
        Ok(()) => Ok(Answer::redirect(format!("/{name}?done=described"))),
        Err(error) => {
            let failure = Failure::from(error);
            let v = visit.view();
            let Some(_) = failure.text(&v) else { return Err(failure) };
            let seen = Seen::find(&mut visit, Permissions::SETTINGS, "overview").await?;
            let error = Some(v.t("describe-refused"));
            Ok(Answer::again(&EditPage { v: &v, f: &seen, description: &description, readme: &readme, error }))
        }
    }
}

/// The text as it would be shown: for who may write it only, since rendering is work.
async fn preview(mut visit: Visit) -> Result<Answer, Failure> {
    visit.repository(Permissions::SETTINGS).await?;
    Ok(Answer::html(StatusCode::OK, markdown::render(visit.form.get("text"))))
}
