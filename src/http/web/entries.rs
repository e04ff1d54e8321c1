//! A repository as lists of the pages show it.

use crate::registry::explore::ListedRow;

/// Of a description at most this many characters: whoever wants all of it opens the repository.
const DESCRIPTION: usize = 160;

/// A line of a list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub href: String,
    /// What it is; empty where nobody has said.
    pub description: String,
    pub visibility: String,
    pub stars: i64,
    pub pulls: i64,
    pub pushed_at: Option<i64>,
    pub official: bool,
    pub verified: bool,
}

impl From<ListedRow> for Entry {
    fn from(row: ListedRow) -> Self {
        Self {
            href: format!("/{}", row.name),
            name: row.name,
            description: short(row.description.as_deref().unwrap_or_default()),
            visibility: row.visibility,
            stars: row.stars,
            pulls: row.pulls,
            pushed_at: row.pushed_at,
            official: row.official,
            verified: row.verified,
        }
    }
}

/// The entries of rows.
pub(super) fn of(rows: Vec<ListedRow>) -> Vec<Entry> {
    rows.into_iter().map(Entry::from).collect()
}

/// A line that somebody wrote, cut where a list has no more room for it.
pub(super) fn short(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DESCRIPTION + 1).collect();
    if line.chars().count() > DESCRIPTION {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTION, short};

    #[test]
    fn a_line_is_one_line_and_short() {
        assert_eq!(short("a\nb"), "a b");
        assert_eq!(short(&"é".repeat(DESCRIPTION)).chars().count(), DESCRIPTION);
        let cut = short(&"é".repeat(1000));
        assert!(cut.ends_with('…') && cut.chars().count() == DESCRIPTION + 1);
    }
}
