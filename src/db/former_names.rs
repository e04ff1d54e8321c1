//! Names that repositories had before. Each leads to its repository until another one is made under it.

use oci::RepositoryName;

use super::{Error, Tx};

/// The name that a repository has now which was called `name` before; nothing where a repository is called so now.
pub fn current(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<String>, Error> {
    // A node of an earlier version makes repositories without taking the name away here.
    let row = tx.first(
        "SELECT r.name FROM former_names f JOIN repositories r ON r.id = f.repository_id WHERE f.name = $1 \
         AND NOT EXISTS (SELECT 1 FROM repositories o WHERE o.name = $1)",
        &[name.as_str().into()],
    )?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Which repository was called so before.
pub fn find(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<i64>, Error> {
    let row = tx.first("SELECT repository_id FROM former_names WHERE name = $1", &[name.as_str().into()])?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Keeps the name that a repository had until now.
pub fn insert(tx: &mut Tx<'_>, name: &RepositoryName, repository_id: i64, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO former_names (name, repository_id, at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET repository_id = excluded.repository_id, at = excluded.at",
        &[name.as_str().into(), repository_id.into(), now.into()],
    )?;
    Ok(())
}

/// Forgets a name: it leads nowhere any more.
pub fn delete(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<(), Error> {
    tx.execute("DELETE FROM former_names WHERE name = $1", &[name.as_str().into()])?;
    Ok(())
}

/// Lists the names that a repository had, the latest first.
pub fn of_repository(tx: &mut Tx<'_>, repository_id: i64, limit: i64) -> Result<Vec<String>, Error> {
    let rows = tx.query(
        "SELECT name FROM former_names WHERE repository_id = $1 ORDER BY at DESC, name LIMIT $2",
        &[repository_id.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// Calls a repository by another name, in this namespace.
pub fn rename(tx: &mut Tx<'_>, id: i64, namespace_id: i64, name: &RepositoryName) -> Result<(), Error> {
    tx.execute(
        "UPDATE repositories SET name = $3, namespace_id = $2 WHERE id = $1",
        &[id.into(), namespace_id.into(), name.as_str().into()],
    )?;
    Ok(())
}
