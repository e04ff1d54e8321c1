//! Stars: which users like which repositories. Their number is kept in the repository's row.

use super::{Error, Tx};

/// Whether a user has starred a repository.
pub fn is_starred(tx: &mut Tx<'_>, user_id: i64, repository_id: i64) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM stars WHERE user_id = $1 AND repository_id = $2";
    Ok(tx.first(sql, &[user_id.into(), repository_id.into()])?.is_some())
}

/// Has a user star a repository; tells whether that is new.
pub fn add(tx: &mut Tx<'_>, user_id: i64, repository_id: i64, now: i64) -> Result<bool, Error> {
    let made = tx.execute(
        "INSERT INTO stars (user_id, repository_id, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id, repository_id) DO NOTHING",
        &[user_id.into(), repository_id.into(), now.into()],
    )?;
    if made > 0 {
        tx.execute("UPDATE repositories SET stars = stars + 1 WHERE id = $1", &[repository_id.into()])?;
    }
    Ok(made > 0)
}

/// Takes a star back; tells whether there was one.
pub fn remove(tx: &mut Tx<'_>, user_id: i64, repository_id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM stars WHERE user_id = $1 AND repository_id = $2";
    let gone = tx.execute(sql, &[user_id.into(), repository_id.into()])? > 0;
    if gone {
        tx.execute("UPDATE repositories SET stars = stars - 1 WHERE id = $1", &[repository_id.into()])?;
    }
    Ok(gone)
}

/// Takes every star of a user back.
pub fn remove_all(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    // In the order of their keys: two who do this at once then never wait for each other in a circle.
    let rows =
        tx.query("SELECT repository_id FROM stars WHERE user_id = $1 ORDER BY repository_id", &[user_id.into()])?;
    for mut row in rows {
        remove(tx, user_id, row.int(0)?)?;
    }
    Ok(())
}

/// Lists what a user has starred behind the key `after`: the repository's key and name, and when.
pub fn of_user(tx: &mut Tx<'_>, user_id: i64, after: i64, limit: i64) -> Result<Vec<(i64, String, i64)>, Error> {
    let rows = tx.query(
        "SELECT s.repository_id, r.name, s.created_at FROM stars s JOIN repositories r ON r.id = s.repository_id \
         WHERE s.user_id = $1 AND s.repository_id > $2 ORDER BY s.repository_id LIMIT $3",
        &[user_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.int(0)?, row.text(1)?, row.int(2)?))).collect()
}
