//! A server in this process, as `havre serve` puts it together.

use std::net::{SocketAddr, TcpListener};
use std::ops::{ControlFlow, Deref};
use std::path::PathBuf;
use std::sync::Arc;

use havre::app::{self, App, DataDirectory};
use havre::blobs::Faulty;
use havre::clock;
use havre::config::{Config, Sources};
use havre::db::inventory::Totals;
use havre::db::{self, Tx};
use havre::http::router;
use havre::http::server::{Drained, Options, Server};
use havre::registry::Ctx;
use havre::registry::check::{self, Checked, Fault, Report};
use havre::telemetry::access::AccessLog;
use havre::telemetry::metrics::Metrics;
use oci::RepositoryName;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::Client;
use super::postgres::Schema;

/// The environment variable that has every test run on PostgreSQL as well.
const POSTGRES: &str = "HAVRE_TEST_POSTGRES_URL";

/// Runs a test on SQLite, and on PostgreSQL where there is one, each time on a fresh server.
pub async fn on_each_engine(test: impl AsyncFn(&mut TestApp)) {
    Setup::default().on_each_engine(test).await;
}

/// How a server is set up.
#[derive(Clone, Default)]
pub struct Setup {
    settings: Vec<(String, String)>,
}

impl Setup {
    /// Sets an option as `--set KEY=VALUE` does.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Runs a test on a server that is set up so; what the test leaves behind has to be without fault.
    pub async fn on_each_engine(self, test: impl AsyncFn(&mut TestApp)) {
        let mut app = TestApp::start(&self.settings).await;
        test(&mut app).await;
        app.assert_no_fault().await;
        #[expect(clippy::disallowed_methods, reason = "tests read the environment themselves")]
        let Ok(url) = std::env::var(POSTGRES) else { return };
        // Shown when the test fails.
        eprintln!("now on PostgreSQL");
        let schema = Schema::create(&url).await;
        let settings = [self.settings.clone(), vec![("database.url".to_owned(), schema.url())]].concat();
        let mut app = TestApp::start(&settings).await;
        test(&mut app).await;
        app.assert_no_fault().await;
        schema.remove().await;
    }
}

/// A running server, stopped when it is dropped. Derefs to a client of it.
pub struct TestApp {
    /// What the server works with.
    pub app: Arc<App>,
    /// The blob store, to be told to fail.
    pub store: Faulty,
    client: Client,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
    lock: DataDirectory,
    directory: TempDir,
}

impl TestApp {
    async fn start(settings: &[(String, String)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut flags: Vec<_> = [
            ("data_dir", directory.path().to_str().unwrap()),
            ("storage.durability", "relaxed"),
            ("database.pool_size", "8"),
            ("log.access", "false"),
            // Accounts have tests of their own.
            ("server.open", "true"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        flags.extend_from_slice(settings);
        let (config, _) = Config::load(Sources { file: None, env: Vec::new(), flags }).unwrap();
        Self::open(config, directory, None).await
    }

    async fn open(config: Config, directory: TempDir, boot: Option<&str>) -> Self {
        let lock = DataDirectory::lock(&config.data_dir).unwrap();
        let metrics = Arc::new(Metrics::new("test"));
        let mut registry = app::registry(&config, Some(&metrics)).await.unwrap();
        registry.release_sessions().await.unwrap();
        registry.prepare_access(&config).await.unwrap();
        if let Some(boot) = boot {
            registry.boot = boot.into();
        }
        let store = Faulty::new(Arc::clone(&registry.blobs));
        registry.blobs = Arc::new(store.clone());
        let options = Options { max_header_bytes: config.server.max_header_bytes.as_usize(), ..Options::default() };
        let app = App::new(config, registry, metrics, AccessLog::disabled());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::new(vec![listener], options).unwrap();
        let client = Client::new(server.addresses()[0]);
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(router::service(Arc::clone(&app)), async {
            // Dropping the sender stops the server as well.
            let _ = stopped.await;
        }));
        Self { app, store, client, stop, ended, lock, directory }
    }

    /// Stops the server gracefully and starts another one on the same data.
    pub async fn restart(&mut self) {
        self.restart_under(None).await;
    }

    /// Restarts as after a boot of the machine.
    pub async fn restart_under(&mut self, boot: Option<&str>) {
        let config = self.app.config.clone();
        // Something has to stand in the place while the old one is taken apart; nothing of it is used.
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        let (stop, _) = oneshot::channel();
        std::mem::replace(&mut self.stop, stop).send(()).unwrap();
        (&mut self.ended).await.unwrap();
        let elsewhere = self.directory.path().join("empty");
        drop(std::mem::replace(&mut self.lock, DataDirectory::lock(&elsewhere).unwrap()));
        *self = Self::open(config, directory, boot).await;
    }

    /// The address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.client.address()
    }

    /// A path below the directory of the blob store.
    pub fn in_store(&self, path: &str) -> PathBuf {
        self.directory.path().join("store").join(path)
    }

    /// Changes the server's database behind its back.
    pub async fn write(&self, sql: &'static str) {
        self.app.registry.db.write(move |tx| tx.execute(sql, &[])).await.unwrap();
    }

    /// Reads the server's database.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Tx<'_>) -> Result<T, db::Error> + Send + 'static,
    ) -> T {
        self.app.registry.db.scan(f).await.unwrap()
    }

    /// The kinds of the events of a repository, named canonically, the oldest first.
    pub async fn events(&self, repository: &'static str) -> Vec<String> {
        let rows = self.read(move |tx| db::events::of_repository(tx, repository, 1000)).await;
        rows.into_iter().map(|row| row.kind).collect()
    }

    /// The row of a repository, named canonically.
    pub async fn repository_id(&self, repository: &str) -> i64 {
        let name = RepositoryName::parse(repository).unwrap();
        self.read(move |tx| db::repositories::find(tx, &name)).await.expect("the repository is there")
    }

    /// What `havre check --deep` finds.
    pub async fn faults(&self) -> Vec<Fault> {
        let mut found = Found::default();
        let options = check::Options { deep: true, repair: false };
        check::check(&self.app.registry, &Ctx::system(clock::now()), options, &mut found).await.unwrap();
        found.0
    }

    async fn assert_no_fault(&self) {
        self.store.mend();
        assert_eq!(self.faults().await, [], "the test leaves faults behind");
    }
}

impl Deref for TestApp {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

#[derive(Default)]
struct Found(Vec<Fault>);

impl Report for Found {
    fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        self.0.push(fault);
        ControlFlow::Continue(())
    }

    fn progress(&mut self, _: &Checked, _: &Totals) {}
}
