//! Certificates that change while the server runs, and the handshakes in which an authority asks whether a domain is ours
//! (RFC 8737).

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::{TlsError, settings};
use crate::pki::Certificates;

/// What an authority that asks speaks, and nothing else (RFC 8737, section 4).
const QUESTION: &[u8] = b"acme-tls/1";

/// What a listener whose certificates are looked after accepts connections with.
#[derive(Debug)]
pub(in crate::http::server) struct Managed {
    certificates: Arc<dyn Certificates>,
    settings: Arc<ServerConfig>,
}

impl Managed {
    pub(super) fn new(certificates: Arc<dyn Certificates>) -> Result<Self, TlsError> {
        let resolver = Arc::new(Resolver(Arc::clone(&certificates)));
        let settings = settings(|builder| Ok(builder.with_cert_resolver(resolver))).map_err(TlsError::Setup)?;
        Ok(Self { certificates, settings: Arc::new(settings) })
    }

    /// Shakes hands; nothing when it was an authority that asked.
    pub(super) async fn accept(&self, tcp: TcpStream) -> io::Result<Option<TlsStream<TcpStream>>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        let hello = start.client_hello();
        if !is_question(&hello) {
            return start.into_stream(Arc::clone(&self.settings)).await.map(Some);
        }
        let name = hello.server_name().unwrap_or_default().to_owned();
        let answer = self.certificates.challenge(&name).await;
        let answer = answer.ok_or_else(|| io::Error::other("an authority asked for what is not being obtained"))?;
        let settings = answering(&answer).map_err(io::Error::other)?;
        start.into_stream(Arc::new(settings)).await?.shutdown().await?;
        Ok(None)
    }
}

fn is_question(hello: &ClientHello<'_>) -> bool {
    let mut protocols = hello.alpn().into_iter().flatten();
    protocols.next() == Some(QUESTION) && protocols.next().is_none()
}

fn answering(answer: &CertifiedKey) -> Result<ServerConfig, rustls::Error> {
    let answer = Arc::new(SingleCertAndKey::from(answer.clone()));
    let mut settings = settings(|builder| Ok(builder.with_cert_resolver(answer)))?;
    settings.alpn_protocols = vec![QUESTION.to_vec()];
    Ok(settings)
}

#[derive(Debug)]
struct Resolver(Arc<dyn Certificates>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.resolve(hello.server_name())
    }
}
