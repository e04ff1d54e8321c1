//! Keys under which tokens are signed, as they are kept: sealed.

use super::{Error, Tx};

/// Lists the keys, the newest first: their ids and their sealed secrets.
pub fn list(tx: &mut Tx<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let rows = tx.query("SELECT id, sealed FROM signing_keys ORDER BY created_at DESC, id", &[])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.bytes(1)?))).collect()
}

/// Keeps a key.
pub fn insert(tx: &mut Tx<'_>, id: &str, sealed: Vec<u8>, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO signing_keys (id, sealed, created_at) VALUES ($1, $2, $3)",
        &[id.into(), sealed.into(), now.into()],
    )?;
    Ok(())
}

/// Removes all of them.
pub fn clear(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM signing_keys", &[])?;
    Ok(())
}
