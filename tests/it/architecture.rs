//! The rules that `ARCHITECTURE.md` and `STYLE.md` state, held by reading the source tree.
//!
//! Each rule is a function from a [`source::Tree`] to its breaches. It has two tests: one that
//! runs it over this workspace, and one that feeds it text that breaks it, so that no rule can
//! go blind without anyone noticing.

use std::fmt;

mod documents;
mod events;
mod hygiene;
mod layering;
mod paths;
mod source;
mod texts;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    /// Path from the root of the workspace, with `/` between its parts.
    path: String,
    /// Counted from 1.
    line: usize,
    /// What stands there, in a few words.
    what: String,
}

impl Breach {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

type Rule = fn(&source::Tree) -> Vec<Breach>;

/// Fails with the text of the rule and every place that breaks it.
#[track_caller]
fn assert_kept(text: &str, breaches: &[Breach]) {
    let places: Vec<String> = breaches.iter().map(|breach| format!("  {breach}")).collect();
    assert!(places.is_empty(), "\nrule: {text}\nbroken at:\n{}\n", places.join("\n"));
}

/// Runs `rule` over this workspace.
#[track_caller]
fn assert_workspace_keeps(text: &str, rule: Rule) {
    assert_kept(text, &rule(source::Tree::workspace()));
}

/// Runs `rule` over `files` (path, text) and compares the places found, as `path:line`.
#[track_caller]
fn assert_breaches(rule: Rule, files: &[(&str, &str)], expected: &[&str]) {
    let mut found = rule(&source::Tree::of(files));
    found.sort();
    let found: Vec<String> = found.iter().map(|b| format!("{}:{}", b.path, b.line)).collect();
    assert_eq!(found, expected);
}
