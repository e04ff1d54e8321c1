//! Second factors: the sealed secrets of one-time passwords, and recovery codes.

use super::{Error, Tx};

/// A second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// The secret, sealed.
    pub sealed: Vec<u8>,
    /// The latest step whose code was used.
    pub last_step: i64,
    /// When a code of it was shown first; none while it was only begun.
    pub confirmed_at: Option<i64>,
}

/// Finds a user's second factor.
pub fn find(tx: &mut Tx<'_>, user_id: i64) -> Result<Option<FactorRow>, Error> {
    let sql = "SELECT sealed, last_step, confirmed_at FROM second_factors WHERE user_id = $1";
    let row = tx.first(sql, &[user_id.into()])?;
    row.map(|mut row| Ok(FactorRow { sealed: row.bytes(0)?, last_step: row.int(1)?, confirmed_at: row.opt_int(2)? }))
        .transpose()
}

/// Begins a second factor, in place of one that was begun before; tells whether none was confirmed yet.
pub fn begin(tx: &mut Tx<'_>, user_id: i64, sealed: Vec<u8>, now: i64) -> Result<bool, Error> {
    let begun = tx.execute(
        "INSERT INTO second_factors (user_id, sealed, last_step, created_at) VALUES ($1, $2, 0, $3) \
         ON CONFLICT (user_id) DO UPDATE SET sealed = excluded.sealed, last_step = 0, created_at = excluded.created_at \
         WHERE second_factors.confirmed_at IS NULL",
        &[user_id.into(), sealed.into(), now.into()],
    )?;
    Ok(begun > 0)
}

/// Notes that the code of a step was used; tells whether it was the first to use it, or a later one.
pub fn step(tx: &mut Tx<'_>, user_id: i64, step: i64) -> Result<bool, Error> {
    let sql = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    Ok(tx.execute(sql, &[user_id.into(), step.into()])? > 0)
}

/// Notes that a code was shown of what was begun.
pub fn confirm(tx: &mut Tx<'_>, user_id: i64, now: i64) -> Result<(), Error> {
    let sql = "UPDATE second_factors SET confirmed_at = $2 WHERE user_id = $1";
    tx.execute(sql, &[user_id.into(), now.into()])?;
    Ok(())
}

/// Removes a user's second factor with its recovery codes.
pub fn delete(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user_id.into()])?;
    tx.execute("DELETE FROM second_factors WHERE user_id = $1", &[user_id.into()])?;
    Ok(())
}

/// Gives a user recovery codes in place of all there were.
pub fn replace_codes(tx: &mut Tx<'_>, user_id: i64, hashes: &[[u8; 32]]) -> Result<(), Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &[user_id.into()])?;
    for hash in hashes {
        let sql = "INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)";
        tx.execute(sql, &[user_id.into(), hash.to_vec().into()])?;
    }
    Ok(())
}

/// Uses up a recovery code; tells whether there was one.
pub fn use_code(tx: &mut Tx<'_>, user_id: i64, hash: &[u8; 32]) -> Result<bool, Error> {
    let sql = "DELETE FROM recovery_codes WHERE user_id = $1 AND code_hash = $2";
    Ok(tx.execute(sql, &[user_id.into(), hash.to_vec().into()])? > 0)
}

/// Counts the recovery codes that a user has left.
pub fn codes_left(tx: &mut Tx<'_>, user_id: i64) -> Result<i64, Error> {
    tx.one("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1", &[user_id.into()])?.int(0)
}

/// A second factor that is on, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRow {
    /// The user's key.
    pub user_id: i64,
    /// The user's public id.
    pub public_id: String,
    /// The user's name.
    pub name: String,
    /// The secret, sealed.
    pub sealed: Vec<u8>,
}

/// Lists the second factors that are on, behind the user's key `after`.
pub fn list(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<OwnedRow>, Error> {
    let rows = tx.query(
        "SELECT f.user_id, u.public_id, u.name, f.sealed FROM second_factors f JOIN users u ON u.id = f.user_id \
         WHERE f.user_id > $1 AND f.confirmed_at IS NOT NULL ORDER BY f.user_id LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter()
        .map(|mut row| {
            Ok(OwnedRow { user_id: row.int(0)?, public_id: row.text(1)?, name: row.text(2)?, sealed: row.bytes(3)? })
        })
        .collect()
}
