//! Opens the database and the store that the configuration names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;

use super::{audit_head, master_key};
use crate::auth::chain::ChainKey;
use crate::blobs::{self, Blobs, Disk, Observed, Operation, Pool};
use crate::config::{self, Config, DatabaseUrl};
use crate::db::{self, Db, uploads};
use crate::registry::access::Access;
use crate::registry::audit::Audit;
use crate::registry::uploads::LEASE;
use crate::registry::{People, Registry};
use crate::telemetry::metrics::{Door, Metrics, StoreOperation};

/// Why the application cannot be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory cannot be made or used.
    #[error("cannot use the data directory {}: {source}; choose another with --data-dir, or mend its permissions", path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another server runs on the data directory.
    #[error("another havre serves from {}; stop it, or choose another directory with --data-dir", .0.display())]
    Locked(PathBuf),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] db::Error),
    /// There is no key with which the secrets in the database can be opened.
    #[error("{0}")]
    MasterKey(String),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] blobs::Error),
}

/// The data directory, held by the one server that may write to it.
#[derive(Debug)]
pub struct DataDirectory {
    _lock: std::fs::File,
}

impl DataDirectory {
    /// Makes the directory and takes hold of it for a server. Commands that work beside one do not.
    pub fn lock(path: &Path) -> Result<Self, OpenError> {
        let wrap = |source| OpenError::DataDirectory { path: path.to_owned(), source };
        create(path).map_err(wrap)?;
        let lock = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(wrap)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(OpenError::Locked(path.to_owned())),
            Err(error) => Err(wrap(error.into())),
        }
    }
}

fn create(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens the database and the store for a command that looks at them, maybe beside a server: it neither migrates the one
/// nor tries the other.
pub async fn inspect(config: &Config) -> Result<Registry, OpenError> {
    let db = match &config.database.url {
        DatabaseUrl::Postgres(url) => Db::inspect_postgres(url.reveal()).await?,
        DatabaseUrl::Embedded => Db::inspect_sqlite(&config.sqlite_path())?,
    };
    let store = Arc::new(Disk::open_existing(config.data_dir.join("store"), blobs::Durability::Full)?);
    let access = Access::new(config.server.open, &config.auth, master_key::peek(config));
    let key = master_key::peek(config).map(|master| ChainKey::new(&master));
    assemble(config, db, store, access, key)
}

/// Opens the database and the store for a server.
pub async fn registry(config: &Config, metrics: Option<&Arc<Metrics>>) -> Result<Registry, OpenError> {
    let soft = config.storage.durability == config::Durability::Relaxed;
    let mut db = open_database(config, soft).await?;
    if let Some(metrics) = metrics {
        let metrics = Arc::clone(metrics);
        db = db.observed_by(Arc::new(move |write, took| {
            metrics.database(if write { Door::Write } else { Door::Read }, took);
        }));
    }
    let durability = if soft { blobs::Durability::Relaxed } else { blobs::Durability::Full };
    let mut store: Arc<dyn Blobs> = Arc::new(Disk::open(config.data_dir.join("store"), durability)?);
    if let Some(metrics) = metrics {
        let metrics = Arc::clone(metrics);
        let observer = move |operation, took| metrics.store(counted_as(operation), took);
        store = Arc::new(Observed::new(store, Arc::new(observer)));
    }
    let master = master_key::load(config, &db).await?;
    let key = ChainKey::new(&master);
    let access = Access::new(config.server.open, &config.auth, Some(master));
    assemble(config, db, store, access, Some(key))
}

fn audit(config: &Config, key: Option<ChainKey>) -> Arc<Audit> {
    let audit = Audit::new(config.audit.clone(), key);
    audit.keep(audit_head::read(&config.data_dir));
    Arc::new(audit)
}

fn assemble(
    config: &Config,
    db: Db,
    store: Arc<dyn Blobs>,
    access: Access,
    key: Option<ChainKey>,
) -> Result<Registry, OpenError> {
    Ok(Registry {
        db: Arc::new(db),
        blobs: store,
        pool: Arc::new(Pool::default()),
        access: Arc::new(access),
        audit: audit(config, key),
        images: Arc::default(),
        people: people(config),
        instance: Arc::default(),
        settings: config.registry.clone(),
        storage: config.storage.clone(),
        lease: LEASE,
        node: node(&config.data_dir)?.into(),
        boot: boot().into(),
    })
}

/// Where the links in mails lead: the public URL, else the first address that is listened on.
fn people(config: &Config) -> People {
    let listened = || {
        let scheme = if config.speaks_tls() { "https" } else { "http" };
        config.server.listen.first().map(|address| format!("{scheme}://{address}"))
    };
    let base = config.public_base().or_else(listened).unwrap_or_default();
    People {
        sign_up: config.auth.sign_up,
        domains: config.auth.sign_up_domains.iter().map(|domain| domain.to_lowercase()).collect(),
        host: base.split_once("://").map_or_else(|| base.clone(), |(_, host)| host.to_owned()),
        base,
        mail: config.mail.transport != config::MailTransport::Off && !config.server.open,
    }
}

fn counted_as(operation: Operation) -> StoreOperation {
    match operation {
        Operation::Append => StoreOperation::Append,
        Operation::Finish => StoreOperation::Finish,
        Operation::Abort => StoreOperation::Abort,
        Operation::Open => StoreOperation::Open,
        Operation::Stat => StoreOperation::Stat,
        Operation::Delete => StoreOperation::Delete,
    }
}

async fn open_database(config: &Config, soft: bool) -> Result<Db, OpenError> {
    if let DatabaseUrl::Postgres(url) = &config.database.url {
        return Ok(Db::open_postgres(url.reveal(), config.database.pool_size, soft).await?);
    }
    let path = config.sqlite_path();
    let wrap = |source| OpenError::DataDirectory { path: config.data_dir.clone(), source };
    create(&config.data_dir).map_err(wrap)?;
    Ok(Db::open_sqlite(&path, soft)?)
}

/// Names the server of this data directory across its restarts, so that it knows the leases of its earlier lives.
fn node(data_dir: &Path) -> Result<String, OpenError> {
    let path = data_dir.join("node");
    let wrap = |source| OpenError::DataDirectory { path: data_dir.to_owned(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if uuid::Uuid::try_parse(text.trim()).is_ok() => Ok(text.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(wrap(error)),
        _ => {
            let name = uuid::Uuid::new_v4().to_string();
            std::fs::write(&path, &name).map_err(wrap)?;
            Ok(name)
        }
    }
}

impl Registry {
    /// Lets go of the sessions that an earlier life of this server held. Only for who holds the data directory.
    pub async fn release_sessions(&self) -> Result<(), db::Error> {
        let node = Arc::clone(&self.node);
        self.db.write_soft(move |tx| uploads::release_all(tx, &node)).await
    }
}

/// Names the boot of this machine; a fresh name where the system has none, so that nothing saved is trusted.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_else(|_| uuid::Uuid::new_v4().to_string())
}
