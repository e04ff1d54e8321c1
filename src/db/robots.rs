//! Robots: accounts of machines, each in a namespace.

use super::{Error, Row, Tx};

/// A robot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotRow {
    /// The row's key.
    pub id: i64,
    /// The id that is shown.
    pub public_id: String,
    /// The namespace it acts for.
    pub namespace: String,
    /// The namespace's key.
    pub namespace_id: i64,
    /// Its own name, without the namespace.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it proves nothing at the moment.
    pub disabled: bool,
    /// When it was made.
    pub created_at: i64,
    /// From when on it proves nothing.
    pub expires_at: Option<i64>,
}

impl RobotRow {
    /// The name with which it signs in: `acme+ci`.
    pub fn full_name(&self) -> String {
        format!("{}+{}", self.namespace, self.name)
    }
}

fn robot(mut row: Row) -> Result<RobotRow, Error> {
    Ok(RobotRow {
        id: row.int(0)?,
        public_id: row.text(1)?,
        namespace: row.text(2)?,
        namespace_id: row.int(3)?,
        name: row.text(4)?,
        description: row.opt_text(5)?,
        disabled: row.bool(6)?,
        created_at: row.int(7)?,
        expires_at: row.opt_int(8)?,
    })
}

/// Makes a robot; nothing when there is one of that name.
pub fn insert(
    tx: &mut Tx<'_>,
    namespace_id: i64,
    name: &str,
    description: Option<&str>,
    expires_at: Option<i64>,
    now: i64,
) -> Result<Option<i64>, Error> {
    let row = tx.first(
        "INSERT INTO robots (public_id, namespace_id, name, description, disabled, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (namespace_id, name) DO NOTHING RETURNING id",
        &[
            uuid::Uuid::new_v4().to_string().into(),
            namespace_id.into(),
            name.into(),
            description.into(),
            false.into(),
            now.into(),
            expires_at.into(),
        ],
    )?;
    row.map(|mut row| row.int(0)).transpose()
}

/// Finds a robot by its namespace and its own name.
pub fn by_name(tx: &mut Tx<'_>, namespace: &str, name: &str) -> Result<Option<RobotRow>, Error> {
    let row = tx.first(
        "SELECT r.id, r.public_id, n.name, n.id, r.name, r.description, r.disabled, r.created_at, r.expires_at \
         FROM robots r JOIN namespaces n ON n.id = r.namespace_id WHERE n.name = $1 AND r.name = $2",
        &[namespace.into(), name.into()],
    )?;
    row.map(robot).transpose()
}

/// Finds a robot by its public id.
pub fn by_public_id(tx: &mut Tx<'_>, public_id: &str) -> Result<Option<RobotRow>, Error> {
    let row = tx.first(
        "SELECT r.id, r.public_id, n.name, n.id, r.name, r.description, r.disabled, r.created_at, r.expires_at \
         FROM robots r JOIN namespaces n ON n.id = r.namespace_id WHERE r.public_id = $1",
        &[public_id.into()],
    )?;
    row.map(robot).transpose()
}

/// The public id of a robot's row.
pub fn public_id(tx: &mut Tx<'_>, id: i64) -> Result<Option<String>, Error> {
    let row = tx.first("SELECT public_id FROM robots WHERE id = $1", &[id.into()])?;
    row.map(|mut row| row.text(0)).transpose()
}

/// Lists the robots of a namespace behind `after`.
pub fn list(tx: &mut Tx<'_>, namespace_id: i64, after: &str, limit: i64) -> Result<Vec<RobotRow>, Error> {
    let rows = tx.query(
        "SELECT r.id, r.public_id, n.name, n.id, r.name, r.description, r.disabled, r.created_at, r.expires_at \
         FROM robots r JOIN namespaces n ON n.id = r.namespace_id WHERE r.namespace_id = $1 \
         AND r.name > $2 ORDER BY r.name LIMIT $3",
        &[namespace_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(robot).collect()
}

/// Counts the robots of a namespace.
pub fn count(tx: &mut Tx<'_>, namespace_id: i64) -> Result<i64, Error> {
    tx.one("SELECT COUNT(*) FROM robots WHERE namespace_id = $1", &[namespace_id.into()])?.int(0)
}

/// Tells whether robots of a namespace may act: those of a user only while the user may.
pub fn may_act(tx: &mut Tx<'_>, namespace_id: i64) -> Result<bool, Error> {
    let sql =
        "SELECT u.state FROM namespaces n JOIN users u ON u.id = n.owner_id WHERE n.id = $1 AND n.owner_kind = 'user'";
    match tx.first(sql, &[namespace_id.into()])? {
        Some(mut row) => Ok(row.text(0)? == "active"),
        None => Ok(true),
    }
}

/// Disables a robot, or lets it act again.
pub fn set_disabled(tx: &mut Tx<'_>, id: i64, disabled: bool) -> Result<(), Error> {
    tx.execute("UPDATE robots SET disabled = $2 WHERE id = $1", &[id.into(), disabled.into()])?;
    Ok(())
}

/// Removes a robot with its roles and secrets.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM role_bindings WHERE robot_id = $1", &[id.into()])?;
    tx.execute("DELETE FROM token_limits WHERE token_id IN (SELECT id FROM tokens WHERE robot_id = $1)", &[id.into()])?;
    // Refresh tokens first: they refer to the secret they were made from.
    tx.execute("DELETE FROM tokens WHERE robot_id = $1 AND parent_id IS NOT NULL", &[id.into()])?;
    tx.execute("DELETE FROM tokens WHERE robot_id = $1", &[id.into()])?;
    tx.execute("DELETE FROM robots WHERE id = $1", &[id.into()])?;
    Ok(())
}
