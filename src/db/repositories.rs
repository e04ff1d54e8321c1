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
        "INSERT INTO repositories (public_id, namespace_id, name, created_at) \
         SELECT $1, id, $2, $3 FROM namespaces WHERE name = $4 ON CONFLICT (name) DO NOTHING",
        &[uuid::Uuid::new_v4().to_string().into(), name.as_str().into(), now.into(), name.namespace().into()],
    )?;
    // Another transaction may have made it in between: its row counts as well as ours.
    let id = find(tx, name)?.ok_or_else(|| Error::new(super::Kind::Conflict, "a repository came and went"))?;
    Ok((id, made == 1))
}

/// Lists the names of repositories that hold a manifest, in ASCII order behind `after`.
pub fn list(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT r.name FROM repositories r WHERE r.name > $1 \
         AND EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) ORDER BY r.name LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}
