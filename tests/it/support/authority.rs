//! An ACME authority in this process, which takes every domain for proved and answers as it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use havre::clock;
use havre::pki;
use havre::pki::authority::Authority;
use rcgen::{CertificateParams, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What comes before the key in a request for a certificate, for the kind of key that the server makes.
const P256: &[u8] = &[0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00];
const DAY: i64 = 86_400;

/// An authority.
pub struct AcmeAuthority {
    /// Its directory.
    pub url: String,
    state: Arc<State>,
    directory: TempDir,
}

struct State {
    base: String,
    key: KeyPair,
    /// How many requests there were for each path.
    asked: Mutex<HashMap<String, usize>>,
    told: Mutex<Told>,
    /// A path that is not answered for now.
    held: watch::Sender<&'static str>,
    domain: Mutex<String>,
    chain: Mutex<String>,
}

/// What it was told to do.
struct Told {
    answers: HashMap<&'static str, Reply>,
    /// From when until when certificates hold, in days from now.
    validity: (i64, i64),
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn problem(status: u16, kind: &str) -> Self {
        let problem = json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "detail": "as it was told" });
        Self::new(status, problem.to_string())
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl AcmeAuthority {
    /// Starts one, whose certificates hold 90 days.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let directory = tempfile::tempdir().unwrap();
        let own = Authority::make(clock::now()).unwrap();
        std::fs::write(directory.path().join("ca.crt"), own.certificate()).unwrap();
        let signed = own.sign(&["127.0.0.1".to_owned()], clock::now()).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let tls = TlsAcceptor::from(Arc::new(tls.with_no_client_auth().with_single_cert(chain, key).unwrap()));
        let state = Arc::new(State {
            base: base.clone(),
            key: KeyPair::generate().unwrap(),
            asked: Mutex::default(),
            told: Mutex::new(Told { answers: HashMap::new(), validity: (0, 90) }),
            held: watch::channel("").0,
            domain: Mutex::default(),
            chain: Mutex::default(),
        });
        let served = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (tls, state) = (tls.clone(), Arc::clone(&served));
                tokio::spawn(async move { state.serve(&tls, tcp).await });
            }
        });
        Self { url: format!("{base}/directory"), state, directory }
    }

    /// The file by which its own server is trusted.
    pub fn ca_file(&self) -> String {
        self.directory.path().join("ca.crt").display().to_string()
    }

    /// How many requests there were for a path.
    pub fn asked(&self, path: &str) -> usize {
        self.state.asked.lock().unwrap().get(path).copied().unwrap_or(0)
    }

    /// Has it answer a path so, until it is told otherwise.
    pub fn answer(&self, path: &'static str, reply: Reply) {
        self.state.told.lock().unwrap().answers.insert(path, reply);
    }

    /// Has it forget everything, as if it had just begun.
    pub fn reset(&self) {
        self.behave();
        self.validity(0, 90);
        self.hold("");
        self.state.asked.lock().unwrap().clear();
        self.state.chain.lock().unwrap().clear();
    }

    /// Has it do as authorities do again.
    pub fn behave(&self) {
        self.state.told.lock().unwrap().answers.clear();
    }

    /// From when until when the certificates hold that it gives, in days from now.
    pub fn validity(&self, from: i64, until: i64) {
        self.state.told.lock().unwrap().validity = (from, until);
    }

    /// Has it leave a path without an answer, until another one is named.
    pub fn hold(&self, path: &'static str) {
        self.state.held.send_replace(path);
    }

    /// The chain that it gave last.
    pub fn chain(&self) -> String {
        self.state.chain.lock().unwrap().clone()
    }

    /// A directory in which one URL is another.
    pub fn directory_with(&self, name: &str, url: &str) -> String {
        let mut directory = self.state.directory();
        directory[name] = url.into();
        directory.to_string()
    }
}

impl State {
    async fn serve(&self, tls: &TlsAcceptor, tcp: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(tls.accept(tcp).await.ok()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let mut words = head.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut lengths =
            head.lines().filter_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; lengths.next().unwrap_or(0)];
        stream.read_exact(&mut body).await.ok()?;
        *self.asked.lock().unwrap().entry(path.clone()).or_default() += 1;
        self.held.subscribe().wait_for(|held| *held != path).await.ok()?;
        let told = self.told.lock().unwrap().answers.get(path.as_str()).cloned();
        let reply = told.unwrap_or_else(|| self.behaved(&path, &body));
        let mut answer = format!("HTTP/1.1 {} Told\r\nconnection: close\r\nreplay-nonce: nonce\r\n", reply.status);
        for (name, value) in &reply.headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        let length = reply.body.len();
        answer.push_str(&format!("content-length: {length}\r\n\r\n"));
        if method != "HEAD" {
            answer.push_str(&reply.body);
        }
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    }

    fn directory(&self) -> Value {
        let at = |path: &str| format!("{}/{path}", self.base);
        json!({ "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("order") })
    }

    fn behaved(&self, path: &str, body: &[u8]) -> Reply {
        let at = |path: &str| format!("{}/{path}", self.base);
        let order = |status: &str| {
            let (finalize, certificate) = (at("finalize"), at("certificate"));
            json!({ "status": status, "authorizations": [], "finalize": finalize, "certificate": certificate })
                .to_string()
        };
        match path {
            "/directory" => Reply::new(200, self.directory().to_string()),
            "/nonce" => Reply::new(200, ""),
            "/account" => Reply::new(201, r#"{"status": "valid"}"#).with("location", at("account/1")),
            "/order" => {
                let asked = payload(body);
                *self.domain.lock().unwrap() = asked["identifiers"][0]["value"].as_str().unwrap().to_owned();
                Reply::new(201, order("ready")).with("location", at("order/1"))
            }
            "/finalize" => {
                let request = BASE64_URL_SAFE_NO_PAD.decode(payload(body)["csr"].as_str().unwrap()).unwrap();
                *self.chain.lock().unwrap() = self.sign(&request);
                Reply::new(200, order("processing"))
            }
            "/order/1" => Reply::new(200, order("valid")),
            "/certificate" => Reply::new(200, self.chain.lock().unwrap().clone()),
            _ => Reply::new(404, ""),
        }
    }

    fn sign(&self, request: &[u8]) -> String {
        let at = request.windows(P256.len()).position(|window| window == P256).unwrap() + P256.len();
        let key = Key(request[at..at + 65].to_vec());
        let mut params = CertificateParams::new([self.domain.lock().unwrap().clone()]).unwrap();
        let (from, until) = self.told.lock().unwrap().validity;
        let now = clock::now() / 1_000_000;
        let date = |days: i64| {
            let seconds = u64::try_from(now + days * DAY).unwrap();
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
        };
        (params.not_before, params.not_after) = (date(from), date(until));
        let issuer = Issuer::new(CertificateParams::default(), &self.key);
        params.signed_by(&key, &issuer).unwrap().pem()
    }
}

/// What a signed request says.
fn payload(body: &[u8]) -> Value {
    let signed: Value = serde_json::from_slice(body).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(signed["payload"].as_str().unwrap()).unwrap()).unwrap()
}

/// The public key of somebody else.
struct Key(Vec<u8>);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// The certificate of a chain that clients are shown.
pub fn first_of(chain: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(chain.as_bytes()).unwrap().to_vec()
}

/// A certificate of nobody in particular, and its key.
pub fn signed(domain: &str) -> (String, String) {
    let now = clock::now();
    let signed = Authority::make(now).unwrap().sign(&[domain.to_owned()], now).unwrap();
    pki::certified(&signed.certificate, &signed.key).unwrap();
    (signed.certificate, signed.key)
}
