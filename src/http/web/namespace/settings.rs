//! The settings of a namespace.

use askama::Template;

use super::{Head, enter, refused};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::manage::Target;
use crate::registry::accounts::{NamespaceRow, namespaces};

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{namespace}/-/settings", |visit| Box::pin(show(visit))),
    Route::post("/{namespace}/-/settings", |visit| Box::pin(change(visit))),
    Route::post("/{namespace}/-/settings/marks", |visit| Box::pin(mark(visit))),
];

#[derive(Template)]
#[template(path = "namespace/settings.html")]
struct SettingsPage<'a> {
    v: &'a View,
    h: &'a Head,
    error: Option<String>,
    display_name: &'a str,
    description: &'a str,
    visibility: &'a str,
    factor: bool,
}

async fn show(mut visit: Visit) -> Result<Answer, Failure> {
    page(&mut visit, None).await
}

async fn page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::SETTINGS, "settings").await?;
    let (row, form) = (&h.row, &visit.form);
    let page = match error {
        // What was filled in is not lost.
        Some(_) => SettingsPage {
            v: &v,
            h: &h,
            display_name: form.get("display_name"),
            description: form.get("description"),
            visibility: form.get("visibility"),
            factor: form.is_ticked("second_factor"),
            error,
        },
        None => SettingsPage {
            v: &v,
            h: &h,
            display_name: row.display_name.as_deref().unwrap_or_default(),
            description: row.description.as_deref().unwrap_or_default(),
            visibility: &row.visibility,
            factor: row.require_second_factor,
            error,
        },
    };
    let failed = page.error.is_some();
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

async fn change(mut visit: Visit) -> Result<Answer, Failure> {
    let v = visit.view();
    let row = enter(&mut visit, &v, Permissions::SETTINGS, "settings").await?.row;
    match Box::pin(apply(&visit, &row)).await {
        Ok(()) => Ok(Answer::redirect(format!("/{}/-/settings?done=settings-saved", row.name))),
        Err(failure) => {
            let error = refused(&visit, failure)?;
            page(&mut visit, Some(error)).await
        }
    }
}

/// Changes what is another than it was, each with its own event.
async fn apply(visit: &Visit, row: &NamespaceRow) -> Result<(), Failure> {
    let (registry, ctx, name) = (visit.registry(), visit.ctx(), &row.name);
    let text = |field| visit.form.text(field).map(str::to_owned);
    let (display_name, description) = (text("display_name"), text("description"));
    if display_name != row.display_name {
        namespaces::set_display_name(registry, ctx, name, display_name).await?;
    }
    if description != row.description {
        namespaces::set_description(registry, ctx, name, description).await?;
    }
    if let Some(word) = visit.form.text("visibility").filter(|word| *word != row.visibility) {
        namespaces::set_default(registry, ctx, name, word).await?;
    }
    let factor = visit.form.is_ticked("second_factor");
    if factor != row.require_second_factor && row.owner_kind == "organisation" {
        namespaces::require_second_factor(registry, ctx, name, factor).await?;
    }
    Ok(())
}

/// Official, verified: for administrators of the instance.
async fn mark(mut visit: Visit) -> Result<Answer, Failure> {
    visit.manage(Target::Instance, Permissions::INSTANCE).await?;
    let (official, verified) = (visit.form.is_ticked("official"), visit.form.is_ticked("verified"));
    let name = visit.argument("namespace");
    namespaces::set_marks(visit.registry(), visit.ctx(), name, official, verified).await?;
    Ok(Answer::redirect(format!("/{name}/-/settings?done=settings-saved")))
}
