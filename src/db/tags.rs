//! Tags and where they pointed before.

use oci::{Digest, Tag};

use super::{Error, Row, Tx, Val};

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

/// A tag as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// Its name.
    pub name: String,
    /// The row of the manifest it points to.
    pub manifest_id: i64,
    /// That manifest's digest.
    pub digest: Digest,
    /// When it was last moved, in microseconds since 1970.
    pub updated_at: i64,
    /// When it was last pulled.
    pub pulled_at: Option<i64>,
}

fn tag(mut row: Row) -> Result<TagRow, Error> {
    Ok(TagRow {
        name: row.text(0)?,
        manifest_id: row.int(1)?,
        digest: row.digest(2)?,
        updated_at: row.int(3)?,
        pulled_at: row.opt_int(4)?,
    })
}

/// Counts a repository's tags, up to `limit`.
pub fn count(tx: &mut Tx<'_>, repository_id: i64, limit: i64) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM tags WHERE repository_id = $1 LIMIT $2) counted";
    tx.one(sql, &[repository_id.into(), limit.into()])?.int(0)
}

/// Finds a tag.
pub fn find(tx: &mut Tx<'_>, repository_id: i64, name: &str) -> Result<Option<TagRow>, Error> {
    let row = tx.first(
        "SELECT t.name, t.manifest_id, m.digest, t.updated_at, p.last_pulled_at FROM tags t \
         JOIN manifests m ON m.id = t.manifest_id \
         LEFT JOIN tag_pulls p ON p.repository_id = t.repository_id AND p.tag = t.name \
         WHERE t.repository_id = $1 AND t.name = $2",
        &[repository_id.into(), name.into()],
    )?;
    row.map(tag).transpose()
}

/// Lists tags with what they point to, in ASCII order behind `after`, those that begin with `prefix` only.
pub fn rows(tx: &mut Tx<'_>, repository_id: i64, prefix: &str, after: &str, limit: i64) -> Result<Vec<TagRow>, Error> {
    // `~` is behind every character that a tag can have.
    let end = format!("{prefix}~");
    let rows = tx.query(
        "SELECT t.name, t.manifest_id, m.digest, t.updated_at, p.last_pulled_at FROM tags t \
         JOIN manifests m ON m.id = t.manifest_id \
         LEFT JOIN tag_pulls p ON p.repository_id = t.repository_id AND p.tag = t.name \
         WHERE t.repository_id = $1 AND t.name >= $2 AND t.name > $3 AND t.name < $4 ORDER BY t.name LIMIT $5",
        &[repository_id.into(), prefix.into(), after.into(), end.into(), limit.into()],
    )?;
    rows.into_iter().map(tag).collect()
}

/// Lists tags with what they point to, those that were moved last first, behind a moment and a name.
pub fn newest(tx: &mut Tx<'_>, repository_id: i64, before: (i64, &str), limit: i64) -> Result<Vec<TagRow>, Error> {
    let rows = tx.query(
        "SELECT t.name, t.manifest_id, m.digest, t.updated_at, p.last_pulled_at FROM tags t \
         JOIN manifests m ON m.id = t.manifest_id \
         LEFT JOIN tag_pulls p ON p.repository_id = t.repository_id AND p.tag = t.name \
         WHERE t.repository_id = $1 AND (t.updated_at, t.name) < ($2, $3) \
         ORDER BY t.updated_at DESC, t.name DESC LIMIT $4",
        &[repository_id.into(), before.0.into(), before.1.into(), limit.into()],
    )?;
    rows.into_iter().map(tag).collect()
}

/// Lists the first tags that point to a manifest, in ASCII order.
pub fn first_of_manifest(tx: &mut Tx<'_>, manifest_id: i64, limit: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name LIMIT $2";
    tx.query(sql, &[manifest_id.into(), limit.into()])?.into_iter().map(|mut row| row.text(0)).collect()
}

/// Counts the tags that point to a manifest, up to `limit`.
pub fn count_of_manifest(tx: &mut Tx<'_>, manifest_id: i64, limit: i64) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM tags WHERE manifest_id = $1 LIMIT $2) counted";
    tx.one(sql, &[manifest_id.into(), limit.into()])?.int(0)
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

/// One line of a tag's history, with who is to be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeedRow {
    /// Its key.
    pub id: i64,
    /// Where it pointed from then on; nothing when it was deleted.
    pub digest: Option<Digest>,
    /// Where it had pointed.
    pub previous: Option<Digest>,
    /// Microseconds since 1970.
    pub at: i64,
    /// Who did it; nothing where the event is gone.
    pub actor: Option<String>,
    /// Whether what it pointed to from then on is still in the repository.
    pub there: bool,
}

/// Lists the moves of a tag before the key `before`, the newest first.
pub fn deeds(tx: &mut Tx<'_>, repository_id: i64, tag: &str, before: i64, limit: i64) -> Result<Vec<DeedRow>, Error> {
    let rows = tx.query(
        "SELECT h.id, h.digest, h.previous, h.at, e.actor, m.id FROM tag_history h \
         LEFT JOIN events e ON e.id = h.event_id \
         LEFT JOIN manifests m ON m.repository_id = h.repository_id AND m.digest = h.digest \
         WHERE h.repository_id = $1 AND h.tag = $2 AND h.id < $3 ORDER BY h.id DESC LIMIT $4",
        &[repository_id.into(), tag.into(), before.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(DeedRow {
                id: row.int(0)?,
                digest: row.opt_digest(1)?,
                previous: row.opt_digest(2)?,
                at: row.int(3)?,
                actor: row.opt_text(4)?,
                there: row.opt_int(5)?.is_some(),
            })
        })
        .collect()
}
