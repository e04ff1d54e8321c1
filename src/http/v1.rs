//! `docker search HOST/term`: the two paths of Docker's first registry API that clients still ask for. Nothing else of it is
//! here.

use std::sync::Arc;

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use oci::Query;
use serde_json::{Value, json};

use super::body::Body;
use super::exchange::Exchange;
use super::{limits, v2};
use crate::app::limits::Class;
use crate::auth::surface::{Kind, Shown, Surface, opens};
use crate::auth::{Presented, Secret};
use crate::registry::access::{self, Denial, Why};
use crate::registry::explore::ListedRow;
use crate::registry::{Error, search};

/// Tells Docker that this registry has its own accounts, so that it shows what `docker login` stored.
const STANDALONE: HeaderName = HeaderName::from_static("x-docker-registry-standalone");
/// What Docker asks for at most, and when it does not say.
const RESULTS: (usize, usize) = (100, 25);

/// Answers a request below `/v1`.
pub(super) async fn handle<B>(mut exchange: Exchange, request: Request<B>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, &json!({}));
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    if request.uri().path() == "/v1/_ping" {
        return answer(StatusCode::OK, &json!({ "standalone": true }));
    }
    let (parts, _) = request.into_parts();
    match Box::pin(find(&mut exchange, &parts)).await {
        Ok(response) => response,
        Err(error) => v2::refuse(&exchange, &error),
    }
}

/// `GET /v1/search?q=…&n=…`.
async fn find(exchange: &mut Exchange, parts: &http::request::Parts) -> Result<Response<Body>, Error> {
    identify(exchange, &parts.headers).await?;
    if let Err(too_many) = limits::take(exchange, Class::Api) {
        let mut response = answer(StatusCode::TOO_MANY_REQUESTS, &json!({ "message": &*too_many.message }));
        too_many.mark(&mut response);
        return Ok(response);
    }
    let Ok(query) = Query::parse(parts.uri.query().unwrap_or_default()) else {
        return Ok(answer(StatusCode::BAD_REQUEST, &json!({ "message": "the query cannot be read" })));
    };
    let text = query.get("q").unwrap_or_default();
    let limit = query.get("n").and_then(|n| n.parse().ok()).map_or(RESULTS.1, |n: usize| n.clamp(1, RESULTS.0));
    let wanted = search::Query { text: text.to_owned(), limit, ..search::Query::default() };
    let found = search::find(&exchange.app.registry, &exchange.ctx, wanted).await?;
    let results: Vec<Value> = found.rows.iter().map(result).collect();
    let document = json!({
        "query": text,
        "num_results": results.len(),
        "num_pages": 1,
        "page": 1,
        "page_size": limit,
        "results": results,
    });
    Ok(answer(StatusCode::OK, &document))
}

/// Finds out who asks: nobody, or whoever `docker login` has stored.
async fn identify(exchange: &mut Exchange, headers: &http::HeaderMap) -> Result<(), Error> {
    let app = Arc::clone(&exchange.app);
    if app.registry.access.open {
        return Ok(());
    }
    let presented = v2::presented(headers)?;
    let kind = match &presented {
        Presented::Nothing => return Ok(()),
        Presented::Basic { secret, .. } => Secret::parse(secret).map_or(Kind::Password, |s| Kind::Secret(s.kind())),
        Presented::Bearer(_) => Kind::Jwt,
    };
    // What opens the registry's own lists opens this one, but for a token of `/token`, which was asked for something else.
    if kind == Kind::Jwt || !opens(kind, Surface::Registry, Shown::Basic) {
        return Err(Denial::of(Why::Malformed).into());
    }
    let proof = access::authenticate(&app.registry, &exchange.ctx, presented).await?;
    access::admit_anybody(&app.registry, &mut exchange.ctx, &proof, true).await
}

/// One line of what `docker search` prints. Podman, which asks for this too, puts the host before the name by itself.
fn result(row: &ListedRow) -> Value {
    json!({
        "name": row.name,
        "description": row.description.as_deref().unwrap_or_default(),
        "star_count": row.stars,
        "pull_count": row.pulls,
        "is_official": row.official,
        "is_automated": false,
        "is_trusted": false,
    })
}

fn answer(status: StatusCode, document: &Value) -> Response<Body> {
    let mut response = Response::new(document.to_string().into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(STANDALONE, HeaderValue::from_static("true"));
    response
}
