//! Tokens: personal ones, the secrets of robots, and the refresh tokens that clients keep.

use super::{Error, Row, Tx};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// The row's key.
    pub id: i64,
    /// The id that is shown.
    pub public_id: String,
    /// `personal`, `robot` or `refresh`.
    pub kind: String,
    /// The user it speaks for.
    pub user_id: Option<i64>,
    /// The robot it speaks for.
    pub robot_id: Option<i64>,
    /// What it is called.
    pub name: String,
    /// How far it reaches, as a sum of bits.
    pub permissions: i64,
    /// The token it was made from.
    pub parent_id: Option<i64>,
    /// The version of the password it was made from.
    pub password_version: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// From when on it proves nothing.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<i64>,
    /// From where it was used last.
    pub last_used_address: Option<String>,
    /// Whether the token it was made from holds no longer.
    pub parent_over: bool,
}

impl TokenRow {
    /// Whether it holds at this time, as far as its own row and its parent's tell.
    pub fn holds(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires| now < expires) && !self.parent_over
    }
}

fn token(mut row: Row, now: i64) -> Result<TokenRow, Error> {
    let (revoked, expires) = (row.opt_int(13)?, row.opt_int(14)?);
    Ok(TokenRow {
        id: row.int(0)?,
        public_id: row.text(1)?,
        kind: row.text(2)?,
        user_id: row.opt_int(3)?,
        robot_id: row.opt_int(4)?,
        name: row.text(5)?,
        permissions: row.int(6)?,
        password_version: row.opt_int(7)?,
        created_at: row.int(8)?,
        expires_at: row.opt_int(9)?,
        revoked_at: row.opt_int(10)?,
        last_used_at: row.opt_int(11)?,
        last_used_address: row.opt_text(12)?,
        parent_id: row.opt_int(15)?,
        parent_over: revoked.is_some() || expires.is_some_and(|expires| expires <= now),
    })
}

/// Finds a token by the hash of its secret.
pub fn by_secret(tx: &mut Tx<'_>, hash: &[u8; 32], now: i64) -> Result<Option<TokenRow>, Error> {
    let row = tx.first(
        "SELECT t.id, t.public_id, t.kind, t.user_id, t.robot_id, t.name, t.permissions, t.password_version, \
         t.created_at, t.expires_at, t.revoked_at, t.last_used_at, t.last_used_address, p.revoked_at, p.expires_at, \
         t.parent_id FROM tokens t LEFT JOIN tokens p ON p.id = t.parent_id \
         WHERE t.secret_hash = $1",
        &[hash.to_vec().into()],
    )?;
    row.map(|row| token(row, now)).transpose()
}

/// Finds a token by its public id.
pub fn by_public_id(tx: &mut Tx<'_>, public_id: &str, now: i64) -> Result<Option<TokenRow>, Error> {
    let row = tx.first(
        "SELECT t.id, t.public_id, t.kind, t.user_id, t.robot_id, t.name, t.permissions, t.password_version, \
         t.created_at, t.expires_at, t.revoked_at, t.last_used_at, t.last_used_address, p.revoked_at, p.expires_at, \
         t.parent_id FROM tokens t LEFT JOIN tokens p ON p.id = t.parent_id \
         WHERE t.public_id = $1",
        &[public_id.into()],
    )?;
    row.map(|row| token(row, now)).transpose()
}

/// Lists a user's personal tokens that were not revoked, the oldest first.
pub fn of_user(tx: &mut Tx<'_>, user_id: i64, now: i64) -> Result<Vec<TokenRow>, Error> {
    let rows = tx.query(
        "SELECT t.id, t.public_id, t.kind, t.user_id, t.robot_id, t.name, t.permissions, t.password_version, \
         t.created_at, t.expires_at, t.revoked_at, t.last_used_at, t.last_used_address, p.revoked_at, p.expires_at, \
         t.parent_id FROM tokens t LEFT JOIN tokens p ON p.id = t.parent_id \
         WHERE t.user_id = $1 AND t.kind = 'personal' AND t.revoked_at IS NULL ORDER BY t.id",
        &[user_id.into()],
    )?;
    rows.into_iter().map(|row| token(row, now)).collect()
}

/// Lists a robot's secrets that were not revoked, the oldest first.
pub fn of_robot(tx: &mut Tx<'_>, robot_id: i64, now: i64) -> Result<Vec<TokenRow>, Error> {
    let rows = tx.query(
        "SELECT t.id, t.public_id, t.kind, t.user_id, t.robot_id, t.name, t.permissions, t.password_version, \
         t.created_at, t.expires_at, t.revoked_at, t.last_used_at, t.last_used_address, p.revoked_at, p.expires_at, \
         t.parent_id FROM tokens t LEFT JOIN tokens p ON p.id = t.parent_id \
         WHERE t.robot_id = $1 AND t.kind = 'robot' AND t.revoked_at IS NULL ORDER BY t.id",
        &[robot_id.into()],
    )?;
    rows.into_iter().map(|row| token(row, now)).collect()
}

