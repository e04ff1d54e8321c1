//! Who may name whom.

use std::collections::BTreeMap;

use super::paths::{self, Named};
use super::source::{File, Kind, Token, Tree};
use super::{Breach, assert_breaches, assert_workspace_keeps};

/// What each module of `src/` may name besides itself and [`LEAVES`]. A module that is not
/// listed here breaks the rule: its place has to be decided.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("cli", &["app", "auth", "blobs", "config", "db", "http", "mail", "pki", "registry"]),
    ("app", &["auth", "blobs", "config", "db", "mail", "pki", "registry"]),
    ("http", &["app", "auth", "blobs", "config", "pki", "registry"]),
    ("registry", &["auth", "blobs", "config", "db", "mail"]),
    ("mail", &["config"]),
    ("auth", &[]),
    ("pki", &[]),
    ("blobs", &[]),
    ("db", &[]),
    ("config", &[]),
    ("clock", &[]),
    ("telemetry", &["config"]),
];

/// Small modules that everything may name.
const LEAVES: &[&str] = &["clock", "telemetry"];

const DRIVERS: &[&str] = &["rusqlite", "tokio_postgres", "deadpool_postgres", "tokio_postgres_rustls"];

/// Where an engine may be called by its name: the layer that hides it, and where users choose it.
const KNOW_ENGINES: &[&str] = &["db", "config", "cli"];

fn layers(tree: &Tree) -> Vec<Breach> {
    let table: BTreeMap<&str, &[&str]> = MAY_NAME.iter().copied().collect();
    let mut breaches = Vec::new();
    for file in tree.sources() {
        let Some(layer) = file.top_module() else {
            continue;
        };
        let Some(&allowed) = table.get(layer) else {
            breaches.push(Breach::new(&file.path, 1, format!("`{layer}` has no row in MAY_NAME")));
            continue;
        };
        for named in paths::named(file).iter().filter(|named| !named.test) {
            let Some(target) = paths::target(file, named) else {
                continue;
            };
            let target = target.as_str();
            let free = target == layer || LEAVES.contains(&target) || allowed.contains(&target);
            if !free && table.contains_key(target) {
                breaches.push(Breach::new(&file.path, named.line, format!("{layer} names {target}")));
            }
        }
    }
    breaches
}

#[test]
fn modules_name_only_the_layers_below_them() {
    assert_workspace_keeps("a module of src/ names only what MAY_NAME lists for it", layers);
}

#[test]
fn a_module_that_names_a_layer_above_it_is_seen() {
    assert_breaches(
        layers,
        &[
            ("src/http/v2/tags.rs", "use crate::app::App;\nuse crate::{registry, db::{tags}};"),
            ("src/db/tags.rs", "use super::Row;\nfn f() { super::super::registry::push() }"),
            ("src/blobs/mod.rs", "use crate::clock::Clock;\nuse crate::config::Storage;"),
            ("src/webhooks.rs", ""),
            ("src/registry/tests.rs", "use crate::http;"),
        ],
        &["src/blobs/mod.rs:2", "src/db/tags.rs:2", "src/http/v2/tags.rs:2", "src/webhooks.rs:1"],
    );
}

/// Paths that begin with one of `roots`, in the files that `applies` picks.
fn naming(tree: &Tree, applies: fn(&File) -> bool, roots: &[&[&str]]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in tree.sources().filter(|file| applies(file)) {
        let bad = |named: &Named| roots.iter().any(|root| named.begins_with(root));
        for named in paths::named(file).iter().filter(|named| bad(named)) {
            breaches.push(Breach::new(&file.path, named.line, named.segments.join("::")));
        }
    }
    breaches
}

/// `http_body` is let through: its trait is how a stream of bytes is named, whoever sends it.
fn domain_without_http(tree: &Tree) -> Vec<Breach> {
    const HTTP: &[&[&str]] = &[&["http"], &["http_body_util"], &["hyper"], &["hyper_util"]];
    naming(tree, |file| file.top_module() == Some("registry"), HTTP)
}

#[test]
fn the_domain_does_not_know_http() {
    assert_workspace_keeps("registry/ names neither hyper nor http", domain_without_http);
}

#[test]
fn a_domain_that_knows_http_is_seen() {
    assert_breaches(
        domain_without_http,
        &[
            (
                "src/registry/error.rs",
                "use http;\nuse ::hyper::Request;\nfn f() -> http::StatusCode {}\n// http::X\nlet http = a::http::b();",
            ),
            ("src/http/mod.rs", "use http::Request;"),
        ],
        &["src/registry/error.rs:1", "src/registry/error.rs:2", "src/registry/error.rs:3"],
    );
}

fn drivers_in_db(tree: &Tree) -> Vec<Breach> {
    let outside = tree.sources().filter(|file| file.top_module() != Some("db"));
    words(outside, |token| token.kind == Kind::Word && DRIVERS.contains(&token.text.as_str()))
}

#[test]
fn only_db_names_the_database_drivers() {
    assert_workspace_keeps("only db/ names rusqlite and tokio_postgres", drivers_in_db);
}

