//! Sign-ups: people who have not shown yet that their e-mail address is theirs.

use super::{Error, Tx};

/// A sign-up to keep.
#[derive(Debug)]
pub struct NewSignUp<'a> {
    /// The name that is asked for.
    pub name: &'a str,
    /// The e-mail address, in small letters.
    pub email: &'a str,
    /// What people call the person.
    pub display_name: Option<&'a str>,
    /// The hash of the password.
    pub password_hash: &'a str,
    /// The language of mails.
    pub language: &'a str,
    /// From where it came.
    pub address: Option<&'a str>,
    /// The hash of the link's secret.
    pub secret_hash: [u8; 32],
    /// From when on it is as if it had never been.
    pub expires_at: i64,
}

/// A sign-up.
#[derive(Debug)]
pub struct SignUpRow {
    /// The row's key.
    pub id: i64,
    /// The name that is asked for.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// What people call the person.
    pub display_name: Option<String>,
    /// The hash of the password.
    pub password_hash: String,
    /// The language of mails.
    pub language: String,
}

/// Keeps a sign-up.
pub fn insert(tx: &mut Tx<'_>, new: &NewSignUp<'_>, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sign_ups (name, email, display_name, password_hash, language, address, secret_hash, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            new.name.into(),
            new.email.into(),
            new.display_name.into(),
            new.password_hash.into(),
            new.language.into(),
            new.address.into(),
            new.secret_hash.to_vec().into(),
            now.into(),
            new.expires_at.into(),
        ],
    )?;
    Ok(())
}

/// What the password of a link's sign-up is known by.
pub fn password_hash(tx: &mut Tx<'_>, secret_hash: [u8; 32], now: i64) -> Result<Option<String>, Error> {
    let sql = "SELECT password_hash FROM sign_ups WHERE secret_hash = $1 AND expires_at > $2";
    tx.first(sql, &[secret_hash.to_vec().into(), now.into()])?.map(|mut row| row.text(0)).transpose()
}

/// The name that a link's sign-up asks for.
pub fn name(tx: &mut Tx<'_>, secret_hash: [u8; 32], now: i64) -> Result<Option<String>, Error> {
    let sql = "SELECT name FROM sign_ups WHERE secret_hash = $1 AND expires_at > $2";
    tx.first(sql, &[secret_hash.to_vec().into(), now.into()])?.map(|mut row| row.text(0)).transpose()
}

/// Takes the sign-up of a link, which is used up by it.
pub fn take(tx: &mut Tx<'_>, secret_hash: [u8; 32], now: i64) -> Result<Option<SignUpRow>, Error> {
    let row = tx.first(
        "DELETE FROM sign_ups WHERE secret_hash = $1 AND expires_at > $2 \
         RETURNING id, name, email, display_name, password_hash, language",
        &[secret_hash.to_vec().into(), now.into()],
    )?;
    row.map(|mut row| {
        Ok(SignUpRow {
            id: row.int(0)?,
            name: row.text(1)?,
            email: row.text(2)?,
            display_name: row.opt_text(3)?,
            password_hash: row.text(4)?,
            language: row.text(5)?,
        })
    })
    .transpose()
}

/// Tells whether a name is held by a sign-up.
pub fn holds_name(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    Ok(tx.first("SELECT id FROM sign_ups WHERE name = $1", &[name.into()])?.is_some())
}

/// Removes the sign-up of an address.
pub fn delete_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM sign_ups WHERE email = $1", &[email.into()])?;
    Ok(())
}

/// Removes the sign-ups that have expired.
pub fn expire(tx: &mut Tx<'_>, now: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM sign_ups WHERE expires_at <= $1", &[now.into()])?;
    Ok(())
}

/// Counts the sign-ups from an address, and all of them.
pub fn count(tx: &mut Tx<'_>, address: Option<&str>) -> Result<(i64, i64), Error> {
    let from = tx.one("SELECT COUNT(*) FROM sign_ups WHERE address = $1", &[address.into()])?.int(0)?;
    let all = tx.one("SELECT COUNT(*) FROM sign_ups", &[])?.int(0)?;
    Ok((from, all))
}
