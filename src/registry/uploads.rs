//! Upload sessions: begin, write, ask, finish, cancel.
//!
//! A session is a row; its bytes lie in the store. While a request writes, it holds the row by a lease, so that two
//! requests on one session, here or on two nodes, never interleave.

mod finish;
mod session;

use bytes::Bytes;
use oci::{Algorithm, ContentRange, Digest, RepositoryName};

pub use finish::{finish, monolithic};

pub use session::LEASE;

use super::accounts::namespaces::refuse_reserved;
use super::{Ctx, Error, Registry};
use crate::blobs::{UploadId, receive};
use crate::db::uploads;
use session::Session;

/// The part of a blob that a request carries.
#[derive(Debug)]
pub struct Chunk<B> {
    /// The bytes.
    pub body: B,
    /// Which bytes of the blob they are, when the client says so.
    pub range: Option<ContentRange>,
    /// How many bytes they are, when the client says so.
    pub length: Option<u64>,
}

/// A body that carries the bytes of a blob.
pub trait Body: http_body::Body<Data = Bytes, Error: Into<receive::BodyError>> + Send {}

impl<B: http_body::Body<Data = Bytes, Error: Into<receive::BodyError>> + Send> Body for B {}

/// Begins a session.
pub async fn start(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    algorithm: Algorithm,
) -> Result<UploadId, Error> {
    refuse_reserved(registry, repository).await?;
    let id = UploadId::random();
    let (name, boot, now) = (repository.clone(), registry.boot.clone(), ctx.now);
    let principal = ctx.identity.principal();
    let insert = move |tx: &mut crate::db::Tx<'_>| {
        uploads::insert(tx, &id.to_string(), &name, &principal, algorithm, &boot, now)
    };
    registry.db.write_soft(insert).await?;
    Ok(id)
}

/// Tells how many bytes a session has.
pub async fn status(registry: &Registry, ctx: &Ctx, repository: &RepositoryName, id: UploadId) -> Result<u64, Error> {
    let row = registry.db.read(move |tx| uploads::find(tx, &id.to_string())).await?;
    let row = row.filter(|row| row.repository == repository.as_str() && row.principal == ctx.identity.principal());
    Ok(row.ok_or(Error::UploadUnknown)?.received)
}

/// Appends a chunk; returns how many bytes the session has then.
pub async fn append<B: Body>(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    id: UploadId,
    chunk: Chunk<B>,
) -> Result<u64, Error> {
    let session = Session::claim(registry, ctx, repository, id, None).await?;
    let (session, result) = session.write(chunk, None).await;
    // What has arrived is kept even when the rest has not: the client resumes from there.
    let released = session.release().await;
    result.and(released)
}

/// Ends a session without a blob.
pub async fn cancel(registry: &Registry, ctx: &Ctx, repository: &RepositoryName, id: UploadId) -> Result<(), Error> {
    Session::claim(registry, ctx, repository, id, None).await?.discard().await
}

/// Checks an announced chunk against where the session stands, before any byte of it is read.
fn check_range(received: u64, range: Option<ContentRange>, length: Option<u64>) -> Result<(), Error> {
    let Some(range) = range else { return Ok(()) };
    if range.start != received {
        return Err(Error::ChunkOutOfOrder { start: range.start, received });
    }
    match length {
        Some(length) if length != range.len() => Err(Error::SizeMismatch { announced: range.len(), received: length }),
        _ => Ok(()),
    }
}

fn check_limit(limit: Option<u64>, received: u64, length: Option<u64>) -> Result<(), Error> {
    match (limit, length) {
        (Some(limit), Some(length)) if received.saturating_add(length) > limit => Err(Error::BlobTooLarge { limit }),
        _ => Ok(()),
    }
}

fn receive_error(error: receive::ReceiveError, limit: Option<u64>) -> Error {
    match error {
        receive::ReceiveError::Client(error) => Error::BodyBroken(error.to_string()),
        receive::ReceiveError::TooLarge { limit: left } => Error::BlobTooLarge { limit: limit.unwrap_or(left) },
        receive::ReceiveError::Store(error) => error.into(),
    }
}

fn verify(expected: &Digest, actual: Digest) -> Result<(), Error> {
    if actual == *expected {
        Ok(())
    } else {
        Err(Error::DigestMismatch { expected: *expected, actual: Box::new(actual) })
    }
}
