//! Files beside the program that have to keep step with it.

use std::collections::BTreeSet;
use std::fs;

use super::source::{self, Tree};
use super::{Breach, assert_kept};

const ENGINES: [&str; 2] = ["sqlite", "postgres"];

/// Compares the migrations of both engines, given as lists of file names.
fn migrations(names: [&[String]; 2]) -> Vec<Breach> {
    let all: BTreeSet<&String> = names.into_iter().flatten().collect();
    let mut breaches = Vec::new();
    if all.is_empty() {
        breaches.push(Breach::new("migrations", 1, "there is none"));
    }
    for (engine, own) in ENGINES.into_iter().zip(names) {
        let missing = all.iter().filter(|name| !own.contains(name));
        breaches.extend(missing.map(|name| Breach::new(&path(engine, name), 1, "is missing")));
        for (at, name) in own.iter().enumerate() {
            if !is_numbered(name, at + 1) {
                let what = format!("is not {:04}_lower_case.sql, the next in line", at + 1);
                breaches.push(Breach::new(&path(engine, name), 1, what));
            }
        }
    }
    breaches
}

fn path(engine: &str, name: &str) -> String {
    format!("migrations/{engine}/{name}")
}

fn is_numbered(name: &str, number: usize) -> bool {
    let rest = name.strip_prefix(&format!("{number:04}_"));
    rest.and_then(|rest| rest.strip_suffix(".sql")).is_some_and(|rest| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        !rest.is_empty() && rest.chars().all(fits)
    })
}

#[test]
fn both_engines_have_the_same_migrations() {
    let [sqlite, postgres] = ENGINES.map(|engine| source::names_in(&format!("migrations/{engine}")));
    assert_kept(
        "a migration exists for both engines, under one number and one name",
        &migrations([&sqlite, &postgres]),
    );
}

#[test]
fn migrations_that_drift_apart_are_seen() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let found = |sqlite: &[&str], postgres: &[&str]| {
        let found = migrations([&names(sqlite), &names(postgres)]);
        found.into_iter().map(|breach| breach.path).collect::<Vec<_>>()
    };
    let first = "0001_start.sql";
    assert!(found(&[first], &[first]).is_empty());
    assert_eq!(found(&[], &[]), ["migrations"]);
    assert_eq!(found(&[first], &[]), ["migrations/postgres/0001_start.sql"]);
    assert_eq!(
        found(&[first, "0003_tags.sql"], &[first, "0002_tags.sql"]),
        ["migrations/sqlite/0002_tags.sql", "migrations/sqlite/0003_tags.sql", "migrations/postgres/0003_tags.sql",]
    );
    assert_eq!(found(&["0001_Start.sql"], &["0001_Start.sql"]).len(), 2);
}

/// Looks up every top-level module of `tree` in the section `Code map` of `document`.
fn code_map(tree: &Tree, document: &str) -> Vec<Breach> {
    let (line, map) = section(document, "code map");
    let modules: BTreeSet<&str> = tree.sources().filter_map(|file| file.top_module()).collect();
    let missing = modules
        .into_iter()
        .filter(|module| ![format!("{module}/"), format!("{module}.rs")].iter().any(|name| mentions(map, name)));
    missing.map(|module| Breach::new("ARCHITECTURE.md", line, format!("no word of `{module}`"))).collect()
}

/// Whether `name` stands in `text`, not as the end of a longer name.
fn mentions(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-'))
}

/// The section of a Markdown text whose heading holds `title`, with the line of its heading.
fn section<'a>(document: &'a str, title: &str) -> (usize, &'a str) {
    let level = |line: &str| line.chars().take_while(|c| *c == '#').count();
    let mut at = 0;
    let mut start = None;
    let mut fenced = false;
    for (number, line) in document.split_inclusive('\n').enumerate() {
        fenced ^= line.starts_with("```");
        // A `#` between fences is a comment of what is quoted.
        let depth = if fenced { 0 } else { level(line) };
        match start {
            None if depth > 0 && line.to_lowercase().contains(title) => {
                start = Some((number + 1, at, depth));
            }
            Some((number, from, own)) if (1..=own).contains(&depth) => {
                return (number, &document[from..at]);
            }
            _ => {}
        }
        at += line.len();
    }
    start.map_or((1, ""), |(number, from, _)| (number, &document[from..]))
}

#[test]
fn the_code_map_names_every_module() {
    let path = source::root().join("ARCHITECTURE.md");
    let document = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_kept(
        "every module of src/ has its line in the code map of ARCHITECTURE.md, as `name/` or `name.rs`",
        &code_map(Tree::workspace(), &document),
    );
}

#[test]
fn a_module_without_a_line_in_the_code_map_is_seen() {
    let names = ["src/lib.rs", "src/main.rs", "src/app.rs", "src/db/mod.rs", "src/blobs/disk.rs"];
    let tree = Tree::of(&names.map(|name| (name, "")));
    let missing = |document: &str| {
        let found = code_map(&tree, document);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let whole = "# Havre\n## Code map\n```\n# src\napp.rs\n```\n### Below\n`db/` and `src/blobs/`\n## Next\n";
    assert!(missing(whole).is_empty());
    let partial = "# Havre\n\n## Code map\napp.rs sub_db/ blobs\n## Next\ndb/ blobs/";
    let line = "ARCHITECTURE.md:3: no word of";
    assert_eq!(missing(partial), [format!("{line} `blobs`"), format!("{line} `db`")]);
    assert_eq!(missing("").len(), 3);
}
