//! What a decision about access looks at, and which repositories somebody may read.

use oci::{Digest, RepositoryName};

use super::blobs::BlobRow;
use super::namespaces::{self, NamespaceRow};
use super::{Error, Row, Tx, Val};

/// A repository and its namespace, as far as access goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetRow {
    /// The namespace's key.
    pub namespace_id: i64,
    /// Whose the namespace is: `none`, `user`, `organisation` or `retired`.
    pub owner_kind: String,
    /// The user, where it is a user's.
    pub owner_id: Option<i64>,
    /// Whether users need a second factor for what they hold there.
    pub require_second_factor: bool,
    /// Who may see the repository without a role; nothing while it does not exist.
    pub visibility: Option<String>,
}

/// Finds a repository and its namespace; nothing when there is no such namespace.
pub fn target(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<TargetRow>, Error> {
    let row = tx.first(
        "SELECT n.id, n.owner_kind, n.owner_id, r.visibility, n.require_second_factor FROM namespaces n \
         LEFT JOIN repositories r ON r.namespace_id = n.id AND r.name = $2 WHERE n.name = $1",
        &[name.namespace().into(), name.as_str().into()],
    )?;
    row.map(|mut row| {
        Ok(TargetRow {
            namespace_id: row.int(0)?,
            owner_kind: row.text(1)?,
            owner_id: row.opt_int(2)?,
            visibility: row.opt_text(3)?,
            require_second_factor: row.bool(4)?,
        })
    })
    .transpose()
}

/// A role that a principal holds in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The role's name.
    pub role: String,
    /// What it allows, as a sum of bits.
    pub permissions: i64,
    /// The repository, or what the names begin with.
    pub pattern: String,
    /// Whether it is one repository's name.
    pub exact: bool,
    /// The team through which it is held.
    pub team: Option<String>,
}

/// Lists the roles that a user holds in a namespace, directly and through teams.
pub fn held_by_user(tx: &mut Tx<'_>, namespace_id: i64, user_id: i64) -> Result<Vec<HeldRow>, Error> {
    held(
        tx,
        "SELECT o.name, o.permissions, b.pattern, b.exact, NULL FROM role_bindings b JOIN roles o ON o.id = b.role_id \
         WHERE b.namespace_id = $1 AND b.user_id = $2 \
         UNION ALL SELECT o.name, o.permissions, b.pattern, b.exact, t.name FROM team_members m \
         JOIN teams t ON t.id = m.team_id JOIN role_bindings b ON b.team_id = m.team_id \
         JOIN roles o ON o.id = b.role_id WHERE b.namespace_id = $1 AND m.user_id = $2",
        namespace_id,
        user_id,
    )
}

/// Lists the roles that a robot holds in a namespace.
pub fn held_by_robot(tx: &mut Tx<'_>, namespace_id: i64, robot_id: i64) -> Result<Vec<HeldRow>, Error> {
    held(
        tx,
        "SELECT o.name, o.permissions, b.pattern, b.exact, NULL FROM role_bindings b JOIN roles o ON o.id = b.role_id \
         WHERE b.namespace_id = $1 AND b.robot_id = $2",
        namespace_id,
        robot_id,
    )
}

fn held(tx: &mut Tx<'_>, sql: &'static str, namespace_id: i64, holder: i64) -> Result<Vec<HeldRow>, Error> {
    let rows = tx.query(sql, &[namespace_id.into(), holder.into()])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(HeldRow {
                role: row.text(0)?,
                permissions: row.int(1)?,
                pattern: row.text(2)?,
                exact: row.bool(3)?,
                team: row.opt_text(4)?,
            })
        })
        .collect()
}

/// Whose eyes a list is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    /// Sees everything.
    pub all: bool,
    /// The user; 0 for none.
    pub user: i64,
    /// The robot; 0 for none.
    pub robot: i64,
    /// The token, which may be about some repositories only; 0 for none.
    pub token: i64,
}

