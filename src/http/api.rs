//! The management API, `/api/v1`: routes a request, asks whether the caller may, calls the rule, renders its outcome.
//!
//! Each route is declared once, with what it takes and what it answers; dispatch, the decision about access and the OpenAPI
//! document all follow from the declaration.

mod activity;
mod call;
mod identity;
mod invitations;
mod namespaces;
mod openapi;
mod page;
mod problem;
mod repositories;
mod robots;
mod roles;
mod route;
mod search;
mod second_factor;
mod sessions;
mod sign_up;
mod teams;
mod times;
mod tokens;
mod users;

use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::{cookie, limits, v2};
use crate::app::limits::Class;
use crate::auth::surface::{self, Kind, Shown, Surface};
use crate::auth::{Presented, Proof, Secret, SecretKind};
use crate::clock;
use crate::registry::access::manage::admit_to;
use crate::registry::access::{self, Denial, Why};
use call::{Call, Reply};
use problem::Refused;
use route::{Found, Needs, Route};

/// What stands before every path.
pub(super) const BASE: &str = "/api/v1";
/// Within this time it has to be there.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Every route, one slice a noun.
const ROUTES: [&[Route]; 14] = [
    identity::ROUTES,
    sessions::ROUTES,
    users::ROUTES,
    second_factor::ROUTES,
    tokens::ROUTES,
    sign_up::ROUTES,
    invitations::ROUTES,
    namespaces::ROUTES,
    teams::ROUTES,
    roles::ROUTES,
    robots::ROUTES,
    repositories::ROUTES,
    search::ROUTES,
    activity::ROUTES,
];

fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.into_iter().flatten()
}

/// The OpenAPI document of all routes.
pub(super) fn document() -> &'static str {
    &openapi::DOCUMENT
}

/// Answers a request below `/api`.
pub(super) async fn handle(exchange: Exchange, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path();
    if path == "/api/v1/openapi.json" && matches!(*request.method(), Method::GET | Method::HEAD) {
        return json(StatusCode::OK, "application/json", openapi::DOCUMENT.clone());
    }
    let (exchange, outcome) = answer(exchange, request).await;
    match outcome {
        Ok(reply) => reply.render(),
        Err(refused) => refused.render(&exchange),
    }
}

async fn answer(mut exchange: Exchange, request: Request<Incoming>) -> (Arc<Exchange>, Result<Reply, Refused>) {
    let (parts, body) = request.into_parts();
    let prepared = Box::pin(prepare(&mut exchange, &parts, body)).await;
    let exchange = Arc::new(exchange);
    let outcome = match prepared {
        Ok((route, found, body, quota)) => {
            let call = Call::new(Arc::clone(&exchange), found, &parts, body);
            let outcome = perform(route, call).await;
            match (outcome, quota) {
                (Ok(reply), Some(quota)) => Ok(reply.within(quota)),
                (outcome, _) => outcome,
            }
        }
        Err(refused) => Err(refused),
    };
    (exchange, outcome)
}

