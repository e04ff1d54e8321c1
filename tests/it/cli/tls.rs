//! `havre serve` with TLS: its certificate, and the next one.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::process::{Place, Serving};
use crate::support::{Raw, eventually, sha256};

const ARGS: [&str; 4] = ["--tls-cert", "tls.crt", "--tls-key", "tls.key"];
/// Every file gets this length, so that a change of its length does not give it away.
const PEM_LENGTH: usize = 4096;

/// Writes a new certificate and its key over those in place, as if that had happened at `modified`.
fn renew(place: &Place, modified: SystemTime) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, pem) in [("tls.crt", made.cert.pem()), ("tls.key", made.signing_key.serialize_pem())] {
        let path = place.path().join(name);
        fs::write(&path, format!("{pem:\n<PEM_LENGTH$}")).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    }
    made.cert.der().clone()
}

/// Connects, trusting that certificate alone.
async fn connect(serving: &Serving, trusted: &CertificateDer<'static>) -> std::io::Result<Raw<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));
    let tcp = TcpStream::connect(serving.address).await?;
    Ok(Raw::new(tls.connect(ServerName::try_from("localhost").unwrap(), tcp).await?))
}

async fn is_answered(raw: &mut Raw<TlsStream<TcpStream>>) -> bool {
    raw.send("GET /v2/ HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    raw.answer().await.unwrap().0 == 200
}

#[tokio::test]
async fn images_are_pushed_and_pulled_over_tls() {
    let place = Place::new();
    let certificate = renew(&place, SystemTime::now());
    let serving = place.serve(&ARGS);
    let mut raw = connect(&serving, &certificate).await.unwrap();
    let digest = sha256(b"some bytes");
    let head = "host: localhost\r\ncontent-length: 10\r\n\r\nsome bytes";
    raw.send(format!("POST /v2/some/app/blobs/uploads/?digest={digest} HTTP/1.1\r\n{head}")).await.unwrap();
    let (status, answer) = raw.answer().await.unwrap();
    assert_eq!(status, 201, "{answer}");
    raw.send(format!("GET /v2/some/app/blobs/{digest} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await.unwrap();
    let (status, answer) = raw.answer().await.unwrap();
    assert!(status == 200 && answer.ends_with("some bytes"), "{answer}");
    let log = serving.stop().await;
    assert!(log.contains("serving https://"), "{log}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_while_connections_go_on() {
    let place = Place::new();
    let start = SystemTime::now();
    let first = renew(&place, start);
    let serving = place.serve(&ARGS);
    let mut old = connect(&serving, &first).await.unwrap();
    assert!(is_answered(&mut old).await);
    // The change alone is noticed.
    let later = start + Duration::from_secs(1);
    let second = renew(&place, later);
    eventually(async || connect(&serving, &second).await.is_ok()).await;
    assert!(connect(&serving, &first).await.is_err(), "the old certificate is still shown");
    assert!(is_answered(&mut old).await);
    // By the signal alone: to the eye the files are those of before.
    let third = renew(&place, later);
    eventually(async || {
        serving.signal("HUP");
        connect(&serving, &third).await.is_ok()
    })
    .await;
    assert!(is_answered(&mut old).await);
    let log = serving.stop().await;
    assert!(log.contains("the TLS certificate was read again"), "{log}");
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let place = Place::new();
    place.run(&["serve", "--tls-cert", "tls.crt"]).exits(2).complains("`server.tls_cert` needs `server.tls_key`");
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", "tls.crt", "--tls-key", "tls.key"]);
    refused.exits(2).complains("tls.crt");
}

#[tokio::test]
async fn a_domain_without_its_certificate_yet_is_served_and_its_status_told() {
    let place = Place::new();
    place.run(&["tls", "status"]).exits(2).complains("havre serve");
    let domain = ["--domain", "registry.example.org", "--set", "acme.directory=https://127.0.0.1:9/directory"];
    let serving = place.serve(&[&domain[..], &["--set", "acme.http_listen=127.0.0.1:0"]].concat());
    eventually(async || place.run(&[&["tls", "status"], &domain[..]].concat()).stdout.contains("failed 1 times")).await;
    let status = place.run(&[&["tls", "status", "--json"], &domain[..]].concat()).exits(0);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&status["domain"], &status["failures"]), (&"registry.example.org".into(), &1.into()));
    assert!(status["not_after"].is_null() && status["error"].is_string() && status["next_try"].is_string(), "{status}");
    place.run(&["tls", "status"]).exits(2).complains("--domain");
    place.run(&[&["tls", "renew"], &domain[..]].concat()).exits(0).says("within seconds");
    eventually(async || place.run(&[&["tls", "status"], &domain[..]].concat()).stdout.contains("failed 2 times")).await;
    place.run(&[&["tls", "status"], &domain[..]].concat()).says("havre tls renew --domain registry.example.org");
    place
        .run(&[&["tls", "renew"], &domain[2..], &["--domain", "a.org"]].concat())
        .exits(2)
        .complains("no server has asked");
    let log = serving.stop().await;
    for words in [
        "there is no certificate yet",
        "serving https://",
        "clients reach it at https://registry.example.org",
        "sending plain HTTP on",
        "no certificate was obtained",
        "havre tls renew --domain registry.example.org",
    ] {
        assert!(log.contains(words), "{words}\n{log}");
    }
}

#[tokio::test]
async fn a_local_authority_is_made_once_and_its_certificate_again() {
    let place = Place::new();
    let read = |name: &str| fs::read(place.path().join("certificates").join(name)).unwrap();
    let init = ["tls", "init", "--out", "certificates", "--host", "localhost", "--host", "registry.example.org"];
    let made = place.run(&init).exits(0).says("/etc/docker/certs.d/localhost").says("hosts.toml").says("--tls-cert");
    assert!(!made.stdout.contains("PRIVATE KEY"));
    let (authority, key, first) = (read("ca.crt"), read("ca.key"), read("server.crt"));
    let args = ["--tls-cert", "certificates/server.crt", "--tls-key", "certificates/server.key"];
    let serving = place.serve(&args);
    let trusted = CertificateDer::from_pem_slice(&authority).unwrap();
    let mut raw = connect(&serving, &trusted).await.unwrap();
    assert!(is_answered(&mut raw).await);
    serving.stop().await;
    place.run(&["tls", "init", "--out", "certificates"]).exits(0).says("registry.example.org");
    assert!(read("ca.crt") == authority && read("ca.key") == key && read("server.crt") != first);
    let serving = place.serve(&args);
    connect(&serving, &trusted).await.unwrap();
    serving.stop().await;
    for name in ["ca.key", "server.key"] {
        let path = place.path().join("certificates").join(name);
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    // Half of an authority is not made whole behind somebody's back.
    fs::remove_file(place.path().join("certificates/ca.key")).unwrap();
    place.run(&["tls", "init", "--out", "certificates"]).complains("ca.key");
    assert_eq!(read("ca.crt"), authority);
}
