//! SQLite: one writing connection on a thread of its own, a pool of reading ones used where the caller stands.

mod connection;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use connection::Connection;

use super::error::Error;
use super::{Durable, Tx};
use writer::Writer;

/// How many idle reading connections are kept; one more is opened whenever all are in use.
const IDLE_READERS: usize = 16;

/// The database file of the embedded default.
pub(super) struct Sqlite {
    path: PathBuf,
    readers: Mutex<Vec<Connection>>,
    writer: Writer,
}

impl Sqlite {
    /// Opens the file, creates it when it is missing, and brings its schema up to date.
    pub(super) fn open(path: &Path, always_soft: bool) -> Result<Arc<Self>, Error> {
        let mut connection = Connection::open_writer(path)?;
        super::migrations::run_sqlite(&mut connection, path)?;
        Self::start(connection, path, always_soft)
    }

    /// Opens the file as it is, and refuses another schema than this binary's.
    pub(super) fn inspect(path: &Path) -> Result<Arc<Self>, Error> {
        let mut connection = Connection::open_writer(path)?;
        super::migrations::require_sqlite(&mut connection)?;
        Self::start(connection, path, false)
    }

    fn start(connection: Connection, path: &Path, always_soft: bool) -> Result<Arc<Self>, Error> {
        let writer = Writer::start(connection, always_soft)?;
        Ok(Arc::new(Self { path: path.to_owned(), readers: Mutex::new(Vec::new()), writer }))
    }

    /// Runs `f` on a reading connection, on the calling thread.
    pub(super) fn read<T, E: From<Error>>(&self, f: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = match self.lock().pop() {
            Some(connection) => connection,
            None => Connection::open_reader(&self.path)?,
        };
        let result = f(&mut Tx::new(&mut connection));
        let mut idle = self.lock();
        if idle.len() < IDLE_READERS {
            idle.push(connection);
        }
        result
    }

    /// Hands `f` to the writing thread and waits for the COMMIT that covers it.
    pub(super) async fn write<T, E, F>(&self, durable: Durable, f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.writer.submit(durable, f).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
