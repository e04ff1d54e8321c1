//! Links that a user is sent: to choose another password, or to show that an address is theirs.

use super::{Error, Tx};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The user it is for.
    pub user_id: i64,
    /// The address it was sent to, where it is about one.
    pub email: Option<String>,
    /// The version of the password when it was made.
    pub password_version: i64,
}

/// Keeps a link; an earlier one of the same kind opens nothing any more.
pub fn replace(
    tx: &mut Tx<'_>,
    kind: &'static str,
    link: &LinkRow,
    secret_hash: [u8; 32],
    now: i64,
    expires_at: i64,
) -> Result<(), Error> {
    tx.execute("DELETE FROM user_links WHERE user_id = $1 AND kind = $2", &[link.user_id.into(), kind.into()])?;
    tx.execute(
        "INSERT INTO user_links (user_id, kind, email, password_version, secret_hash, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            link.user_id.into(),
            kind.into(),
            link.email.clone().into(),
            link.password_version.into(),
            secret_hash.to_vec().into(),
            now.into(),
            expires_at.into(),
        ],
    )?;
    Ok(())
}

/// Finds a link by its secret.
pub fn find(tx: &mut Tx<'_>, kind: &'static str, secret_hash: [u8; 32], now: i64) -> Result<Option<LinkRow>, Error> {
    let row = tx.first(
        "SELECT user_id, email, password_version FROM user_links WHERE secret_hash = $1 AND kind = $2 AND expires_at > $3",
        &[secret_hash.to_vec().into(), kind.into(), now.into()],
    )?;
    row.map(|mut row| Ok(LinkRow { user_id: row.int(0)?, email: row.opt_text(1)?, password_version: row.int(2)? }))
        .transpose()
}

/// Removes a link; tells whether it was there: it opens something once.
pub fn delete(tx: &mut Tx<'_>, secret_hash: [u8; 32]) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM user_links WHERE secret_hash = $1", &[secret_hash.to_vec().into()])? > 0)
}

/// Lists the addresses to which a user was sent links, but for the user's own.
pub fn addresses(tx: &mut Tx<'_>, user_id: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT email FROM user_links WHERE user_id = $1 AND email IS NOT NULL";
    tx.query(sql, &[user_id.into()])?.into_iter().map(|mut row| row.text(0)).collect()
}

/// Removes every link of a user.
pub fn delete_of(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM user_links WHERE user_id = $1", &[user_id.into()])?;
    Ok(())
}

/// Removes the links that have expired.
pub fn expire(tx: &mut Tx<'_>, now: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM user_links WHERE expires_at <= $1", &[now.into()])?;
    Ok(())
}
