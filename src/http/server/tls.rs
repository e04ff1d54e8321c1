//! TLS: with a certificate from files, or with certificates that the server obtains by itself.

mod files;
mod managed;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WantsServerCert;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::server::TlsStream;

pub use files::TlsFiles;

use crate::pki::Certificates;
use files::Files;
use managed::Managed;

/// Where the certificate comes from.
#[derive(Debug, Clone)]
pub enum TlsSource {
    /// From files, which are followed as they change.
    Files(TlsFiles),
    /// From somebody who looks after them.
    Managed(Arc<dyn Certificates>),
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or what is in it is not PEM of the right kind.
    #[error("{what} in {path} cannot be read", path = path.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// The file of the certificate holds none.
    #[error("there is no certificate in {}", .0.display())]
    Empty(PathBuf),
    /// The certificate and the key are unusable or do not belong together.
    #[error("the certificate in {cert} and the key in {key} cannot be used", cert = files.cert.display(), key = files.key.display())]
    Pair {
        /// The files.
        files: TlsFiles,
        /// Why.
        source: rustls::Error,
    },
    /// What a handshake needs beside the certificate cannot be made.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}

/// Makes the server read its certificate again at once, as on `SIGHUP`.
#[derive(Debug, Clone, Default)]
pub struct ReloadHandle(Arc<Notify>);

impl ReloadHandle {
    /// Reads the files again, changed or not. A pair that cannot be used is logged and the one in use is kept.
    pub fn reload(&self) {
        self.0.notify_one();
    }

    async fn asked(&self) {
        self.0.notified().await;
    }
}

/// What connections are accepted with.
#[derive(Debug)]
pub(super) enum Tls {
    Files(Files),
    Managed(Managed),
}

impl Tls {
    pub(super) fn new(source: TlsSource) -> Result<Self, TlsError> {
        match source {
            TlsSource::Files(files) => Files::load(files).map(Self::Files),
            TlsSource::Managed(certificates) => Managed::new(certificates).map(Self::Managed),
        }
    }

    /// Shakes hands with a client; nothing when the handshake was all that it wanted.
    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        match self {
            Self::Files(files) => files.acceptor().accept(tcp).await.map(Some),
            Self::Managed(managed) => managed.accept(tcp).await,
        }
    }

    /// Follows changes of what has to be looked at for that, for ever.
    pub(super) async fn follow(self: Arc<Self>, reload: ReloadHandle) {
        match &*self {
            Self::Files(files) => files.follow(reload).await,
            Self::Managed(_) => {}
        }
    }
}

/// What all connections have in common, whoever presents the certificate.
fn settings(
    present: impl FnOnce(rustls::ConfigBuilder<ServerConfig, WantsServerCert>) -> Result<ServerConfig, rustls::Error>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut settings = present(builder.with_no_client_auth())?;
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    settings.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(settings)
}
