//! Sign-ins of browsers.

use super::{Error, Row, Tx};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The row's key.
    pub id: i64,
    /// The id that is shown.
    pub public_id: String,
    /// Whose it is.
    pub user_id: i64,
    /// `pending` or `full`.
    pub state: String,
    /// The version of the password that it was made with.
    pub password_version: i64,
    /// When it began.
    pub created_at: i64,
    /// When password, and second factor, were shown last.
    pub proved_at: i64,
    /// When it was used last, to the minute.
    pub last_seen_at: i64,
    /// When it ends, however much it is used.
    pub expires_at: i64,
    /// From where it was used last.
    pub address: Option<String>,
    /// The program that used it last, as it names itself.
    pub user_agent: Option<String>,
}

impl SessionRow {
    /// Whether the second factor is still to be shown.
    pub fn is_pending(&self) -> bool {
        self.state != "full"
    }
}

fn session(mut row: Row) -> Result<SessionRow, Error> {
    Ok(SessionRow {
        id: row.int(0)?,
        public_id: row.text(1)?,
        user_id: row.int(2)?,
        state: row.text(3)?,
        password_version: row.int(4)?,
        created_at: row.int(5)?,
        proved_at: row.int(6)?,
        last_seen_at: row.int(7)?,
        expires_at: row.int(8)?,
        address: row.opt_text(9)?,
        user_agent: row.opt_text(10)?,
    })
}

/// A session to begin.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose it is.
    pub user_id: i64,
    /// The hash of its secret.
    pub secret_hash: [u8; 32],
    /// Whether the second factor is still to be shown.
    pub pending: bool,
    /// The version of the password.
    pub password_version: i64,
    /// When it ends.
    pub expires_at: i64,
    /// From where it is begun.
    pub address: Option<&'a str>,
    /// The program that begins it.
    pub user_agent: Option<&'a str>,
}

fn state(pending: bool) -> &'static str {
    if pending { "pending" } else { "full" }
}

/// Begins a session; returns its public id.
pub fn insert(tx: &mut Tx<'_>, new: &NewSession<'_>, now: i64) -> Result<String, Error> {
    let public_id = uuid::Uuid::new_v4().to_string();
    tx.execute(
        "INSERT INTO sessions (public_id, user_id, secret_hash, state, password_version, created_at, proved_at, \
         last_seen_at, expires_at, address, user_agent) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8, $9)",
        &[
            public_id.as_str().into(),
            new.user_id.into(),
            new.secret_hash.to_vec().into(),
            state(new.pending).into(),
            new.password_version.into(),
            now.into(),
            new.expires_at.into(),
            new.address.into(),
            new.user_agent.into(),
        ],
    )?;
    Ok(public_id)
}

/// Finds a session by the hash of its secret.
pub fn by_secret(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<SessionRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, user_id, state, password_version, created_at, proved_at, last_seen_at, expires_at, \
         address, user_agent FROM sessions WHERE secret_hash = $1",
        &[hash.to_vec().into()],
    )?;
    row.map(session).transpose()
}

/// Finds a session by its public id.
pub fn by_public_id(tx: &mut Tx<'_>, public_id: &str) -> Result<Option<SessionRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, user_id, state, password_version, created_at, proved_at, last_seen_at, expires_at, \
         address, user_agent FROM sessions WHERE public_id = $1",
        &[public_id.into()],
    )?;
    row.map(session).transpose()
}

/// Lists a user's sessions, the oldest first.
pub fn of_user(tx: &mut Tx<'_>, user_id: i64) -> Result<Vec<SessionRow>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, user_id, state, password_version, created_at, proved_at, last_seen_at, expires_at, \
         address, user_agent FROM sessions WHERE user_id = $1 ORDER BY id",
        &[user_id.into()],
    )?;
    rows.into_iter().map(session).collect()
}

/// Notes that password and second factor were shown once more, under another secret; the earlier one opens nothing.
pub fn renew(
    tx: &mut Tx<'_>,
    id: i64,
    secret_hash: &[u8; 32],
    pending: bool,
    password_version: i64,
    now: i64,
) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE sessions SET secret_hash = $2, state = $3, password_version = $4, proved_at = $5, last_seen_at = $5 \
         WHERE id = $1",
        &[id.into(), secret_hash.to_vec().into(), state(pending).into(), password_version.into(), now.into()],
    )?;
    Ok(changed > 0)
}

/// Has a session go on under another version of the password.
pub fn carry_over(tx: &mut Tx<'_>, id: i64, password_version: i64) -> Result<(), Error> {
    let sql = "UPDATE sessions SET password_version = $2 WHERE id = $1";
    tx.execute(sql, &[id.into(), password_version.into()])?;
    Ok(())
}

/// Notes when and from where a session was used.
pub fn seen(tx: &mut Tx<'_>, id: i64, address: Option<&str>, user_agent: Option<&str>, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE sessions SET last_seen_at = $2, address = $3, user_agent = $4 WHERE id = $1",
        &[id.into(), now.into(), address.into(), user_agent.into()],
    )?;
    Ok(())
}

/// Ends a session; tells whether there was one.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM sessions WHERE id = $1", &[id.into()])? > 0)
}

/// Ends the sessions of a user but for one, 0 for none; tells how many.
pub fn delete_of(tx: &mut Tx<'_>, user_id: i64, but: i64) -> Result<u64, Error> {
    tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", &[user_id.into(), but.into()])
}

/// Ends the sessions of a user that are pending, or full, but for the `keep` that were proved last.
pub fn prune(tx: &mut Tx<'_>, user_id: i64, pending: bool, keep: i64) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM sessions WHERE user_id = $1 AND state = $2 AND id NOT IN \
         (SELECT s.id FROM sessions s WHERE s.user_id = $1 AND s.state = $2 ORDER BY s.proved_at DESC, s.id DESC \
         LIMIT $3)",
        &[user_id.into(), state(pending).into(), keep.into()],
    )?;
    Ok(())
}

/// Removes sessions that ended by `now`, or were not used since `unused_since`, at most `limit` of each; tells how many.
pub fn expire(tx: &mut Tx<'_>, unused_since: i64, now: i64, limit: i64) -> Result<u64, Error> {
    let unused = tx.execute(
        "DELETE FROM sessions WHERE id IN \
         (SELECT s.id FROM sessions s WHERE s.last_seen_at <= $1 ORDER BY s.last_seen_at LIMIT $2)",
        &[unused_since.into(), limit.into()],
    )?;
    let over = tx.execute(
        "DELETE FROM sessions WHERE id IN \
         (SELECT s.id FROM sessions s WHERE s.expires_at <= $1 ORDER BY s.expires_at LIMIT $2)",
        &[now.into(), limit.into()],
    )?;
    Ok(unused + over)
}
