//! Search: repositories by words of their name, of what is said about them, and of what their images say.
//!
//! What fits best is asked for first: words that are parts of the name, then what begins so, then what is said about it.
//! Only where that finds nothing, parts of words and words that are written nearly so count. The database looks through a
//! bounded number each time, and only where the caller may find something.

mod alike;
pub(super) mod keywords;
mod words;

use std::collections::{BTreeMap, HashSet};

use super::explore::ListedRow;
use super::{Ctx, Error, Registry};
use crate::db::access::Viewer;
use crate::db::search::{self, How, Shelves, Wanted};
use crate::db::{self, Tx, namespaces};
pub use words::MAX_QUERY;

/// At most this many are found: who is shown more types another word.
pub const MOST: usize = 300;
/// At most this many namespaces are told with how many of what was found stand in each.
const NAMESPACES: usize = 12;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// What was typed.
    pub text: String,
    /// In this namespace alone.
    pub namespace: Option<String>,
    /// Only what was pushed to since then; 0 for whenever.
    pub since: i64,
    /// At most this many; never more than [`MOST`].
    pub limit: usize,
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The best come first.
    pub rows: Vec<ListedRow>,
    /// Whether there is more than could be shown.
    pub more: bool,
    /// Whether it is only nearly what was typed.
    pub nearly: bool,
}

impl Found {
    /// How many of what was found stand in which namespace, the most first.
    #[must_use]
    pub fn namespaces(&self) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &self.rows {
            *counts.entry(namespace_of(&row.name)).or_default() += 1;
        }
        let mut counts: Vec<(String, usize)> = counts.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts.truncate(NAMESPACES);
        counts
    }

    /// How many of what was found were pushed to since then.
    #[must_use]
    pub fn since(&self, at: i64) -> usize {
        self.rows.iter().filter(|row| row.pushed_at.is_some_and(|pushed| pushed >= at)).count()
    }
}

fn namespace_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Finds repositories that the caller may read.
pub async fn find(registry: &Registry, ctx: &Ctx, query: Query) -> Result<Found, Error> {
    let words = words::of(&query.text);
    if words.is_empty() || !ctx.may_read_at_all() {
        return Ok(Found::default());
    }
    let viewer = registry.viewer(ctx);
    let limit = query.limit.clamp(1, MOST);
    let ranked = registry.db.scan(move |tx| Search { tx, viewer, words: &words, limit }.run(&query)).await?;
    Ok(ranked)
}

/// One search under way.
struct Search<'a, 'tx> {
    tx: &'a mut Tx<'tx>,
    viewer: Viewer,
    words: &'a [String],
    limit: usize,
}

impl Search<'_, '_> {
    fn run(mut self, query: &Query) -> Result<Found, db::Error> {
        let mut shelves = search::shelves(self.tx, self.viewer)?;
        if let Some(name) = &query.namespace {
            // A namespace that there is not holds nothing, and one that is hidden shows nothing.
            let Some(found) = namespaces::find(self.tx, name)? else { return Ok(Found::default()) };
            shelves.only = Some(found.id);
        }
        let mut found = self.plainly(&shelves, query.since)?;
        let nearly = found.is_empty();
        if nearly {
            found = self.nearly(&shelves, query)?;
        }
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        Ok(Found { nearly: nearly && !found.is_empty(), rows: found, more })
    }

    /// What has the words as they were typed.
    fn plainly(&mut self, shelves: &Shelves, since: i64) -> Result<Vec<ListedRow>, db::Error> {
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        for how in [How::Whole, How::Begins, How::Anywhere] {
            let wanted = Wanted { words: self.words, how, shelves, since, limit: self.limit as i64 + 1 };
            let mut rows = search::by_words(self.tx, self.viewer, &wanted)?;
            rows.sort_by_key(|row| distance(row, self.words));
            found.extend(rows.into_iter().filter(|row| known.insert(row.id)));
            if found.len() > self.limit {
                break;
            }
        }
        Ok(found)
    }

    /// What has them within other words, or words that are written nearly so.
    fn nearly(&mut self, shelves: &Shelves, query: &Query) -> Result<Vec<ListedRow>, db::Error> {
        let wanted = Wanted { words: self.words, how: How::Alike, shelves, since: query.since, limit: MOST as i64 };
        let mut found = search::by_words(self.tx, self.viewer, &wanted)?;
        let longest = self.words.iter().max_by_key(|word| word.chars().count()).cloned().unwrap_or_default();
        // Whoever writes one letter wrong writes one half right.
        for part in words::parts(&longest) {
            found.extend(search::by_part(self.tx, self.viewer, &part, query.since, MOST as i64)?);
        }
        let only = query.namespace.as_deref();
        let mut known = HashSet::new();
        let mut ranked: Vec<(usize, ListedRow)> = found
            .into_iter()
            .filter(|row| known.insert(row.id) && only.is_none_or(|only| namespace_of(&row.name) == only))
            .filter_map(|row| Some((alike::far(&row, self.words)?, row)))
            .collect();
        ranked.sort_by_key(|(far, row)| (*far, std::cmp::Reverse(row.pulls)));
        Ok(ranked.into_iter().map(|(_, row)| row).collect())
    }
}

/// How far a name is from what was typed, among those that have the same words: its last part first, then any.
fn distance(row: &ListedRow, words: &[String]) -> usize {
    let parts: Vec<String> = words::of(&row.name);
    let last = words::of(row.name.rsplit('/').next().unwrap_or_default());
    if parts == words || last == words {
        return 0;
    }
    if last.starts_with(words) { 1 } else { 2 }
}
