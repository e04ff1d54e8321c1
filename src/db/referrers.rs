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

/// Lists the referrers of `subject` behind the digest key `after`, in the order of their digests. An empty `after`
/// begins with the first.
pub fn list(
    tx: &mut Tx<'_>,
    repository_id: i64,
    subject: &Digest,
    after: Vec<u8>,
    artifact_type: Option<&str>,
    limit: i64,
) -> Result<Vec<ReferrerRow>, Error> {
    let base = [repository_id.into(), subject.into(), after.into(), limit.into()];
    let rows = match artifact_type {
        None => tx.query(
            "SELECT digest, media_type, artifact_type, annotations, size FROM manifests \
             WHERE repository_id = $1 AND subject = $2 AND digest > $3 ORDER BY digest LIMIT $4",
            &base,
        )?,
        Some(artifact_type) => {
            let mut params = base.to_vec();
            params.push(artifact_type.into());
            tx.query(
                "SELECT digest, media_type, artifact_type, annotations, size FROM manifests \
                 WHERE repository_id = $1 AND subject = $2 AND digest > $3 AND artifact_type = $5 \
                 ORDER BY digest LIMIT $4",
                &params,
            )?
        }
    };
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
