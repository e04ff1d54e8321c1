//! Blobs, and the links by which repositories hold them.

use oci::{Digest, RepositoryName};

use super::{Error, Kind, Tx};

/// A blob as a reader needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRow {
    /// The row's key.
    pub id: i64,
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes lie in the store.
    pub location: String,
    /// Whether its bytes were found not to hash to its digest.
    pub quarantined: bool,
}

pub(super) fn blob_row(mut row: super::Row) -> Result<BlobRow, Error> {
    Ok(BlobRow { id: row.int(0)?, size: row.size(1)?, location: row.text(2)?, quarantined: row.text(3)? != "live" })
}

/// Finds a blob through a repository that holds it.
pub fn find(tx: &mut Tx<'_>, repository: &RepositoryName, digest: &Digest) -> Result<Option<BlobRow>, Error> {
    let row = tx.first(
        "SELECT b.id, b.size, b.location, b.state FROM blobs b \
         JOIN repository_blobs l ON l.blob_id = b.id \
         JOIN repositories r ON r.id = l.repository_id WHERE b.digest = $1 AND r.name = $2",
        &[digest.into(), repository.as_str().into()],
    )?;
    row.map(blob_row).transpose()
}

/// Finds a blob's row whoever holds it.
pub fn lookup(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<BlobRow>, Error> {
    let row = tx.first("SELECT id, size, location, state FROM blobs WHERE digest = $1", &[digest.into()])?;
    row.map(blob_row).transpose()
}

/// Finds a blob's row whoever holds it, and keeps it from being deleted until the transaction ends.
pub fn hold(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<BlobRow>, Error> {
    let row =
        tx.first("SELECT id, size, location, state FROM blobs WHERE digest = $1 FOR KEY SHARE", &[digest.into()])?;
    row.map(blob_row).transpose()
}

/// Finds a blob's row whoever holds it, and locks it for new bytes.
pub fn lock(tx: &mut Tx<'_>, digest: &Digest) -> Result<Option<BlobRow>, Error> {
    let row = tx.first("SELECT id, size, location, state FROM blobs WHERE digest = $1 FOR UPDATE", &[digest.into()])?;
    row.map(blob_row).transpose()
}

/// Inserts a blob; returns nothing when its digest is already there.
pub fn insert(tx: &mut Tx<'_>, digest: &Digest, size: u64, location: &str, now: i64) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "INSERT INTO blobs (digest, size, location, state, created_at) VALUES ($1, $2, $3, 'live', $4) \
         ON CONFLICT (digest) DO NOTHING RETURNING id",
        &[digest.into(), (size as i64).into(), location.into(), now.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Gives a quarantined blob new bytes; tells whether it was quarantined still.
pub fn replace_bytes(tx: &mut Tx<'_>, id: i64, size: u64, location: &str) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE blobs SET size = $1, location = $2, state = 'live' WHERE id = $3 AND state = 'quarantined'",
        &[(size as i64).into(), location.into(), id.into()],
    )?;
    Ok(changed > 0)
}

/// Puts a quarantined blob back into service, its bytes having been found whole at `location`.
pub fn restore(tx: &mut Tx<'_>, location: &str) -> Result<bool, Error> {
    let sql = "UPDATE blobs SET state = 'live' WHERE location = $1 AND state = 'quarantined'";
    Ok(tx.execute(sql, &[location.into()])? > 0)
}

/// Marks a blob's bytes as bad, if they still lie at `location`.
pub fn quarantine(tx: &mut Tx<'_>, location: &str) -> Result<bool, Error> {
    let sql = "UPDATE blobs SET state = 'quarantined' WHERE location = $1 AND state = 'live'";
    Ok(tx.execute(sql, &[location.into()])? > 0)
}

/// Links a blob to a repository; tells whether the link is new. The clock of its grace period starts now, unless a
/// manifest names it already.
pub fn link(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64, digest: &Digest, now: i64) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO repository_blobs (repository_id, blob_id, created_at, unreferenced_since) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (repository_id, blob_id) DO NOTHING",
        &[repository_id.into(), blob_id.into(), now.into()],
    )?;
    if inserted == 0 {
        // Whoever removes the link at this moment is waited for: otherwise this push would be told that a link is there
        // which is gone when it commits.
        if !hold_row(tx, repository_id, blob_id)? {
            return Err(Error::new(Kind::Conflict, "a blob's link was removed while it was pushed again"));
        }
        // Pushed again: whoever pushed it counts on it for another grace period.
        tx.execute(
            "UPDATE repository_blobs SET unreferenced_since = $3 \
             WHERE repository_id = $1 AND blob_id = $2 AND unreferenced_since IS NOT NULL",
            &[repository_id.into(), blob_id.into(), now.into()],
        )?;
        return Ok(false);
    }
    let marked = "UPDATE blobs SET unlinked_since = NULL WHERE id = $1 AND unlinked_since IS NOT NULL";
    tx.execute(marked, &[blob_id.into()])?;
    if is_referenced(tx, repository_id, digest)? {
        set_referenced(tx, repository_id, blob_id)?;
    }
    Ok(true)
}

fn hold_row(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT blob_id FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2 FOR KEY SHARE",
        &[repository_id.into(), blob_id.into()],
    )?;
    Ok(row.is_some())
}

