//! What nobody needs an account for: making one, and getting back into one. Secrets come from links in mails.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use crate::auth::Permissions;
use crate::registry::Identity;
use crate::registry::access::{Denial, Why};
use crate::registry::accounts::{Language, invitations, recovery, sign_up};

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::POST,
        "/sign-up",
        "Sign up: a mail goes to the address. The answer is the same whether or not it has an account",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(start(call)),
    )
    .group("sign-up")
    .takes_body::<SignUp>()
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/sign-up/verify",
        "Make the account, by the link of the mail and the password of the sign-up",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(verify(call)),
    )
    .group("sign-up")
    .takes_body::<Verify>()
    .answers::<Named>(200),
    Route::new(
        Method::POST,
        "/sign-up/accept",
        "Make an account by an invitation",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(accept(call)),
    )
    .group("sign-up")
    .takes_body::<Accept>()
    .answers::<Named>(200),
    Route::new(
        Method::POST,
        "/users/{user}/invitations",
        "Accept an invitation to an organisation with the account one has",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(accept_as_user(call)),
    )
    .group("sign-up")
    .takes_body::<Link>()
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/password-reset",
        "Ask for a link to choose another password. The answer is the same whether or not there is such an account",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(request_reset(call)),
    )
    .group("sign-up")
    .takes_body::<Who>()
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/password-reset/complete",
        "Choose another password, by the link of the mail",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(complete_reset(call)),
    )
    .group("sign-up")
    .takes_body::<Verify>()
    .answers::<Named>(200),
    Route::new(
        Method::PUT,
        "/users/{user}/email",
        "Begin a change of the e-mail address: a link goes to the new one",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(change_email(call)),
    )
    .group("sign-up")
    .takes_body::<NewEmail>()
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/email/confirm",
        "End a change of an e-mail address, by the link of the mail",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(confirm_email(call)),
    )
    .group("sign-up")
    .takes_body::<Link>()
    .answers::<Named>(200),
];

/// An account to sign up for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignUp {
    /// The name.
    name: String,
    /// The e-mail address.
    email: String,
    /// What people call the person.
    display_name: Option<String>,
    /// The password.
    password: String,
    /// The language of mails: `en` or `fr`.
    language: Option<String>,
}

/// A link and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Verify {
    /// The secret of the link: what stands behind `token=`.
    token: String,
    /// The password: of the sign-up, or the new one.
    password: String,
}

/// A link of an invitation, and the account to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accept {
    /// The secret of the link: what stands behind `token=`.
    token: String,
    /// The name, where the invitation does not say it.
    name: Option<String>,
    /// What people call the person.
    display_name: Option<String>,
    /// The password.
    password: String,
    /// The language of mails: `en` or `fr`.
    language: Option<String>,
}

/// A link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// The secret of the link: what stands behind `token=`.
    token: String,
}

/// Whose password was forgotten.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Who {
    /// The name, or the e-mail address.
    who: String,
}

/// An address to change to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewEmail {
    /// The new address.
    email: String,
}

/// Whose account it is.
#[derive(Debug, Serialize, ToSchema)]
struct Named {
    /// The user's name.
    user: String,
}

pub(super) fn language(tag: Option<&str>) -> Language {
    Language::of(tag.unwrap_or_default())
}

async fn start(call: Call) -> Result<Reply, Refused> {
    let new = call.body::<SignUp>()?;
    let new = sign_up::SignUp {
        name: new.name,
        email: new.email,
        display_name: new.display_name,
        password: new.password,
        language: language(new.language.as_deref()),
    };
    sign_up::start(call.registry(), call.ctx(), new).await?;
    Ok(Reply::nothing())
}

async fn verify(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Verify>()?;
    let user = sign_up::verify(call.registry(), call.ctx(), &body.token, &body.password).await?;
    Ok(Reply::json(200, &Named { user }))
}

async fn accept(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Accept>()?;
    let new = sign_up::SignUp {
        name: body.name.unwrap_or_default(),
        email: String::new(),
        display_name: body.display_name,
        password: body.password,
        language: language(body.language.as_deref()),
    };
    let user = invitations::accept_new(call.registry(), call.ctx(), &body.token, new).await?;
    Ok(Reply::json(200, &Named { user }))
}

async fn accept_as_user(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Link>()?;
    let oneself = matches!(&call.ctx().identity, Identity::User(account) if &*account.name == call.argument("user"));
    if !oneself {
        return Err(Denial::of(Why::Forbidden).into());
    }
    invitations::accept(call.registry(), call.ctx(), &body.token, call.argument("user")).await?;
    Ok(Reply::nothing())
}

async fn request_reset(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Who>()?;
    recovery::request(call.registry(), call.ctx(), &body.who)?;
    Ok(Reply::nothing())
}

async fn complete_reset(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Verify>()?;
    let user = recovery::complete(call.registry(), call.ctx(), &body.token, body.password).await?;
    Ok(Reply::json(200, &Named { user }))
}

async fn change_email(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<NewEmail>()?;
    recovery::change_email(call.registry(), call.ctx(), call.argument("user"), &body.email).await?;
    Ok(Reply::nothing())
}

async fn confirm_email(call: Call) -> Result<Reply, Refused> {
    let body = call.body::<Link>()?;
    let user = recovery::confirm_email(call.registry(), call.ctx(), &body.token).await?;
    Ok(Reply::json(200, &Named { user }))
}