impl Viewer {
    /// Sees everything.
    pub const ALL: Self = Self { all: true, user: 0, robot: 0, token: 0 };

    /// Sees what is public.
    pub const ANYONE: Self = Self { all: false, user: 0, robot: 0, token: 0 };

    /// The first four parameters of a statement that has [`readable!`].
    pub(super) fn parameters(self) -> [Val; 4] {
        [self.all.into(), self.user.into(), self.robot.into(), self.token.into()]
    }
}

/// The condition under which the viewer in `$1` to `$4` may read repository `r` in namespace `n`. The rules are those of
/// `auth::policy`; a test compares the two.
///
/// Which roles the viewer holds, and in which namespaces, is found out once, and asked first: looking through the roles that
/// others hold, for each of a hundred thousand repositories, takes seconds.
macro_rules! readable {
    () => {
        "($1 OR r.visibility = 'public' OR (n.owner_kind = 'user' AND n.owner_id = $2) \
         OR ((NOT n.require_second_factor OR CAST($2 AS BIGINT) = 0 \
         OR EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.second_factor)) \
         AND ((CAST($2 AS BIGINT) > 0 AND r.visibility = 'internal') \
         OR (r.namespace_id IN (SELECT h.namespace_id FROM role_bindings h WHERE h.user_id = $2 \
         UNION ALL SELECT h.namespace_id FROM role_bindings h WHERE h.robot_id = $3 \
         UNION ALL SELECT h.namespace_id FROM team_members m JOIN role_bindings h ON h.team_id = m.team_id \
         WHERE m.user_id = $2) \
         AND EXISTS (SELECT 1 FROM role_bindings b JOIN roles o ON o.id = b.role_id \
         WHERE b.namespace_id = r.namespace_id AND o.permissions % 2 = 1 \
         AND b.id IN (SELECT h.id FROM role_bindings h WHERE h.user_id = $2 \
         UNION ALL SELECT h.id FROM role_bindings h WHERE h.robot_id = $3 \
         UNION ALL SELECT h.id FROM team_members m JOIN role_bindings h ON h.team_id = m.team_id \
         WHERE m.user_id = $2) \
         AND CASE WHEN b.exact THEN r.name = b.pattern \
         ELSE substr(r.name, 1, length(b.pattern)) = b.pattern END))))) \
         AND (CAST($4 AS BIGINT) = 0 OR NOT EXISTS (SELECT 1 FROM token_limits l WHERE l.token_id = $4) \
         OR EXISTS (SELECT 1 FROM token_limits l WHERE l.token_id = $4 AND CASE WHEN l.exact THEN r.name = l.pattern \
         ELSE substr(r.name, 1, length(l.pattern)) = l.pattern END))"
    };
}
pub(super) use readable;

/// The condition under which the viewer in `$1` to `$4` holds a role in namespace `n`, or on a part of it, which counts.
macro_rules! holds_a_role {
    () => {
        "(n.id IN (SELECT h.namespace_id FROM role_bindings h WHERE h.user_id = $2 \
         UNION ALL SELECT h.namespace_id FROM role_bindings h WHERE h.robot_id = $3 \
         UNION ALL SELECT h.namespace_id FROM team_members m JOIN role_bindings h ON h.team_id = m.team_id \
         WHERE m.user_id = $2) AND (NOT n.require_second_factor OR CAST($2 AS BIGINT) = 0 \
         OR EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.second_factor)))"
    };
}

/// The condition under which namespace `n` has a repository that the viewer in `$2` reads without a role, which being
/// signed in is not enough for where a second factor is asked for. By an index, so that how much is hidden there makes no
/// difference.
macro_rules! shows_something {
    () => {
        "EXISTS (SELECT 1 FROM repositories r WHERE r.namespace_id = n.id AND r.visibility = 'public') \
         OR (CAST($2 AS BIGINT) > 0 AND (NOT n.require_second_factor \
         OR EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.second_factor)) \
         AND EXISTS (SELECT 1 FROM repositories r WHERE r.namespace_id = n.id AND r.visibility = 'internal'))"
    };
}