type Prepared = (&'static Route, Found, bytes::Bytes, Option<crate::auth::rate::Quota>);

/// Finds the route, reads the body and decides about the caller, in this order: a body that comes slowly must not carry a
/// right beyond its end.
async fn prepare(exchange: &mut Exchange, parts: &http::request::Parts, body: Incoming) -> Result<Prepared, Refused> {
    let path = parts.uri.path().strip_prefix(BASE).ok_or(Refused::NoRoute)?;
    let (route, found) = route::find(routes(), &parts.method, path, parts.uri.query().unwrap_or_default())?;
    match admit(exchange, parts, body, route, &found).await {
        Ok(body) => {
            let quota = limits::take(exchange, Class::Api).map_err(Refused::TooMany)?;
            Ok((route, found, body, quota))
        }
        Err(refused) => {
            // Asking for what one may not have costs as much as asking for the rest.
            limits::take(exchange, Class::Api).map_err(Refused::TooMany)?;
            Err(refused)
        }
    }
}

async fn admit(
    exchange: &mut Exchange,
    parts: &http::request::Parts,
    body: Incoming,
    route: &Route,
    found: &Found,
) -> Result<bytes::Bytes, Refused> {
    let app = Arc::clone(&exchange.app);
    let proof = authenticate(exchange, parts, route.needs).await?;
    if app.registry.access.open {
        return Err(Denial::of(Why::Open).into());
    }
    if proof.is_anonymous() && !matches!(route.needs, Needs::Nothing | Needs::Repository) {
        return Err(Denial { needed: route.takes, ..Denial::of(Why::SignIn) }.into());
    }
    route::check_query(route, &found.query)?;
    let target = route.target(found)?;
    let body = tokio::time::timeout(BODY_TIME, Limited::new(body, route.body_limit).collect()).await;
    let body = body.ok().and_then(Result::ok).ok_or(Refused::Body)?.to_bytes();
    exchange.ctx.now = clock::now();
    exchange.ctx.once = once(parts)?;
    admit_to(&app.registry, &mut exchange.ctx, &proof, &target, route.takes).await?;
    Ok(body)
}

/// The key under which a create that is sent again is the same one.
fn once(parts: &http::request::Parts) -> Result<Option<Arc<str>>, Refused> {
    let Some(value) = parts.headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| (16..=255).contains(&text.len()));
    let wrong =
        || Refused::invalid("Idempotency-Key takes 16 to 255 visible characters, such as a random UUID".to_owned());
    text.map(|text| Some(text.into())).ok_or_else(wrong)
}

/// A change runs on a task of its own: a client that goes away does not leave it half done.
async fn perform(route: &'static Route, call: Call) -> Result<Reply, Refused> {
    if !route.changes() {
        return (route.handler)(call).await;
    }
    let request_id = Arc::clone(&call.exchange.ctx.request_id);
    tokio::spawn((route.handler)(call)).await.unwrap_or_else(|error| {
        tracing::error!(%request_id, %error, "a request panicked");
        Err(Refused::Panicked)
    })
}

/// What a request proves here, by a credential that opens the API: that is looked at first.
async fn authenticate(exchange: &Exchange, parts: &http::request::Parts, needs: Needs) -> Result<Arc<Proof>, Refused> {
    let registry = &exchange.app.registry;
    // Whatever is shown beside what anybody may ask for is not looked at: who signs in may hold a cookie that is over.
    if needs == Needs::Nothing {
        return Ok(registry.access.anonymous());
    }
    let (kind, secret, shown) = match v2::presented(&parts.headers)? {
        Presented::Nothing => match cookie::read(&parts.headers, exchange.scheme) {
            Some(secret) => {
                let shown = cookie::shown(&parts.headers, &secret);
                (Kind::Secret(secret.kind()), Some(secret), shown)
            }
            None => (Kind::Nothing, None, Shown::Not),
        },
        Presented::Bearer(text) => match Secret::parse(&text) {
            Some(secret) => (Kind::Secret(secret.kind()), Some(secret), Shown::Bearer),
            None => (Kind::Jwt, None, Shown::Bearer),
        },
        Presented::Basic { .. } if registry.access.open => return Err(Denial::of(Why::Open).into()),
        Presented::Basic { .. } => (Kind::Password, None, Shown::Basic),
    };
    if !surface::opens(kind, Surface::Api, shown) {
        let forged = kind == Kind::Secret(SecretKind::Session) && shown == Shown::Cookie;
        return Err(if forged { Refused::Csrf } else { Refused::Credential });
    }
    let ctx = &exchange.ctx;
    match secret {
        None => Ok(registry.access.anonymous()),
        Some(secret) if secret.kind() == SecretKind::Session => {
            Ok(access::sessions::find(registry, ctx, &secret, needs == Needs::Session).await?)
        }
        Some(secret) => Ok(access::authenticate_secret(registry, ctx, &secret).await?),
    }
}

fn json(status: StatusCode, media_type: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    response
}
