//! The way back for who has lost the password, and the end of a change of e-mail address: by links in mails, which are
//! looked at without being used up.

use askama::Template;

use super::account::{Wrong, refuse_open};
use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::view::View;
use super::visit::Visit;
use crate::registry::Error;
use crate::registry::accounts::{AccountError, recovery};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/account/reset", |visit| Box::pin(reset_form(visit))),
    Route::post("/-/account/reset", |visit| Box::pin(request(visit))),
    Route::post("/-/account/reset/complete", |visit| Box::pin(complete(visit))),
    Route::get("/-/account/confirm-email", |visit| Box::pin(email_form(visit))),
    Route::post("/-/account/confirm-email", |visit| Box::pin(confirm_email(visit))),
];

#[derive(Template)]
#[template(path = "account/reset_request.html")]
struct RequestPage<'a> {
    v: &'a View,
    who: &'a str,
    mail: bool,
    command: &'static str,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/reset.html")]
struct ResetPage<'a> {
    v: &'a View,
    token: &'a str,
    name: &'a str,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/confirm_email.html")]
struct ConfirmPage<'a> {
    v: &'a View,
    token: &'a str,
    text: String,
}

fn request_page<'a>(visit: &'a Visit, v: &'a View, wrong: Wrong) -> RequestPage<'a> {
    let who = visit.form.get("who").trim();
    RequestPage { v, who, mail: visit.registry().people.mail, command: "havre user reset-link", wrong }
}

async fn reset_form(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let (v, token) = (visit.view(), visit.parameter("token"));
    if token.is_empty() {
        return Ok(Answer::ok(&request_page(&visit, &v, Wrong::default())));
    }
    let name = recovery::of_reset(visit.registry(), visit.ctx(), token).await?;
    Ok(Answer::ok(&ResetPage { v: &v, token, name: &name, wrong: Wrong::default() }))
}

/// Asks for a link. Whether there is such an account, the answer does not tell.
async fn request(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    match recovery::request(visit.registry(), visit.ctx(), visit.form.get("who")) {
        Ok(()) => Ok(Answer::redirect("/-/account/reset?done=reset-sent")),
        Err(error) => {
            let v = visit.view();
            let wrong = Wrong::of(&v, error.into(), &[])?;
            Ok(Answer::again(&request_page(&visit, &v, wrong)))
        }
    }
}

async fn complete(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let (token, password) = (visit.form.get("token"), visit.form.get("password"));
    match Box::pin(recovery::complete(visit.registry(), visit.ctx(), token, password.to_owned())).await {
        Ok(name) => {
            Ok(Answer::redirect(format!("/-/sign-in?name={}&done=password-chosen", oci::encode_component(&name))))
        }
        Err(Error::Account(error @ AccountError::Link)) => Err(error.into()),
        Err(error) => {
            let v = visit.view();
            let wrong = Wrong::of(&v, error.into(), &["password"])?;
            let name = recovery::of_reset(visit.registry(), visit.ctx(), token).await?;
            Ok(Answer::again(&ResetPage { v: &v, token, name: &name, wrong }))
        }
    }
}

async fn email_form(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let token = visit.parameter("token");
    let (name, email) = recovery::of_email(visit.registry(), visit.ctx(), token).await?;
    let v = visit.view();
    let text = v.tx("confirm-email-text", &[("name", &name), ("email", &email)]);
    Ok(Answer::ok(&ConfirmPage { v: &v, token, text }))
}

async fn confirm_email(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    Box::pin(recovery::confirm_email(visit.registry(), visit.ctx(), visit.form.get("token"))).await?;
    let to = if visit.user().is_ok() { "/-/account" } else { "/-/sign-in" };
    Ok(Answer::redirect(format!("{to}?done=email-confirmed")))
}
