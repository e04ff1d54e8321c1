//! Tags and where they pointed before.

use oci::{Digest, Tag};

use super::{Error, Tx, Val};

/// Finds where a tag points, the manifest's row and digest, and locks the tag until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, repository_id: i64, tag: &Tag) -> Result<Option<(i64, Digest)>, Error> {
    let locked = "SELECT manifest_id FROM tags WHERE repository_id = $1 AND name = $2 FOR UPDATE";
    let Some(mut row) = tx.first(locked, &[repository_id.into(), tag.as_str().into()])? else { return Ok(None) };
    let manifest_id = row.int(0)?;
    // A statement of its own: one that waited for the lock would not see a manifest that was pushed meanwhile.
    let mut row = tx.one("SELECT digest FROM manifests WHERE id = $1", &[manifest_id.into()])?;
    Ok(Some((manifest_id, row.digest(0)?)))
}

/// Makes a tag; tells whether it is new.
pub fn insert(tx: &mut Tx<'_>, repository_id: i64, tag: &Tag, manifest_id: i64, now: i64) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO tags (repository_id, name, manifest_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4) \
         ON CONFLICT (repository_id, name) DO NOTHING",
        &[repository_id.into(), tag.as_str().into(), manifest_id.into(), now.into()],
    )?;
    Ok(inserted > 0)
}

/// Points a tag that is there to another manifest.
pub fn set(tx: &mut Tx<'_>, repository_id: i64, tag: &Tag, manifest_id: i64, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE tags SET manifest_id = $3, updated_at = $4 WHERE repository_id = $1 AND name = $2",
        &[repository_id.into(), tag.as_str().into(), manifest_id.into(), now.into()],
    )?;
    Ok(())
}

/// Deletes a tag.
pub fn delete(tx: &mut Tx<'_>, repository_id: i64, tag: &Tag) -> Result<bool, Error> {
    let params = [repository_id.into(), tag.as_str().into()];
    Ok(tx.execute("DELETE FROM tags WHERE repository_id = $1 AND name = $2", &params)? > 0)
}

/// Lists the tags that point to a manifest, in ASCII order.
pub fn of_manifest(tx: &mut Tx<'_>, manifest_id: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query("SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name", &[manifest_id.into()])?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Lists a repository's tags in ASCII order behind `after`.
pub fn list(tx: &mut Tx<'_>, repository_id: i64, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT name FROM tags WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3",
        &[repository_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// A move of a tag.
#[derive(Debug)]
pub struct Move<'a> {
    /// The repository.
    pub repository_id: i64,
    /// The tag's name.
    pub tag: &'a str,
    /// Where it points now; nothing when it was deleted.
    pub digest: Option<&'a Digest>,
    /// Where it pointed before; nothing when it is new.
    pub previous: Option<&'a Digest>,
    /// The event that records who moved it.
    pub event_id: i64,
    /// Microseconds since 1970.
    pub at: i64,
}

/// Writes a move into the tag's history.
pub fn record_move(tx: &mut Tx<'_>, moved: &Move<'_>) -> Result<(), Error> {
    let params: [Val; 6] = [
        moved.repository_id.into(),
        moved.tag.into(),
        moved.digest.into(),
        moved.previous.into(),
        moved.event_id.into(),
        moved.at.into(),
    ];
    tx.execute(
        "INSERT INTO tag_history (repository_id, tag, digest, previous, event_id, at) VALUES ($1, $2, $3, $4, $5, $6)",
        &params,
    )?;
    Ok(())
}

/// One line of a tag's history.
#[derive(Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Where it pointed from then on.
    pub digest: Option<Digest>,
    /// Where it had pointed.
    pub previous: Option<Digest>,
    /// Microseconds since 1970.
    pub at: i64,
}

/// Lists the moves of a tag, the newest first.
pub fn history(tx: &mut Tx<'_>, repository_id: i64, tag: &Tag, limit: i64) -> Result<Vec<HistoryRow>, Error> {
    let rows = tx.query(
        "SELECT digest, previous, at FROM tag_history WHERE repository_id = $1 AND tag = $2 ORDER BY id DESC LIMIT $3",
        &[repository_id.into(), tag.as_str().into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| Ok(HistoryRow { digest: row.opt_digest(0)?, previous: row.opt_digest(1)?, at: row.int(2)? }))
        .collect()
}