/// Tells whether a manifest of the repository names the blob.
pub fn is_referenced(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT manifest_id FROM manifest_edges WHERE repository_id = $1 AND digest = $2 AND kind <> 'child' LIMIT 1",
        &[repository_id.into(), digest.into()],
    )?;
    Ok(row.is_some())
}

/// Records that a manifest names the blob, so that no grace period runs for it.
pub fn set_referenced(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE repository_blobs SET unreferenced_since = NULL \
         WHERE repository_id = $1 AND blob_id = $2 AND unreferenced_since IS NOT NULL",
        &[repository_id.into(), blob_id.into()],
    )?;
    Ok(())
}

/// Finds the link of a repository to a blob and keeps it from being removed until the transaction ends.
pub fn hold_link(tx: &mut Tx<'_>, repository_id: i64, digest: &Digest) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "SELECT l.blob_id FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id \
         WHERE b.digest = $2 AND l.repository_id = $1 AND b.state = 'live' FOR KEY SHARE",
        &[repository_id.into(), digest.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Locks the link of a repository to a blob for its removal.
pub fn lock_link(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT blob_id FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2 FOR UPDATE",
        &[repository_id.into(), blob_id.into()],
    )?;
    Ok(row.is_some())
}

/// Locks a link for its removal if its grace period has run since before `cutoff`.
pub fn lock_link_unreferenced_since(
    tx: &mut Tx<'_>,
    repository_id: i64,
    blob_id: i64,
    cutoff: i64,
) -> Result<bool, Error> {
    let row = tx.first(
        "SELECT blob_id FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2 \
         AND unreferenced_since < $3 FOR UPDATE",
        &[repository_id.into(), blob_id.into(), cutoff.into()],
    )?;
    Ok(row.is_some())
}

/// Removes a repository's link to a blob; when it was the last one, the blob's bytes become due for removal.
pub fn unlink(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64, now: i64) -> Result<(), Error> {
    let sql = "DELETE FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2";
    tx.execute(sql, &[repository_id.into(), blob_id.into()])?;
    // The lock comes first: of two repositories that let go at the same moment, the second then sees that it is the last.
    tx.query("SELECT id FROM blobs WHERE id = $1 FOR NO KEY UPDATE", &[blob_id.into()])?;
    tx.execute(
        "UPDATE blobs SET unlinked_since = $2 WHERE id = $1 \
         AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = $1)",
        &[blob_id.into(), now.into()],
    )?;
    Ok(())
}

/// A link whose grace period is over.
#[derive(Debug)]
pub struct Unreferenced {
    /// The repository.
    pub repository_id: i64,
    /// The repository's name.
    pub repository: String,
    /// The blob.
    pub blob_id: i64,
    /// The blob's digest.
    pub digest: Digest,
}

/// Lists links that no manifest has needed since `before`, the oldest first.
pub fn unreferenced(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<Unreferenced>, Error> {
    let rows = tx.query(
        "SELECT l.repository_id, r.name, l.blob_id, b.digest FROM repository_blobs l \
         JOIN repositories r ON r.id = l.repository_id JOIN blobs b ON b.id = l.blob_id \
         WHERE l.unreferenced_since < $1 ORDER BY l.unreferenced_since LIMIT $2",
        &[before.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Unreferenced {
                repository_id: row.int(0)?,
                repository: row.text(1)?,
                blob_id: row.int(2)?,
                digest: row.digest(3)?,
            })
        })
        .collect()
}

/// Lists blobs that no repository has held since `before`, the oldest first.
pub fn unlinked(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<i64>, Error> {
    let rows = tx.query(
        "SELECT id FROM blobs WHERE unlinked_since < $1 ORDER BY unlinked_since LIMIT $2",
        &[before.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.int(0)).collect()
}

/// Deletes a blob's row if still no repository holds it; returns its location and digest.
pub fn delete_unlinked(tx: &mut Tx<'_>, id: i64) -> Result<Option<(String, Digest)>, Error> {
    // The lock comes first: a link made by a transaction that this one waited for is seen by the next statement.
    let locked = "SELECT location, digest FROM blobs WHERE id = $1 FOR UPDATE";
    let Some(mut row) = tx.first(locked, &[id.into()])? else { return Ok(None) };
    let deleted = tx.execute(
        "DELETE FROM blobs WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = $1)",
        &[id.into()],
    )?;
    if deleted == 1 {
        return Ok(Some((row.text(0)?, row.digest(1)?)));
    }
    // A link was made at the moment when the last one went; its maker could not see the mark yet.
    tx.execute("UPDATE blobs SET unlinked_since = NULL WHERE id = $1", &[id.into()])?;
    Ok(None)
}
