//! Sums over everything, a bounded number of rows at a time: each call goes on where the one before ended.

use super::{Error, Tx};

/// A key of two parts, and a value.
pub type Pair = ((i64, i64), i64);

/// Rows of a step.
pub const STEP: i64 = 10_000;

/// The keys and sizes of blobs behind `after`.
pub fn blobs(tx: &mut Tx<'_>, after: i64) -> Result<Vec<(i64, i64)>, Error> {
    let sql = "SELECT id, size FROM blobs WHERE id > $1 ORDER BY id LIMIT $2";
    let rows = tx.query(sql, &[after.into(), STEP.into()])?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.int(1)?))).collect()
}

/// The keys of the links of repositories to blobs behind `after`, and the blobs' sizes.
pub fn links(tx: &mut Tx<'_>, after: (i64, i64)) -> Result<Vec<Pair>, Error> {
    let rows = tx.query(
        "SELECT k.repository_id, k.blob_id, b.size FROM repository_blobs k JOIN blobs b ON b.id = k.blob_id \
         WHERE (k.repository_id, k.blob_id) > ($1, $2) ORDER BY k.repository_id, k.blob_id LIMIT $3",
        &[after.0.into(), after.1.into(), STEP.into()],
    )?;
    rows.into_iter().map(|mut row| Ok(((row.int(0)?, row.int(1)?), row.int(2)?))).collect()
}

/// The keys of repositories behind `after`.
pub fn repositories(tx: &mut Tx<'_>, after: i64) -> Result<Vec<i64>, Error> {
    let rows =
        tx.query("SELECT id FROM repositories WHERE id > $1 ORDER BY id LIMIT $2", &[after.into(), STEP.into()])?;
    rows.into_iter().map(|mut row| row.int(0)).collect()
}

/// The keys of users behind `after`, those who were erased left out.
pub fn users(tx: &mut Tx<'_>, after: i64) -> Result<Vec<i64>, Error> {
    let sql = "SELECT id FROM users WHERE id > $1 AND state <> 'erased' ORDER BY id LIMIT $2";
    let rows = tx.query(sql, &[after.into(), STEP.into()])?;
    rows.into_iter().map(|mut row| row.int(0)).collect()
}

/// The keys of tags behind `after`.
pub fn tags(tx: &mut Tx<'_>, after: &(i64, String)) -> Result<Vec<(i64, String)>, Error> {
    let rows = tx.query(
        "SELECT repository_id, name FROM tags WHERE (repository_id, name) > ($1, $2) ORDER BY repository_id, name LIMIT $3",
        &[after.0.into(), after.1.as_str().into(), STEP.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// The keys of the counters of pulls behind `after` (repository, day), and how often was pulled.
pub fn pulls(tx: &mut Tx<'_>, after: (i64, i64)) -> Result<Vec<Pair>, Error> {
    let rows = tx.query(
        "SELECT repository_id, day, pulls FROM repository_pulls WHERE (repository_id, day) > ($1, $2) \
         ORDER BY repository_id, day LIMIT $3",
        &[after.0.into(), after.1.into(), STEP.into()],
    )?;
    rows.into_iter().map(|mut row| Ok(((row.int(0)?, row.int(1)?), row.int(2)?))).collect()
}

/// When manifests were pushed behind `after` (a moment and a key).
pub fn pushes(tx: &mut Tx<'_>, after: (i64, i64)) -> Result<Vec<(i64, i64)>, Error> {
    let rows = tx.query(
        "SELECT at, id FROM events WHERE kind = 'manifest.push' AND at >= $1 AND (at, id) > ($1, $2) \
         ORDER BY at, id LIMIT $3",
        &[after.0.into(), after.1.into(), STEP.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.int(1)?))).collect()
}

/// The repositories that are pulled most, with how often.
pub fn busiest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT name, pulls FROM repositories WHERE pulls > 0 ORDER BY pulls DESC LIMIT $1";
    let rows = tx.query(sql, &[limit.into()])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.int(1)?))).collect()
}
