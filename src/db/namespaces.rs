//! Namespaces: the names that users and organisations share.

use super::{Error, Row, Tx};

/// A namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceRow {
    /// The row's key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whose it is: `none`, `user`, `organisation` or `retired`.
    pub owner_kind: String,
    /// The user, where it is a user's.
    pub owner_id: Option<i64>,
    /// What repositories made in it begin with.
    pub visibility: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// Whether users need a second factor for what they hold there.
    pub require_second_factor: bool,
    /// What it is, in a line.
    pub description: Option<String>,
    /// Whether administrators have marked it as official.
    pub official: bool,
    /// Whether administrators have marked it as verified.
    pub verified: bool,
}

pub(super) fn namespace(mut row: Row) -> Result<NamespaceRow, Error> {
    Ok(NamespaceRow {
        id: row.int(0)?,
        name: row.text(1)?,
        owner_kind: row.text(2)?,
        owner_id: row.opt_int(3)?,
        visibility: row.text(4)?,
        display_name: row.opt_text(5)?,
        require_second_factor: row.bool(6)?,
        description: row.opt_text(7)?,
        official: row.bool(8)?,
        verified: row.bool(9)?,
    })
}

/// Finds a namespace.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<NamespaceRow>, Error> {
    let row = tx.first(
        "SELECT id, name, owner_kind, owner_id, visibility, display_name, require_second_factor, description, official, \
         verified FROM namespaces \
         WHERE name = $1",
        &[name.into()],
    )?;
    row.map(namespace).transpose()
}

/// Makes a namespace; nothing when its name is taken, or was ever used.
pub fn insert(
    tx: &mut Tx<'_>,
    name: &str,
    owner_kind: &'static str,
    owner_id: Option<i64>,
    display_name: Option<&str>,
    now: i64,
) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "INSERT INTO namespaces (name, owner_kind, owner_id, display_name, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO NOTHING RETURNING id",
        &[name.into(), owner_kind.into(), owner_id.into(), display_name.into(), now.into()],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Gives a namespace another owner.
pub fn set_owner(tx: &mut Tx<'_>, id: i64, owner_kind: &'static str, owner_id: Option<i64>) -> Result<(), Error> {
    tx.execute(
        "UPDATE namespaces SET owner_kind = $2, owner_id = $3 WHERE id = $1",
        &[id.into(), owner_kind.into(), owner_id.into()],
    )?;
    Ok(())
}

/// Sets what people call a namespace.
pub fn set_display_name(tx: &mut Tx<'_>, id: i64, display_name: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE namespaces SET display_name = $2 WHERE id = $1", &[id.into(), display_name.into()])?;
    Ok(())
}

/// Sets what a namespace is, in a line.
pub fn set_description(tx: &mut Tx<'_>, id: i64, description: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE namespaces SET description = $2 WHERE id = $1", &[id.into(), description.into()])?;
    Ok(())
}

/// Sets the marks that administrators give.
pub fn set_marks(tx: &mut Tx<'_>, id: i64, official: bool, verified: bool) -> Result<(), Error> {
    let params = [id.into(), official.into(), verified.into()];
    tx.execute("UPDATE namespaces SET official = $2, verified = $3 WHERE id = $1", &params)?;
    Ok(())
}

/// Has users need a second factor for what they hold in a namespace, or no longer.
pub fn set_require_second_factor(tx: &mut Tx<'_>, id: i64, on: bool) -> Result<(), Error> {
    tx.execute("UPDATE namespaces SET require_second_factor = $2 WHERE id = $1", &[id.into(), on.into()])?;
    Ok(())
}

/// Leaves a namespace to administrators alone: nobody holds a role in it, no robot acts for it, and nothing in it is seen.
/// Its name stays taken.
pub fn retire(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute(
        "UPDATE namespaces SET owner_kind = 'retired', owner_id = NULL, visibility = 'private' WHERE id = $1",
        &[id.into()],
    )?;
    tx.execute("UPDATE repositories SET visibility = 'private' WHERE namespace_id = $1", &[id.into()])?;
    tx.execute("DELETE FROM role_bindings WHERE namespace_id = $1", &[id.into()])?;
    tx.execute("UPDATE robots SET disabled = $2 WHERE namespace_id = $1", &[id.into(), true.into()])?;
    Ok(())
}

/// Sets what repositories made in a namespace begin with.
pub fn set_visibility(tx: &mut Tx<'_>, id: i64, visibility: &str) -> Result<(), Error> {
    tx.execute("UPDATE namespaces SET visibility = $2 WHERE id = $1", &[id.into(), visibility.into()])?;
    Ok(())
}

/// Lists namespaces behind `after`, in ASCII order; with `kind`, only those of that kind of owner.
pub fn list(tx: &mut Tx<'_>, kind: Option<&str>, after: &str, limit: i64) -> Result<Vec<NamespaceRow>, Error> {
    let rows = tx.query(
        "SELECT id, name, owner_kind, owner_id, visibility, display_name, require_second_factor, description, official, \
         verified FROM namespaces \
         WHERE name > $1 AND ($2 = '' OR owner_kind = $2) ORDER BY name LIMIT $3",
        &[after.into(), kind.unwrap_or_default().into(), limit.into()],
    )?;
    rows.into_iter().map(namespace).collect()
}
