//! The pages: everything that a browser looks at. Rendered here, fast without JavaScript, better with a little of our own.
//!
//! Each page is declared once, in the list of its file, with the path that leads to it. A handler finds out whether the
//! reader may see it, asks the rules, and fills a template; it holds no rule of its own.

mod account;
mod activity;
mod admin;
mod answer;
mod assets;
mod avatar;
mod commands;
mod entries;
mod explore;
mod failure;
mod figures;
mod form;
mod former;
mod frame;
mod getting_started;
mod home;
mod image;
mod markdown;
mod namespace;
mod preferences;
mod recovery;
mod reference;
mod repository;
mod repository_settings;
mod route;
mod search;
mod sentence;
mod sign_in;
mod sign_up;
mod view;
mod visit;
mod words;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::body::Body;
use super::exchange::Exchange;
use super::limits;
use crate::app::limits::Class;
use answer::Answer;
use failure::Failure;
use form::Form;
use route::Route;
use visit::Visit;

/// Longest form of somebody who is signed in, or of anybody where there are no accounts: a README is the longest field.
const MAX_FORM: usize = 1024 * 1024;
/// Longest form of somebody who is not.
const MAX_ANONYMOUS_FORM: usize = 16 * 1024;
/// Within this time it has to be there.
const FORM_TIME: Duration = Duration::from_secs(30);

/// Every page, one slice a file.
const ROUTES: &[&[Route]] = &[
    home::ROUTES,
    image::ROUTES,
    preferences::ROUTES,
    sign_in::ROUTES,
    sign_up::ROUTES,
    recovery::ROUTES,
    activity::ROUTES,
    admin::ROUTES,
    account::PROFILE,
    account::PASSWORD,
    account::SECOND_FACTOR,
    account::SESSIONS,
    account::TOKENS,
    account::DATA,
    namespace::ROUTES,
    namespace::members::ROUTES,
    namespace::teams::ROUTES,
    namespace::robots::ROUTES,
    namespace::roles::ROUTES,
    namespace::settings::ROUTES,
    repository_settings::ROUTES,
    repository::overview::ROUTES,
    repository::edit::ROUTES,
    repository::tags::ROUTES,
    repository::delete::ROUTES,
    repository::tag::ROUTES,
    repository::compare::ROUTES,
    explore::ROUTES,
    search::ROUTES,
    getting_started::ROUTES,
    reference::ROUTES,
];

/// Whether the client is one that looks at pages: it takes HTML, or sends a form, or fetches what belongs to a page.
pub(super) fn is_wanted<B>(request: &Request<B>) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text(header::ACCEPT).contains("text/html")
        || text(header::CONTENT_TYPE).starts_with("application/x-www-form-urlencoded")
        || matches!(request.uri().path(), "/favicon.ico")
        || request.uri().path().starts_with("/-/")
}

/// Answers a request for a page.
pub(super) async fn handle(exchange: Exchange, request: Request<Incoming>) -> Response<Body> {
    if let Some(answer) = assets::find(request.method(), request.uri().path()) {
        return answer.render("none");
    }
    let (parts, body) = request.into_parts();
    let request_id = Arc::clone(&exchange.ctx.request_id);
    let mut visit = Visit::new(exchange, &parts);
    let prepared = Box::pin(prepare(&mut visit, &parts, body)).await;
    let view = visit.view();
    let outcome = match prepared {
        Ok(route) => perform(route, visit, &request_id).await,
        Err(failure) => Err(failure),
    };
    let answer = outcome.unwrap_or_else(|failure| failure.answer(&view, &request_id));
    answer.render(&view.nonce)
}

/// Finds out who asks for which page, and reads the form, once it is known that a page of ours sent it.
async fn prepare(visit: &mut Visit, parts: &Parts, body: Incoming) -> Result<&'static Route, Failure> {
    visit.identify().await?;
    limits::take(&visit.exchange, Class::Api).map_err(Failure::TooMany)?;
    let (route, found) = route::find(ROUTES.iter().copied().flatten(), &parts.method, parts.uri.path())?;
    visit.found = found;
    if route.changes {
        let known = visit.session.secret.is_some() || visit.registry().access.open;
        let limit = if known { MAX_FORM } else { MAX_ANONYMOUS_FORM };
        let body = tokio::time::timeout(FORM_TIME, Limited::new(body, limit).collect()).await;
        let body = body.ok().and_then(Result::ok).ok_or(Failure::Form)?.to_bytes();
        visit.form = Form::parse(parts, &body)?;
        if !visit.is_our_form() {
            return Err(Failure::Forged);
        }
        // What was decided while a slow body came may hold no longer.
        visit.identify().await?;
    }
    Ok(route)
}

/// A change runs on a task of its own: a reader who goes away does not leave it half done.
async fn perform(route: &'static Route, visit: Visit, request_id: &Arc<str>) -> Result<Answer, Failure> {
    if !route.changes {
        let trail = former::Trail::of(&visit);
        return match (route.handler)(visit).await {
            Err(failure) if former::found_nothing(&failure) => match trail {
                Some(trail) => Box::pin(trail.follow()).await?.ok_or(failure),
                None => Err(failure),
            },
            outcome => outcome,
        };
    }
    tokio::spawn((route.handler)(visit)).await.unwrap_or_else(|error| {
        tracing::error!(%request_id, %error, "a form panicked");
        Err(Failure::Panicked)
    })
}
