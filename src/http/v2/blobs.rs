//! Blobs over HTTP.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use oci::{Digest, RangeOutcome, parse_range};

use super::Refused;
use super::answer::{self, CONTENT_DIGEST};
use super::error::Failure;
use super::manifests::matches;
use super::route::Repository;
use crate::app::App;
use crate::http::body::{BlobBody, Body};
use crate::http::exchange::Exchange;
use crate::registry::blobs::{self, Blob};

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
const SHARED: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(super) async fn get(
    exchange: &Exchange,
    repository: &Repository,
    digest: Digest,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refused> {
    let app = &exchange.app;
    let blob = blobs::find(&exchange.app.registry, &exchange.ctx, &repository.name, &digest).await?;
    if matches(headers, &digest) {
        return Ok(describe(&exchange.app, &blob, answer::empty(StatusCode::NOT_MODIFIED)));
    }
    let (status, range) = match range(headers, &blob) {
        RangeOutcome::Whole => (StatusCode::OK, 0..blob.size),
        RangeOutcome::Part { start, end_inclusive } => (StatusCode::PARTIAL_CONTENT, start..end_inclusive + 1),
        RangeOutcome::Unsatisfiable => return Ok(unsatisfiable(app, &blob)),
    };
    let reader = blobs::open(&app.registry, &exchange.ctx, &blob).await?;
    let length = range.end - range.start;
    let part = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), blob.size);
    let body = BlobBody::new(reader, range).on_corrupt(quarantine_later(exchange, &blob));
    let mut response = describe(app, &blob, answer::with_body(status, OCTETS, body));
    answer::set_number(&mut response, header::CONTENT_LENGTH, length);
    if status == StatusCode::PARTIAL_CONTENT {
        answer::set(&mut response, header::CONTENT_RANGE, &part);
    }
    Ok(response)
}

pub(super) async fn head(
    exchange: &Exchange,
    repository: &Repository,
    digest: Digest,
    headers: &HeaderMap,
) -> Result<Response<Body>, Refused> {
    let blob = blobs::find(&exchange.app.registry, &exchange.ctx, &repository.name, &digest).await?;
    // A client that is told of a blob does not push it: what is told must be true.
    blobs::check(&exchange.app.registry, &exchange.ctx, &blob).await?;
    if matches(headers, &digest) {
        return Ok(describe(&exchange.app, &blob, answer::empty(StatusCode::NOT_MODIFIED)));
    }
    let mut response = describe(&exchange.app, &blob, answer::with_body(StatusCode::OK, OCTETS, ()));
    answer::set_number(&mut response, header::CONTENT_LENGTH, blob.size);
    Ok(response)
}

/// Reads `Range`, unless `If-Range` says that the client has a part of something else (RFC 9110, 13.1.5).
fn range(headers: &HeaderMap, blob: &Blob) -> RangeOutcome {
    let of_this =
        headers.get(header::IF_RANGE).is_none_or(|value| value.as_bytes() == answer::etag(&blob.digest).as_bytes());
    match headers.get(header::RANGE).and_then(|value| value.to_str().ok()) {
        Some(range) if of_this => parse_range(range, blob.size),
        _ => RangeOutcome::Whole,
    }
}

fn unsatisfiable(app: &App, blob: &Blob) -> Response<Body> {
    let mut response = describe(app, blob, Failure::range_beyond(blob.size).render());
    answer::set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", blob.size));
    response
}

fn describe(app: &App, blob: &Blob, mut response: Response<Body>) -> Response<Body> {
    let cache = if app.config.registry.shared_cache { SHARED } else { PRIVATE };
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response.headers_mut().insert(header::ACCEPT_RANGES, BYTES);
    answer::set(&mut response, CONTENT_DIGEST, &blob.digest.to_string());
    answer::set(&mut response, header::ETAG, &answer::etag(&blob.digest));
    response
}

/// What is done when a file ends before the blob does: the transfer breaks off, and the blob is not served again.
fn quarantine_later(exchange: &Exchange, blob: &Blob) -> Arc<dyn Fn() + Send + Sync> {
    let (app, ctx, blob) = (Arc::clone(&exchange.app), exchange.ctx.clone(), blob.clone());
    Arc::new(move || {
        let (app, ctx, blob) = (Arc::clone(&app), ctx.clone(), blob.clone());
        tokio::spawn(async move {
            tracing::error!(digest = %blob.digest, "a blob's file is shorter than its blob: quarantined");
            if let Err(error) = blobs::quarantine(&app.registry, &ctx, &blob.digest, blob.location()).await {
                tracing::error!(%error, "cannot record the damage of a blob");
            }
        });
    })
}

pub(super) async fn delete(
    exchange: &Exchange,
    repository: &Repository,
    digest: Digest,
) -> Result<Response<Body>, Refused> {
    blobs::delete(&exchange.app.registry, &exchange.ctx, &repository.name, &digest).await?;
    Ok(answer::empty(StatusCode::ACCEPTED))
}
