//! Users.

use super::{Error, Row, Tx};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The row's key.
    pub id: i64,
    /// The id that is shown, and that outlives a change of name.
    pub public_id: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// What people call the user.
    pub display_name: Option<String>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// `active`, `deactivated` or `erased`.
    pub state: String,
    /// The Argon2id hash of the password; none when there is no password.
    pub password_hash: Option<String>,
    /// Grows with every change of the password.
    pub password_version: i64,
    /// When it was made.
    pub created_at: i64,
    /// Whether a one-time password has to be shown with the password.
    pub second_factor: bool,
}

impl UserRow {
    /// Whether the user may sign in.
    pub fn is_active(&self) -> bool {
        self.state == "active"
    }
}

fn user(mut row: Row) -> Result<UserRow, Error> {
    Ok(UserRow {
        id: row.int(0)?,
        public_id: row.text(1)?,
        name: row.text(2)?,
        email: row.opt_text(3)?,
        display_name: row.opt_text(4)?,
        admin: row.bool(5)?,
        state: row.text(6)?,
        password_hash: row.opt_text(7)?,
        password_version: row.int(8)?,
        created_at: row.int(9)?,
        second_factor: row.bool(10)?,
    })
}

/// A user to make.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name, which its namespace has too.
    pub name: &'a str,
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// What people call the user.
    pub display_name: Option<&'a str>,
    /// Whether the user administers the instance.
    pub admin: bool,
    /// The hash of the password.
    pub password_hash: Option<&'a str>,
}

/// Makes a user; returns the row's key and the public id.
pub fn insert(tx: &mut Tx<'_>, new: &NewUser<'_>, now: i64) -> Result<(i64, String), Error> {
    let public_id = uuid::Uuid::new_v4().to_string();
    let mut row = tx.one(
        "INSERT INTO users (public_id, name, email, display_name, admin, state, password_hash, password_version, \
         created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'active', $6, 1, $7, $7) RETURNING id",
        &[
            public_id.as_str().into(),
            new.name.into(),
            new.email.into(),
            new.display_name.into(),
            new.admin.into(),
            new.password_hash.into(),
            now.into(),
        ],
    )?;
    let id = row.int(0)?;
    // Who makes users either was told the address by its owner or sent a link to it.
    tx.execute(
        "UPDATE users SET email_verified_at = $2 WHERE id = $1 AND email IS NOT NULL",
        &[id.into(), now.into()],
    )?;
    Ok((id, public_id))
}

/// Finds a user by the row's key.
pub fn by_id(tx: &mut Tx<'_>, id: i64) -> Result<Option<UserRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, name, email, display_name, admin, state, password_hash, password_version, created_at, \
         second_factor FROM users WHERE id = $1",
        &[id.into()],
    )?;
    row.map(user).transpose()
}

/// Finds a user by e-mail address.
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<UserRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, name, email, display_name, admin, state, password_hash, password_version, created_at, \
         second_factor FROM users WHERE email = $1",
        &[email.into()],
    )?;
    row.map(user).transpose()
}

/// The language of a user's mails, and when the e-mail address was shown to be the user's.
pub fn mail_facts(tx: &mut Tx<'_>, id: i64) -> Result<(Option<String>, Option<i64>), Error> {
    let row = tx.first("SELECT language, email_verified_at FROM users WHERE id = $1", &[id.into()])?;
    row.map_or(Ok((None, None)), |mut row| Ok((row.opt_text(0)?, row.opt_int(1)?)))
}

/// Sets the language of a user's mails.
pub fn set_language(tx: &mut Tx<'_>, id: i64, language: &str) -> Result<(), Error> {
    tx.execute("UPDATE users SET language = $2 WHERE id = $1", &[id.into(), language.into()])?;
    Ok(())
}

/// Gives a user another e-mail address, which was shown to be the user's.
pub fn set_email(tx: &mut Tx<'_>, id: i64, email: &str, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET email = $2, email_verified_at = $3, updated_at = $3 WHERE id = $1",
        &[id.into(), email.into(), now.into()],
    )?;
    Ok(())
}

