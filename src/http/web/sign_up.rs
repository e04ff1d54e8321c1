//! Coming to an account: by signing up, or by an invitation. A link in a mail is looked at without being used up, for
//! scanners of mail follow links too; the button of its page uses it.

use askama::Template;

use super::account::{Wrong, refuse_open};
use super::answer::Answer;
use super::failure::Failure;
use super::route::Route;
use super::sign_in::go_on;
use super::view::View;
use super::visit::Visit;
use crate::auth::Permissions;
use crate::config::SignUp as Policy;
use crate::registry::Error;
use crate::registry::access::manage::Target;
use crate::registry::access::{Why, sessions};
use crate::registry::accounts::invitations::{self, InvitationRow};
use crate::registry::accounts::{AccountError, sign_up};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/-/sign-up", |visit| Box::pin(form(visit))),
    Route::post("/-/sign-up", |visit| Box::pin(start(visit))),
    Route::get("/-/sign-up/sent", |visit| Box::pin(sent(visit))),
    Route::get("/-/account/verify", |visit| Box::pin(verify_form(visit))),
    Route::post("/-/account/verify", |visit| Box::pin(verify(visit))),
    Route::get("/-/account/invitation", |visit| Box::pin(invitation(visit))),
    Route::post("/-/account/invitation", |visit| Box::pin(accept_new(visit))),
    Route::post("/-/account/invitation/accept", |visit| Box::pin(accept(visit))),
];

/// Where somebody is led whose account was just made.
const WELCOME: &str = "/?done=account-made";

#[derive(Template)]
#[template(path = "account/sign_up.html")]
struct SignUpPage<'a> {
    v: &'a View,
    /// Why nobody signs up here; nothing where anybody may.
    closed: Option<String>,
    name: &'a str,
    email: &'a str,
    display_name: &'a str,
    email_help: String,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/sign_up_sent.html")]
struct SentPage<'a> {
    v: &'a View,
}

#[derive(Template)]
#[template(path = "account/verify.html")]
struct VerifyPage<'a> {
    v: &'a View,
    token: &'a str,
    name: &'a str,
    wrong: Wrong,
}

#[derive(Template)]
#[template(path = "account/invitation.html")]
struct InvitationPage<'a> {
    v: &'a View,
    token: &'a str,
    row: &'a InvitationRow,
    invited: String,
    name: &'a str,
    display_name: &'a str,
    wrong: Wrong,
}

fn closed(visit: &Visit, v: &View) -> Option<String> {
    let people = &visit.registry().people;
    match people.sign_up {
        Policy::Open if people.mail => None,
        Policy::Open => Some(v.t("sign-up-no-mail")),
        Policy::Invite => Some(v.t("sign-up-invite")),
        Policy::Off => Some(v.t("sign-up-off")),
    }
}

fn sign_up_page<'a>(visit: &'a Visit, v: &'a View, wrong: Wrong) -> SignUpPage<'a> {
    SignUpPage {
        closed: closed(visit, v),
        name: visit.form.get("name").trim(),
        email: visit.form.get("email").trim(),
        display_name: visit.form.get("display_name").trim(),
        email_help: match visit.registry().people.domains.join(", ").as_str() {
            "" => v.t("sign-up-email-help"),
            domains => v.ta("sign-up-domains", "domains", domains),
        },
        v,
        wrong,
    }
}

async fn form(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let v = visit.view();
    if v.user.is_some() {
        return Ok(Answer::redirect("/"));
    }
    Ok(Answer::ok(&sign_up_page(&visit, &v, Wrong::default())))
}

async fn start(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let v = visit.view();
    let new = sign_up::SignUp {
        name: visit.form.get("name").trim().to_owned(),
        email: visit.form.get("email").trim().to_owned(),
        display_name: visit.form.text("display_name").map(str::to_owned),
        password: visit.form.get("password").to_owned(),
        language: v.language,
    };
    let error = match Box::pin(sign_up::start(visit.registry(), visit.ctx(), new)).await {
        Ok(()) => return Ok(Answer::redirect("/-/sign-up/sent")),
        Err(error) => error,
    };
    let wrong = match &error {
        Error::Account(AccountError::Word { kind: "host of addresses that may sign up", .. }) => {
            let domains = visit.registry().people.domains.join(", ");
            Wrong::beside("email", v.ta("sign-up-domains", "domains", &domains))
        }
        _ => Wrong::of(&v, error.into(), &["name", "email", "display_name", "password"])?,
    };
    Ok(Answer::again(&sign_up_page(&visit, &v, wrong)))
}

