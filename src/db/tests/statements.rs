use std::path::Path;

use super::support::{TestDb, on_postgres};
use crate::db::dialect::for_sqlite;

/// Every statement in the files of queries, whether a test calls its function or not.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/db");
    let shared = definitions(&std::fs::read_to_string(folder.join("access.rs")).unwrap());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let queries = path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "dialect.rs", "migrations.rs", "postgres.rs", "sqlite.rs"]
                .iter()
                .any(|name| path.ends_with(name));
        if queries {
            let source = std::fs::read_to_string(&path).unwrap();
            let shared = if path.ends_with("access.rs") { "" } else { &*shared };
            found.extend(literals(&format!("{shared}{source}")).into_iter().filter(|text| is_statement(text)));
        }
    }
    found
}

/// The macros of a file, which others use in their statements too.
fn definitions(source: &str) -> String {
    let macros = source.split("macro_rules! ").skip(1).filter_map(|rest| rest.split_once("\n}\n"));
    macros.map(|(definition, _)| format!("macro_rules! {definition}\n}}\n")).collect()
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
            "SELECT directory, domain, sealed_key FROM acme_certificates",
            "SELECT directory, sealed FROM acme_accounts",
            "SELECT chain, sealed_key, not_before, not_after, issued_at, directory FROM acme_certificates",
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
            // `few` are rows that a query with a limit of its own has found.
            let fine = step == "SCAN CONSTANT ROW" || step == "SCAN few";
            assert!(!step.starts_with("SCAN ") || fine, "{sql}\n{step}");
        }
    }
}

/// Of a list for somebody who may see few, each repository costs little, however many roles others hold.
#[tokio::test]
async fn the_catalog_does_not_look_through_the_roles_of_others() {
    const NAMESPACES: i32 = 100;
    const ROLES: i32 = 50;
    let db = TestDb::sqlite();
    let connection = rusqlite::Connection::open(db.path()).unwrap();
    let seed = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {NAMESPACES}) \
         INSERT INTO namespaces (id, name, owner_kind, created_at) SELECT i + 10, 'n' || i, 'organisation', 0 FROM n; \
         INSERT INTO repositories (id, public_id, namespace_id, name, visibility, created_at) \
         SELECT id, name, id, name || '/app', 'private', 0 FROM namespaces WHERE id > 10; \
         INSERT INTO manifests (repository_id, digest, media_type, size, created_at, content) \
         SELECT id, x'00', 'm', 0, 0, x'' FROM repositories; \
         INSERT INTO users (id, public_id, name, admin, state, password_version, created_at, updated_at) \
         VALUES (1, 'a', 'alice', 0, 'active', 1, 0, 0), (2, 'b', 'bob', 0, 'active', 1, 0, 0); \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROLES}) \
         INSERT INTO role_bindings (namespace_id, role_id, user_id, pattern, exact, created_at) \
         SELECT s.id, 4, 2, s.name || '/' || n.i, 1, 0 FROM namespaces s, n WHERE s.id > 10; \
         INSERT INTO role_bindings (namespace_id, role_id, user_id, pattern, exact, created_at) \
         VALUES (50, 4, 1, 'n40/app', 1, 0)"
    );
    connection.execute_batch(&seed).unwrap();
    let catalog = statements().into_iter().find(|sql| sql.starts_with("SELECT r.name FROM repositories r")).unwrap();
    let mut catalog = connection.prepare(&for_sqlite(&catalog)).unwrap();
    let seen = catalog.query_map((0, 1, 0, 0, "", 101), |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(seen.collect::<Result<Vec<_>, _>>().unwrap(), ["n40/app"]);
    let steps = catalog.get_status(rusqlite::StatementStatus::VmStep);
    assert!(steps < 100 * NAMESPACES, "{steps} steps for {NAMESPACES} repositories");
}