/// Lists the names of repositories that hold a manifest and that the viewer may read, in ASCII order behind `after`.
pub fn repositories(tx: &mut Tx<'_>, viewer: Viewer, after: &str, limit: i64) -> Result<Vec<String>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let rows = tx.query(
        concat!(
            "SELECT r.name FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.name > $5 \
             AND EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) AND (",
            readable!(),
            ") ORDER BY r.name LIMIT $6"
        ),
        &[all, user, robot, token, after.into(), limit.into()],
    )?;
    rows.into_iter().map(|mut row| row.text(0)).collect()
}

/// A repository as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Its name.
    pub name: String,
    /// Who may see it without a role.
    pub visibility: String,
    /// When it was made.
    pub created_at: i64,
    /// What it is, in a line.
    pub description: Option<String>,
}

fn repository(mut row: Row) -> Result<RepositoryRow, Error> {
    Ok(RepositoryRow {
        name: row.text(0)?,
        visibility: row.text(1)?,
        created_at: row.int(2)?,
        description: row.opt_text(3)?,
    })
}

/// Finds a repository.
pub fn repository_named(tx: &mut Tx<'_>, name: &RepositoryName) -> Result<Option<RepositoryRow>, Error> {
    let sql = "SELECT name, visibility, created_at, description FROM repositories WHERE name = $1";
    tx.first(sql, &[name.as_str().into()])?.map(repository).transpose()
}

/// Lists the repositories that the viewer may read, in ASCII order behind `after`, those with a name that begins with
/// `prefix` only.
pub fn repositories_below(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    prefix: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<RepositoryRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    // `~` is behind every character that a name can have.
    let (after, end) = (after.max(prefix), format!("{prefix}~"));
    let rows = tx.query(
        concat!(
            "SELECT r.name, r.visibility, r.created_at, r.description FROM repositories r \
             JOIN namespaces n ON n.id = r.namespace_id \
             WHERE r.name > $5 AND r.name < $7 AND (",
            readable!(),
            ") ORDER BY r.name LIMIT $6"
        ),
        &[all, user, robot, token, after.into(), limit.into(), end.into()],
    )?;
    rows.into_iter().map(repository).collect()
}

/// A repository as the page of its namespace shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow {
    /// Its name.
    pub name: String,
    /// Who may see it without a role.
    pub visibility: String,
    /// What it is, in a line.
    pub description: Option<String>,
    /// How often it was pulled.
    pub pulls: i64,
    /// How many users have starred it.
    pub stars: i64,
    /// When a manifest was pushed last.
    pub pushed_at: Option<i64>,
}

/// Lists the repositories of a namespace that the viewer may read, in ASCII order behind `after`.
pub fn shown_in(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    namespace_id: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<ShownRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let rows = tx.query(
        concat!(
            "SELECT r.name, r.visibility, r.description, r.pulls, r.stars, r.pushed_at FROM repositories r \
             JOIN namespaces n ON n.id = r.namespace_id WHERE r.namespace_id = $5 AND r.name > $6 AND (",
            readable!(),
            ") ORDER BY r.name LIMIT $7"
        ),
        &[all, user, robot, token, namespace_id.into(), after.into(), limit.into()],
    )?;
    let shown = |mut row: Row| {
        Ok(ShownRow {
            name: row.text(0)?,
            visibility: row.text(1)?,
            description: row.opt_text(2)?,
            pulls: row.int(3)?,
            stars: row.int(4)?,
            pushed_at: row.opt_int(5)?,
        })
    };
    rows.into_iter().map(shown).collect()
}