/// Finds a user by name.
pub fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<UserRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, name, email, display_name, admin, state, password_hash, password_version, created_at, \
         second_factor FROM users WHERE name = $1",
        &[name.into()],
    )?;
    row.map(user).transpose()
}

/// Finds a user by the public id.
pub fn by_public_id(tx: &mut Tx<'_>, public_id: &str) -> Result<Option<UserRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, name, email, display_name, admin, state, password_hash, password_version, created_at, \
         second_factor FROM users WHERE public_id = $1",
        &[public_id.into()],
    )?;
    row.map(user).transpose()
}

/// The public id of a user's row.
pub fn public_id(tx: &mut Tx<'_>, id: i64) -> Result<Option<String>, Error> {
    let row = tx.first("SELECT public_id FROM users WHERE id = $1", &[id.into()])?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Tells whether an e-mail address is a user's.
pub fn email_is_taken(tx: &mut Tx<'_>, email: &str) -> Result<bool, Error> {
    Ok(tx.first("SELECT id FROM users WHERE email = $1", &[email.into()])?.is_some())
}

/// Lists users behind `after`, in ASCII order of their names.
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<UserRow>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, name, email, display_name, admin, state, password_hash, password_version, created_at, \
         second_factor FROM users WHERE name > $1 AND state <> 'erased' ORDER BY name LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter().map(user).collect()
}

/// Tells whether there is any user.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.first("SELECT id FROM users LIMIT 1", &[])?.is_some())
}

/// Counts the active administrators but for one user.
pub fn other_admins(tx: &mut Tx<'_>, id: i64) -> Result<i64, Error> {
    tx.one("SELECT COUNT(*) FROM users WHERE admin = $2 AND state = 'active' AND id <> $1", &[id.into(), true.into()])?
        .int(0)
}

/// Changes the password; what an earlier one proved proves nothing any more. Returns its version.
pub fn set_password(tx: &mut Tx<'_>, id: i64, hash: &str, now: i64) -> Result<i64, Error> {
    let mut row = tx.one(
        "UPDATE users SET password_hash = $2, password_version = password_version + 1, updated_at = $3 WHERE id = $1 \
         RETURNING password_version",
        &[id.into(), hash.into(), now.into()],
    )?;
    row.int(0)
}

/// Has a second factor asked for, or no longer; what the password alone proved before proves nothing any more. Returns the
/// new version of the password.
pub fn set_second_factor(tx: &mut Tx<'_>, id: i64, on: bool, now: i64) -> Result<i64, Error> {
    let mut row = tx.one(
        "UPDATE users SET second_factor = $2, password_version = password_version + 1, updated_at = $3 WHERE id = $1 \
         RETURNING password_version",
        &[id.into(), on.into(), now.into()],
    )?;
    row.int(0)
}

/// Changes what people call a user.
pub fn set_display_name(tx: &mut Tx<'_>, id: i64, display_name: Option<&str>, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET display_name = $2, updated_at = $3 WHERE id = $1",
        &[id.into(), display_name.into(), now.into()],
    )?;
    Ok(())
}

/// Changes the state.
pub fn set_state(tx: &mut Tx<'_>, id: i64, state: &'static str, now: i64) -> Result<(), Error> {
    tx.execute("UPDATE users SET state = $2, updated_at = $3 WHERE id = $1", &[id.into(), state.into(), now.into()])?;
    Ok(())
}

/// Makes a user an administrator, or no longer one.
pub fn set_admin(tx: &mut Tx<'_>, id: i64, admin: bool, now: i64) -> Result<(), Error> {
    tx.execute("UPDATE users SET admin = $2, updated_at = $3 WHERE id = $1", &[id.into(), admin.into(), now.into()])?;
    Ok(())
}

/// Removes what is known of a person; the row stays, for others refer to it.
pub fn erase(tx: &mut Tx<'_>, id: i64, now: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET state = 'erased', name = 'erased+' || public_id, email = NULL, email_verified_at = NULL, language = NULL, display_name = NULL, \
         password_hash = NULL, password_version = password_version + 1, admin = $3, second_factor = $3, updated_at = $2 WHERE id = $1",
        &[id.into(), now.into(), false.into()],
    )?;
    Ok(())
}
