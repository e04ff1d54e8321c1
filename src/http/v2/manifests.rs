//! Manifests over HTTP.

use http::header::{self, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use oci::{Digest, Reference, Tag};

use super::Refused;
use super::answer::{self, CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG};
use super::body::Upload;
use super::route::Repository;
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::registry::manifests::{self, Push};

/// What is addressed by its digest never changes; what a tag points to may change at any time.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");

pub(super) async fn get(
    exchange: &Exchange,
    repository: &Repository,
    reference: &Reference,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refused> {
    let manifest = manifests::get(&exchange.app.registry, &exchange.ctx, &repository.name, reference).await?;
    if matches(headers, &manifest.digest) {
        return Ok(not_modified(reference, &manifest.digest));
    }
    let mut response = answer::with_body(StatusCode::OK, media_type(&manifest.media_type), manifest.content);
    describe(&mut response, reference, &manifest.digest);
    Ok(response)
}

pub(super) async fn head(
    exchange: &Exchange,
    repository: &Repository,
    reference: &Reference,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refused> {
    let manifest = manifests::head(&exchange.app.registry, &exchange.ctx, &repository.name, reference).await?;
    if matches(headers, &manifest.digest) {
        return Ok(not_modified(reference, &manifest.digest));
    }
    let mut response = answer::with_body(StatusCode::OK, media_type(&manifest.media_type), ());
    answer::set_number(&mut response, header::CONTENT_LENGTH, manifest.size);
    describe(&mut response, reference, &manifest.digest);
    Ok(response)
}

fn media_type(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn describe(response: &mut Response<Body>, reference: &Reference, digest: &Digest) {
    let cache = if matches!(reference, Reference::Digest(_)) { IMMUTABLE } else { REVALIDATE };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    answer::set(response, CONTENT_DIGEST, &digest.to_string());
    answer::set(response, header::ETAG, &answer::etag(digest));
}

fn not_modified(reference: &Reference, digest: &Digest) -> Response<Body> {
    let mut response = answer::empty(StatusCode::NOT_MODIFIED);
    describe(&mut response, reference, digest);
    response
}

/// Tells whether the client has the content already (RFC 9110, 13.1.2; weak comparison).
pub(super) fn matches(headers: &HeaderMap, digest: &Digest) -> bool {
    let Some(value) = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()) else { return false };
    let etag = answer::etag(digest);
    value.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

pub(super) async fn put(
    exchange: &Exchange,
    repository: Repository,
    reference: Reference,
    tags: Vec<Tag>,
    headers: &HeaderMap,
    body: &mut Upload,
) -> Result<Response<Body>, Refused> {
    let registry = &exchange.app.registry;
    let content = body.collect(registry.settings.max_manifest_size.bytes(), &exchange.app.manifest_memory).await?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let set: Vec<String> = tags.iter().map(ToString::to_string).collect();
    let push = Push { repository: repository.name, reference, tags, content_type, content };
    let pushed = manifests::push(registry, &exchange.ctx, push).await?;
    let mut response = answer::empty(StatusCode::CREATED);
    let location = answer::manifest_location(&repository.asked, &pushed.digest);
    answer::set(&mut response, header::LOCATION, &location);
    answer::set(&mut response, CONTENT_DIGEST, &pushed.digest.to_string());
    if let Some(subject) = pushed.subject {
        answer::set(&mut response, OCI_SUBJECT, &subject.to_string());
    }
    for tag in set {
        if let Ok(value) = HeaderValue::from_str(&tag) {
            response.headers_mut().append(OCI_TAG, value);
        }
    }
    Ok(response)
}

pub(super) async fn delete(
    exchange: &Exchange,
    repository: &Repository,
    reference: &Reference,
) -> Result<Response<Body>, Refused> {
    manifests::delete(&exchange.app.registry, &exchange.ctx, &repository.name, reference).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
