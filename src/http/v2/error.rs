//! Renders every refusal of `/v2` as the specification's JSON.
//!
//! Docker prints `message` and nothing else, so what to do next stands there; the particulars are in `detail`.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use oci::{ErrorCode, ParseError};
use serde_json::{Value, json};

use super::answer;
use super::route::{MAX_TAG_PARAMETERS, Refusal};
use crate::http::body::Body;
use crate::registry::{self, Trouble};

/// Seconds after which a client may try again when the database or the store fails.
const RETRY_AFTER: u64 = 5;

/// A refusal, ready to be rendered.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    pub(super) message: String,
    pub(super) detail: Value,
    pub(super) allow: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: Value::Null, allow: None }
    }

    /// A range of a download of which nothing is there.
    pub(super) fn range_beyond(size: u64) -> Self {
        let message = format!("the blob has {size} bytes, and nothing of the range lies in it");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, message).with(json!({ "size": size }))
    }

    pub(super) fn with(mut self, detail: Value) -> Self {
        self.detail = detail;
        self
    }

    /// The answer.
    pub(super) fn render(&self) -> Response<Body> {
        let mut error = json!({ "code": self.code.as_str(), "message": self.message });
        if !self.detail.is_null() {
            error["detail"] = self.detail.clone();
        }
        let body = json!({ "errors": [error] }).to_string();
        let mut response = answer::with_body(self.status, HeaderValue::from_static("application/json"), body);
        if let Some(allow) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            answer::set_number(&mut response, header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => {
                let message = "no such path in the registry API; repositories are at /v2/NAME/…";
                Self::new(StatusCode::NOT_FOUND, ErrorCode::Unsupported, message)
            }
            Refusal::Method(allow) => {
                let message = format!("this method is not supported here; use {allow}");
                Self {
                    allow: Some(allow),
                    ..Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
                }
            }
            Refusal::Syntax(error) => syntax(&error),
            Refusal::Upload => upload_unknown(),
            Refusal::PageSize(n) => {
                let message = "n must be a whole number from 0";
                Self::new(StatusCode::BAD_REQUEST, ErrorCode::PaginationNumberInvalid, message).with(json!({ "n": n }))
            }
            Refusal::TooManyTags(count) => {
                let message = format!(
                    "{count} tag parameters, at most {MAX_TAG_PARAMETERS} are taken; send the rest in a second push"
                );
                Self::new(StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid, message)
            }
            Refusal::DigestMissing => {
                let message = "the closing PUT of an upload needs ?digest=ALGORITHM:HEX";
                Self::new(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid, message)
            }
            Refusal::TagsBesideTag => {
                let message = "tag parameters go with a push by digest; this push names a tag already";
                Self::new(StatusCode::BAD_REQUEST, ErrorCode::TagInvalid, message)
            }
        }
    }
}

fn syntax(error: &ParseError) -> Failure {
    let code = match error {
        ParseError::Digest | ParseError::UnsupportedAlgorithm(_) => ErrorCode::DigestInvalid,
        ParseError::Name | ParseError::NameTooLong => ErrorCode::NameInvalid,
        ParseError::Tag => ErrorCode::TagInvalid,
        ParseError::ContentRange => ErrorCode::RangeInvalid,
        ParseError::MediaType => ErrorCode::ManifestInvalid,
        ParseError::Query | ParseError::QueryTooLong => ErrorCode::Unsupported,
    };
    Failure::new(StatusCode::BAD_REQUEST, code, error.to_string())
}

fn upload_unknown() -> Failure {
    let message = "the upload does not exist or has expired; begin again with POST …/blobs/uploads/";
    Failure::new(StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown, message)
}

