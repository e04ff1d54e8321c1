//! A server that looks after its certificates: whom it shows which, and how it answers authorities.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use havre::app::acme::Acme;
use havre::clock;
use havre::http::server::{Options, Server, TlsSource};
use havre::http::{plain, router};
use havre::pki;
use havre::registry::certificates::{self, Certificate, Proof};
use havre::registry::{Ctx, Registry};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Raw, Setup, TestApp, eventually, first_of, signed};

/// Nothing answers there.
const DIRECTORY: &str = "https://127.0.0.1:9/directory";
const DOMAIN: &str = "registry.example.org";
const OTHER: &str = "hub.example.org";
const DAY: i64 = 86_400 * 1_000_000;
/// 1.3.6.1.5.5.7.1.31, as it stands in a certificate (RFC 8737, section 6.1).
const ACME_IDENTIFIER: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f];

fn setup() -> Setup {
    Setup::default().set("acme.domains", &format!("{DOMAIN}, {OTHER}")).set("acme.directory", DIRECTORY)
}

async fn start(app: &TestApp) -> (Arc<Acme>, SocketAddr) {
    let acme = Acme::start(&app.app).await.unwrap().unwrap();
    let tls = Some(TlsSource::Managed(Arc::clone(&acme) as Arc<dyn pki::Certificates>));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::new(vec![listener], Options { tls, ..Options::default() }).unwrap();
    let address = server.addresses()[0];
    tokio::spawn(server.run(router::service(Arc::clone(&app.app)), std::future::pending()));
    (acme, address)
}

/// Accepts whatever is presented: the tests look at it themselves.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

async fn connect(address: SocketAddr, name: &str, alpn: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anything));
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), tcp).await
}

