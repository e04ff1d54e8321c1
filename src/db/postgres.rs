//! PostgreSQL: pooled connections, used by synchronous closures on blocking threads.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};

use super::error::{Error, Kind};
use super::value::{Row, Val};
use super::{Durable, Retry, Statements, Tx};

/// How often a transaction is run again after it ran into another one.
const ATTEMPTS: u32 = 10;
/// Connections of a command that looks at the database beside a server.
const INSPECTORS: usize = 2;
/// How long a request waits for a free connection.
const ACQUIRE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);
/// How long a statement waits for a row that another transaction holds. Ours hold none while anything slow happens.
const LOCK_TIMEOUT: &str = "30s";
/// How long a statement may take. Counting the rows of a large database takes seconds.
const STATEMENT_TIMEOUT: &str = "5min";
/// How long a transaction may do nothing: a server that froze or was cut off must not keep its rows from the others.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "1min";

/// Sets the timeouts of a connection. What the URL, the role or the database sets already stands.
const SET_TIMEOUTS: &str = "SELECT set_config(wanted.name, wanted.value, false) FROM (VALUES \
    ('lock_timeout', $1), ('statement_timeout', $2), ('idle_in_transaction_session_timeout', $3)) \
    AS wanted (name, value) WHERE current_setting(wanted.name) = '0'";

pub(super) struct Postgres {
    pool: Pool,
    always_soft: bool,
}

impl Postgres {
    pub(super) async fn connect(url: &str, pool_size: usize, always_soft: bool) -> Result<Self, Error> {
        let postgres = Self::pool(url, pool_size, always_soft)?;
        let client = postgres.acquire().await?;
        super::migrations::run_postgres(&client).await?;
        drop(client);
        Ok(postgres)
    }

    fn pool(url: &str, pool_size: usize, always_soft: bool) -> Result<Self, Error> {
        let config: tokio_postgres::Config =
            url.parse().map_err(|e| Error::caused(Kind::Unavailable, "database.url is not a PostgreSQL URL", e))?;
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, tls::connector()?, manager_config);
        let pool = Pool::builder(manager)
            .max_size(pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(ACQUIRE_TIMEOUT))
            .create_timeout(Some(ACQUIRE_TIMEOUT))
            .post_create(Hook::async_fn(|client, _| Box::pin(set_timeouts(client))))
            .build()
            .map_err(|e| Error::new(Kind::Internal, format!("cannot set up the connection pool: {e}")))?;
        Ok(Self { pool, always_soft })
    }

    /// Connects to a database as it is, and refuses another schema than this binary's.
    pub(super) async fn inspect(url: &str) -> Result<Self, Error> {
        let postgres = Self::pool(url, INSPECTORS, false)?;
        let client = postgres.acquire().await?;
        super::migrations::require_postgres(&client).await?;
        drop(client);
        Ok(postgres)
    }

    async fn acquire(&self) -> Result<Object, Error> {
        self.pool
            .get()
            .await
            .map_err(|e| Error::new(Kind::Unavailable, format!("cannot get a connection to PostgreSQL: {}", chain(&e))))
    }

    pub(super) async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let client = self.acquire().await?;
        let handle = Handle::current();
        let task = move || f(&mut Tx::new(&mut Session { client, handle, failed: None }));
        tokio::task::spawn_blocking(task).await.unwrap_or_else(|e| Err(super::panicked(&e).into()))
    }

    pub(super) async fn write<T, E, F>(&self, durable: Durable, mut f: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Retry + Send + 'static,
    {
        let begin = if durable == Durable::Soft || self.always_soft {
            "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off"
        } else {
            "BEGIN ISOLATION LEVEL READ COMMITTED"
        };
        let client = self.acquire().await?;
        let handle = Handle::current();
        let task = move || {
            let mut session = Session { client, handle, failed: None };
            let mut attempt = 1;
            loop {
                match session.transaction(begin, &mut f) {
                    Err(error) if error.is_conflict() && attempt < ATTEMPTS => {
                        // Two transactions that met once meet again if both start over at the same moment.
                        let spread = RandomState::new().hash_one(attempt) % 7;
                        #[expect(clippy::disallowed_methods, reason = "this thread is one of those that may block")]
                        std::thread::sleep(std::time::Duration::from_millis(u64::from(attempt) * 2 + spread));
                        attempt += 1;
                    }
                    result => return result,
                }
            }
        };
        tokio::task::spawn_blocking(task).await.unwrap_or_else(|e| Err(super::panicked(&e).into()))
    }
}

