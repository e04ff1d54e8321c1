//! TLS, and certificates that change under way.

use std::path::Path;

use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::support::*;

use super::super::*;

/// A directory with a certificate and its key.
struct Pair {
    directory: TempDir,
}

impl Pair {
    fn new() -> Self {
        let pair = Self { directory: tempfile::tempdir().unwrap() };
        pair.renew();
        pair
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Puts another pair in place and returns the certificate.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        replace(&self.path("key.pem"), &made.signing_key.serialize_pem());
        replace(&self.path("cert.pem"), &made.cert.pem());
        made.cert.der().clone()
    }

    fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.path("cert.pem")).unwrap()
    }

    fn options(&self) -> Options {
        let files = TlsFiles { cert: self.path("cert.pem"), key: self.path("key.pem") };
        Options { tls: Some(TlsSource::Files(files)), ..Options::default() }
    }
}

fn replace(path: &Path, content: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(new, path).unwrap();
}

async fn connect(
    address: SocketAddr,
    root: CertificateDer<'static>,
    alpn: &[&[u8]],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), tcp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_over_tls_in_both_protocols() {
    let pair = Pair::new();
    let server = TestServer::start(pair.options(), site);
    for alpn in [&[b"http/1.1".as_slice()][..], &[]] {
        let stream = connect(server.address, pair.certificate(), alpn).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), alpn.first().copied());
        let mut client = Client::new(stream);
        for (start, end) in [(0, 30 * MIB), (5, 10)] {
            let answer = client.ask(&format!("/{start}-{end}")).await.unwrap();
            assert!(answer.body == LARGE_FILE.content[start..end]);
        }
    }

    let stream = connect(server.address, pair.certificate(), &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let executor = TokioExecutor::new();
    let (sender, connection) = hyper::client::conn::http2::handshake(executor, TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let pulls = (0..8).map(|turn| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            let (start, end) = (turn * MIB, turn * MIB + 5 * MIB + turn);
            let request = Request::get(format!("https://localhost/{start}-{end}")).body(Body::Empty).unwrap();
            let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            assert!(body == LARGE_FILE.content[start..end]);
        })
    });
    for pull in pulls.collect::<Vec<_>>() {
        pull.await.unwrap();
    }
}

#[tokio::test]
async fn request_over_tls_knows_it() {
    let pair = Pair::new();
    let server = TestServer::start(pair.options(), |request: Request<Incoming>| async move {
        Response::new(request.extensions().get::<ConnInfo>().unwrap().tls.to_string().into())
    });
    let mut client = Client::new(connect(server.address, pair.certificate(), &[]).await.unwrap());
    assert_eq!(client.ask("/").await.unwrap().body, b"true");
}

#[tokio::test]
async fn changed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let pair = Pair::new();
    let first = pair.certificate();
    let server = TestServer::start(pair.options(), site);
    let mut kept = Client::new(connect(server.address, first.clone(), &[]).await.unwrap());

    std::fs::write(pair.path("cert.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    server.reload.reload();
    tokio::time::sleep(Duration::from_millis(200)).await;
    connect(server.address, first.clone(), &[]).await.unwrap();

    let second = pair.renew();
    // Without a word to the server: it looks at the files by itself.
    let renewed = async {
        while connect(server.address, second.clone(), &[]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.unwrap();
    assert!(connect(server.address, first, &[]).await.is_err());
    assert_eq!(kept.ask("/0-3").await.unwrap().status(), 200, "open connections go on");
}

#[tokio::test]
async fn reload_is_possible_at_once() {
    let pair = Pair::new();
    let server = TestServer::start(pair.options(), site);
    let second = pair.renew();
    server.reload.reload();
    let renewed = async {
        while connect(server.address, second.clone(), &[]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.unwrap();
}

#[tokio::test]
async fn handshake_that_does_not_come_is_cut() {
    let pair = Pair::new();
    let server = TestServer::start(Options { header_timeout: Duration::from_millis(100), ..pair.options() }, site);
    let mut silent = server.connect().await;
    let cut = tokio::time::timeout(Duration::from_secs(20), silent.rest()).await;
    assert_eq!(cut.unwrap().0, 0);
}

#[tokio::test]
async fn plain_client_is_turned_away() {
    let pair = Pair::new();
    let server = TestServer::start(pair.options(), site);
    let mut plain = server.connect().await;
    plain.send("GET /0-3 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let (received, _) = plain.rest().await;
    assert!(received < 10, "{received} bytes are more than an alert");
}

#[tokio::test]
async fn unusable_files_are_named() {
    let pair = Pair::new();
    let refused = |cert: &str, key: &str| {
        let tls = Some(TlsSource::Files(TlsFiles { cert: pair.path(cert), key: pair.path(key) }));
        Server::new(Vec::new(), Options { tls, ..Options::default() }).unwrap_err().to_string()
    };
    std::fs::write(pair.path("empty.pem"), "").unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(pair.path("other.pem"), other.signing_key.serialize_pem()).unwrap();
    let table = [
        ("absent.pem", "key.pem", "the TLS certificate in", "absent.pem"),
        ("empty.pem", "key.pem", "there is no certificate in", "empty.pem"),
        ("cert.pem", "empty.pem", "the private key of the TLS certificate in", "empty.pem"),
        ("cert.pem", "other.pem", "cannot be used", "other.pem"),
    ];
    for (cert, key, what, path) in table {
        let said = refused(cert, key);
        assert!(said.contains(what) && said.contains(path), "{said}");
    }
}
