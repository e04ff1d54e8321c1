//! Pages over everything there is, for `havre check`.

use oci::Digest;

use super::{Error, Tx};

/// A blob's row.
#[derive(Debug, Clone)]
pub struct BlobEntry {
    /// The row's key.
    pub id: i64,
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes lie.
    pub location: String,
    /// Whether its bytes are known to be damaged.
    pub quarantined: bool,
}

/// Lists blobs behind the key `after`.
pub fn blobs(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<BlobEntry>, Error> {
    let rows = tx.query(
        "SELECT id, digest, size, location, state FROM blobs WHERE id > $1 ORDER BY id LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(BlobEntry {
                id: row.int(0)?,
                digest: row.digest(1)?,
                size: row.size(2)?,
                location: row.text(3)?,
                quarantined: row.text(4)? != "live",
            })
        })
        .collect()
}

/// Tells whether a blob's row still says what it said: beside a running server it may have changed meanwhile.
pub fn is_unchanged(tx: &mut Tx<'_>, entry: &BlobEntry) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT id FROM blobs WHERE id = $1 AND location = $2",
        &[entry.id.into(), entry.location.as_str().into()],
    )?;
    Ok(row.is_some())
}

/// Lists the names of some repositories that hold a blob.
pub fn holders(tx: &mut Tx<'_>, blob_id: i64, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT r.name FROM repository_blobs l JOIN repositories r ON r.id = l.repository_id \
         WHERE l.blob_id = $1 ORDER BY r.name LIMIT $2",
        &[blob_id.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Tells whether any row accounts for the bytes at `location`: a blob, an upload about to become one, or garbage.
pub fn is_accounted_for(tx: &mut Tx<'_>, location: &str) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT 1 FROM blobs WHERE location = $1 UNION ALL SELECT 1 FROM uploads WHERE location = $1 \
         UNION ALL SELECT 1 FROM garbage WHERE location = $1",
        &[location.into()],
    )?;
    Ok(row.is_some())
}

/// A manifest with its repository.
#[derive(Debug)]
pub struct ManifestEntry {
    /// The row's key.
    pub id: i64,
    /// The repository's name.
    pub repository: String,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Lists manifests behind the key `after`.
pub fn manifests(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<ManifestEntry>, Error> {
    let rows = tx.query(
        "SELECT m.id, r.name, m.digest, m.media_type, m.content FROM manifests m \
         JOIN repositories r ON r.id = m.repository_id WHERE m.id > $1 ORDER BY m.id LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(ManifestEntry {
                id: row.int(0)?,
                repository: row.text(1)?,
                digest: row.digest(2)?,
                media_type: row.text(3)?,
                content: row.bytes(4)?,
            })
        })
        .collect()
}

/// Tells whether a manifest is still there. The key alone does not tell: it may be given again after a deletion.
pub fn has_manifest(tx: &mut Tx<'_>, id: i64, digest: &Digest) -> Result<bool, Error> {
    let sql = "SELECT id FROM manifests WHERE id = $1 AND digest = $2";
    Ok(tx.first(sql, &[id.into(), digest.into()])?.is_some())
}

/// Lists the digests that a manifest's edges name.
pub fn edges(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Vec<Digest>, Error> {
    let rows = tx.query(
        "SELECT DISTINCT digest FROM manifest_edges WHERE manifest_id = $1 ORDER BY digest",
        &[manifest_id.into()],
    )?;
    rows.into_iter().map(|mut row| row.digest(0)).collect()
}

/// How much there is to check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Blobs.
    pub blobs: i64,
    /// Manifests.
    pub manifests: i64,
}

/// Counts what there is to check.
pub fn totals(tx: &mut Tx<'_>) -> Result<Totals, Error> {
    let blobs = tx.one("SELECT COUNT(*) FROM blobs", &[])?.int(0)?;
    let manifests = tx.one("SELECT COUNT(*) FROM manifests", &[])?.int(0)?;
    Ok(Totals { blobs, manifests })
}
