//! Repositories and the namespaces they stand in.

use oci::RepositoryName;

use super::{Error, Tx, former_names};

/// Finds a repository's row.
pub fn find(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<i64>, Error> {
    let row = tx.first("SELECT id FROM repositories WHERE name = $1", &[name.as_str().into()])?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Finds a repository's row and keeps it, and its name, until the transaction ends.
fn hold(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<i64>, Error> {
    let row = tx.first("SELECT id FROM repositories WHERE name = $1 FOR KEY SHARE", &[name.as_str().into()])?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Makes a namespace that belongs to nobody, unless there is one of that name.
pub fn ensure_namespace(tx: &mut Tx<'_>, name: &str, now: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO namespaces (name, owner_kind, created_at) VALUES ($1, 'none', $2) ON CONFLICT (name) DO NOTHING",
        &[name.into(), now.into()],
    )?;
    Ok(())
}

/// Finds a repository's row or makes it, its namespace with it; tells whether it made it. Neither its removal nor another
/// name for it comes between.
pub fn ensure(tx: &mut Tx<'_>, name: &RepositoryName, now: i64) -> Result<(i64, bool), Error> {
    if let Some(id) = hold(tx, name)? {
        return Ok((id, false));
    }
    ensure_namespace(tx, name.namespace(), now)?;
    let made = tx.execute(
        "INSERT INTO repositories (public_id, namespace_id, name, visibility, created_at) \
         SELECT $1, id, $2, visibility, $3 FROM namespaces WHERE name = $4 ON CONFLICT (name) DO NOTHING",
        &[uuid::Uuid::new_v4().to_string().into(), name.as_str().into(), now.into(), name.namespace().into()],
    )?;
    // Another transaction may have made it in between: its row counts as well as ours.
    let id = hold(tx, name)?.ok_or_else(|| Error::new(super::Kind::Conflict, "a repository came and went"))?;
    // Who asks for the name means this one from now on.
    former_names::delete(tx, name)?;
    Ok((id, made == 1))
}

/// Sets who may see a repository without a role.
pub fn set_visibility(tx: &mut Tx<'_>, id: i64, visibility: &str) -> Result<(), Error> {
    tx.execute("UPDATE repositories SET visibility = $2 WHERE id = $1", &[id.into(), visibility.into()])?;
    Ok(())
}

/// A repository as its own page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Its key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Who may see it without a role.
    pub visibility: String,
    /// When it was made.
    pub created_at: i64,
    /// What it is, in a line.
    pub description: Option<String>,
    /// What there is to say of it, in Markdown.
    pub readme: Option<String>,
    /// How many users have starred it.
    pub stars: i64,
    /// How often was pulled from it.
    pub pulls: i64,
    /// When was pushed to it last.
    pub pushed_at: Option<i64>,
    /// Whether administrators have marked its namespace as official.
    pub official: bool,
    /// Whether administrators have marked its namespace as verified.
    pub verified: bool,
}

/// Finds what the page of a repository shows.
pub fn details(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<Details>, Error> {
    let row = tx.first(
        "SELECT r.id, r.name, r.visibility, r.created_at, r.description, r.readme, r.stars, r.pulls, r.pushed_at, \
         n.official, n.verified FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.name = $1",
        &[name.as_str().into()],
    )?;
    row.map(|mut row| {
        Ok(Details {
            id: row.int(0)?,
            name: row.text(1)?,
            visibility: row.text(2)?,
            created_at: row.int(3)?,
            description: row.opt_text(4)?,
            readme: row.opt_text(5)?,
            stars: row.int(6)?,
            pulls: row.int(7)?,
            pushed_at: row.opt_int(8)?,
            official: row.bool(9)?,
            verified: row.bool(10)?,
        })
    })
    .transpose()
}

/// Sets what a repository is, in a line.
pub fn set_description(tx: &mut Tx<'_>, id: i64, description: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE repositories SET description = $2 WHERE id = $1", &[id.into(), description.into()])?;
    Ok(())
}

/// Sets what there is to say of a repository.
pub fn set_readme(tx: &mut Tx<'_>, id: i64, readme: Option<&str>) -> Result<(), Error> {
    tx.execute("UPDATE repositories SET readme = $2 WHERE id = $1", &[id.into(), readme.into()])?;
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
