//! The referrers list over HTTP: an image index of descriptors.

use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use oci::{Digest, media_type};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Refused;
use super::answer::{self, OCI_FILTERS};
use super::route::{ReferrersQuery, Repository};
use crate::http::body::Body;
use crate::http::exchange::Exchange;
use crate::registry::referrers::{self, ReferrerRow};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<RawValue>>,
}

pub(super) async fn list(
    exchange: &Exchange,
    repository: &Repository,
    subject: Digest,
    query: &ReferrersQuery,
) -> Result<Response<Body>, Refused> {
    let filter = query.artifact_type.as_deref();
    let page =
        referrers::list(&exchange.app.registry, &exchange.ctx, &repository.name, &subject, filter, query.last.as_ref())
            .await?;
    let mut response = render(page.referrers, query);
    if let Some(next) = page.next {
        let filter = filter.map(|filter| format!("&artifactType={}", oci::encode_component(filter)));
        let filter = filter.unwrap_or_default();
        let target = format!("/v2/{}/referrers/{subject}?last={next}{filter}", repository.asked);
        answer::set(&mut response, header::LINK, &format!("<{target}>; rel=\"next\""));
    }
    Ok(response)
}

/// The list of a repository that is not there.
pub(super) fn none(query: &ReferrersQuery) -> Response<Body> {
    render(Vec::new(), query)
}

fn render(rows: Vec<ReferrerRow>, query: &ReferrersQuery) -> Response<Body> {
    let manifests = rows.into_iter().map(|row| Entry {
        media_type: row.media_type,
        digest: row.digest.to_string(),
        size: row.size,
        artifact_type: row.artifact_type,
        annotations: row.annotations.and_then(|text| RawValue::from_string(text).ok()),
    });
    let index = Index { schema_version: 2, media_type: media_type::OCI_INDEX, manifests: manifests.collect() };
    let body = serde_json::to_vec(&index).unwrap_or_default();
    let mut response = answer::with_body(StatusCode::OK, HeaderValue::from_static(media_type::OCI_INDEX), body);
    if query.artifact_type.is_some() {
        response.headers_mut().insert(OCI_FILTERS, HeaderValue::from_static("artifactType"));
    }
    response
}
