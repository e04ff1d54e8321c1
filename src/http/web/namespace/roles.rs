//! The roles that a namespace can give: those that every namespace has, and its own.

use askama::Template;

use super::{Head, enter, refused, whole};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::manage::Target;
use crate::registry::accounts::RoleRow;
use crate::registry::accounts::roles;

pub(in crate::http::web) const ROUTES: &[Route] = &[
    Route::get("/{namespace}/-/roles", |visit| Box::pin(list(visit))),
    Route::post("/{namespace}/-/roles", |visit| Box::pin(define(visit))),
    Route::post("/{namespace}/-/roles/{role}/remove", |visit| Box::pin(remove(visit))),
];

/// A role as it is shown.
struct Shown {
    name: String,
    about: String,
    permissions: Vec<&'static str>,
    built_in: bool,
}

/// A permission that can be ticked.
struct Tick {
    word: &'static str,
    text: String,
    ticked: bool,
}

#[derive(Template)]
#[template(path = "namespace/roles.html")]
struct RolesPage<'a> {
    v: &'a View,
    h: &'a Head,
    error: Option<String>,
    roles: Vec<Shown>,
    /// The role that is changed; empty for a new one.
    given: String,
    ticks: Vec<Tick>,
}

/// What a permission lets do, in the reader's language.
pub(in crate::http::web) fn permission(v: &View, word: &str) -> String {
    v.t(&format!("permission-{word}"))
}

fn shown(v: &View, row: RoleRow) -> Shown {
    let about = match row.built_in {
        true => v.t(&format!("role-{}", row.name)),
        false => row.description.unwrap_or_default(),
    };
    let permissions = Permissions::from_bits(row.permissions).words().collect();
    Shown { name: row.name, about, permissions, built_in: row.built_in }
}

async fn list(mut visit: Visit) -> Result<Answer, Failure> {
    page(&mut visit, None).await
}

async fn page(visit: &mut Visit, error: Option<String>) -> Result<Answer, Failure> {
    let v = visit.view();
    let h = enter(visit, &v, Permissions::ACTIVITY, "roles").await?;
    let rows = roles::list(visit.registry(), Some(&h.row.name)).await?;
    let filled = |visit: &Visit, word: &str| visit.form.all("permission").any(|ticked| ticked == word);
    let edited = rows.iter().find(|row| !row.built_in && row.name == visit.parameter("edit"));
    let given = visit.form.text("name").or(edited.map(|row| row.name.as_str())).unwrap_or_default().to_owned();
    let held = edited.map_or(Permissions::NONE, |row| Permissions::from_bits(row.permissions));
    let ticks = Permissions::NAMED
        .iter()
        // Nobody gives what he may not do himself.
        .filter(|(one, _)| Permissions::NAMESPACE.contains(*one) && h.rights.contains(*one))
        .map(|(one, word)| Tick {
            word,
            text: permission(&v, word),
            ticked: filled(visit, word) || (error.is_none() && held.contains(*one)),
        })
        .collect();
    let roles = rows.into_iter().map(|row| shown(&v, row)).collect();
    let failed = error.is_some();
    let page = RolesPage { v: &v, h: &h, error, roles, given, ticks };
    Ok(if failed { Answer::again(&page) } else { Answer::ok(&page) })
}

async fn define(mut visit: Visit) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let (namespace, name) = (visit.argument("namespace"), visit.form.get("name").trim());
    let words: Vec<String> = visit.form.all("permission").map(str::to_owned).collect();
    match roles::define(visit.registry(), visit.ctx(), namespace, name, &words).await {
        Ok(()) => Ok(Answer::redirect(format!("/{namespace}/-/roles?done=role-defined"))),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}

async fn remove(mut visit: Visit) -> Result<Answer, Failure> {
    let pattern = whole(&visit)?;
    visit.manage(Target::Over(pattern), Permissions::MEMBERS).await?;
    let (namespace, role) = (visit.argument("namespace"), visit.argument("role"));
    match roles::remove(visit.registry(), visit.ctx(), namespace, role).await {
        Ok(()) => Ok(Answer::redirect(format!("/{namespace}/-/roles?done=role-removed"))),
        Err(error) => {
            let error = refused(&visit, error.into())?;
            page(&mut visit, Some(error)).await
        }
    }
}
