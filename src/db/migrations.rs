//! Brings a database's schema up to date: frozen SQL, forward only.
//!
//! A schema newer than this binary is refused. An existing SQLite file is copied before it is changed.

use std::path::Path;

use super::error::{Error, Kind};
use super::postgres::translate as translate_postgres;
use super::sqlite::Connection;
use super::{Statements, Val};

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($version:literal, $name:literal) => {
        Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_registry"),
    migration!(2, "0002_access"),
    migration!(3, "0003_audit"),
    migration!(4, "0004_sign_up"),
    migration!(5, "0005_visibility"),
    migration!(6, "0006_certificates"),
    migration!(7, "0007_second_factor"),
    migration!(8, "0008_pages"),
    migration!(9, "0009_search"),
];

/// The newest schema this binary knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Any number, as long as every Havre takes the same: two nodes that start together migrate one after the other.
pub(super) const POSTGRES_LOCK: i64 = 0x4861_7672_6500;

fn too_new(found: i64, known: usize) -> Error {
    Error::new(
        Kind::SchemaTooNew,
        format!(
            "the database has schema version {found}, this binary knows up to {known}: \
             start the newer havre that wrote it, or restore a copy made before the upgrade"
        ),
    )
}

fn pending(known: &[Migration], found: i64) -> Result<&[Migration], Error> {
    let done = usize::try_from(found).map_err(|_| Error::new(Kind::Corrupt, "the schema version is negative"))?;
    known.get(done..).ok_or_else(|| too_new(found, known.len()))
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
    (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const VERSION: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_migrations";
const RECORD: &str = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";

fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

pub(super) fn run_sqlite(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    // IMMEDIATE: a second process that starts at the same moment waits, then finds the work done.
    connection.batch("BEGIN IMMEDIATE")?;
    let result = migrate_sqlite(connection, path, MIGRATIONS);
    connection.batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    result
}

fn migrate_sqlite(connection: &mut Connection, path: &Path, known: &[Migration]) -> Result<(), Error> {
    connection.batch(TABLE)?;
    let found = match connection.query(VERSION, &[])?.first_mut() {
        Some(row) => row.int(0)?,
        None => 0,
    };
    let pending = pending(known, found)?;
    if found > 0 && !pending.is_empty() {
        let copy = path.with_extension(format!("db.before-{:04}", known.len()));
        Connection::open_reader(path)?.copy_to(&copy)?;
        tracing::info!(copy = %copy.display(), "copied the database before migrating it");
    }
    for migration in pending {
        connection.batch(migration.sqlite)?;
        connection.execute(RECORD, &[migration.version.into(), migration.name.into(), now().into()])?;
    }
    Ok(())
}

fn require_current(found: i64) -> Result<(), Error> {
    match pending(MIGRATIONS, found)? {
        [] => Ok(()),
        _ => Err(Error::new(
            Kind::SchemaTooOld,
            format!(
                "the database has schema version {found}, this binary works with {SCHEMA_VERSION}: start `havre serve` of \
                 this version once to migrate it, or use the havre that runs on it"
            ),
        )),
    }
}

/// Refuses a file whose schema is another than this binary's, or that has none.
pub(super) fn require_sqlite(connection: &mut Connection) -> Result<(), Error> {
    let found = connection.query(VERSION, &[])?.first_mut().map_or(Ok(0), |row| row.int(0))?;
    require_current(found)
}

/// Refuses a database whose schema is another than this binary's, or that has none.
pub(super) async fn require_postgres(client: &tokio_postgres::Client) -> Result<(), Error> {
    require_current(client.query_one(VERSION, &[]).await.map_err(translate_postgres)?.get(0))
}

pub(super) async fn run_postgres(client: &tokio_postgres::Client) -> Result<(), Error> {
    client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(translate_postgres)?;
    let result = migrate_postgres(client, MIGRATIONS).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await.map_err(translate_postgres)?;
    result
}

async fn migrate_postgres(client: &tokio_postgres::Client, known: &[Migration]) -> Result<(), Error> {
    // A migration takes as long as it takes, and a second node waits for the first.
    let patient = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0";
    client.batch_execute(patient).await.map_err(translate_postgres)?;
    let lock = "SELECT pg_advisory_xact_lock($1)";
    client.execute(lock, &[&POSTGRES_LOCK]).await.map_err(translate_postgres)?;
    // PostgreSQL would note at every start that the table is there already.
    client.batch_execute("SET LOCAL client_min_messages = warning").await.map_err(translate_postgres)?;
    client.batch_execute(TABLE).await.map_err(translate_postgres)?;
    let row = client.query_one(VERSION, &[]).await.map_err(translate_postgres)?;
    for migration in pending(known, row.get(0))? {
        client.batch_execute(migration.postgres).await.map_err(translate_postgres)?;
        let params: [Val; 3] = [migration.version.into(), migration.name.into(), now().into()];
        client.execute_raw(RECORD, &params).await.map_err(translate_postgres)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
