//! What is held about a person: to take away, and to have erased.

use askama::Template;
use serde_json::json;

use super::{Fact, enter, prove_first, tabs};
use crate::auth::Permissions;
use crate::http::web::answer::Answer;
use crate::http::web::failure::Failure;
use crate::http::web::frame::Tab;
use crate::http::web::route::Route;
use crate::http::web::view::View;
use crate::http::web::visit::Visit;
use crate::registry::access::sessions;
use crate::registry::accounts::{export, tokens, users};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account/data", |visit| Box::pin(data(visit))),
    Route::get("/-/account/data/export", |visit| Box::pin(download(visit))),
    Route::get("/-/account/delete", |visit| Box::pin(delete_form(visit))),
    Route::post("/-/account/delete", |visit| Box::pin(delete(visit))),
];

/// Longest export that is made for a browser, in bytes: it is held in memory. The operator's command has no such limit.
const MAX_EXPORT: usize = 16 * 1024 * 1024;

#[derive(Template)]
#[template(path = "account/data.html")]
struct DataPage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    most: String,
}

#[derive(Template)]
#[template(path = "account/delete.html")]
struct DeletePage<'a> {
    v: &'a View,
    tabs: Vec<Tab>,
    name: &'a str,
    goes: Vec<Fact>,
    error: String,
}

async fn data(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let v = visit.view();
    let command = format!("havre user export {}", user.name);
    let most = v.tx("export-most", &[("size", &v.size(MAX_EXPORT)), ("command", &command)]);
    Ok(Answer::ok(&DataPage { tabs: tabs(&v, "/-/account/data"), v: &v, most }))
}

async fn download(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::READ).await?;
    let mut export = export::start(visit.registry(), &user.name).await?;
    let mut text = String::new();
    'all: while let Some(page) = export.next(visit.registry()).await? {
        for line in page {
            let line = line.to_string();
            if text.len() + line.len() >= MAX_EXPORT {
                text.push_str(
                    &json!({ "kind": "cut", "rest": format!("havre user export {}", user.name) }).to_string(),
                );
                text.push('\n');
                break 'all;
            }
            text.push_str(&line);
            text.push('\n');
        }
    }
    Ok(Answer::download("application/jsonl; charset=utf-8", &format!("{}.jsonl", user.name), text))
}

async fn delete_page(visit: &Visit, name: &str, error: String, v: &View) -> Result<String, Failure> {
    let tokens = tokens::list(visit.registry(), visit.ctx(), name).await?.len();
    let sessions = sessions::list(visit.registry(), visit.ctx(), name).await?.len();
    let profile = users::profile(visit.registry(), name).await?;
    let fact = |key: &str, text: String| Fact { term: v.t(key), text };
    let mut goes = vec![fact("delete-name", v.ta("delete-name-text", "name", name))];
    if let Some(email) = profile.user.email {
        goes.push(fact("delete-email", email));
    }
    goes.push(fact("account-tokens", v.number(tokens as i64)));
    goes.push(fact("account-sessions", v.number(sessions as i64)));
    goes.push(fact("delete-roles", v.t("delete-roles-text")));
    goes.push(fact("delete-images", v.t("delete-images-text")));
    let page = DeletePage { tabs: tabs(v, "/-/account/data"), v, name, goes, error };
    page.render().map_err(|error| {
        tracing::error!(%error, "a template failed");
        Failure::Panicked
    })
}

async fn delete_form(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    prove_first(&visit).await?;
    let v = visit.view();
    Ok(Answer::html(http::StatusCode::OK, delete_page(&visit, &user.name, String::new(), &v).await?))
}

/// Erases the own account. The name is typed, and password and second factor were shown a short while ago.
async fn delete(mut visit: Visit) -> Result<Answer, Failure> {
    let user = enter(&mut visit, Permissions::SETTINGS).await?;
    let v = visit.view();
    let error = if visit.form.get("confirm").trim() == &*user.name {
        match Box::pin(users::erase_oneself(visit.registry(), visit.ctx())).await {
            Ok(()) => return Ok(Answer::redirect("/?done=account-deleted").with_cookie(&visit.no_session_cookie())),
            Err(error) => {
                let failure = Failure::from(error);
                let Some(text) = failure.text(&v) else { return Err(failure) };
                text
            }
        }
    } else {
        v.ta("delete-not-typed", "name", &user.name)
    };
    let page = delete_page(&visit, &user.name, error, &v).await?;
    Ok(Answer::html(http::StatusCode::UNPROCESSABLE_ENTITY, page))
}
