//! Roles, and who holds which on what.

use super::{Error, Row, Tx};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRow {
    /// The row's key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it allows, as a sum of bits.
    pub permissions: i64,
    /// What it is for.
    pub description: Option<String>,
    /// Whether every instance has it.
    pub built_in: bool,
}

fn role(mut row: Row) -> Result<RoleRow, Error> {
    Ok(RoleRow {
        id: row.int(0)?,
        name: row.text(1)?,
        permissions: row.int(2)?,
        description: row.opt_text(3)?,
        built_in: row.opt_int(4)?.is_none(),
    })
}

/// Finds a role that a namespace can give: one of its own, or a built-in one.
pub fn find(tx: &mut Tx<'_>, namespace_id: i64, name: &str) -> Result<Option<RoleRow>, Error> {
    let row = tx.first(
        "SELECT id, name, permissions, description, namespace_id FROM roles \
         WHERE name = $2 AND (namespace_id IS NULL OR namespace_id = $1)",
        &[namespace_id.into(), name.into()],
    )?;
    row.map(role).transpose()
}

/// Lists the roles that a namespace can give.
pub fn list(tx: &mut Tx<'_>, namespace_id: Option<i64>) -> Result<Vec<RoleRow>, Error> {
    let built_in =
        "SELECT id, name, permissions, description, namespace_id FROM roles WHERE namespace_id IS NULL ORDER BY id";
    let mut rows = tx.query(built_in, &[])?;
    if let Some(id) = namespace_id {
        let own =
            "SELECT id, name, permissions, description, namespace_id FROM roles WHERE namespace_id = $1 ORDER BY name";
        rows.extend(tx.query(own, &[id.into()])?);
    }
    rows.into_iter().map(role).collect()
}

/// Makes a role of a namespace, or gives an existing one other permissions; without a description, it keeps its own.
pub fn set(
    tx: &mut Tx<'_>,
    namespace_id: i64,
    name: &str,
    permissions: i64,
    description: Option<&str>,
) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE roles SET permissions = $3, description = COALESCE($4, description) WHERE namespace_id = $1 AND name = $2",
        &[namespace_id.into(), name.into(), permissions.into(), description.into()],
    )?;
    if changed == 0 {
        tx.execute(
            "INSERT INTO roles (namespace_id, name, permissions, description) VALUES ($1, $2, $3, $4)",
            &[namespace_id.into(), name.into(), permissions.into(), description.into()],
        )?;
    }
    Ok(())
}

/// Removes a role of a namespace that nobody holds; tells whether it did.
pub fn delete(tx: &mut Tx<'_>, id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM roles WHERE id = $1 AND namespace_id IS NOT NULL \
               AND NOT EXISTS (SELECT 1 FROM role_bindings b WHERE b.role_id = $1)";
    Ok(tx.execute(sql, &[id.into()])? > 0)
}

/// Who holds a role: one of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A user.
    User(i64),
    /// A team.
    Team(i64),
    /// A robot.
    Robot(i64),
}

impl Holder {
    /// The keys of user, team and robot, two of them zero, which no row has.
    fn keys(self) -> (i64, i64, i64) {
        match self {
            Self::User(id) => (id, 0, 0),
            Self::Team(id) => (0, id, 0),
            Self::Robot(id) => (0, 0, id),
        }
    }
}

/// Gives a role on what `pattern` is about; tells whether that is new.
pub fn grant(
    tx: &mut Tx<'_>,
    namespace_id: i64,
    role_id: i64,
    holder: Holder,
    (pattern, exact): (&str, bool),
    now: i64,
) -> Result<bool, Error> {
    let (user, team, robot) = holder.keys();
    let held = tx.first(
        "SELECT id FROM role_bindings WHERE namespace_id = $1 AND role_id = $2 AND pattern = $3 AND exact = $4 \
         AND COALESCE(user_id, 0) = $5 AND COALESCE(team_id, 0) = $6 AND COALESCE(robot_id, 0) = $7",
        &[namespace_id.into(), role_id.into(), pattern.into(), exact.into(), user.into(), team.into(), robot.into()],
    )?;
    if held.is_some() {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO role_bindings (namespace_id, role_id, user_id, team_id, robot_id, pattern, exact, created_at) \
         VALUES ($1, $2, NULLIF(CAST($3 AS BIGINT), 0), NULLIF(CAST($4 AS BIGINT), 0), NULLIF(CAST($5 AS BIGINT), 0), $6, $7, $8)",
        &[
            namespace_id.into(),
            role_id.into(),
            user.into(),
            team.into(),
            robot.into(),
            pattern.into(),
            exact.into(),
            now.into(),
        ],
    )?;
    Ok(true)
}

/// Takes a role on what `pattern` is about; tells whether it was held.
pub fn revoke(tx: &mut Tx<'_>, role_id: i64, holder: Holder, (pattern, exact): (&str, bool)) -> Result<bool, Error> {
    let (user, team, robot) = holder.keys();
    let revoked = tx.execute(
        "DELETE FROM role_bindings WHERE role_id = $1 AND pattern = $2 AND exact = $3 \
         AND COALESCE(user_id, 0) = $4 AND COALESCE(team_id, 0) = $5 AND COALESCE(robot_id, 0) = $6",
        &[role_id.into(), pattern.into(), exact.into(), user.into(), team.into(), robot.into()],
    )?;
    Ok(revoked > 0)
}

