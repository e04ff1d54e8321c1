//! Manifests that name another one as their subject.

use oci::Digest;

use super::{Error, Tx};

/// A referrer, as its descriptor in the referrers list needs it.
#[derive(Debug, PartialEq, Eq)]
pub struct ReferrerRow {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its artifact type.
    pub artifact_type: Option<String>,
    /// Its annotations, a JSON object.
    pub annotations: Option<String>,
    /// How many bytes it has.
    pub size: u64,
}

/// How much a referrer takes in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferrerLength {
    /// Its digest.
    pub digest: Digest,
    /// Bytes of its annotations, media type and artifact type together.
    pub bytes: u64,
}

/// Measures the referrers of `subject` behind the digest key `after`, in the order of their digests, so that a page can
/// be cut before any of it is read. An empty `after` begins with the first; an empty `artifact_type` lets all pass.
pub fn measure(
    tx: &mut Tx<'_>,
    repository_id: i64,
    subject: &Digest,
    after: Vec<u8>,
    artifact_type: &str,
    limit: i64,
) -> Result<Vec<ReferrerLength>, Error> {
    let rows = tx.query(
        "SELECT digest, CAST(COALESCE(OCTET_LENGTH(annotations), 0) + OCTET_LENGTH(media_type) \
         + COALESCE(OCTET_LENGTH(artifact_type), 0) AS BIGINT) FROM manifests \
         WHERE repository_id = $1 AND subject = $2 AND digest > $3 AND ($4 = '' OR artifact_type = $4) \
         ORDER BY digest LIMIT $5",
        &[repository_id.into(), subject.into(), after.into(), artifact_type.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok(ReferrerLength { digest: row.digest(0)?, bytes: row.size(1)? })).collect()
}

/// Lists the referrers of `subject` behind the digest key `after` up to `last`, in the order of their digests.
pub fn list(
    tx: &mut Tx<'_>,
    repository_id: i64,
    subject: &Digest,
    after: Vec<u8>,
    last: &Digest,
    artifact_type: &str,
) -> Result<Vec<ReferrerRow>, Error> {
    let rows = tx.query(
        "SELECT digest, media_type, artifact_type, annotations, size FROM manifests \
         WHERE repository_id = $1 AND subject = $2 AND digest > $3 AND digest <= $5 \
         AND ($4 = '' OR artifact_type = $4) ORDER BY digest",
        &[repository_id.into(), subject.into(), after.into(), artifact_type.into(), last.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(ReferrerRow {
                digest: row.digest(0)?,
                media_type: row.text(1)?,
                artifact_type: row.opt_text(2)?,
                annotations: row.opt_text(3)?,
                size: row.size(4)?,
            })
        })
        .collect()
}
