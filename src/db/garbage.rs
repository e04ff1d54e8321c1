//! Bytes in the store that no row needs any more, waiting to be removed.

use super::{Error, Tx};

/// Has the bytes at `location` removed once `not_before` has passed.
pub fn insert(tx: &mut Tx<'_>, location: &str, not_before: i64) -> Result<(), Error> {
    let params = [location.into(), not_before.into()];
    tx.execute("INSERT INTO garbage (location, not_before) VALUES ($1, $2)", &params)?;
    Ok(())
}

/// Lists what is due, the oldest first.
pub fn due(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<Vec<(i64, String)>, Error> {
    let rows = tx.query(
        "SELECT id, location FROM garbage WHERE not_before <= $1 ORDER BY not_before LIMIT $2",
        &[now.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.text(1)?))).collect()
}

/// Tells whether a blob's bytes lie at `location`.
pub fn is_in_use(tx: &mut Tx<'_>, location: &str) -> Result<bool, Error> {
    Ok(tx.first("SELECT id FROM blobs WHERE location = $1", &[location.into()])?.is_some())
}

/// Has the removal tried again later.
pub fn postpone(tx: &mut Tx<'_>, id: i64, not_before: i64) -> Result<(), Error> {
    tx.execute("UPDATE garbage SET not_before = $2 WHERE id = $1", &[id.into(), not_before.into()])?;
    Ok(())
}

/// Removes the note, the bytes being gone.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM garbage WHERE id = $1", &[id.into()])?;
    Ok(())
}
