//! Mails to be sent: each a row of the change that it tells of, gone once it was sent.

use super::{Error, Tx};

/// A mail that was taken to be sent.
#[derive(Debug)]
pub struct OutboxRow {
    /// The row's key.
    pub id: i64,
    /// The address it goes to.
    pub recipient: String,
    /// What it says, sealed.
    pub sealed: Vec<u8>,
    /// How often it was taken, this time included.
    pub attempts: i64,
}

/// Has a mail sent.
pub fn insert(tx: &mut Tx<'_>, recipient: &str, sealed: Vec<u8>, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO outbox (recipient, sealed, attempts, created_at, due_at) VALUES ($1, $2, 0, $3, $3)",
        &[recipient.into(), sealed.into(), now.into()],
    )?;
    Ok(())
}

/// Takes the mail that is due first, and keeps it from others until `until`.
pub fn take(tx: &mut Tx<'_>, now: i64, until: i64) -> Result<Option<OutboxRow>, Error> {
    let due = "SELECT id, recipient, sealed, attempts FROM outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1 \
               FOR UPDATE SKIP LOCKED";
    let Some(mut row) = tx.first(due, &[now.into()])? else { return Ok(None) };
    let (id, attempts) = (row.int(0)?, row.int(3)?.saturating_add(1));
    tx.execute(
        "UPDATE outbox SET due_at = $2, attempts = $3 WHERE id = $1",
        &[id.into(), until.into(), attempts.into()],
    )?;
    Ok(Some(OutboxRow { id, recipient: row.text(1)?, sealed: row.bytes(2)?, attempts }))
}

/// Has a mail tried again at `due_at`.
pub fn postpone(tx: &mut Tx<'_>, id: i64, due_at: i64) -> Result<(), Error> {
    tx.execute("UPDATE outbox SET due_at = $2 WHERE id = $1", &[id.into(), due_at.into()])?;
    Ok(())
}

/// Removes a mail.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Removes every mail to an address.
pub fn delete_to(tx: &mut Tx<'_>, recipient: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM outbox WHERE recipient = $1", &[recipient.into()])?;
    Ok(())
}
