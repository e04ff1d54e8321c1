//! The epoch of access: one row that every change of who may do what counts up.

use super::{Error, Tx};

/// Reads the epoch.
pub fn current(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.one("SELECT epoch FROM authz_epoch WHERE id = 1", &[])?.int(0)
}

/// Counts it up: whatever was decided before is decided anew from the commit of this transaction on.
pub fn bump(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("UPDATE authz_epoch SET epoch = epoch + 1 WHERE id = 1", &[])?;
    Ok(())
}

/// Takes the epoch's row for what only one process at a time may do, such as making the first key.
pub fn lock(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.query("SELECT epoch FROM authz_epoch WHERE id = 1 FOR UPDATE", &[])?;
    Ok(())
}