/// A token to keep.
#[derive(Debug, Default)]
pub struct NewToken<'a> {
    /// `personal`, `robot` or `refresh`.
    pub kind: &'static str,
    /// The user it speaks for.
    pub user_id: Option<i64>,
    /// The robot it speaks for.
    pub robot_id: Option<i64>,
    /// The token it was made from.
    pub parent_id: Option<i64>,
    /// The version of the password it was made from.
    pub password_version: Option<i64>,
    /// What it is called.
    pub name: &'a str,
    /// The hash of its secret.
    pub secret_hash: [u8; 32],
    /// How far it reaches, as a sum of bits.
    pub permissions: i64,
    /// From when on it proves nothing.
    pub expires_at: Option<i64>,
}

/// Keeps a token; returns its key and its public id.
pub fn insert(tx: &mut Tx<'_>, new: &NewToken<'_>, now: i64) -> Result<(i64, String), Error> {
    let public_id = uuid::Uuid::new_v4().to_string();
    let mut row = tx.one(
        "INSERT INTO tokens (public_id, kind, user_id, robot_id, parent_id, password_version, name, secret_hash, \
         permissions, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
        &[
            public_id.as_str().into(),
            new.kind.into(),
            new.user_id.into(),
            new.robot_id.into(),
            new.parent_id.into(),
            new.password_version.into(),
            new.name.into(),
            new.secret_hash.to_vec().into(),
            new.permissions.into(),
            now.into(),
            new.expires_at.into(),
        ],
    )?;
    Ok((row.int(0)?, public_id))
}

/// Keeps a token to what `pattern` is about; several together are all that it is about.
pub fn limit(tx: &mut Tx<'_>, token_id: i64, pattern: &str, exact: bool) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO token_limits (token_id, pattern, exact) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        &[token_id.into(), pattern.into(), exact.into()],
    )?;
    Ok(())
}

/// Lists what a token is about; nothing stands for everything.
pub fn limits(tx: &mut Tx<'_>, token_id: i64) -> Result<Vec<(String, bool)>, Error> {
    let sql = "SELECT pattern, exact FROM token_limits WHERE token_id = $1 ORDER BY pattern, exact";
    let rows = tx.query(sql, &[token_id.into()])?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.bool(1)?))).collect()
}

/// Revokes a token; tells whether it was not yet.
pub fn revoke(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<bool, Error> {
    let sql = "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.execute(sql, &[id.into(), now.into()])? > 0)
}

/// Revokes every token of a user.
pub fn revoke_all(tx: &mut Tx<'_>, user_id: i64, now: i64) -> Result<(), Error> {
    let sql = "UPDATE tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL";
    tx.execute(sql, &[user_id.into(), now.into()])?;
    Ok(())
}

/// Forgets what a user called the tokens and from where they were used; all are revoked.
pub fn forget_all(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    let sql = "UPDATE tokens SET name = 'erased', last_used_address = NULL WHERE user_id = $1";
    tx.execute(sql, &[user_id.into()])?;
    Ok(())
}

/// Records when and from where a token was used.
pub fn used(tx: &mut Tx<'_>, id: i64, address: Option<&str>, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE tokens SET last_used_at = $2, last_used_address = $3 WHERE id = $1 AND revoked_at IS NULL",
        &[id.into(), now.into(), address.into()],
    )?;
    Ok(())
}

/// Removes the refresh tokens that a user has from one credential but for the latest `keep`: from the token `parent_id`, or
/// from the password.
pub fn prune_of_user(tx: &mut Tx<'_>, user_id: i64, parent_id: Option<i64>, keep: i64) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM tokens WHERE user_id = $1 AND kind = 'refresh' AND COALESCE(parent_id, 0) = $2 AND id NOT IN \
         (SELECT t.id FROM tokens t WHERE t.user_id = $1 AND t.kind = 'refresh' AND COALESCE(t.parent_id, 0) = $2 \
         ORDER BY t.id DESC LIMIT $3)",
        &[user_id.into(), parent_id.unwrap_or_default().into(), keep.into()],
    )?;
    Ok(())
}

/// Removes the refresh tokens that a robot has from one of its secrets but for the latest `keep`.
pub fn prune_of_robot(tx: &mut Tx<'_>, robot_id: i64, parent_id: Option<i64>, keep: i64) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM tokens WHERE robot_id = $1 AND kind = 'refresh' AND COALESCE(parent_id, 0) = $2 AND id NOT IN \
         (SELECT t.id FROM tokens t WHERE t.robot_id = $1 AND t.kind = 'refresh' AND COALESCE(t.parent_id, 0) = $2 \
         ORDER BY t.id DESC LIMIT $3)",
        &[robot_id.into(), parent_id.unwrap_or_default().into(), keep.into()],
    )?;
    Ok(())
}
