//! The parts that answers are put together from.

use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode};
use oci::{Digest, RepositoryName};

use crate::http::body::Body;

/// `Docker-Content-Digest`: the digest of what is answered.
pub(super) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// `Docker-Distribution-API-Version`: stands on every answer of `/v2`.
pub(super) const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// `Docker-Upload-UUID`: the id of an upload session.
pub(super) const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
/// `OCI-Subject`: tells a client that pushed a referrer that the registry lists it.
pub(super) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// `OCI-Tag`: the tags that a push by digest has set.
pub(super) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// `OCI-Filters-Applied`: the filters of a referrers list.
pub(super) const OCI_FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}

/// An answer with a body of the given media type.
pub(super) fn with_body(status: StatusCode, media_type: HeaderValue, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, media_type);
    response
}

/// Sets a header from text that the caller made of checked parts. Text that no header can hold is left out.
pub(super) fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Sets a header to a number.
pub(super) fn set_number(response: &mut Response<Body>, name: HeaderName, value: u64) {
    response.headers_mut().insert(name, HeaderValue::from(value));
}

/// The quoted digest, which is the strong entity tag of content that is addressed by it.
pub(super) fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Where a blob of a repository is found.
pub(super) fn blob_location(repository: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// Where a manifest of a repository is found.
pub(super) fn manifest_location(repository: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{repository}/manifests/{digest}")
}
