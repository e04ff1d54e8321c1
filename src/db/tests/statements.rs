use std::path::Path;

use super::support::{TestDb, on_postgres};
use crate::db::dialect::for_sqlite;

/// Every statement in the files of queries, whether a test calls its function or not.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let queries = path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "dialect.rs", "migrations.rs", "postgres.rs", "sqlite.rs"]
                .iter()
                .any(|name| path.ends_with(name));
        if queries {
            found.extend(
                literals(&std::fs::read_to_string(path).unwrap()).into_iter().filter(|text| is_statement(text)),
            );
        }
    }
    found
}

/// The string literals of a Rust file, their line continuations joined. Enough for files of queries.
fn literals(source: &str) -> Vec<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let joined = code.split("\\\n").map(str::trim_start).collect::<Vec<_>>().join("");
    expanded(&joined).split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Puts the text of a file's macros where its statements use them.
fn expanded(code: &str) -> String {
    let mut out = code.to_owned();
    for definition in code.split("macro_rules! ").skip(1) {
        let name = definition.split_whitespace().next().unwrap();
        let condition = definition.split('"').nth(1).unwrap();
        out = with_macro(&out, name, condition);
    }
    out
}

fn with_macro(code: &str, name: &str, condition: &str) -> String {
    let call = format!("{name}!(),");
    let mut parts = code.split(&call);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let before = out.trim_end().strip_suffix("\",").unwrap().len();
        out.truncate(before);
        out.push_str(condition);
        out.push_str(part.trim_start().strip_prefix('"').unwrap());
    }
    out
}

fn is_statement(text: &str) -> bool {
    ["SELECT ", "INSERT ", "UPDATE ", "DELETE "].iter().any(|verb| text.starts_with(verb))
}

#[test]
fn the_statements_are_found() {
    let found = literals("f(\"SELECT a \\\n    FROM b\");\n// \"SELECT c\nlet x = \"no\";");
    assert_eq!(found, ["SELECT a FROM b", "no"]);
    assert!(statements().len() > 60, "{}", statements().len());
}

#[tokio::test]
async fn sqlite_understands_every_statement_with_its_row_locks_taken_away() {
    let db = TestDb::sqlite();
    let connection = rusqlite::Connection::open(db.path()).unwrap();
    for sql in statements() {
        let text = for_sqlite(&sql);
        assert!(!text.contains('$') && !text.contains(" FOR "), "{text}");
        let statement = connection.prepare(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(statement.parameter_count(), parameters(&sql), "{text}");
    }
}

#[tokio::test]
async fn postgres_understands_every_statement() {
    on_postgres(async |db| {
        let client = db.client().await;
        for sql in statements() {
            let statement = client.prepare(&sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
            assert_eq!(statement.params().len(), parameters(&sql), "{sql}");
            for ty in statement.params() {
                // What `Val` can be sent as.
                assert!(["int8", "text", "bytea", "bool"].contains(&ty.name()), "{sql}: {ty}");
            }
        }
    })
    .await;
}

/// The highest number of a parameter.
fn parameters(sql: &str) -> usize {
    (1..20).rev().find(|n| sql.contains(&format!("${n}"))).unwrap_or(0)
}

/// What finds its row by scanning a table would be slow where there are many, and on SQLite nobody else could write meanwhile.
#[tokio::test]
async fn no_statement_of_a_request_scans_a_table() {
    let db = TestDb::sqlite();
    let connection = rusqlite::Connection::open(db.path()).unwrap();
    for sql in statements() {
        // What is meant to look at everything: totals, the first of any, and the sessions of an earlier life.
        let whole = [
            "SELECT COUNT(*) FROM",
            "SELECT id FROM uploads LIMIT",
            "SELECT id FROM users LIMIT",
            "SELECT id, sealed FROM signing_keys",
            "UPDATE uploads SET lease_holder = NULL",
        ];
        if whole.iter().any(|start| sql.starts_with(start)) && !sql.contains("WHERE id") {
            continue;
        }
        // Five rows, by an index that holds no others.
        if sql.contains("FROM roles WHERE namespace_id IS NULL") {
            continue;
        }
        // Garbage is short-lived and few; `havre check` alone looks for a location in it.
        if sql.contains("FROM garbage WHERE location") {
            continue;
        }
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", for_sqlite(&sql))).unwrap();
        let nulls = vec![rusqlite::types::Null; parameters(&sql)];
        let steps = plan.query_map(rusqlite::params_from_iter(nulls), |row| row.get::<_, String>(3)).unwrap();
        for step in steps {
            let step = step.unwrap();
            assert!(!step.starts_with("SCAN ") || step == "SCAN CONSTANT ROW", "{sql}\n{step}");
        }
    }
}
