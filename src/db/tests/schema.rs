use std::collections::{BTreeMap, BTreeSet};

use super::support::{Schema, TestDb, on_each_engine, on_postgres, with_schema};
use crate::db::{Db, Kind, SCHEMA_VERSION, Tx, Val};

/// A column's name, kind, and whether it may be NULL.
type Column = (String, &'static str, bool);
/// An index's columns and whether it is unique. Primary keys are indexes too.
type Index = (Vec<String>, bool);
/// Every table with its columns, indexes and foreign keys.
type Tables = BTreeMap<String, (BTreeSet<Column>, BTreeSet<Index>, BTreeSet<String>)>;

fn sqlite_tables(connection: &rusqlite::Connection) -> Tables {
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut tables = Tables::new();
    // What full text is kept in is each engine's own.
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
               AND name NOT LIKE 'repository_words%' AND name NOT LIKE 'repository_grams%'";
    for table in texts(sql) {
        let mut statement =
            connection.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1)").unwrap();
        let read = |row: &rusqlite::Row<'_>| {
            let (name, kind, not_null, key) =
                (row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, i64>(3)?);
            let kind = match kind.as_str() {
                "INTEGER" | "BIGINT" => "integer",
                "TEXT" => "text",
                "BLOB" => "bytes",
                "BOOLEAN" => "boolean",
                other => panic!("{other}"),
            };
            Ok(((name, kind, !(not_null || key > 0)), key))
        };
        let columns: Vec<(Column, i64)> = statement.query_map([&table], read).unwrap().map(Result::unwrap).collect();
        let mut key: Vec<(i64, String)> =
            columns.iter().filter(|(_, key)| *key > 0).map(|((name, ..), key)| (*key, name.clone())).collect();
        key.sort();
        let mut indexes = BTreeSet::from([(key.into_iter().map(|(_, name)| name).collect(), true)]);
        for index in texts(&format!("SELECT name FROM pragma_index_list('{table}') WHERE origin = 'c'")) {
            let unique =
                format!("SELECT name FROM pragma_index_list('{table}') WHERE name = '{index}' AND \"unique\" = 1");
            let columns = texts(&format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno"));
            indexes.insert((columns, !texts(&unique).is_empty()));
        }
        let foreign = texts(&format!(
            "SELECT GROUP_CONCAT(\"from\", ',') || ' -> ' || \"table\" || ' ' || on_delete \
             FROM pragma_foreign_key_list('{table}') GROUP BY id ORDER BY seq"
        ));
        let columns = columns.into_iter().map(|(column, _)| column).collect();
        tables.insert(table, (columns, indexes, foreign.into_iter().collect()));
    }
    tables
}

async fn postgres_tables(db: &TestDb) -> Tables {
    let client = db.client().await;
    let mut tables = Tables::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
                   FROM information_schema.columns WHERE table_schema = current_schema() \
                   AND table_name <> 'repository_words'";
    for row in client.query(columns, &[]).await.unwrap() {
        let kind = match row.get::<_, &str>(2) {
            "bigint" => "integer",
            "text" => "text",
            "bytea" => "bytes",
            "boolean" => "boolean",
            other => panic!("{other}"),
        };
        tables.entry(row.get(0)).or_default().0.insert((row.get(1), kind, row.get(3)));
    }
    let indexes = "SELECT c.relname::text, i.indisunique, ARRAY(SELECT a.attname::text FROM pg_attribute a \
                   WHERE a.attrelid = i.indexrelid ORDER BY a.attnum) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
                   WHERE c.relnamespace = current_schema()::regnamespace";
    for row in client.query(indexes, &[]).await.unwrap() {
        if let Some(table) = tables.get_mut(row.get::<_, &str>(0)) {
            table.1.insert((row.get(2), row.get(1)));
        }
    }
    let foreign = "SELECT c.conrelid::regclass::text, (SELECT string_agg(a.attname::text, ',' ORDER BY k.n) \
                   FROM unnest(c.conkey) WITH ORDINALITY k(attnum, n) JOIN pg_attribute a \
                   ON a.attrelid = c.conrelid AND a.attnum = k.attnum) || ' -> ' || c.confrelid::regclass::text || \
                   CASE c.confdeltype WHEN 'c' THEN ' CASCADE' ELSE ' NO ACTION' END \
                   FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace \
                   AND c.conrelid <> 'repository_words'::regclass";
    for row in client.query(foreign, &[]).await.unwrap() {
        tables.get_mut(row.get::<_, &str>(0)).unwrap().2.insert(row.get(1));
    }
    tables
}