/// Renders an error of the rules. `host` is what the client calls this server; `request_id` finds the log's lines.
pub(super) fn failure(error: &registry::Error, host: &str, request_id: &str) -> Failure {
    use registry::Error as E;
    let not_found = StatusCode::NOT_FOUND;
    let bad_request = StatusCode::BAD_REQUEST;
    match error {
        E::NameUnknown(name) => {
            let message = format!("{error}; check the name, or create it with: docker push {host}/{name}:TAG");
            Failure::new(not_found, ErrorCode::NameUnknown, message).with(json!({ "name": name }))
        }
        E::NameReserved(name) => {
            let own = name.as_str().split_once('/').map_or(name.as_str(), |(_, own)| own);
            let message = format!(
                "{error}; push into another: docker tag {host}/{name}:TAG {host}/NAMESPACE/{own}:TAG && \
                 docker push {host}/NAMESPACE/{own}:TAG"
            );
            Failure::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message).with(json!({ "name": name }))
        }
        E::ManifestUnknown { repository, reference } => {
            let message = format!("{error}; its tags are listed at /v2/{repository}/tags/list");
            let detail = json!({ "name": repository, "reference": reference.to_string() });
            Failure::new(not_found, ErrorCode::ManifestUnknown, message).with(detail)
        }
        E::BlobUnknown { digest, .. } => {
            Failure::new(not_found, ErrorCode::BlobUnknown, error.to_string()).with(json!({ "digest": digest }))
        }
        E::BlobDamaged(digest) => {
            let message = format!("{error}; push the image again to restore it");
            Failure::new(not_found, ErrorCode::BlobUnknown, message).with(json!({ "digest": digest }))
        }
        E::UploadUnknown => upload_unknown(),
        E::UploadBusy => {
            let message = format!("{error}; wait until it ends, then ask where the upload stands with GET");
            Failure::new(StatusCode::CONFLICT, ErrorCode::BlobUploadInvalid, message)
        }
        E::ChunkOutOfOrder { received, .. } => {
            let message = format!("{error}; continue from there");
            let detail = json!({ "received": received });
            Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, message).with(detail)
        }
        E::SizeMismatch { announced, received } => {
            let detail = json!({ "announced": announced, "received": received });
            Failure::new(bad_request, ErrorCode::SizeInvalid, error.to_string()).with(detail)
        }
        E::BodyBroken(_) => {
            let message = "the body ended early; send it again, or in an upload ask with GET where it stands and go on from there";
            Failure::new(bad_request, ErrorCode::BlobUploadInvalid, message)
        }
        E::BlobTooLarge { limit } => {
            let message = format!("{error}; ask the registry's operator about registry.max_blob_size");
            let detail = json!({ "limit": limit });
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message).with(detail)
        }
        E::ManifestTooLarge { limit } => {
            let message = format!("{error}; ask the registry's operator about registry.max_manifest_size");
            let detail = json!({ "limit": limit });
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid, message).with(detail)
        }
        E::DigestMismatch { expected, actual } => {
            let detail = json!({ "expected": expected, "actual": actual });
            let message = format!("{error}; the bytes changed on the way: push again");
            Failure::new(bad_request, ErrorCode::DigestInvalid, message).with(detail)
        }
        E::ManifestInvalid(_) => Failure::new(bad_request, ErrorCode::ManifestInvalid, error.to_string()),
        E::ReferencesMissing(digests) => {
            let message = format!("{error}; push them first");
            let detail = match &digests[..] {
                [digest] => json!({ "digest": digest }),
                _ => json!({ "digest": digests.first(), "digests": digests }),
            };
            // The specification groups it with the manifest's own faults: 404 tells the client to upload the blob.
            Failure::new(not_found, ErrorCode::ManifestBlobUnknown, message).with(detail)
        }
        E::Referenced { digest, parents } => {
            let message = format!("{error}; delete what names it first");
            let detail = json!({ "digest": digest, "parents": parents });
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Denied, message).with(detail)
        }
        E::Denied(denial) => super::denial::failure(denial, host),
        // Accounts are not changed here.
        E::Account(_) | E::MasterKey => internal(error, request_id),
        E::Crowded => {
            let message = format!("{error}; try again in a few seconds");
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
        }
        E::Db(_) | E::Store(_) => match error.trouble() {
            Some(trouble) => unavailable(error, trouble, request_id),
            None => internal(error, request_id),
        },
    }
}

/// A fault of the surroundings: the same request may succeed later.
fn unavailable(error: &registry::Error, trouble: Trouble, request_id: &str) -> Failure {
    tracing::error!(request_id, %error, "a request failed: the database or the blob store is unavailable");
    let trouble = in_words(trouble);
    let message =
        format!("{trouble}; try again in a few seconds, or give the registry's operator the request id {request_id}");
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
}

/// What an operator has to mend, in words that tell nothing of where or how.
fn in_words(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Full => "the registry's disk is full",
        Trouble::ReadOnly => "the registry's storage is read-only",
        Trouble::Busy => "the registry's database is busy",
        Trouble::Unavailable => "the registry cannot use its storage at the moment",
    }
}

/// A fault of ours: nothing of it is shown but where to look.
fn internal(error: &registry::Error, request_id: &str) -> Failure {
    tracing::error!(request_id, %error, "a request failed");
    let message = format!("the registry failed; give its operator the request id {request_id}");
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, message)
}

#[cfg(test)]
mod tests;
