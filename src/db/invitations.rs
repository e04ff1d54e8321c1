//! Invitations: to an account, to a role in an organisation, or to both.

use super::{Error, Row, Tx};

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationRow {
    /// The row's key.
    pub id: i64,
    /// The id that is shown.
    pub public_id: String,
    /// The address that was invited.
    pub email: String,
    /// The name that was chosen for the account.
    pub name: Option<String>,
    /// The organisation in which a role is given.
    pub organisation: Option<String>,
    /// That role.
    pub role: Option<String>,
    /// The user who invited; none where an operator did.
    pub invited_by: Option<i64>,
    /// When it was made.
    pub created_at: i64,
    /// From when on it cannot be accepted.
    pub expires_at: i64,
}

fn invitation(mut row: Row) -> Result<InvitationRow, Error> {
    Ok(InvitationRow {
        id: row.int(0)?,
        public_id: row.text(1)?,
        email: row.text(2)?,
        name: row.opt_text(3)?,
        organisation: row.opt_text(4)?,
        role: row.opt_text(5)?,
        invited_by: row.opt_int(6)?,
        created_at: row.int(7)?,
        expires_at: row.int(8)?,
    })
}

/// Keeps an invitation, whose `id` and `public_id` are made here; returns the public id.
pub fn insert(tx: &mut Tx<'_>, new: &InvitationRow, secret_hash: [u8; 32]) -> Result<String, Error> {
    let public_id = uuid::Uuid::new_v4().to_string();
    tx.execute(
        "INSERT INTO invitations (public_id, email, name, organisation, role, invited_by, secret_hash, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            public_id.as_str().into(),
            new.email.as_str().into(),
            new.name.clone().into(),
            new.organisation.clone().into(),
            new.role.clone().into(),
            new.invited_by.into(),
            secret_hash.to_vec().into(),
            new.created_at.into(),
            new.expires_at.into(),
        ],
    )?;
    Ok(public_id)
}

/// Takes the invitation of a link, which is used up by it.
pub fn take(tx: &mut Tx<'_>, secret_hash: [u8; 32], now: i64) -> Result<Option<InvitationRow>, Error> {
    let row = tx.first(
        "DELETE FROM invitations WHERE secret_hash = $1 AND expires_at > $2 RETURNING id, public_id, email, name, \
         organisation, role, invited_by, created_at, expires_at",
        &[secret_hash.to_vec().into(), now.into()],
    )?;
    row.map(invitation).transpose()
}

/// Finds the invitation of a link.
pub fn by_secret(tx: &mut Tx<'_>, secret_hash: [u8; 32], now: i64) -> Result<Option<InvitationRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, email, name, organisation, role, invited_by, created_at, expires_at FROM invitations \
         WHERE secret_hash = $1 AND expires_at > $2",
        &[secret_hash.to_vec().into(), now.into()],
    )?;
    row.map(invitation).transpose()
}

/// Finds an invitation by its public id.
pub fn by_public_id(tx: &mut Tx<'_>, public_id: &str) -> Result<Option<InvitationRow>, Error> {
    let row = tx.first(
        "SELECT id, public_id, email, name, organisation, role, invited_by, created_at, expires_at FROM invitations \
         WHERE public_id = $1",
        &[public_id.into()],
    )?;
    row.map(invitation).transpose()
}

/// Lists invitations behind the key `after`, the oldest first.
pub fn list(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<InvitationRow>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, email, name, organisation, role, invited_by, created_at, expires_at FROM invitations \
         WHERE id > $1 ORDER BY id LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter().map(invitation).collect()
}

/// Lists the invitations to an organisation behind the key `after`, the oldest first.
pub fn list_of(tx: &mut Tx<'_>, organisation: &str, after: i64, limit: i64) -> Result<Vec<InvitationRow>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, email, name, organisation, role, invited_by, created_at, expires_at FROM invitations \
         WHERE organisation = $1 AND id > $2 ORDER BY id LIMIT $3",
        &[organisation.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(invitation).collect()
}

/// Lists what an address was invited to.
pub fn of_email(tx: &mut Tx<'_>, email: &str) -> Result<Vec<InvitationRow>, Error> {
    let rows = tx.query(
        "SELECT id, public_id, email, name, organisation, role, invited_by, created_at, expires_at FROM invitations \
         WHERE email = $1 ORDER BY id",
        &[email.into()],
    )?;
    rows.into_iter().map(invitation).collect()
}

/// Removes an invitation.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM invitations WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Removes the invitations of an address.
pub fn delete_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM invitations WHERE email = $1", &[email.into()])?;
    Ok(())
}

/// Removes the invitations that have expired.
pub fn expire(tx: &mut Tx<'_>, now: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM invitations WHERE expires_at <= $1", &[now.into()])?;
    Ok(())
}
