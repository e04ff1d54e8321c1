//! One SQLite connection, set up the way Havre needs it.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, ToSql};

use crate::db::Statements;
use crate::db::dialect::Rewritten;
use crate::db::error::{Error, Kind};
use crate::db::value::{Row, Val};

/// How long a statement waits for another process (`havre check`, a backup) before it fails as busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More statements than the code has, so that none is ever prepared twice.
const STATEMENT_CACHE: usize = 256;

pub(in crate::db) struct Connection {
    inner: rusqlite::Connection,
    rewritten: Rewritten,
    /// Why the latest statement that failed did.
    failure: Option<Error>,
}

impl Connection {
    pub(in crate::db) fn open_writer(path: &Path) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Self::open(path, flags)?;
        connection.begin_log()?;
        connection.batch(
            "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864; \
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192;",
        )?;
        Ok(connection)
    }

    /// Switches to the write-ahead log, which lets readers go on beside the writer; FULL syncs it before COMMIT returns
    /// (invariant 2). Of two processes that switch a new file at once, one is refused without the busy timeout.
    fn begin_log(&self) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            match self.batch("PRAGMA journal_mode = WAL") {
                Err(error) if error.kind == Kind::Busy && started.elapsed() < BUSY_TIMEOUT => {
                    #[expect(clippy::disallowed_methods, reason = "at start, before anything is served")]
                    std::thread::sleep(Duration::from_millis(10));
                }
                begun => return begun,
            }
        }
    }

    pub(in crate::db) fn open_reader(path: &Path) -> Result<Self, Error> {
        // No memory map: a database file cut short under a map would kill the process with SIGBUS.
        let connection = Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.batch("PRAGMA query_only = ON; PRAGMA cache_size = -2048;")?;
        Ok(connection)
    }

    fn open(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        let inner = rusqlite::Connection::open_with_flags(path, flags).map_err(|e| {
            let message = format!("cannot open the database {}: {e}", path.display());
            Error::caused(kind_of(&e), message, e)
        })?;
        inner.busy_timeout(BUSY_TIMEOUT).map_err(translate)?;
        inner.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
        // Otherwise SQLite plans a statement again whenever a parameter it once looked at is bound anew: at every use.
        inner.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(translate)?;
        let connection = Self { inner, rewritten: Rewritten::default(), failure: None };
        connection.batch("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
        Ok(connection)
    }

    /// Runs statements without parameters or rows.
    pub(in crate::db) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.inner.execute_batch(sql).map_err(translate)
    }

    /// Tells why SQLite rolled the transaction back by itself, if it did: it does when the disk is full or fails.
    pub(super) fn lost_transaction(&mut self) -> Option<Error> {
        let ended = || Error::new(Kind::Internal, "the transaction ended early");
        self.inner.is_autocommit().then(|| self.failure.take().unwrap_or_else(ended))
    }

    fn failed(&mut self, error: rusqlite::Error) -> Error {
        let error = translate(error);
        self.failure = Some(error.clone());
        error
    }

    /// Copies the whole database into a new file.
    pub(in crate::db) fn copy_to(&self, target: &Path) -> Result<(), Error> {
        self.inner.backup("main", target, None::<fn(rusqlite::backup::Progress)>).map_err(translate)
    }
}

impl Statements for Connection {
    fn is_postgres(&self) -> bool {
        false
    }

    fn execute(&mut self, sql: &'static str, params: &[Val]) -> Result<u64, Error> {
        self.try_execute(sql, params).map_err(|error| self.failed(error))
    }

    fn query(&mut self, sql: &'static str, params: &[Val]) -> Result<Vec<Row>, Error> {
        self.try_query(sql, params).map_err(|error| self.failed(error))?.into_iter().collect()
    }
}

impl Connection {
    fn try_execute(&mut self, sql: &'static str, params: &[Val]) -> rusqlite::Result<u64> {
        let mut statement = self.inner.prepare_cached(self.rewritten.get(sql))?;
        Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
    }

    fn try_query(&mut self, sql: &'static str, params: &[Val]) -> rusqlite::Result<Vec<Result<Row, Error>>> {
        let mut statement = self.inner.prepare_cached(self.rewritten.get(sql))?;
        let columns = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|i| row.get_ref(i)).collect::<Result<Vec<_>, _>>()?;
            out.push(values.into_iter().map(value).collect::<Result<_, _>>().map(Row));
        }
        Ok(out)
    }
}

fn value(value: ValueRef<'_>) -> Result<Val, Error> {
    Ok(match value {
        ValueRef::Null => Val::Null,
        ValueRef::Integer(i) => Val::Int(i),
        ValueRef::Blob(b) => Val::Bytes(b.to_vec()),
        ValueRef::Text(t) => Val::Text(
            std::str::from_utf8(t)
                .map_err(|e| Error::caused(Kind::Corrupt, "a text column is not UTF-8", e))?
                .to_owned(),
        ),
        ValueRef::Real(_) => return Err(Error::new(Kind::Corrupt, "a column holds a floating-point number")),
    })
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(i) => ValueRef::Integer(*i),
            Self::Text(t) => ValueRef::Text(t.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
            Self::Bool(b) => ValueRef::Integer(i64::from(*b)),
        }))
    }
}

fn kind_of(error: &rusqlite::Error) -> Kind {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => Kind::Busy,
        Some(Code::DiskFull) => Kind::Full,
        Some(Code::ReadOnly | Code::PermissionDenied) => Kind::ReadOnly,
        Some(Code::CannotOpen | Code::SystemIoFailure | Code::FileLockingProtocolFailed) => Kind::Unavailable,
        Some(Code::ConstraintViolation) => Kind::Constraint,
        Some(Code::DatabaseCorrupt | Code::NotADatabase) => Kind::Corrupt,
        _ => Kind::Internal,
    }
}

pub(super) fn translate(error: rusqlite::Error) -> Error {
    Error::caused(kind_of(&error), format!("the database refused: {error}"), error)
}
