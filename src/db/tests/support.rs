//! Databases for tests: a fresh one each time, on every engine that can be had.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use oci::{Algorithm, Digest, RepositoryName, Tag};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::db::{Db, Error, Tx};

/// The environment variable that has every test of the database run on PostgreSQL as well.
const POSTGRES: &str = "HAVRE_TEST_POSTGRES_URL";

/// A database of its own for one test.
pub(crate) struct TestDb {
    pub(crate) db: Arc<Db>,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres(Schema),
}

impl TestDb {
    pub(crate) fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let db = Db::open_sqlite(&directory.path().join("havre.db"), true).unwrap();
        Self { db: Arc::new(db), place: Place::Sqlite(directory) }
    }

    /// The SQLite file.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.place {
            Place::Sqlite(directory) => directory.path().join("havre.db"),
            Place::Postgres(_) => panic!("PostgreSQL has no file"),
        }
    }

    /// Opens the same database once more, as another process does.
    pub(crate) async fn reopen(&self) -> Result<Db, Error> {
        match &self.place {
            Place::Sqlite(_) => Db::open_sqlite(&self.path(), true),
            Place::Postgres(schema) => Db::open_postgres(&schema.url(), 4, true).await,
        }
    }

    /// Connects once more, with one setting of PostgreSQL changed.
    pub(crate) async fn reopen_with(&self, setting: &str) -> Db {
        match &self.place {
            Place::Sqlite(_) => panic!("SQLite has no server"),
            Place::Postgres(schema) => {
                Db::open_postgres(&format!("{}%20-c{setting}", schema.url()), 2, true).await.unwrap()
            }
        }
    }

    /// A bare connection to PostgreSQL.
    pub(crate) async fn client(&self) -> Client {
        match &self.place {
            Place::Sqlite(_) => panic!("SQLite has no server"),
            Place::Postgres(schema) => schema.client().await,
        }
    }

    /// Runs a transaction that has to succeed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.db.write(f).await.unwrap()
    }
}

impl Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Runs a test on SQLite, and on PostgreSQL where there is one.
pub(crate) async fn on_each_engine(test: impl AsyncFn(&TestDb)) {
    test(&TestDb::sqlite()).await;
    on_postgres(test).await;
}

/// Runs a test on PostgreSQL where there is one.
pub(crate) async fn on_postgres(test: impl AsyncFn(&TestDb)) {
    with_schema(async |schema| {
        let db = Db::open_postgres(&schema.url(), 8, true).await.unwrap();
        let db = TestDb { db: Arc::new(db), place: Place::Postgres(schema.clone()) };
        test(&db).await;
    })
    .await;
}

/// Runs a test on an empty schema of PostgreSQL where there is one. A test that fails leaves it behind, to be looked at.
pub(crate) async fn with_schema(test: impl AsyncFn(&Schema)) {
    #[expect(clippy::disallowed_methods, reason = "tests read the environment themselves")]
    let Ok(server) = std::env::var(POSTGRES) else { return };
    let name = format!("havre_db_{}", uuid::Uuid::new_v4().simple());
    // Shown when the test fails.
    eprintln!("now on PostgreSQL, in schema {name}");
    let client = connect(&server).await;
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
    let schema = Schema { server, name };
    test(&schema).await;
    let drop = format!("SET client_min_messages = warning; DROP SCHEMA {} CASCADE", schema.name);
    client.batch_execute(&drop).await.unwrap();
}

/// A schema of its own in a PostgreSQL database.
#[derive(Clone)]
pub(crate) struct Schema {
    server: String,
    name: String,
}

impl Schema {
    /// A bare connection to the schema.
    pub(crate) async fn client(&self) -> Client {
        connect(&self.url()).await
    }

    /// The URL under which the schema is the only one.
    pub(crate) fn url(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{joint}options=-csearch_path%3D{}", self.server, self.name)
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) fn digest(seed: &str) -> Digest {
    Algorithm::Sha256.digest(seed.as_bytes())
}

pub(crate) fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

pub(crate) fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}