#[test]
fn a_driver_outside_db_is_seen() {
    assert_breaches(
        drivers_in_db,
        &[
            ("src/registry/push.rs", "type C =\n    rusqlite::Connection;"),
            ("src/cli/check.rs", "use deadpool_postgres::Pool;"),
            ("src/db/sqlite.rs", "use rusqlite::Connection;"),
        ],
        &["src/cli/check.rs:1", "src/registry/push.rs:2"],
    );
}

fn sql_in_db(tree: &Tree) -> Vec<Breach> {
    let outside = tree.sources().filter(|file| file.top_module() != Some("db"));
    // A test may damage a row as no query of ours does.
    words(outside, |token| !token.test && token.kind == Kind::Text && is_sql(&token.text))
}

/// Whether `text` holds a statement; the house writes SQL's own words in capitals.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let followed = |first: &str, second: &str| words.windows(2).any(|pair| pair == [first, second]);
    let updates = words.iter().skip_while(|word| **word != "UPDATE").any(|word| *word == "SET");
    let selects = words.contains(&"SELECT");
    selects || updates || followed("INSERT", "INTO") || followed("DELETE", "FROM")
}

#[test]
fn sql_is_written_in_db_only() {
    assert_workspace_keeps("SQL is written below src/db/ only", sql_in_db);
}

#[test]
fn sql_outside_db_is_seen() {
    assert_breaches(
        sql_in_db,
        &[
            ("src/registry/a.rs", "f(\"SELECT 1\");\ng(r#\"\n  UPDATE tags\n  SET x = 1\"#);"),
            ("src/sweep/a.rs", "f(\"INSERT INTO t VALUES (1)\");\nf(\"DELETE  FROM t\");"),
            ("src/http/a.rs", "f(\"DELETE /v2/ from here; SET UPDATE\"); // SELECT 1"),
            ("src/db/tags.rs", "f(\"SELECT 1\");"),
        ],
        &["src/registry/a.rs:1", "src/registry/a.rs:2", "src/sweep/a.rs:1", "src/sweep/a.rs:2"],
    );
}

fn engines_hidden(tree: &Tree) -> Vec<Breach> {
    let outside = tree.sources().filter(|file| {
        // The one place that opens the database the configuration names.
        file.path != "src/app/open.rs" && file.top_module().is_none_or(|module| !KNOW_ENGINES.contains(&module))
    });
    words(outside, |token| {
        let text = token.text.to_ascii_lowercase();
        !token.test
            && token.kind != Kind::Mark
            && ["pragma", "sqlite", "postgres"].iter().any(|word| text.contains(word))
    })
}

#[test]
fn engines_are_named_where_they_differ_only() {
    assert_workspace_keeps(
        "only db/, config/, cli/ and app/open.rs call a database engine by its name",
        engines_hidden,
    );
}

#[test]
fn an_engine_named_elsewhere_is_seen() {
    assert_breaches(
        engines_hidden,
        &[
            ("src/registry/a.rs", "if db.is_sqlite() {}\nf(\"PRAGMA x\");\n// sqlite\n#[test] fn on_postgres() {}"),
            ("src/app.rs", "let x: PostgresPool = y;"),
            ("src/config/database.rs", "enum Engine { Sqlite, Postgres }"),
            ("src/app/open.rs", "Db::open_sqlite(path)"),
        ],
        &["src/app.rs:1", "src/registry/a.rs:1", "src/registry/a.rs:2"],
    );
}

fn oci_is_pure(tree: &Tree) -> Vec<Breach> {
    const IO: &[&[&str]] = &[
        &["http"],
        &["hyper"],
        &["rusqlite"],
        &["tokio"],
        &["tokio_postgres"],
        &["std", "env"],
        &["std", "fs"],
        &["std", "net"],
        &["std", "process"],
        &["std", "thread"],
    ];
    naming(tree, |file| file.path.starts_with("crates/oci/src/"), IO)
}

#[test]
fn the_protocol_crate_does_no_io() {
    assert_workspace_keeps("crates/oci names no runtime, no HTTP, no SQL and no I/O", oci_is_pure);
}

#[test]
fn io_in_the_protocol_crate_is_seen() {
    assert_breaches(
        oci_is_pure,
        &[
            ("crates/oci/src/digest.rs", "use tokio::fs;\nuse std::{fmt, fs::File};\nuse std::io::Write;"),
            ("crates/client/src/lib.rs", "use tokio::fs;"),
        ],
        &["crates/oci/src/digest.rs:1", "crates/oci/src/digest.rs:2"],
    );
}

/// The tokens of `files` that `bad` picks.
fn words<'a>(files: impl Iterator<Item = &'a File>, bad: impl Fn(&Token) -> bool) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files {
        for token in file.tokens.iter().filter(|token| bad(token)) {
            let shown: Vec<&str> = token.text.split_whitespace().take(6).collect();
            breaches.push(Breach::new(&file.path, token.line, shown.join(" ")));
        }
    }
    breaches
}
