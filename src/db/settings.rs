//! What administrators set while the server runs.

use super::{Error, Tx};

/// Lists the settings, by name; there are a handful.
pub fn all(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, Error> {
    let rows = tx.query("SELECT name, value FROM settings WHERE name > '' ORDER BY name LIMIT 100", &[])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// Sets one; an empty value takes it away.
pub fn set(tx: &mut Tx<'_>, name: &str, value: &str, now: i64) -> Result<(), Error> {
    if value.is_empty() {
        tx.execute("DELETE FROM settings WHERE name = $1", &[name.into()])?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        &[name.into(), value.into(), now.into()],
    )?;
    Ok(())
}
