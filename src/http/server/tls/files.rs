//! TLS from PEM files that may change while the server runs.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::{ReloadHandle, TlsError, settings};

/// How often the files are looked at.
const POLL_PERIOD: Duration = Duration::from_secs(2);

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key, PEM: PKCS #8, PKCS #1 or SEC1.
    pub key: PathBuf,
}

/// The certificate in use.
#[derive(Debug)]
pub(in crate::http::server) struct Files {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
}

impl Files {
    /// Reads the certificate for the first time.
    pub(super) fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let current = ArcSwap::from_pointee(configuration(&files)?);
        Ok(Self { files, current })
    }

    /// Returns what the next connection is accepted by.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }

    /// Follows changes of the files, for ever. The files are read off the async workers: they may be on a network
    /// file system.
    pub(super) async fn follow(&self, reload: ReloadHandle) {
        let mut known = self.stamps().await;
        loop {
            let asked = tokio::select! {
                () = reload.asked() => true,
                () = tokio::time::sleep(POLL_PERIOD) => false,
            };
            let stamps = self.stamps().await;
            if asked || stamps != known {
                // Known even if the pair is broken: it is logged once, and tried again at the next change.
                known = stamps;
                self.reload().await;
            }
        }
    }

    async fn stamps(&self) -> [Option<Stamp>; 2] {
        let files = self.files.clone();
        let stamps = tokio::task::spawn_blocking(move || [Stamp::of(&files.cert), Stamp::of(&files.key)]);
        stamps.await.unwrap_or_default()
    }

    async fn reload(&self) {
        let files = self.files.clone();
        let loaded = tokio::task::spawn_blocking(move || configuration(&files)).await;
        match loaded {
            Ok(Ok(configuration)) => {
                self.current.store(Arc::new(configuration));
                tracing::info!(cert = %self.files.cert.display(), "the TLS certificate was read again");
            }
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the new TLS certificate cannot be used: the old one is kept");
            }
            Err(error) => tracing::error!(%error, "the TLS certificate could not be read again"),
        }
    }
}

/// What tells that a file was changed or replaced.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    len: u64,
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self { modified: (metadata.mtime(), metadata.mtime_nsec()), len: metadata.len(), inode: metadata.ino() }
    }
}

fn configuration(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let pair = |source| TlsError::Pair { files: files.clone(), source };
    let (chain, key) = (certificates(&files.cert)?, private_key(&files.key)?);
    settings(|builder| builder.with_single_cert(chain, key)).map_err(pair)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::File { what: "the TLS certificate", path: path.to_owned(), source };
    let chain = read(path).and_then(|pem| CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>());
    let chain = chain.map_err(failed)?;
    if chain.is_empty() { Err(TlsError::Empty(path.to_owned())) } else { Ok(chain) }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed =
        |source| TlsError::File { what: "the private key of the TLS certificate", path: path.to_owned(), source };
    read(path).and_then(|pem| PrivateKeyDer::from_pem_slice(&pem)).map_err(failed)
}

fn read(path: &Path) -> Result<Vec<u8>, rustls::pki_types::pem::Error> {
    fs::read(path).map_err(rustls::pki_types::pem::Error::Io)
}