/// Lists the namespaces behind `after` that the viewer owns, holds a role in, or may read a repository of without one.
pub fn namespaces(tx: &mut Tx<'_>, viewer: Viewer, after: &str, limit: i64) -> Result<Vec<NamespaceRow>, Error> {
    let [all, user, robot, _] = viewer.parameters();
    let rows = tx.query(
        concat!(
            "SELECT n.id, n.name, n.owner_kind, n.owner_id, n.visibility, n.display_name, \
             n.require_second_factor, n.description, n.official, n.verified FROM namespaces n \
             WHERE n.name > $4 AND n.owner_kind <> 'retired' AND ($1 OR (n.owner_kind = 'user' AND n.owner_id = $2) OR ",
            holds_a_role!(),
            " OR ",
            shows_something!(),
            ") ORDER BY n.name LIMIT $5"
        ),
        &[all, user, robot, after.into(), limit.into()],
    )?;
    rows.into_iter().map(namespaces::namespace).collect()
}

/// Tells whether the viewer may know of a namespace, by the rule of [`namespaces`].
pub fn sees_namespace(tx: &mut Tx<'_>, viewer: Viewer, namespace_id: i64) -> Result<bool, Error> {
    let [all, user, robot, _] = viewer.parameters();
    let row = tx.first(
        concat!(
            "SELECT n.id FROM namespaces n WHERE n.id = $4 AND ($1 OR (n.owner_kind = 'user' AND n.owner_id = $2) OR ",
            holds_a_role!(),
            " OR ",
            shows_something!(),
            ")"
        ),
        &[all, user, robot, namespace_id.into()],
    )?;
    Ok(row.is_some())
}

/// Finds a blob that any repository holds which the viewer may read, for a mount without `from`.
pub fn blob_anywhere(tx: &mut Tx<'_>, viewer: Viewer, digest: &Digest) -> Result<Option<BlobRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let row = tx.first(
        concat!(
            "SELECT b0.id, b0.size, b0.location, b0.state FROM blobs b0 WHERE b0.digest = $5 \
             AND EXISTS (SELECT 1 FROM repository_blobs k JOIN repositories r ON r.id = k.repository_id \
             JOIN namespaces n ON n.id = r.namespace_id WHERE k.blob_id = b0.id AND (",
            readable!(),
            "))"
        ),
        &[all, user, robot, token, digest.into()],
    )?;
    row.map(super::blobs::blob_row).transpose()
}

/// Finds a blob through one repository, if the viewer may read it.
pub fn blob_in(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Option<BlobRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let row = tx.first(
        concat!(
            "SELECT b0.id, b0.size, b0.location, b0.state FROM blobs b0 \
             JOIN repository_blobs k ON k.blob_id = b0.id JOIN repositories r ON r.id = k.repository_id \
             JOIN namespaces n ON n.id = r.namespace_id WHERE b0.digest = $5 AND r.name = $6 AND (",
            readable!(),
            ")"
        ),
        &[all, user, robot, token, digest.into(), name.as_str().into()],
    )?;
    row.map(super::blobs::blob_row).transpose()
}

/// Counts other repositories than `name` that hold a blob and that the viewer may read: up to `limit`, among the first
/// `looked_at` that hold it, since a layer that everybody builds upon lies in a hundred thousand.
pub fn holders(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    name: &RepositoryName,
    digest: &Digest,
    looked_at: i64,
    limit: i64,
) -> Result<usize, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let rows = tx.query(
        concat!(
            "SELECT r.id FROM repositories r JOIN namespaces n ON n.id = r.namespace_id \
             WHERE r.id IN (SELECT x.repository_id FROM repository_blobs x JOIN blobs y ON y.id = x.blob_id \
             WHERE y.digest = $5 LIMIT $7) AND r.name <> $6 AND (",
            readable!(),
            ") LIMIT $8"
        ),
        &[all, user, robot, token, digest.into(), name.as_str().into(), looked_at.into(), limit.into()],
    )?;
    Ok(rows.len())
}
