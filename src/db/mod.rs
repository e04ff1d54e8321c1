//! The database: one SQL text over SQLite and PostgreSQL.
//!
//! Queries are free functions, one file per noun, over a [`Tx`]. There are two doors: [`Db::read`] (and [`Db::scan`] for
//! what may touch many rows) and [`Db::write`]. Closures are synchronous on both engines: on SQLite they run inline
//! (reads) or on the writing thread (writes, several to a commit); on PostgreSQL on a blocking thread that holds a
//! pooled connection. A closure of `write` may run more than once and so has no side effects.

mod dialect;
mod error;
mod migrations;
mod postgres;
mod sqlite;
mod value;

pub mod access;
pub mod audit;
pub mod blobs;
pub mod certificates;
pub mod epoch;
pub mod events;
pub mod explore;
pub mod former_names;
pub mod garbage;
pub mod images;
pub mod inventory;
pub mod invitations;
pub mod keys;
pub mod keywords;
pub mod links;
pub mod manifests;
pub mod namespaces;
pub mod outbox;
pub mod personal;
pub mod pulls;
pub mod referrers;
pub mod removal;
pub mod repositories;
pub mod robots;
pub mod roles;
pub mod search;
pub mod second_factors;
pub mod sessions;
pub mod settings;
pub mod sign_ups;
pub mod stars;
pub mod statistics;
pub mod tags;
pub mod teams;
pub mod tokens;
pub mod uploads;
pub mod users;

#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use error::{Error, Kind};
pub use migrations::SCHEMA_VERSION;
pub use value::{Row, Val};

/// Whether a commit must have reached the disk when it returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// It survives a loss of power.
    Yes,
    /// It survives the end of the process; a loss of power may undo the latest ones, in order. For what no client was
    /// promised: the state of upload sessions.
    Soft,
}

/// Told of every use of a door: whether it wrote, and how long it took.
pub type Observer = Arc<dyn Fn(bool, Duration) + Send + Sync>;

enum Engine {
    Sqlite(Arc<sqlite::Sqlite>),
    Postgres(Arc<postgres::Postgres>),
}

/// An open database, whatever its engine.
pub struct Db {
    engine: Engine,
    observer: Option<Observer>,
}

/// What a connection of either engine does.
trait Statements {
    fn execute(&mut self, sql: &'static str, params: &[Val]) -> Result<u64, Error>;
    fn query(&mut self, sql: &'static str, params: &[Val]) -> Result<Vec<Row>, Error>;
    fn is_postgres(&self) -> bool;
}

/// A connection within one of the doors.
///
/// Inside `read` every statement sees its own snapshot, as in PostgreSQL's READ COMMITTED; inside `write` all of them
/// share the transaction.
pub struct Tx<'a> {
    connection: &'a mut dyn Statements,
}

impl<'a> Tx<'a> {
    fn new(connection: &'a mut dyn Statements) -> Self {
        Self { connection }
    }

    /// Runs a statement; returns how many rows it changed.
    pub fn execute(&mut self, sql: &'static str, params: &[Val]) -> Result<u64, Error> {
        self.connection.execute(sql, params)
    }

    /// Runs a statement; returns its rows.
    pub fn query(&mut self, sql: &'static str, params: &[Val]) -> Result<Vec<Row>, Error> {
        self.connection.query(sql, params)
    }

    /// Of what cannot be said to both engines in one way (full text alone), what this one understands.
    fn choose<T>(&self, sqlite: T, postgres: T) -> T {
        if self.connection.is_postgres() { postgres } else { sqlite }
    }

    /// Runs a statement; returns its first row.
    pub fn first(&mut self, sql: &'static str, params: &[Val]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params)?.into_iter().next())
    }

    /// Runs a statement that always answers with a row.
    pub fn one(&mut self, sql: &'static str, params: &[Val]) -> Result<Row, Error> {
        self.first(sql, params)?.ok_or_else(|| Error::new(Kind::Internal, "a statement returned no row"))
    }
}

impl Db {
    /// Opens or creates the SQLite file at `path`. With `soft`, no commit waits for the disk.
    pub fn open_sqlite(path: &Path, soft: bool) -> Result<Self, Error> {
        Ok(Self { engine: Engine::Sqlite(sqlite::Sqlite::open(path, soft)?), observer: None })
    }

    /// Connects to PostgreSQL at `url` with at most `pool_size` connections.
    pub async fn open_postgres(url: &str, pool_size: usize, soft: bool) -> Result<Self, Error> {
        let postgres = postgres::Postgres::connect(url, pool_size, soft).await?;
        Ok(Self { engine: Engine::Postgres(Arc::new(postgres)), observer: None })
    }

    /// Opens an SQLite file that a server of this version has made, for a command beside it.
    pub fn inspect_sqlite(path: &Path) -> Result<Self, Error> {
        Ok(Self { engine: Engine::Sqlite(sqlite::Sqlite::inspect(path)?), observer: None })
    }

    /// Connects to a PostgreSQL database that a server of this version has made, for a command beside it.
    pub async fn inspect_postgres(url: &str) -> Result<Self, Error> {
        let postgres = postgres::Postgres::inspect(url).await?;
        Ok(Self { engine: Engine::Postgres(Arc::new(postgres)), observer: None })
    }

    /// Has `observer` told of every use of a door.
    #[must_use]
    pub fn observed_by(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Names the engine, for logs and metrics.
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgres",
        }
    }

    /// Runs point look-ups. On SQLite they run where the caller stands: for a few indexed rows only.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.read(f),
            Engine::Postgres(postgres) => postgres.read(f).await,
        };
        self.observe(false, started);
        result
    }

    /// Runs reads that may touch many rows, off the async workers.
    pub async fn scan<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let started = Instant::now();
        let result = match &self.engine {
            Engine::Sqlite(sqlite) => {
                let sqlite = Arc::clone(sqlite);
                tokio::task::spawn_blocking(move || sqlite.read(f)).await.unwrap_or_else(|e| Err(panicked(&e).into()))
            }
            Engine::Postgres(postgres) => postgres.read(f).await,
        };
        self.observe(false, started);
        result
    }

    /// Runs a transaction, durable when this returns. `f` may run more than once.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retry + Send + 'static,
    {
        self.write_as(Durable::Yes, f).await
    }

    /// Runs a transaction of which nothing is promised to survive a loss of power.
    pub async fn write_soft<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retry + Send + 'static,
    {
        self.write_as(Durable::Soft, f).await
    }

    async fn write_as<T, E, F>(&self, durable: Durable, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retry + Send + 'static,
    {
        let started = Instant::now();
        let result = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.write(durable, f).await,
            Engine::Postgres(postgres) => postgres.write(durable, f).await,
        };
        self.observe(true, started);
        result
    }

    fn observe(&self, write: bool, started: Instant) {
        if let Some(observer) = &self.observer {
            observer(write, started.elapsed());
        }
    }
}

/// Lets the writing door look through the caller's own error for a conflict that running again resolves.
pub trait Retry {
    /// Tells whether the transaction failed only because it ran into another one.
    fn is_conflict(&self) -> bool;
}

impl Retry for Error {
    fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }
}

fn panicked(error: &tokio::task::JoinError) -> Error {
    Error::new(Kind::Internal, format!("a database task ended early: {error}"))
}
