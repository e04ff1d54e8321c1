//! What pages show of a manifest: what stands around it. Every list is cut here, since nothing bounds it elsewhere.

use oci::Digest;

use super::{Error, Tx};

/// A manifest of a repository, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRow {
    /// Its row.
    pub id: i64,
    /// Its media type, as pushed.
    pub media_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it was pushed, in microseconds since 1970.
    pub created_at: i64,
}

/// Finds a manifest.
pub fn find(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest) -> Result<Option<FoundRow>, Error> {
    let row = tx.first(
        "SELECT id, media_type, size, created_at FROM manifests WHERE repository_id = $1 AND digest = $2",
        &[repository_id.into(), digest.into()],
    )?;
    row.map(|mut row| {
        Ok(FoundRow { id: row.int(0)?, media_type: row.text(1)?, size: row.size(2)?, created_at: row.int(3)? })
    })
    .transpose()
}

/// The bytes of a manifest.
pub fn content(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Vec<u8>, Error> {
    tx.one("SELECT content FROM manifests WHERE id = $1", &[manifest_id.into()])?.bytes(0)
}

/// Lists tags that point to a manifest of a repository, in ASCII order, at most `limit`.
pub fn tags(tx: &mut Tx<'_>, repository_id: i64, manifest_id: i64, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT name FROM tags WHERE manifest_id = $1 AND repository_id = $2 ORDER BY name LIMIT $3",
        &[manifest_id.into(), repository_id.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Lists the children of an index that are there, at most `limit`.
pub fn children(tx: &mut Tx<'_>, manifest_id: i64, limit: i64) -> Result<Vec<Digest>, Error> {
    let rows = tx.query(
        "SELECT m.digest FROM manifest_edges e JOIN manifests m ON m.repository_id = e.repository_id \
         AND m.digest = e.digest WHERE e.manifest_id = $1 AND e.kind = 'child' ORDER BY e.position LIMIT $2",
        &[manifest_id.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.digest(0)).collect()
}

/// What refers to a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedRow {
    /// Its digest.
    pub digest: Digest,
    /// Its artifact type.
    pub artifact_type: Option<String>,
    /// Its annotations, a JSON object, where they are short.
    pub annotations: Option<String>,
    /// When it was pushed, in microseconds since 1970.
    pub created_at: i64,
}

/// Lists manifests that refer to `subject`, in the order of their digests, at most `limit`. Annotations of more than
/// 16 KiB are left out: what is asked of them is a short word.
pub fn attached(tx: &mut Tx<'_>, repository_id: i64, subject: &Digest, limit: i64) -> Result<Vec<AttachedRow>, Error> {
    let rows = tx.query(
        "SELECT digest, artifact_type, CASE WHEN OCTET_LENGTH(annotations) <= 16384 THEN annotations END, created_at \
         FROM manifests WHERE repository_id = $1 AND subject = $2 ORDER BY digest LIMIT $3",
        &[repository_id.into(), subject.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(AttachedRow {
                digest: row.digest(0)?,
                artifact_type: row.opt_text(1)?,
                annotations: row.opt_text(2)?,
                created_at: row.int(3)?,
            })
        })
        .collect()
}

/// The sizes of blobs that a repository holds and that no other manifest of it names than this one.
pub fn own_blobs(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Vec<u64>, Error> {
    let rows = tx.query(
        "SELECT DISTINCT b.id, b.size FROM manifest_edges e JOIN blobs b ON b.digest = e.digest \
         JOIN repository_blobs l ON l.repository_id = e.repository_id AND l.blob_id = b.id \
         WHERE e.manifest_id = $1 AND e.kind <> 'child' AND NOT EXISTS (SELECT 1 FROM manifest_edges o \
         WHERE o.repository_id = e.repository_id AND o.digest = e.digest AND o.manifest_id <> $1 AND o.kind <> 'child')",
        &[manifest_id.into()],
    )?;
    rows.into_iter().map(|mut row| row.size(1)).collect()
}
