//! Full text: which repositories have these words.
//!
//! The one thing that SQLite (FTS5) and PostgreSQL (tsvector) are not asked in the same words: [`texts`] has the statements
//! of each. What an engine is asked for are words of letters and digits alone, so that nothing in them means anything to it.
//! Triggers keep the words of a repository true, in the transaction that changes it.

mod questions;
mod texts;

use super::access::Viewer;
use super::explore::{ListedRow, listed};
use super::{Error, Tx};

/// A viewer who stands in more namespaces than this is not helped by looking at those alone.
const SHELVES: usize = 64;

/// How words are compared with what repositories have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Each is a part of the name.
    Whole,
    /// A part of the name begins with each.
    Begins,
    /// A part of the name, or a word of what is said about it, begins with each.
    Anywhere,
    /// The same, or a part of the name begins with the same two characters.
    Alike,
}

/// Where a viewer may find something, and where it is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelves {
    /// Everywhere.
    pub all: bool,
    /// Also where any user may look.
    pub internal: bool,
    /// Also in these namespaces, whatever is private there: at most [`SHELVES`].
    pub namespaces: Vec<i64>,
    /// In this namespace alone.
    pub only: Option<i64>,
}

/// Finds where a viewer may find something, before each repository is decided about.
pub fn shelves(tx: &mut Tx<'_>, viewer: Viewer) -> Result<Shelves, Error> {
    if viewer.all {
        return Ok(Shelves { all: true, ..Shelves::default() });
    }
    let rows = tx.query(
        "SELECT o.id FROM namespaces o WHERE o.owner_kind = 'user' AND o.owner_id = $1 \
         UNION SELECT h.namespace_id FROM role_bindings h WHERE h.user_id = $1 \
         UNION SELECT h.namespace_id FROM role_bindings h WHERE h.robot_id = $2 \
         UNION SELECT h.namespace_id FROM team_members m JOIN role_bindings h ON h.team_id = m.team_id \
         WHERE m.user_id = $1 LIMIT $3",
        &[viewer.user.into(), viewer.robot.into(), (SHELVES as i64 + 1).into()],
    )?;
    let namespaces: Vec<i64> = rows.into_iter().map(|mut row| row.int(0)).collect::<Result<_, _>>()?;
    Ok(Shelves { all: namespaces.len() > SHELVES, internal: viewer.user > 0, namespaces, only: None })
}

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The words, of letters and digits alone, in small letters; at least one.
    pub words: &'a [String],
    /// How they are compared.
    pub how: How,
    /// Where it is looked for.
    pub shelves: &'a Shelves,
    /// Pushed to since then; 0 for whenever.
    pub since: i64,
    /// At most this many.
    pub limit: i64,
}

/// Finds the repositories with these words that the viewer may read, those first that are pulled most. Looks at a few
/// thousand at most.
pub fn by_words(tx: &mut Tx<'_>, viewer: Viewer, wanted: &Wanted<'_>) -> Result<Vec<ListedRow>, Error> {
    let ask = tx.choose::<fn(&Wanted<'_>) -> String>(questions::in_fts5, questions::in_tsquery);
    let asked = ask(wanted);
    run(tx, viewer, tx.choose(texts::WORDS_FTS5, texts::WORDS_TSVECTOR), asked, wanted.since, wanted.limit)
}

/// Finds the repositories whose names have all the runs of three characters that `part` has, if it has any.
pub fn by_part(tx: &mut Tx<'_>, viewer: Viewer, part: &str, since: i64, limit: i64) -> Result<Vec<ListedRow>, Error> {
    let ask = tx.choose::<fn(&str) -> String>(questions::parts_in_fts5, questions::parts_in_tsquery);
    let asked = ask(part);
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    run(tx, viewer, tx.choose(texts::PARTS_FTS5, texts::PARTS_TSVECTOR), asked, since, limit)
}

fn run(
    tx: &mut Tx<'_>,
    viewer: Viewer,
    sql: &'static str,
    asked: String,
    since: i64,
    limit: i64,
) -> Result<Vec<ListedRow>, Error> {
    let [all, user, robot, token] = viewer.parameters();
    let rows = tx.query(sql, &[all, user, robot, token, asked.into(), since.into(), limit.into()])?;
    rows.into_iter().map(listed).collect()
}
