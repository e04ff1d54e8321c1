//! Lists for who looks around: what is pulled most, what was pushed last, what there is by name.
//!
//! What anybody may see is found by an index, entry by entry. Of what is private, a bounded stretch is looked through for
//! what the viewer may see: who may see little of much is not made to wait for it.

use super::access::{Viewer, readable};
use super::{Error, Row, Tx};

/// A repository as those see it who look around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRow {
    /// The row's key.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it is, in one line.
    pub description: Option<String>,
    /// Who may see it without a role.
    pub visibility: String,
    /// How many users have starred it.
    pub stars: i64,
    /// How often it was pulled.
    pub pulls: i64,
    /// When a manifest was pushed last.
    pub pushed_at: Option<i64>,
    /// Whether administrators call its namespace official.
    pub official: bool,
    /// Whether administrators have verified whose its namespace is.
    pub verified: bool,
}

pub(super) fn listed(mut row: Row) -> Result<ListedRow, Error> {
    Ok(ListedRow {
        id: row.int(0)?,
        name: row.text(1)?,
        description: row.opt_text(2)?,
        visibility: row.text(3)?,
        stars: row.int(4)?,
        pulls: row.int(5)?,
        pushed_at: row.opt_int(6)?,
        official: row.bool(7)?,
        verified: row.bool(8)?,
    })
}

/// Who sees repositories without a role: the word by which one list is told from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Anybody, or any user: each is found by an index.
    Openly(&'static str),
    /// Nobody without a role.
    Privately,
}

/// Where a list goes on, and how far.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The number behind which it goes on: of pulls, or of microseconds.
    pub number: i64,
    /// The key behind which it goes on among those with this number.
    pub id: i64,
    /// How many entries it has at most.
    pub limit: i64,
}

fn rows(
    tx: &mut Tx<'_>,
    (open, private): (&'static str, &'static str),
    viewer: Viewer,
    kept: Kept,
    stretch: &Stretch,
) -> Result<Vec<ListedRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let mut parameters = vec![all, user, robot, token, stretch.number.into(), stretch.id.into(), stretch.limit.into()];
    let sql = match kept {
        Kept::Openly(visibility) => {
            parameters.push(visibility.into());
            open
        }
        Kept::Privately => private,
    };
    tx.query(sql, &parameters)?.into_iter().map(listed).collect()
}

/// Lists the repositories that were pulled most, of those the viewer may read.
pub fn popular(tx: &mut Tx<'_>, viewer: Viewer, kept: Kept, stretch: &Stretch) -> Result<Vec<ListedRow>, Error> {
    let open = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM repositories r JOIN namespaces n ON n.id = r.namespace_id \
         WHERE r.visibility = $8 AND r.pulls > 0 AND (r.pulls, r.id) < ($5, $6) AND (",
        readable!(),
        ") ORDER BY r.pulls DESC, r.id DESC LIMIT $7"
    );
    let private = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM (SELECT id FROM repositories WHERE visibility = 'private' AND pulls > 0 AND (pulls, id) < ($5, $6) \
         ORDER BY pulls DESC, id DESC LIMIT 2000) few \
         JOIN repositories r ON r.id = few.id JOIN namespaces n ON n.id = r.namespace_id WHERE (",
        readable!(),
        ") ORDER BY r.pulls DESC, r.id DESC LIMIT $7"
    );
    rows(tx, (open, private), viewer, kept, stretch)
}

/// Lists the repositories that were pushed to last, of those the viewer may read.
pub fn recent(tx: &mut Tx<'_>, viewer: Viewer, kept: Kept, stretch: &Stretch) -> Result<Vec<ListedRow>, Error> {
    let open = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM repositories r JOIN namespaces n ON n.id = r.namespace_id \
         WHERE r.visibility = $8 AND r.pushed_at IS NOT NULL AND (r.pushed_at, r.id) < ($5, $6) AND (",
        readable!(),
        ") ORDER BY r.pushed_at DESC, r.id DESC LIMIT $7"
    );
    let private = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM (SELECT id FROM repositories WHERE visibility = 'private' AND pushed_at IS NOT NULL \
         AND (pushed_at, id) < ($5, $6) ORDER BY pushed_at DESC, id DESC LIMIT 2000) few \
         JOIN repositories r ON r.id = few.id JOIN namespaces n ON n.id = r.namespace_id WHERE (",
        readable!(),
        ") ORDER BY r.pushed_at DESC, r.id DESC LIMIT $7"
    );
    rows(tx, (open, private), viewer, kept, stretch)
}

/// Lists repositories that the viewer may read in ASCII order behind `after`.
pub fn named(tx: &mut Tx<'_>, viewer: Viewer, kept: Kept, after: &str, limit: i64) -> Result<Vec<ListedRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let mut parameters = vec![all, user, robot, token, after.into(), limit.into()];
    let open = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE r.visibility = $7 AND r.name > $5 AND (",
        readable!(),
        ") ORDER BY r.name LIMIT $6"
    );
    let private = concat!(
        "SELECT r.id, r.name, r.description, r.visibility, r.stars, r.pulls, r.pushed_at, n.official, n.verified \
         FROM (SELECT id FROM repositories WHERE visibility = 'private' AND name > $5 ORDER BY name LIMIT 2000) few \
         JOIN repositories r ON r.id = few.id JOIN namespaces n ON n.id = r.namespace_id WHERE (",
        readable!(),
        ") ORDER BY r.name LIMIT $6"
    );
    let sql = match kept {
        Kept::Openly(visibility) => {
            parameters.push(visibility.into());
            open
        }
        Kept::Privately => private,
    };
    tx.query(sql, &parameters)?.into_iter().map(listed).collect()
}

/// A namespace that is somebody's, or in which somebody holds a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnRow {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// What it is, in one line.
    pub description: Option<String>,
    /// Whether it is the user's own, rather than an organisation's.
    pub personal: bool,
}

/// Lists the namespaces that are a user's, or in which the user holds a role that counts.
pub fn own(tx: &mut Tx<'_>, user: i64, limit: i64) -> Result<Vec<OwnRow>, Error> {
    let rows = tx.query(
        "SELECT n.name, n.display_name, n.description, n.owner_kind = 'user' FROM namespaces n \
         WHERE n.id IN (SELECT o.id FROM namespaces o WHERE o.owner_kind = 'user' AND o.owner_id = $1 \
         UNION SELECT h.namespace_id FROM role_bindings h WHERE h.user_id = $1 \
         UNION SELECT h.namespace_id FROM team_members m JOIN role_bindings h ON h.team_id = m.team_id \
         WHERE m.user_id = $1) AND n.owner_kind <> 'retired' \
         AND (NOT n.require_second_factor OR n.owner_kind = 'user' \
         OR EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.second_factor)) ORDER BY n.name LIMIT $2",
        &[user.into(), limit.into()],
    )?;
    let own = |mut row: Row| {
        Ok(OwnRow {
            name: row.text(0)?,
            display_name: row.opt_text(1)?,
            description: row.opt_text(2)?,
            personal: row.bool(3)?,
        })
    };
    rows.into_iter().map(own).collect()
}