/// Takes every role from a user.
pub fn revoke_all(tx: &mut Tx<'_>, user_id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM role_bindings WHERE user_id = $1", &[user_id.into()])?;
    Ok(())
}

/// A role that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingRow {
    /// The row's key.
    pub id: i64,
    /// The role's name.
    pub role: String,
    /// What it allows, as a sum of bits.
    pub permissions: i64,
    /// The repository, or what the names begin with.
    pub pattern: String,
    /// Whether it is one repository's name.
    pub exact: bool,
    /// `user`, `team` or `robot`.
    pub holder_kind: &'static str,
    /// The name of who holds it.
    pub holder: String,
}

fn binding(mut row: Row) -> Result<BindingRow, Error> {
    let (user, team, robot) = (row.opt_text(4)?, row.opt_text(5)?, row.opt_text(6)?);
    let (holder_kind, holder) = match (user, team, robot) {
        (Some(user), ..) => ("user", user),
        (_, Some(team), _) => ("team", team),
        (.., robot) => ("robot", robot.unwrap_or_default()),
    };
    Ok(BindingRow {
        id: row.int(7)?,
        role: row.text(0)?,
        permissions: row.int(1)?,
        pattern: row.text(2)?,
        exact: row.bool(3)?,
        holder_kind,
        holder,
    })
}

/// Lists who holds which role in a namespace behind the key `after`, in the order in which they were given.
pub fn bindings(tx: &mut Tx<'_>, namespace_id: i64, after: i64, limit: i64) -> Result<Vec<BindingRow>, Error> {
    let rows = tx.query(
        "SELECT o.name, o.permissions, b.pattern, b.exact, u.name, t.name, r.name, b.id FROM role_bindings b \
         JOIN roles o ON o.id = b.role_id LEFT JOIN users u ON u.id = b.user_id LEFT JOIN teams t ON t.id = b.team_id \
         LEFT JOIN robots r ON r.id = b.robot_id WHERE b.namespace_id = $1 AND b.id > $2 ORDER BY b.id LIMIT $3",
        &[namespace_id.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(binding).collect()
}

/// What each role of a team allows, as sums of bits.
pub fn of_team(tx: &mut Tx<'_>, team_id: i64) -> Result<Vec<i64>, Error> {
    let sql = "SELECT o.permissions FROM role_bindings b JOIN roles o ON o.id = b.role_id WHERE b.team_id = $1";
    tx.query(sql, &[team_id.into()])?.into_iter().map(|mut row| row.int(0)).collect()
}

/// What each role of a robot allows, as sums of bits.
pub fn of_robot(tx: &mut Tx<'_>, robot_id: i64) -> Result<Vec<i64>, Error> {
    let sql = "SELECT o.permissions FROM role_bindings b JOIN roles o ON o.id = b.role_id WHERE b.robot_id = $1";
    tx.query(sql, &[robot_id.into()])?.into_iter().map(|mut row| row.int(0)).collect()
}

/// A role on exactly one repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactRow {
    /// The row's key.
    pub id: i64,
    /// What it allows, as a sum of bits.
    pub permissions: i64,
    /// Whether every namespace knows its holder and its role: a user, and a role that every instance has.
    pub anywhere: bool,
}

/// Lists the roles that are about exactly this repository.
pub fn exactly_on(tx: &mut Tx<'_>, namespace_id: i64, repository: &str) -> Result<Vec<ExactRow>, Error> {
    let rows = tx.query(
        "SELECT b.id, o.permissions, b.user_id IS NOT NULL AND o.namespace_id IS NULL FROM role_bindings b \
         JOIN roles o ON o.id = b.role_id WHERE b.namespace_id = $1 AND b.exact AND b.pattern = $2 ORDER BY b.id",
        &[namespace_id.into(), repository.into()],
    )?;
    let exact = |mut row: Row| Ok(ExactRow { id: row.int(0)?, permissions: row.int(1)?, anywhere: row.bool(2)? });
    rows.into_iter().map(exact).collect()
}

/// Has a role be about another repository.
pub fn move_to(tx: &mut Tx<'_>, id: i64, namespace_id: i64, repository: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE role_bindings SET namespace_id = $2, pattern = $3 WHERE id = $1",
        &[id.into(), namespace_id.into(), repository.into()],
    )?;
    Ok(())
}

/// Ends a role, whoever holds it.
pub fn end(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM role_bindings WHERE id = $1", &[id.into()])?;
    Ok(())
}

/// Lists who holds which role on a repository, on it alone or on more, behind the key `after`.
pub fn bindings_on(
    tx: &mut Tx<'_>,
    namespace_id: i64,
    repository: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<BindingRow>, Error> {
    let rows = tx.query(
        "SELECT o.name, o.permissions, b.pattern, b.exact, u.name, t.name, r.name, b.id FROM role_bindings b \
         JOIN roles o ON o.id = b.role_id LEFT JOIN users u ON u.id = b.user_id LEFT JOIN teams t ON t.id = b.team_id \
         LEFT JOIN robots r ON r.id = b.robot_id WHERE b.namespace_id = $1 AND b.id > $3 \
         AND CASE WHEN b.exact THEN b.pattern = $2 \
         ELSE substr(CAST($2 AS TEXT), 1, length(b.pattern)) = b.pattern END ORDER BY b.id LIMIT $4",
        &[namespace_id.into(), repository.into(), after.into(), limit.into()],
    )?;
    rows.into_iter().map(binding).collect()
}
