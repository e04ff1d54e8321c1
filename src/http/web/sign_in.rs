//! Signing in, with a second factor where there is one, and out.

use askama::Template;

use super::account::refuse_open;
use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::{Visit, back};
use crate::auth::Permissions;
use crate::registry::access::sessions::{self, Stage};
use crate::registry::access::{Why, manage::Target};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/sign-in", |visit| Box::pin(form(visit))),
    Route::post("/-/sign-in", |visit| Box::pin(sign_in(visit))),
    Route::get("/-/sign-in/code", |visit| Box::pin(code_form(visit))),
    Route::post("/-/sign-in/code", |visit| Box::pin(show_code(visit))),
    Route::get("/-/sign-in/again", |visit| Box::pin(again_form(visit))),
    Route::post("/-/sign-in/again", |visit| Box::pin(prove_again(visit))),
    Route::post("/-/sign-out", |visit| Box::pin(sign_out(visit))),
];

#[derive(Template)]
#[template(path = "account/sign_in.html")]
struct SignInPage<'a> {
    v: &'a View,
    next: &'a str,
    given: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "account/code.html")]
struct CodePage<'a> {
    v: &'a View,
    next: &'a str,
    error: Option<String>,
}

#[derive(Template)]
#[template(path = "account/again.html")]
struct AgainPage<'a> {
    v: &'a View,
    next: &'a str,
    second_factor: bool,
    error: Option<String>,
}

fn next(visit: &Visit) -> String {
    let given = if visit.form.get("next").is_empty() { visit.parameter("next") } else { visit.form.get("next") };
    back(given)
}

async fn form(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let (v, next) = (visit.view(), next(&visit));
    if v.user.is_some() {
        return Ok(Answer::redirect(next));
    }
    Ok(Answer::ok(&SignInPage { v: &v, next: &next, given: visit.parameter("name"), error: None }))
}

async fn sign_in(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let next = next(&visit);
    let name = visit.form.get("name").trim();
    match Box::pin(sessions::start(visit.registry(), visit.ctx(), name, visit.form.get("password"), None)).await {
        Ok(opened) => {
            if let Some(before) = &visit.session.secret {
                sessions::end_replaced(visit.registry(), visit.ctx(), before).await?;
            }
            Ok(go_on(&visit, &opened, next))
        }
        Err(error) => {
            let (v, failure) = (visit.view(), Failure::from(error));
            let Some(error) = failure.text(&v) else { return Err(failure) };
            Ok(Answer::again(&SignInPage { v: &v, next: &next, given: name, error: Some(error) }))
        }
    }
}

/// Where a session that begins, or has come further, leads.
pub(super) fn go_on(visit: &Visit, opened: &sessions::Opened, next: String) -> Answer {
    let to = match opened.stage {
        Stage::Full => next,
        Stage::Code => format!("/-/sign-in/code?next={}", oci::encode_component(&next)),
        Stage::SetUp => "/-/account/second-factor".to_owned(),
    };
    Answer::redirect(to).with_cookie(&visit.session_cookie(opened))
}

async fn code_form(visit: Visit) -> Result<Answer, Failure> {
    let (v, next) = (visit.view(), next(&visit));
    match visit.session.pending {
        Some(Why::FactorPending) => Ok(Answer::ok(&CodePage { v: &v, next: &next, error: None })),
        _ => Ok(Answer::redirect(next)),
    }
}

async fn show_code(mut visit: Visit) -> Result<Answer, Failure> {
    visit.manage(Target::Session(None), Permissions::NONE).await?;
    let next = next(&visit);
    let code = visit.form.get("code").trim();
    match Box::pin(sessions::prove(visit.registry(), visit.ctx(), None, Some(code))).await {
        Ok(opened) => Ok(go_on(&visit, &opened, next)),
        Err(error) => {
            let (v, failure) = (visit.view(), Failure::from(error));
            let Some(error) = failure.text(&v) else { return Err(failure) };
            Ok(Answer::again(&CodePage { v: &v, next: &next, error: Some(error) }))
        }
    }
}

async fn again_form(visit: Visit) -> Result<Answer, Failure> {
    let user = visit.user()?;
    let (v, next) = (visit.view(), next(&visit));
    Ok(Answer::ok(&AgainPage { v: &v, next: &next, second_factor: user.second_factor, error: None }))
}

/// Password, and second factor, shown once more, for what takes more than a browser that was left open.
async fn prove_again(mut visit: Visit) -> Result<Answer, Failure> {
    let user = visit.user()?;
    visit.manage(Target::Session(None), Permissions::NONE).await?;
    let next = next(&visit);
    let (password, code) = (visit.form.get("password"), visit.form.text("code"));
    match Box::pin(sessions::prove(visit.registry(), visit.ctx(), Some(password), code)).await {
        Ok(opened) => Ok(go_on(&visit, &opened, next)),
        Err(error) => {
            let (v, failure) = (visit.view(), Failure::from(error));
            let Some(error) = failure.text(&v) else { return Err(failure) };
            let page = AgainPage { v: &v, next: &next, second_factor: user.second_factor, error: Some(error) };
            Ok(Answer::again(&page))
        }
    }
}

async fn sign_out(mut visit: Visit) -> Result<Answer, Failure> {
    if visit.session.secret.is_some() {
        visit.manage(Target::Session(None), Permissions::NONE).await?;
        sessions::sign_out(visit.registry(), visit.ctx()).await?;
    }
    Ok(Answer::redirect("/").with_cookie(&visit.no_session_cookie()))
}