#[tokio::test]
async fn both_engines_have_the_same_tables_columns_indexes_and_foreign_keys() {
    on_postgres(async |db| {
        let sqlite = TestDb::sqlite();
        let ours = sqlite_tables(&rusqlite::Connection::open(sqlite.path()).unwrap());
        let theirs = postgres_tables(db).await;
        assert!(ours.len() > 10 && ours["tags"].0.len() == 5 && ours["tags"].1.len() == 2);
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (table, shape) in &ours {
            assert_eq!(shape, &theirs[table], "{table}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_listed_or_compared_by_name_collates_as_bytes() {
    on_postgres(async |db| {
        let client = db.client().await;
        let sql = "SELECT column_name::text FROM information_schema.columns WHERE table_schema = current_schema() \
                   AND column_name IN ('name', 'location') AND collation_name IS DISTINCT FROM 'C' \
                   AND table_name NOT IN ('schema_migrations', 'uploads')";
        assert!(client.query(sql, &[]).await.unwrap().is_empty());
    })
    .await;
}

const NEWER: &str = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";

fn newer() -> [Val; 3] {
    [(SCHEMA_VERSION + 1).into(), "9999_later".into(), 1_i64.into()]
}

#[tokio::test]
async fn a_schema_newer_than_known_is_refused_and_left_alone() {
    on_each_engine(async |db| {
        db.run(|tx| tx.execute(NEWER, &newer())).await;
        let error = db.reopen().await.err().unwrap();
        assert_eq!(error.kind, Kind::SchemaTooNew);
        assert!(error.to_string().contains(&format!("version {}", SCHEMA_VERSION + 1)), "{error}");
        let versions = |tx: &mut Tx<'_>| tx.one("SELECT COUNT(*) FROM schema_migrations", &[])?.int(0);
        assert_eq!(db.read(versions).await.unwrap(), SCHEMA_VERSION + 1);
    })
    .await;
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    on_each_engine(async |db| {
        db.run(|tx| crate::db::garbage::insert(tx, "x", 0)).await;
        let again = db.reopen().await.unwrap();
        assert_eq!(again.read(|tx| crate::db::garbage::due(tx, 0, 9)).await.unwrap().len(), 1);
        let versions = |tx: &mut Tx<'_>| tx.one("SELECT COUNT(*) FROM schema_migrations", &[])?.int(0);
        assert_eq!(again.read(versions).await.unwrap(), SCHEMA_VERSION);
    })
    .await;
}

async fn open_at_once(schema: &Schema) {
    let url = schema.url();
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Db::open_postgres(&url, 1, true).await.map(drop) })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_migrate_one_after_the_other() {
    with_schema(open_at_once).await;
    with_schema(async |schema| {
        // Also where the server's default would have each of them look at the schema as it was before it waited.
        let url = format!("{}%20-cdefault_transaction_isolation%3Drepeatable%5C%20read", schema.url());
        let (one, other) = tokio::join!(Db::open_postgres(&url, 1, true), Db::open_postgres(&url, 1, true));
        one.unwrap();
        other.unwrap();
    })
    .await;
}

#[tokio::test]
async fn processes_that_start_at_once_migrate_a_file_one_after_the_other() {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("havre.db");
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || Db::open_sqlite(&path, true).map(drop))
        })
        .collect();
    for opened in opening {
        opened.join().unwrap().unwrap();
    }
}
