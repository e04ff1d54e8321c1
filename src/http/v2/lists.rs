//! The version check, extension discovery, the catalog and the tags list.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use serde_json::json;

use super::Refused;
use super::answer;
use super::route::{PageQuery, Repository};
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::registry;
use crate::registry::catalog::Page;

/// Entries on a page when the client does not say.
const PAGE: usize = 1000;
/// Entries on a page at most; a client that asks for more follows `Link`.
const MAX_PAGE: usize = 10_000;

fn json(value: &serde_json::Value) -> Response<Body> {
    answer::with_body(StatusCode::OK, HeaderValue::from_static("application/json"), value.to_string())
}

/// `GET /v2/`: this is a registry.
pub(super) fn base() -> Response<Body> {
    json(&json!({}))
}

/// `GET /v2/_oci/ext/discover`: the extensions, of which there are none yet.
pub(super) fn discover() -> Response<Body> {
    json(&json!({ "extensions": [] }))
}

/// `GET /v2/_catalog`.
pub(super) async fn catalog(exchange: &Exchange, query: &PageQuery) -> Result<Response<Body>, Refused> {
    let page = match limit(query) {
        0 => empty_page(),
        limit => registry::catalog::list(&exchange.app.registry, &exchange.ctx, query.last.as_deref(), limit).await?,
    };
    let mut response = json(&json!({ "repositories": page.names }));
    link(&mut response, "/v2/_catalog", &page);
    Ok(response)
}

/// `GET /v2/<name>/tags/list`.
pub(super) async fn tags(
    exchange: &Exchange,
    repository: &Repository,
    query: &PageQuery,
) -> Result<Response<Body>, Refused> {
    // A list of none still tells a repository that is not there.
    let limit = limit(query);
    let mut page =
        registry::tags::list(&exchange.app.registry, &exchange.ctx, &repository.name, query.last.as_deref(), limit)
            .await?;
    if limit == 0 {
        page = empty_page();
    }
    let mut response = json(&json!({ "name": repository.asked.as_str(), "tags": page.names }));
    link(&mut response, &format!("/v2/{}/tags/list", repository.asked), &page);
    Ok(response)
}

fn limit(query: &PageQuery) -> usize {
    query.n.unwrap_or(PAGE).min(MAX_PAGE)
}

fn empty_page() -> Page {
    Page { names: Vec::new(), more: false }
}

fn link(response: &mut Response<Body>, path: &str, page: &Page) {
    if let (true, Some(last)) = (page.more, page.names.last()) {
        let (n, last) = (page.names.len(), oci::encode_component(last));
        answer::set(response, header::LINK, &format!("<{path}?n={n}&last={last}>; rel=\"next\""));
    }
}
