//! Personal access tokens.

use http::Method;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::times::{expiry, time};
use crate::auth::Permissions;
use crate::registry::accounts::tokens;

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/users/{user}/tokens",
        "List a user's tokens",
        Needs::Account,
        Permissions::READ,
        |call| Box::pin(list(call)),
    )
    .group("tokens")
    .pages::<Token>(),
    Route::new(
        Method::PUT,
        "/users/{user}/tokens/{token}",
        "Make a token; its secret is shown now and never again",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(put(call)),
    )
    .group("tokens")
    .takes_body::<NewToken>()
    .makes::<MadeToken>(),
    Route::new(
        Method::DELETE,
        "/users/{user}/tokens/{token}",
        "Revoke a token",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(delete(call)),
    )
    .group("tokens")
    .answers_nothing(),
];

/// A token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// What it is called.
    name: String,
    /// Its id.
    id: String,
    /// How far it reaches: `read`, `write`, `delete`, `admin`.
    scopes: Vec<&'static str>,
    /// The namespaces and repositories it is about; none stands for all.
    on: Vec<String>,
    /// Whether it holds now.
    holds: bool,
    /// When it was made.
    created_at: String,
    /// From when on it proves nothing.
    expires_at: Option<String>,
    /// When it was last used, to a minute.
    last_used_at: Option<String>,
    /// From where it was last used.
    last_used_address: Option<String>,
}

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// How far it reaches: `read`, `write`, `delete`, `admin`.
    scopes: Vec<String>,
    /// The namespaces and repositories it is about, such as `acme`, `acme/app` or `acme/web-*`; none stands for all.
    #[serde(default)]
    on: Vec<String>,
    /// From when on it proves nothing (RFC 3339).
    expires_at: Option<String>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
struct MadeToken {
    /// What it is called.
    name: String,
    /// Its id.
    id: String,
    /// Its secret, shown now and never again.
    secret: String,
    /// What to type to log in with it.
    login: String,
}

async fn list(call: Call) -> Result<Reply, Refused> {
    let cursor = call.cursor()?;
    let rows = tokens::list(call.registry(), call.ctx(), call.argument("user")).await?;
    let now = call.ctx().now;
    let page = cursor.of_all(
        rows,
        |(row, _)| row.name.clone(),
        |(row, limits)| Token {
            holds: row.holds(now),
            scopes: Permissions::from_bits(row.permissions).scopes().collect(),
            on: limits.iter().map(ToString::to_string).collect(),
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
            last_used_at: row.last_used_at.map(time),
            last_used_address: row.last_used_address,
            name: row.name,
            id: row.public_id,
        },
    );
    Ok(call.page(&page, &cursor))
}

async fn put(call: Call) -> Result<Reply, Refused> {
    let (user, name, new) = (call.argument("user"), call.argument("token"), call.body::<NewToken>()?);
    let add = tokens::Add {
        user: user.to_owned(),
        name: name.to_owned(),
        scopes: new.scopes,
        limits: new.on,
        expires_at: expiry(new.expires_at.as_deref(), call.ctx().now)?,
    };
    let added = tokens::add(call.registry(), call.ctx(), add).await?;
    let host = &call.exchange.host;
    let made = MadeToken {
        name: name.to_owned(),
        id: added.id,
        secret: added.secret.reveal().to_owned(),
        login: format!("docker login {host} -u {user}"),
    };
    Ok(Reply::made(added.made, &made))
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    tokens::revoke(call.registry(), call.ctx(), call.argument("user"), call.argument("token")).await?;
    Ok(Reply::nothing())
}
