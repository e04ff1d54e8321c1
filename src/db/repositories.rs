//! Repositories and the namespaces they stand in.

use oci::RepositoryName;

use super::{Error, Tx};

/// Finds a repository's row.
pub fn find(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<i64>, Error> {
    let row = tx.first("SELECT id FROM repositories WHERE name = $1", &[name.as_str().into()])?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Finds a repository's row or makes it, its namespace with it; tells whether it made it.
pub fn ensure(tx: &mut Tx<'_>, name: &RepositoryName, now: i64) -> Result<(i64, bool), Error> {
    if let Some(id) = find(tx, name)? {
        return Ok((id, false));
    }
    tx.execute(
        "INSERT INTO namespaces (name, owner_kind, created_at) VALUES ($1, 'none', $2) ON CONFLICT (name) DO NOTHING",
        &[name.namespace().into(), now.into()],
    )?;
    let made = tx.execute(
        "INSERT INTO repositories (public_id, namespace_id, name, visibility, created_at) \
         SELECT $1, id, $2, visibility, $3 FROM namespaces WHERE name = $4 ON CONFLICT (name) DO NOTHING",
        &[uuid::Uuid::new_v4().to_string().into(), name.as_str().into(), now.into(), name.namespace().into()],
    )?;
    // Another transaction may have made it in between: its row counts as well as ours.
    let id = find(tx, name)?.ok_or_else(|| Error::new(super::Kind::Conflict, "a repository came and went"))?;
    Ok((id, made == 1))
}

/// Sets who may see a repository without a role.
pub fn set_visibility(tx: &mut Tx<'_>, id: i64, visibility: &str) -> Result<(), Error> {
    tx.execute("UPDATE repositories SET visibility = $2 WHERE id = $1", &[id.into(), visibility.into()])?;
    Ok(())
}

/// Lists the names of the repositories of a namespace that were pushed to last.
pub fn latest_of(tx: &mut Tx<'_>, namespace: &str, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT r.name FROM namespaces n JOIN repositories r ON r.namespace_id = n.id \
         WHERE n.name = $1 AND r.pushed_at IS NOT NULL ORDER BY r.pushed_at DESC LIMIT $2",
        &[namespace.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}