async fn sent(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    Ok(Answer::ok(&SentPage { v: &visit.view() }))
}

async fn verify_form(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let token = visit.parameter("token");
    let name = sign_up::waiting(visit.registry(), visit.ctx(), token).await?;
    Ok(Answer::ok(&VerifyPage { v: &visit.view(), token, name: &name, wrong: Wrong::default() }))
}

/// Makes the account, and signs its owner in, who has just typed its password.
async fn verify(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let (token, password) = (visit.form.get("token"), visit.form.get("password"));
    let error = match Box::pin(sign_up::verify(visit.registry(), visit.ctx(), token, password)).await {
        Ok(name) => return Ok(welcome(&visit, &name, password).await),
        Err(error) => error,
    };
    let v = visit.view();
    let wrong = match &error {
        Error::Denied(denial) if denial.why == Why::WrongCredentials => {
            Wrong::beside("password", v.t("verify-password-wrong"))
        }
        Error::Account(AccountError::Link) => return Err(error.into()),
        _ => Wrong::of(&v, error.into(), &["password"])?,
    };
    let name = sign_up::waiting(visit.registry(), visit.ctx(), token).await?;
    Ok(Answer::again(&VerifyPage { v: &v, token, name: &name, wrong }))
}

/// Signs in who has just come to an account; where that does not work, the form is there for it.
async fn welcome(visit: &Visit, name: &str, password: &str) -> Answer {
    match Box::pin(sessions::start(visit.registry(), visit.ctx(), name, password, None)).await {
        Ok(opened) => go_on(visit, &opened, WELCOME.to_owned()),
        Err(_) => Answer::redirect(format!("/-/sign-in?name={}&done=account-made", oci::encode_component(name))),
    }
}

fn invited(v: &View, row: &InvitationRow) -> String {
    match (&row.organisation, &row.role) {
        (Some(organisation), Some(role)) => v.tx("invitation-role", &[("organisation", organisation), ("role", role)]),
        _ => v.ta("invitation-account", "host", &v.host),
    }
}

async fn invitation(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let token = visit.parameter("token");
    let row = invitations::show(visit.registry(), visit.ctx(), token).await?;
    let v = visit.view();
    let (invited, wrong) = (invited(&v, &row), Wrong::default());
    Ok(Answer::ok(&InvitationPage { v: &v, token, row: &row, invited, name: "", display_name: "", wrong }))
}

/// Accepts an invitation by making an account.
async fn accept_new(visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let (token, password) = (visit.form.get("token"), visit.form.get("password"));
    let v = visit.view();
    let new = sign_up::SignUp {
        name: visit.form.get("name").trim().to_owned(),
        email: String::new(),
        display_name: visit.form.text("display_name").map(str::to_owned),
        password: password.to_owned(),
        language: v.language,
    };
    let error = match Box::pin(invitations::accept_new(visit.registry(), visit.ctx(), token, new)).await {
        Ok(name) => return Ok(welcome(&visit, &name, password).await),
        Err(Error::Account(error @ AccountError::Link)) => return Err(error.into()),
        Err(error) => error,
    };
    let wrong = Wrong::of(&v, error.into(), &["name", "display_name", "password"])?;
    let row = invitations::show(visit.registry(), visit.ctx(), token).await?;
    let (name, display_name) = (visit.form.get("name").trim(), visit.form.get("display_name").trim());
    let invited = invited(&v, &row);
    Ok(Answer::again(&InvitationPage { v: &v, token, row: &row, invited, name, display_name, wrong }))
}

/// Accepts an invitation with the account of who is signed in.
async fn accept(mut visit: Visit) -> Result<Answer, Failure> {
    refuse_open(&visit)?;
    let user = visit.user()?;
    visit.manage(Target::Account(user.name.to_string()), Permissions::SETTINGS).await?;
    let token = visit.form.get("token");
    let row = invitations::show(visit.registry(), visit.ctx(), token).await?;
    invitations::accept(visit.registry(), visit.ctx(), token, &user.name).await?;
    let to = row.organisation.unwrap_or_default();
    Ok(Answer::redirect(format!("/{to}?done=invitation-accepted")))
}
