//! The second factor of a user.

use http::Method;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::call::{Call, Reply};
use super::problem::Refused;
use super::route::{Needs, Route};
use super::times::time;
use crate::auth::{Permissions, csrf};
use crate::http::cookie;
use crate::registry::Identity;
use crate::registry::access::sessions;
use crate::registry::accounts::second_factor;

pub(super) const ROUTES: &[Route] = &[
    Route::new(
        Method::GET,
        "/users/{user}/second-factor",
        "Whether a user has a second factor",
        Needs::Account,
        Permissions::READ,
        |call| Box::pin(get(call)),
    )
    .group("second factor")
    .answers::<Factor>(200),
    Route::new(
        Method::POST,
        "/users/{user}/second-factor",
        "Begin one's second factor: what an app of one-time passwords has to know, shown once",
        Needs::Session,
        Permissions::NONE,
        |call| Box::pin(begin(call)),
    )
    .group("second factor")
    .answers::<BegunFactor>(201),
    Route::new(
        Method::PUT,
        "/users/{user}/second-factor",
        "Turn one's second factor on with the first code that the app shows; sets another cookie",
        Needs::Session,
        Permissions::NONE,
        |call| Box::pin(confirm(call)),
    )
    .group("second factor")
    .takes_body::<FirstCode>()
    .answers::<ConfirmedFactor>(200),
    Route::new(
        Method::DELETE,
        "/users/{user}/second-factor",
        "Turn one's second factor off, or take it off from a user who has lost it",
        Needs::Account,
        Permissions::SETTINGS,
        |call| Box::pin(delete(call)),
    )
    .group("second factor")
    .answers_nothing(),
    Route::new(
        Method::POST,
        "/users/{user}/second-factor/recovery-codes",
        "Make recovery codes in place of all there were",
        Needs::Session,
        Permissions::NONE,
        |call| Box::pin(new_codes(call)),
    )
    .group("second factor")
    .answers::<RecoveryCodes>(200),
];

/// Whether a user has a second factor.
#[derive(Serialize, ToSchema)]
struct Factor {
    /// Whether it is on.
    enabled: bool,
    /// Since when.
    since: Option<String>,
    /// How many recovery codes are left.
    recovery_codes: i64,
}

/// A second factor that was begun.
#[derive(Serialize, ToSchema)]
struct BegunFactor {
    /// The link that an app reads (`otpauth://`).
    uri: String,
    /// The secret alone, to be typed.
    secret: String,
    /// The link as a QR code, an SVG image.
    qr_svg: Option<String>,
}

/// The first code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstCode {
    /// The one-time password that the app shows.
    code: String,
}

/// A second factor that is on.
#[derive(Serialize, ToSchema)]
struct ConfirmedFactor {
    /// Codes to sign in with when the app is lost, each once. Shown now and never again.
    recovery_codes: Vec<String>,
    /// What requests with the new cookie show in the header `X-Csrf-Token`.
    csrf_token: Option<String>,
}

/// Recovery codes.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Codes to sign in with when the app is lost, each once. Shown now and never again.
    recovery_codes: Vec<String>,
}

async fn get(call: Call) -> Result<Reply, Refused> {
    let status = second_factor::status(call.registry(), call.argument("user")).await?;
    let since = status.since.map(time);
    Ok(Reply::json(200, &Factor { enabled: since.is_some(), since, recovery_codes: status.codes_left }))
}

async fn begin(call: Call) -> Result<Reply, Refused> {
    let begun = second_factor::begin(call.registry(), call.ctx(), call.argument("user")).await?;
    let qr = QrCode::new(&begun.link).ok();
    let qr_svg = qr.map(|qr| qr.render::<svg::Color<'_>>().min_dimensions(200, 200).build());
    Ok(Reply::json(201, &BegunFactor { uri: begun.link, secret: begun.secret, qr_svg }))
}

async fn confirm(call: Call) -> Result<Reply, Refused> {
    let given = call.body::<FirstCode>()?;
    let (registry, ctx) = (call.registry(), call.ctx());
    let confirmed = Box::pin(second_factor::confirm(registry, ctx, call.argument("user"), &given.code)).await?;
    // Asked for now: it ended sooner while the factor was still to be set up.
    let (row, _) = sessions::look(registry, ctx).await?;
    let csrf_token = confirmed.session.as_ref().map(csrf::token);
    let reply = Reply::json(200, &ConfirmedFactor { recovery_codes: confirmed.codes, csrf_token });
    let seconds = row.expires_at.saturating_sub(ctx.now).div_euclid(1_000_000);
    Ok(match &confirmed.session {
        Some(secret) => reply.with_cookie(cookie::set(call.exchange.scheme, Some(secret), seconds)),
        None => reply,
    })
}

async fn delete(call: Call) -> Result<Reply, Refused> {
    let (registry, ctx, name) = (call.registry(), call.ctx(), call.argument("user"));
    let oneself = matches!(&ctx.identity, Identity::User(account) if &*account.name == name);
    if oneself {
        second_factor::disable(registry, ctx, name).await?;
    } else {
        second_factor::reset(registry, ctx, name).await?;
    }
    Ok(Reply::nothing())
}

async fn new_codes(call: Call) -> Result<Reply, Refused> {
    let codes = second_factor::new_codes(call.registry(), call.ctx(), call.argument("user")).await?;
    Ok(Reply::json(200, &RecoveryCodes { recovery_codes: codes }))
}
