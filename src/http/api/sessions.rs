//! Sessions: sign-ins of browsers.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::times::time;
use crate::auth::{Permissions, csrf};
use crate::http::cookie;
use crate::registry::access::sessions::{self, Opened, Stage};

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::POST,
        "/session",
        "Sign in with name and password; sets the cookie of the session",
        Needs::Nothing,
        Permissions::NONE,
        |call| Box::pin(start(call)),
    )
    .group("sessions")
    .takes_body::<SignIn>()
    .answers::<Session>(201),
    Route::new(Method::GET, "/session", "How far one's own session is", Needs::Session, Permissions::NONE, |call| {
        Box::pin(look(call))
    })
    .group("sessions")
    .answers::<SessionStage>(200),
    Route::new(
        Method::PUT,
        "/session",
        "Show the code of the second factor, or the password once more; sets another cookie",
        Needs::Session,
        Permissions::NONE,
        |call| Box::pin(prove(call)),
    )
    .group("sessions")
    .takes_body::<Proven>()
    .answers::<Session>(200),
    Route::new(Method::DELETE, "/session", "Sign out", Needs::Session, Permissions::NONE, |call| {
        Box::pin(sign_out(call))
    })
    .group("sessions")
    .answers_nothing(),
    Route::new(
        Method::GET,
        "/users/{user}/sessions",
        "List where a user is signed in with a browser",
        Needs::Account,
        Permissions::READ,
        |call| Box::pin(list(call)),
    )
    .group("sessions")
    .pages::<ListedSession>(),
    Route::new(
        Method::DELETE,
        "/users/{user}/sessions",
        "Sign a user out everywhere, but for the session that asks for it",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(end_all(call)),
    )
    .group("sessions")
    .answers_nothing(),
    Route::new(
        Method::DELETE,
        "/users/{user}/sessions/{session}",
        "End one of a user's sessions",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(end(call)),
    )
    .group("sessions")
    .answers_nothing(),
];

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignIn {
    /// The user's name.
    name: String,
    /// The password.
    password: String,
    /// A one-time password or recovery code; it may also be shown afterwards.
    code: Option<String>,
}

/// What a session is shown once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proven {
    /// The password; not where only the code is missing.
    password: Option<String>,
    /// A one-time password or recovery code, where there is a second factor.
    code: Option<String>,
}

/// A session. Its secret is in the cookie.
#[derive(Serialize, ToSchema)]
struct Session {
    /// The user's name.
    user: String,
    /// `full`; or what is still missing: `code` (of the second factor) or `set-up` (of one, which everybody has to have).
    state: &'static str,
    /// What every request with the cookie shows in the header `X-Csrf-Token`.
    csrf_token: String,
    /// When it ends at the latest.
    expires_at: String,
}

/// How far a session is.
#[derive(Serialize, ToSchema)]
struct SessionStage {
    /// Its id.
    id: String,
    /// `full`; or what is still missing: `code` or `set-up`.
    state: &'static str,
    /// When it ends at the latest.
    expires_at: String,
}

/// A session as a list shows it.
#[derive(Serialize, ToSchema)]
struct ListedSession {
    /// Its id.
    id: String,
    /// Whether it is the one that asks.
    own: bool,
    /// Whether the second factor was not shown yet.
    pending: bool,
    /// When it began.
    created_at: String,
    /// When it was used last, to a minute.
    last_seen_at: String,
    /// When it ends at the latest.
    expires_at: String,
    /// From where it was used last.
    address: Option<String>,
    /// The program that used it last, as it names itself.
    user_agent: Option<String>,
}

fn word(stage: Stage) -> &'static str {
    match stage {
        Stage::Full => "full",
        Stage::Code => "code",
        Stage::SetUp => "set-up",
    }
}

fn answer(call: &Call, status: u16, opened: &Opened) -> Reply {
    let session = Session {
        user: opened.user.clone(),
        state: word(opened.stage),
        csrf_token: csrf::token(&opened.secret),
        expires_at: time(opened.expires_at),
    };
    let seconds = opened.expires_at.saturating_sub(call.ctx().now).div_euclid(1_000_000);
    Reply::json(status, &session).with_cookie(cookie::set(call.exchange.scheme, Some(&opened.secret), seconds))
}

async fn start(call: Call) -> Result<Reply, Refused> {
    let given = call.body::<SignIn>()?;
    let (name, code) = (given.name.as_str(), given.code.as_deref());
    let opened = Box::pin(sessions::start(call.registry(), call.ctx(), name, &given.password, code)).await?;
    // The browser forgets the earlier one with this answer.
    if let Some(earlier) = call.session_cookie()
        && let Err(error) = sessions::end_replaced(call.registry(), call.ctx(), &earlier).await
    {
        tracing::warn!(%error, "cannot end a session in whose place another one began");
    }
    Ok(answer(&call, 201, &opened))
}

async fn look(call: Call) -> Result<Reply, Refused> {
    let (row, stage) = sessions::look(call.registry(), call.ctx()).await?;
    let stage = SessionStage { id: row.public_id, state: word(stage), expires_at: time(row.expires_at) };
    Ok(Reply::json(200, &stage))
}

async fn prove(call: Call) -> Result<Reply, Refused> {
    let given = call.body::<Proven>()?;
    let (password, code) = (given.password.as_deref(), given.code.as_deref());
    let opened = Box::pin(sessions::prove(call.registry(), call.ctx(), password, code)).await?;
    Ok(answer(&call, 200, &opened))
}

async fn sign_out(call: Call) -> Result<Reply, Refused> {
    sessions::sign_out(call.registry(), call.ctx()).await?;
    Ok(Reply::nothing().with_cookie(cookie::set(call.exchange.scheme, None, 0)))
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = sessions::list(call.registry(), call.ctx(), call.argument("user")).await?;
    let page = cursor.of_all(
        rows,
        |(row, _)| row.public_id.clone(),
        |(row, own)| ListedSession {
            own,
            pending: row.is_pending(),
            created_at: time(row.created_at),
            last_seen_at: time(row.last_seen_at),
            expires_at: time(row.expires_at),
            id: row.public_id,
            address: row.address,
            user_agent: row.user_agent,
        },
    );
    Ok(call.page(&page, &cursor))
}

async fn end_all(call: Call) -> Result<Reply, Refused> {
    sessions::end_all(call.registry(), call.ctx(), call.argument("user")).await?;
    Ok(Reply::nothing())
}

async fn end(call: Call) -> Result<Reply, Refused> {
    sessions::end(call.registry(), call.ctx(), call.argument("user"), call.argument("session")).await?;
    Ok(Reply::nothing())
}
