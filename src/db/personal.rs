//! What is held about one person, for its export: by key, in pages.

use super::{Error, Tx};

/// A team that a user is in: its organisation and its name.
pub fn teams(tx: &mut Tx<'_>, user_id: i64) -> Result<Vec<(String, String, i64)>, Error> {
    let rows = tx.query(
        "SELECT n.name, t.name, m.created_at FROM team_members m JOIN teams t ON t.id = m.team_id \
         JOIN namespaces n ON n.id = t.namespace_id WHERE m.user_id = $1 ORDER BY n.name, t.name",
        &[user_id.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?, row.int(2)?))).collect()
}

/// A role that a user holds: its name, what it is about, and since when.
pub fn roles(tx: &mut Tx<'_>, user_id: i64) -> Result<Vec<(String, String, bool, i64)>, Error> {
    let rows = tx.query(
        "SELECT o.name, b.pattern, b.exact, b.created_at FROM role_bindings b JOIN roles o ON o.id = b.role_id \
         WHERE b.user_id = $1 ORDER BY b.id",
        &[user_id.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?, row.bool(2)?, row.int(3)?))).collect()
}

/// A token of a user, without its secret.
#[derive(Debug)]
pub struct HeldToken {
    /// The row's key.
    pub id: i64,
    /// The id that is shown.
    pub public_id: String,
    /// `personal` or `refresh`.
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// When it was made.
    pub created_at: i64,
    /// From when on it proves nothing.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// When it was used last.
    pub last_used_at: Option<i64>,
    /// From where it was used last.
    pub last_used_address: Option<String>,
}

/// Lists the tokens of a user behind the key `after`, those that were revoked among them.
pub fn tokens(tx: &mut Tx<'_>, user_id: i64, after: i64, limit: i64) -> Result<Vec<HeldToken>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, kind, name, created_at, expires_at, revoked_at, last_used_at, last_used_address \
         FROM tokens WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        &[user_id.into(), after.into(), limit.into()],
    )?;
    let held = |mut row: super::Row| {
        Ok(HeldToken {
            id: row.int(0)?,
            public_id: row.text(1)?,
            kind: row.text(2)?,
            name: row.text(3)?,
            created_at: row.int(4)?,
            expires_at: row.opt_int(5)?,
            revoked_at: row.opt_int(6)?,
            last_used_at: row.opt_int(7)?,
            last_used_address: row.opt_text(8)?,
        })
    };
    rows.into_iter().map(held).collect()
}

/// Lists the repositories of a user's namespace behind the name `after`: name, visibility, when it was made.
pub fn repositories(
    tx: &mut Tx<'_>,
    user_id: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, String, i64)>, Error> {
    let rows = tx.query(
        "SELECT r.name, r.visibility, r.created_at FROM namespaces n JOIN repositories r ON r.namespace_id = n.id \
         WHERE n.owner_kind = 'user' AND n.owner_id = $1 AND r.name > $2 ORDER BY r.name LIMIT $3",
        &[user_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| Ok((row.text(0)?, row.text(1)?, row.int(2)?))).collect()
}

/// Something that somebody did, with where from and with which program.
#[derive(Debug)]
pub struct Deed {
    /// The row's key.
    pub id: i64,
    /// When.
    pub at: i64,
    /// What.
    pub kind: String,
    /// In which repository.
    pub repository: Option<String>,
    /// On which tag.
    pub tag: Option<String>,
    /// By which credential.
    pub credential: Option<String>,
    /// In which request.
    pub request_id: String,
    /// From where.
    pub address: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// Particulars, a JSON object.
    pub detail: Option<String>,
}

/// Lists what `actor` did behind the key `after`, the oldest first.
pub fn deeds(tx: &mut Tx<'_>, actor: &str, after: i64, limit: i64) -> Result<Vec<Deed>, Error> {
    let rows = tx.query(
        "SELECT e.id, e.at, e.kind, e.repository, e.tag, e.credential, e.request_id, p.address, p.user_agent, e.detail \
         FROM events e LEFT JOIN event_persons p ON p.event_id = e.id \
         WHERE e.actor = $1 AND e.id > $2 ORDER BY e.id LIMIT $3",
        &[actor.into(), after.into(), limit.into()],
    )?;
    let deed = |mut row: super::Row| {
        Ok(Deed {
            id: row.int(0)?,
            at: row.int(1)?,
            kind: row.text(2)?,
            repository: row.opt_text(3)?,
            tag: row.opt_text(4)?,
            credential: row.opt_text(5)?,
            request_id: row.text(6)?,
            address: row.opt_text(7)?,
            user_agent: row.opt_text(8)?,
            detail: row.opt_text(9)?,
        })
    };
    rows.into_iter().map(deed).collect()
}
