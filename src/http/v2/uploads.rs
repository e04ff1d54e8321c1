//! Upload sessions over HTTP.

use http::header;
use http::{HeaderMap, Response, StatusCode};
use oci::{Algorithm, ContentRange, Digest};

use super::Refused;
use super::answer::{self, CONTENT_DIGEST, UPLOAD_UUID};
use super::body::{Stream, Upload};
use super::route::{Repository, Start};
use crate::blobs::UploadId;
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::registry::uploads::{self, Chunk};
use crate::registry::{Error, blobs};

fn location(repository: &Repository, id: UploadId) -> String {
    format!("/v2/{}/blobs/uploads/{id}", repository.asked)
}

/// Says where an upload goes on and how far it has come. `Range` cannot say "nothing yet": it is `0-0` then.
pub(super) fn set_progress(response: &mut Response<Body>, location: &str, received: u64) {
    answer::set(response, header::LOCATION, location);
    answer::set(response, header::RANGE, &format!("0-{}", received.saturating_sub(1)));
}

fn progress(status: StatusCode, repository: &Repository, id: UploadId, received: u64) -> Response<Body> {
    let mut response = answer::empty(status);
    set_progress(&mut response, &location(repository, id), received);
    answer::set(&mut response, UPLOAD_UUID, &id.to_string());
    response
}

fn created(repository: &Repository, digest: &Digest) -> Response<Body> {
    let mut response = answer::empty(StatusCode::CREATED);
    answer::set(&mut response, header::LOCATION, &answer::blob_location(&repository.asked, digest));
    answer::set(&mut response, CONTENT_DIGEST, &digest.to_string());
    response
}

pub(super) async fn start(
    exchange: &Exchange,
    repository: &Repository,
    start: Start,
    headers: &HeaderMap,
    body: &mut Upload,
) -> Result<Response<Body>, Refused> {
    let registry = &exchange.app.registry;
    match start {
        Start::Session(algorithm) => session(exchange, repository, algorithm).await,
        Start::Mount { digest, from } => {
            if blobs::mount(registry, &exchange.ctx, &repository.name, &digest, from.as_ref()).await? {
                Ok(created(repository, &digest))
            } else {
                session(exchange, repository, digest.algorithm()).await
            }
        }
        Start::Monolithic(digest) => {
            let chunk = chunk(headers, body)?;
            uploads::monolithic(registry, &exchange.ctx, &repository.name, digest, chunk).await?;
            Ok(created(repository, &digest))
        }
    }
}

async fn session(
    exchange: &Exchange,
    repository: &Repository,
    algorithm: Algorithm,
) -> Result<Response<Body>, Refused> {
    let id = uploads::start(&exchange.app.registry, &exchange.ctx, &repository.name, algorithm).await?;
    Ok(progress(StatusCode::ACCEPTED, repository, id, 0))
}

pub(super) async fn status(
    exchange: &Exchange,
    repository: &Repository,
    id: UploadId,
) -> Result<Response<Body>, Refused> {
    let received = uploads::status(&exchange.app.registry, &exchange.ctx, &repository.name, id).await?;
    Ok(progress(StatusCode::NO_CONTENT, repository, id, received))
}

pub(super) async fn patch(
    exchange: &Exchange,
    repository: &Repository,
    id: UploadId,
    headers: &HeaderMap,
    body: &mut Upload,
) -> Result<Response<Body>, Refused> {
    let chunk = chunk(headers, body)?;
    let result = uploads::append(&exchange.app.registry, &exchange.ctx, &repository.name, id, chunk).await;
    let received = result.map_err(|error| refused(repository, id, error))?;
    Ok(progress(StatusCode::ACCEPTED, repository, id, received))
}

pub(super) async fn put(
    exchange: &Exchange,
    repository: &Repository,
    id: UploadId,
    digest: Digest,
    headers: &HeaderMap,
    body: &mut Upload,
) -> Result<Response<Body>, Refused> {
    let chunk = chunk(headers, body)?;
    uploads::finish(&exchange.app.registry, &exchange.ctx, &repository.name, id, digest, chunk)
        .await
        .map_err(|error| refused(repository, id, error))?;
    Ok(created(repository, &digest))
}

pub(super) async fn cancel(
    exchange: &Exchange,
    repository: &Repository,
    id: UploadId,
) -> Result<Response<Body>, Refused> {
    uploads::cancel(&exchange.app.registry, &exchange.ctx, &repository.name, id).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn refused(repository: &Repository, id: UploadId, error: Error) -> Refused {
    Refused::Upload { error, location: location(repository, id) }
}

fn chunk<'b>(headers: &HeaderMap, body: &'b mut Upload) -> Result<Chunk<Stream<'b>>, Refused> {
    let range = match headers.get(header::CONTENT_RANGE) {
        // Bytes that no text has cannot be a range either.
        Some(value) => Some(ContentRange::parse(value.to_str().unwrap_or_default())?),
        None => None,
    };
    let length = body.length();
    Ok(Chunk { length, range, body: body.stream() })
}
