//! `havre serve`: runs the registry.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use super::operator::reachable;
use crate::app::acme::Acme;
use crate::app::{self, App, DataDirectory, FirstStart};
use crate::config::{Config, DatabaseUrl, Flags, Server as ServerConfig};
use crate::http::server::{self, Observer, Options, ReloadHandle, Server, TlsFiles, TlsSource};
use crate::http::{plain, router};
use crate::mail::Mailer;
use crate::registry::accounts::users::FIRST;
use crate::telemetry::access::AccessLog;
use crate::telemetry::logging;
use crate::telemetry::metrics::Metrics;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    flags: Flags,
}

pub(super) fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let (config, _) = args.flags.load()?;
    logging::init(&config.log);
    refuse_strangers(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

/// Beyond this machine, passwords cross a network: something has to protect them, or the operator has to say that nothing
/// need.
fn refuse_strangers(config: &Config) -> anyhow::Result<()> {
    let server = &config.server;
    let beyond = server.listen.iter().find(|address| !address.ip().is_loopback());
    let protected = config.speaks_tls() || !server.trusted_proxies.is_empty();
    match beyond {
        Some(address) if !server.open && !protected && !server.insecure_http => bail!(
            "refusing to listen on {address}: passwords would cross the network unprotected\n  \
             to serve this machine only, listen on 127.0.0.1:{port}\n  \
             with a certificate of your domain, which is obtained for you, add --domain registry.example.org\n  \
             with a certificate of your own, add --tls-cert and --tls-key\n  \
             behind a proxy that speaks TLS, set server.trusted_proxies to its address\n  \
             to accept plain HTTP all the same, add --insecure-http",
            port = address.port()
        ),
        _ => Ok(()),
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let shutdown = Shutdown::install()?;
    let engine = match config.database.url {
        DatabaseUrl::Embedded => "sqlite",
        DatabaseUrl::Postgres(_) => "postgres",
    };
    let metrics = Arc::new(Metrics::new(engine));
    // Held until the end: two servers on one directory would take each other's uploads for abandoned.
    let _directory = DataDirectory::lock(&config.data_dir)?;
    let registry = app::registry(&config, Some(&metrics)).await?;
    registry.release_sessions().await?;
    // Before the first account is made: its password is shown once, and a port that cannot be had ends the start.
    let listeners = listen(&config.server.listen, "--listen 127.0.0.1:PORT")?;
    let beside = if !config.acme.domains.is_empty() && config.acme.http { listen_beside(&config)? } else { Vec::new() };
    let first = registry.prepare_access(&config).await?;
    let access = match config.log.access {
        true => AccessLog::stdout(config.log.format, metrics.access_log_dropped.clone())?,
        false => AccessLog::disabled(),
    };
    let mailer = Mailer::new(&config.mail, &config.data_dir)?;
    let app = App::new(config, registry, metrics, access);
    let acme = Acme::start(&app).await?;
    let server = Server::new(listeners, options(&app, tls(&app.config.server, acme.clone())))?;
    let beside = Server::new(beside, options(&app, None))?;
    reload_on_hangup(server.reload_handle())?;
    let addresses = server.addresses();
    let auditor = tokio::spawn(Arc::clone(&app).audit_forever());
    let mut tasks = JoinSet::new();
    tasks.spawn(Arc::clone(&app).sweep_forever());
    tasks.spawn(Arc::clone(&app).follow_settings_forever());
    tasks.spawn(Arc::clone(&app).mail_forever(mailer));
    if let Some(acme) = acme {
        tasks.spawn(acme.keep_forever());
    }
    announce(&app, engine, &addresses);
    match first {
        Some(first) => welcome(&app, &first, &addresses),
        None => remind(&app.config),
    }
    for address in beside.addresses() {
        tracing::info!(%address, "sending plain HTTP on to https");
    }
    if !beside.addresses().is_empty() {
        let service = plain::service(Arc::clone(&app));
        tasks.spawn(async move {
            let _ = beside.run(service, std::future::pending()).await;
        });
    }
    let drained = server.run(router::service(Arc::clone(&app)), shutdown.wait()).await;
    tasks.abort_all();
    auditor.abort();
    // What it was in the middle of, it either did or leaves to this.
    let _ = auditor.await;
    app.registry.audit.close();
    app.audit_once(false).await;
    app.access.close();
    if drained.cut > 0 {
        tracing::warn!(cut = drained.cut, "stopped; connections that had not finished were cut");
    } else {
        tracing::info!("stopped");
    }
    Ok(ExitCode::SUCCESS)
}

/// Listens on addresses; `otherwise` chooses others.
fn listen(addresses: &[SocketAddr], otherwise: &str) -> anyhow::Result<Vec<TcpListener>> {
    server::listen(addresses).map_err(|(address, error)| {
        let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
        let why = match denied {
            true => "ports below 1024 need the right to them (CAP_NET_BIND_SERVICE; docs/tls.md tells how)",
            false => "is something else there?",
        };
        anyhow::Error::new(error).context(format!("cannot listen on {address}; {why} choose another with {otherwise}"))
    })
}

/// Listens beside TLS, where authorities ask and everybody else is sent on.
fn listen_beside(config: &Config) -> anyhow::Result<Vec<TcpListener>> {
    let otherwise = "--set acme.http_listen=ADDRESS:PORT, or do without by --set acme.http=false";
    listen(&config.acme.http_listen, otherwise)
}

/// Where the certificate comes from.
fn tls(server: &ServerConfig, acme: Option<Arc<Acme>>) -> Option<TlsSource> {
    let files = server.tls_cert.clone().zip(server.tls_key.clone());
    let files = files.map(|(cert, key)| TlsSource::Files(TlsFiles { cert, key }));
    acme.map(|acme| TlsSource::Managed(acme)).or(files)
}

fn options(app: &App, tls: Option<TlsSource>) -> Options {
    let server = &app.config.server;
    Options {
        tls,
        max_connections: server.max_connections,
        idle_timeout: server.idle_timeout,
        header_timeout: server.header_timeout,
        shutdown_timeout: server.shutdown_timeout,
        max_header_bytes: server.max_header_bytes.as_usize(),
        observer: Arc::new(Connections(Arc::clone(&app.metrics))),
    }
}

#[derive(Debug)]
struct Connections(Arc<Metrics>);

impl Observer for Connections {
    fn connection_opened(&self) {
        self.0.connections_open.inc();
    }

    fn connection_closed(&self) {
        self.0.connections_open.dec();
    }
}

/// Says where the registry is, what it keeps its data in, and what to type next.
fn announce(app: &App, engine: &str, addresses: &[SocketAddr]) {
    let config = &app.config;
    let scheme = if config.speaks_tls() { "https" } else { "http" };
    for address in addresses {
        let (data_dir, database) = (config.data_dir.display(), engine);
        tracing::info!(version = env!("CARGO_PKG_VERSION"), %data_dir, database, "serving {scheme}://{address}");
    }
    if config.speaks_tls()
        && let Some(base) = config.public_base()
    {
        tracing::info!("clients reach it at {base}");
    }
    if config.server.open {
        tracing::warn!("open to anyone who reaches it: everybody may read, overwrite and delete every image");
    }
    if config.server.open
        && let Some(address) = addresses.first()
    {
        let host = app.public_host.clone().unwrap_or_else(|| reachable(address));
        tracing::info!("push an image: docker tag my-app {host}/me/my-app:1.0.0 && docker push {host}/me/my-app:1.0.0");
    }
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}

/// Tells, once, how to sign in, and what to type then. Not through the log, which others may keep.
fn welcome(app: &App, first: &FirstStart, addresses: &[SocketAddr]) {
    let host = app.public_host.clone().or_else(|| addresses.first().map(reachable)).unwrap_or_default();
    let password = match (&first.password, &first.file) {
        (Some(password), Some(file)) => format!(
            "    password:  {password}\n\n  It is shown this once; until it is changed, it also stands in {}\n  \
             Change it:  havre admin reset-password",
            file.display()
        ),
        (Some(password), None) => format!("    password:  {password}\n\n  It is shown this once."),
        (None, _) => "    password:  the one you gave".to_owned(),
    };
    let text = format!(
        "\n  The account of the administrator was made:\n\n    user:      {FIRST}\n{password}\n\n  Now type:\n\n    \
         docker login {host} -u {FIRST}\n    docker tag my-app {host}/{FIRST}/my-app:1.0.0\n    \
         docker push {host}/{FIRST}/my-app:1.0.0\n\n"
    );
    // A terminal that is gone has its file.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Says where the password lies that the first start made, as long as it does: whoever missed that start looks for it.
fn remind(config: &Config) {
    let path = config.data_dir.join(app::INITIAL_PASSWORD);
    if !config.server.open && path.exists() {
        tracing::info!(
            "the password that the first start made for {FIRST} stands in {}, until it is changed: \
             havre admin reset-password",
            path.display()
        );
    }
}

/// Has the certificate read again on SIGHUP; a change of its files is noticed without it, some seconds later.
fn reload_on_hangup(reload: ReloadHandle) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reload.reload();
        }
    });
    Ok(())
}

/// The signals that end the server.
struct Shutdown {
    terminate: Signal,
    interrupt: Signal,
}

impl Shutdown {
    fn install() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections, transfers under way may finish");
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        // A second signal ends it at once, as the system does by default.
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            tracing::warn!("stopped at once by a second signal");
            #[expect(clippy::disallowed_methods, reason = "it is what a second signal asks for")]
            std::process::exit(130);
        });
    }
}
