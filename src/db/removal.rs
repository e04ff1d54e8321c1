//! The removal of a whole repository, and how much that is.

use oci::RepositoryName;

use super::{Error, Tx};

/// A repository whose row is locked until the transaction ends: nothing is pushed into it meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// The row's key.
    pub id: i64,
    /// Its namespace's.
    pub namespace_id: i64,
}

/// Finds a repository and locks it for another name, or for its removal.
pub fn lock(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<Locked>, Error> {
    let row =
        tx.first("SELECT id, namespace_id FROM repositories WHERE name = $1 FOR UPDATE", &[name.as_str().into()])?;
    row.map(|mut row| Ok(Locked { id: row.int(0)?, namespace_id: row.int(1)? })).transpose()
}

/// Removes a repository with all it holds. Blobs that no other repository holds become due for removal.
pub fn delete(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<(), Error> {
    let only = [id.into()];
    tx.execute("DELETE FROM tags WHERE repository_id = $1", &only)?;
    // Before the manifests: an index and what it names then go in any order.
    tx.execute("DELETE FROM manifest_edges WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM manifests WHERE repository_id = $1", &only)?;
    // The locks come first, in one order: of two repositories that let go of a blob at the same moment, the second then
    // sees that it is the last.
    tx.query(
        "SELECT id FROM blobs WHERE id IN (SELECT l.blob_id FROM repository_blobs l WHERE l.repository_id = $1) \
         ORDER BY id FOR NO KEY UPDATE",
        &only,
    )?;
    tx.execute(
        "UPDATE blobs SET unlinked_since = $2 \
         WHERE id IN (SELECT l.blob_id FROM repository_blobs l WHERE l.repository_id = $1) \
         AND NOT EXISTS (SELECT 1 FROM repository_blobs o WHERE o.blob_id = blobs.id AND o.repository_id <> $1)",
        &[id.into(), now.into()],
    )?;
    tx.execute("DELETE FROM repository_blobs WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM tag_history WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM repository_pulls WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM stars WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM former_names WHERE repository_id = $1", &only)?;
    tx.execute("DELETE FROM repositories WHERE id = $1", &only)?;
    Ok(())
}

/// Counts the tags of a repository, up to `most`.
pub fn count_tags(tx: &mut Tx<'_>, id: i64, most: i64) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM tags WHERE repository_id = $1 LIMIT $2) t";
    tx.one(sql, &[id.into(), most.into()])?.int(0)
}

/// Counts the manifests of a repository, up to `most`.
pub fn count_manifests(tx: &mut Tx<'_>, id: i64, most: i64) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM manifests WHERE repository_id = $1 LIMIT $2) m";
    tx.one(sql, &[id.into(), most.into()])?.int(0)
}

/// A blob that a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBlob {
    /// Its size in bytes.
    pub size: u64,
    /// Whether another repository holds it too.
    pub shared: bool,
}

/// Lists at most `most` blobs that a repository holds.
pub fn blobs(tx: &mut Tx<'_>, id: i64, most: i64) -> Result<Vec<HeldBlob>, Error> {
    let rows = tx.query(
        "SELECT b.size, EXISTS (SELECT 1 FROM repository_blobs o WHERE o.blob_id = b.id AND o.repository_id <> $1) \
         FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id WHERE l.repository_id = $1 LIMIT $2",
        &[id.into(), most.into()],
    )?;
    rows.into_iter().map(|mut row| Ok(HeldBlob { size: row.size(0)?, shared: row.bool(1)? })).collect()
}

/// When tags of a repository were pulled last, the latest first (microseconds since 1970).
pub fn last_pulls(tx: &mut Tx<'_>, id: i64, limit: i64) -> Result<Vec<(String, i64)>, Error> {
    let rows = tx.query(
        "SELECT tag, last_pulled_at FROM tag_pulls WHERE repository_id = $1 ORDER BY last_pulled_at DESC LIMIT $2",
        &[id.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.int(1)?))).collect()
}