/// The certificate that a client is shown.
async fn shown(address: SocketAddr, name: &str) -> Vec<u8> {
    let stream = connect(address, name, &["http/1.1"]).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Keeps a certificate as another node would; returns it as it is presented.
async fn keep(registry: &Registry, domain: &str) -> Vec<u8> {
    let now = clock::now();
    let (chain, key) = signed(domain);
    let first = first_of(&chain);
    let new = Certificate { chain, key, not_before: now, not_after: now + 90 * DAY };
    // As one that has the order does, where it can be had.
    let claim = certificates::claim(registry, now, DIRECTORY, domain, None).await.unwrap().unwrap_or_default();
    certificates::keep(registry, &Ctx::system(now), DIRECTORY, domain, claim, new).await.unwrap();
    first
}

async fn is_answered(raw: &mut Raw<TlsStream<TcpStream>>) -> bool {
    raw.send(format!("GET /v2/ HTTP/1.1\r\nhost: {DOMAIN}\r\n\r\n")).await.unwrap();
    raw.answer().await.unwrap().0 == 200
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_name_is_shown_its_certificate_and_what_another_node_renews_is_taken_up() {
    setup()
        .on_each_engine(async |app| {
            let (acme, address) = start(app).await;
            for name in [DOMAIN, OTHER, "localhost"] {
                assert!(has(&shown(address, name).await, b"waiting for its certificate"), "{name}");
            }
            let looking = tokio::spawn(Arc::clone(&acme).keep_forever());
            let first = keep(&app.app.registry, DOMAIN).await;
            eventually(async || shown(address, DOMAIN).await == first).await;
            assert!(shown(address, "REGISTRY.example.org").await == first, "in whatever case");
            assert!(shown(address, "localhost").await == first, "who asks for another name is shown the first one");
            assert!(has(&shown(address, OTHER).await, b"waiting for its certificate"));
            let mut open = Raw::new(connect(address, DOMAIN, &["http/1.1"]).await.unwrap());
            assert!(is_answered(&mut open).await);

            let second = keep(&app.app.registry, DOMAIN).await;
            eventually(async || shown(address, DOMAIN).await == second).await;
            assert!(is_answered(&mut open).await, "open connections go on");
            // Meanwhile the other name was asked for, where nothing answers.
            eventually(async || {
                let status = certificates::status(&app.app.registry, DIRECTORY, OTHER).await.unwrap();
                status.failures == 1 && status.error.is_some_and(|why| !why.is_empty()) && status.next_at.is_some()
            })
            .await;
            let numbers = String::from_utf8(app.get("/metrics").await.expect(200).body.to_vec()).unwrap();
            let ends = |name: &str| {
                let line = format!("havre_certificate_end_time_seconds{{domain=\"{name}\"}} ");
                numbers.lines().find_map(|found| found.strip_prefix(&line)?.parse::<i64>().ok())
            };
            assert!(ends(DOMAIN).unwrap() > clock::now() / 1_000_000 && ends(OTHER) == Some(0), "{numbers}");
            looking.abort();

            // The next start asks for nothing that is there.
            let (_, again) = start(app).await;
            assert!(shown(again, DOMAIN).await == second);
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_is_answered_in_a_handshake_while_it_may_ask_and_no_longer() {
    setup()
        .on_each_engine(async |app| {
            let (_, address) = start(app).await;
            let registry = &app.app.registry;
            let ask = async |name: &str| connect(address, name, &["acme-tls/1"]).await;
            assert!(ask(DOMAIN).await.is_err(), "nothing was asked for");
            let now = clock::now();
            certificates::expect(registry, now, DOMAIN, (Proof::TlsAlpn, "token"), "token.print").await.unwrap();
            let answered = ask(DOMAIN).await.unwrap();
            assert_eq!(answered.get_ref().1.alpn_protocol(), Some(&b"acme-tls/1"[..]));
            let presented = answered.get_ref().1.peer_certificates().unwrap()[0].to_vec();
            let digest = Sha256::digest(b"token.print");
            assert!(has(&presented, ACME_IDENTIFIER) && has(&presented, &digest) && has(&presented, DOMAIN.as_bytes()));
            assert!(Raw::new(answered).rest().await.unwrap().is_empty(), "the handshake is all of it");
            for stranger in [OTHER, "other.example.org"] {
                assert!(ask(stranger).await.is_err(), "{stranger}");
            }
            let ordinary = connect(address, DOMAIN, &["acme-tls/1", "http/1.1"]).await.unwrap();
            assert_eq!(ordinary.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            keep(registry, DOMAIN).await;
            assert!(ask(DOMAIN).await.is_err(), "it was obtained");
        })
        .await;
}

#[tokio::test]
async fn plain_http_answers_authorities_and_sends_everybody_else_on() {
    setup()
        .set("server.listen", "127.0.0.1:8443")
        .on_each_engine(async |app| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = Server::new(vec![listener], Options::default()).unwrap();
            let address = server.addresses()[0];
            tokio::spawn(server.run(plain::service(Arc::clone(&app.app)), std::future::pending()));
            let ask = async |request: &str, host: &str| {
                let mut raw = Raw::new(TcpStream::connect(address).await.unwrap());
                raw.send(format!("{request} HTTP/1.1\r\nhost: {host}\r\n\r\n")).await.unwrap();
                raw.answer().await.unwrap()
            };
            let question = "GET /.well-known/acme-challenge/to_K-3n";
            assert_eq!(ask(question, DOMAIN).await.0, 404);
            let now = clock::now();
            let registry = &app.app.registry;
            certificates::expect(registry, now, DOMAIN, (Proof::Http, "to_K-3n"), "to_K-3n.print").await.unwrap();
            let (status, answer) = ask(question, DOMAIN).await;
            assert!(status == 200 && answer.ends_with("\r\n\r\nto_K-3n.print"), "{answer}");
            for (wrong, status) in [
                ("GET /.well-known/acme-challenge/other".to_owned(), 404),
                ("GET /.well-known/acme-challenge/".to_owned(), 404),
                ("GET /.well-known/acme-challenge/../to_K-3n".to_owned(), 404),
                (format!("GET /.well-known/acme-challenge/{}", "x".repeat(300)), 404),
                ("POST /.well-known/acme-challenge/to_K-3n".to_owned(), 405),
            ] {
                assert_eq!(ask(&wrong, DOMAIN).await.0, status, "{wrong}");
            }
            keep(registry, DOMAIN).await;
            assert_eq!(ask(question, DOMAIN).await.0, 404);
            for (request, host, location) in [
                (
                    "GET /v2/a/b/tags/list?n=3",
                    "HUB.example.org:80",
                    "https://hub.example.org:8443/v2/a/b/tags/list?n=3",
                ),
                ("GET http://hub.example.org/x", "elsewhere.example", "https://hub.example.org:8443/x"),
                ("PUT /x", "elsewhere.example", "https://registry.example.org:8443/x"),
                ("GET //elsewhere.example/", "", "https://registry.example.org:8443//elsewhere.example/"),
                ("OPTIONS *", DOMAIN, "https://registry.example.org:8443/"),
            ] {
                let (status, answer) = ask(request, host).await;
                let found = answer.lines().find_map(|line| line.strip_prefix("location: "));
                assert_eq!((status, found), (308, Some(location)), "{request}");
            }
        })
        .await;
}