async fn set_timeouts(client: &ClientWrapper) -> Result<(), HookError> {
    let timeouts: [Val; 3] = [LOCK_TIMEOUT, STATEMENT_TIMEOUT, IDLE_IN_TRANSACTION_TIMEOUT].map(Val::from);
    client.execute_raw(SET_TIMEOUTS, &timeouts).await.map_err(HookError::Backend)?;
    Ok(())
}

struct Session {
    client: Object,
    handle: Handle,
    /// The first failed statement of the transaction. PostgreSQL answers COMMIT after one by rolling back, and calls that a
    /// success.
    failed: Option<Error>,
}

impl Session {
    fn transaction<T, E: From<Error>>(
        &mut self,
        begin: &str,
        f: &mut impl FnMut(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut open = Open { session: self, done: false };
        open.session.failed = None;
        open.session.batch(begin)?;
        let value = f(&mut Tx::new(open.session))?;
        if let Some(error) = open.session.failed.take() {
            return Err(error.into());
        }
        open.done = true;
        if let Err(error) = open.session.batch("COMMIT") {
            open.done = false;
            return Err(error.into());
        }
        Ok(value)
    }

    fn fail(&mut self, error: tokio_postgres::Error) -> Error {
        let error = translate(error);
        self.failed.get_or_insert_with(|| error.clone());
        error
    }

    fn batch(&self, sql: &str) -> Result<(), Error> {
        self.handle.block_on(self.client.batch_execute(sql)).map_err(translate)
    }
}

/// A transaction under way: rolled back when it is dropped, also by a panic.
struct Open<'a> {
    session: &'a mut Session,
    done: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.done {
            // On failure the connection is broken, and the pool discards it at its next use.
            let _ = self.session.batch("ROLLBACK");
        }
    }
}

impl Statements for Session {
    fn is_postgres(&self) -> bool {
        true
    }

    fn execute(&mut self, sql: &'static str, params: &[Val]) -> Result<u64, Error> {
        let changed = self.handle.block_on(async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.execute_raw(&statement, params).await
        });
        changed.map_err(|error| self.fail(error))
    }

    fn query(&mut self, sql: &'static str, params: &[Val]) -> Result<Vec<Row>, Error> {
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as _).collect();
        let rows = self.handle.block_on(async {
            let statement = self.client.prepare_cached(sql).await?;
            self.client.query(&statement, &params).await
        });
        let rows = rows.map_err(|error| self.fail(error))?;
        rows.iter()
            .map(|row| {
                let values = (0..row.len()).map(|i| row.try_get::<_, Val>(i).map_err(translate));
                values.collect::<Result<_, _>>().map(Row)
            })
            .collect()
    }
}

impl<'a> FromSql<'a> for Val {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw.to_vec()),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL | Type::BYTEA | Type::TEXT | Type::VARCHAR | Type::NAME)
    }
}

impl ToSql for Val {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(i) => i.to_sql(ty, out),
            Self::Text(t) => t.to_sql(ty, out),
            Self::Bytes(b) => b.to_sql(ty, out),
            Self::Bool(b) => b.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

pub(super) fn translate(error: tokio_postgres::Error) -> Error {
    let kind = match error.code() {
        None => Kind::Unavailable,
        Some(code) if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => {
            Kind::Conflict
        }
        // A lock or a statement took longer than it may.
        Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::QUERY_CANCELED => Kind::Busy,
        // The server ended the connection with it.
        Some(code) if *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Kind::Unavailable,
        Some(code) if *code == SqlState::DISK_FULL => Kind::Full,
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Kind::ReadOnly,
        Some(code) => match &code.code()[..2] {
            "23" => Kind::Constraint,
            // 58: the server's own disk or files failed it.
            "53" | "57" | "58" | "08" => Kind::Unavailable,
            "XX" => Kind::Corrupt,
            _ => Kind::Internal,
        },
    };
    let message = format!("PostgreSQL refused: {}", chain(&error));
    Error::caused(kind, message, error)
}

/// Joins the messages of an error and its causes: the outermost one of PostgreSQL's client says only "db error".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

mod tls {
    //! TLS to PostgreSQL, when the URL's `sslmode` asks for it.

    use super::{Arc, Error, Kind};
    use tokio_postgres_rustls::MakeRustlsConnect;

    /// A connector that trusts the roots of the operating system's bundle.
    pub(super) fn connector() -> Result<MakeRustlsConnect, Error> {
        let mut roots = rustls::RootCertStore::empty();
        for path in ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"] {
            if let Ok(pem) = std::fs::read(path) {
                use rustls::pki_types::{CertificateDer, pem::PemObject};
                roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
                break;
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| Error::caused(Kind::Internal, "cannot set up TLS", e))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}
