//! The one place where the text of a statement is fitted to an engine.
//!
//! Statements are written once, in PostgreSQL's words. SQLite takes them after two changes: `$1` becomes `?1` (it would
//! read `$1` as a *named* parameter and number it by first appearance), and row locks fall away, because its
//! transactions exclude each other anyway.

use std::collections::HashMap;

/// Rewrites `sql` for SQLite; text between single quotes is left alone.
pub(super) fn for_sqlite(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quoted = false;
    for c in sql.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                out.push(c);
            }
            '$' if !quoted => out.push('?'),
            _ => out.push(c),
        }
    }
    for lock in [" FOR NO KEY UPDATE", " FOR KEY SHARE", " FOR UPDATE", " SKIP LOCKED"] {
        out = out.replace(lock, "");
    }
    out
}

/// Remembers rewritten statements by the address of their text, which is `'static`, so that a hot statement costs one
/// look-up and no scan.
#[derive(Default)]
pub(super) struct Rewritten(HashMap<(usize, usize), Box<str>>);

impl Rewritten {
    pub(super) fn get(&mut self, sql: &'static str) -> &str {
        self.0.entry((sql.as_ptr() as usize, sql.len())).or_insert_with(|| for_sqlite(sql).into())
    }
}

#[cfg(test)]
mod tests {
    use super::for_sqlite;

    #[test]
    fn parameters_outside_quotes_become_positional_and_locks_fall_away() {
        assert_eq!(
            for_sqlite("SELECT '$1', a FROM t WHERE b = $1 AND c = $2 FOR UPDATE SKIP LOCKED"),
            "SELECT '$1', a FROM t WHERE b = ?1 AND c = ?2"
        );
        assert_eq!(for_sqlite("SELECT id FROM t WHERE b = $1 FOR KEY SHARE"), "SELECT id FROM t WHERE b = ?1");
    }
}
