//! How authorities are spoken to: over https, with a bound on everything that they answer.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, RETRY_AFTER};
use http::response::Parts;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient, Problem};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::clock;

/// The longest answer that is read, in bytes. A chain has some KiB.
const MAX_ANSWER: usize = 256 * 1024;
/// How long an authority may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long is waited at most when an authority that is at work says when to look again.
const LONGEST_PAUSE: u64 = 10;
/// How long an authority that has had enough is left alone, at most.
const LONGEST_WAIT: Duration = Duration::from_hours(24);
/// What the directory of every authority names (RFC 8555, section 7.1.1).
const RESOURCES: [&str; 3] = ["newNonce", "newAccount", "newOrder"];

/// Why an authority cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The file with its own certificate cannot be used.
    #[error("cannot use acme.ca_file {}: {why}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// What the system trusts cannot be read.
    #[error("cannot tell which certificates this system trusts: {0}")]
    Trust(String),
    /// No connection, or one that broke.
    #[error("cannot reach {authority}: {why}")]
    Unreachable {
        /// Its host.
        authority: String,
        /// What the system says.
        why: String,
    },
    /// No answer in time.
    #[error("{0} did not answer within {seconds} s", seconds = PATIENCE.as_secs())]
    Slow(String),
    /// An answer without end.
    #[error("{0} answered with more than {kib} KiB", kib = MAX_ANSWER / 1024)]
    TooLong(String),
    /// An answer in which no reason is given.
    #[error("the authority answered {0}")]
    Status(u16),
    /// The directory is none.
    #[error("acme.directory is no directory of an authority: `{0}` in it is no https URL")]
    Directory(&'static str),
}

impl ClientError {
    /// Whether the authority never heard of us.
    pub(super) fn is_of_the_way(&self) -> bool {
        match self {
            Self::Trust(_) | Self::Unreachable { .. } | Self::Slow(_) => true,
            Self::CaFile { .. } | Self::TooLong(_) | Self::Status(_) | Self::Directory(_) => false,
        }
    }
}

impl From<ClientError> for instant_acme::Error {
    fn from(error: ClientError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// How long an authority that has had enough asked to be left alone; shared by the clients of one order.
#[derive(Debug, Clone, Default)]
pub(super) struct Enough(Arc<AtomicU64>);

impl Enough {
    /// How long, if it said so.
    pub(super) fn wait(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.0.load(Ordering::Relaxed))).filter(|wait| !wait.is_zero())
    }

    fn note(&self, seconds: u64) {
        self.0.fetch_max(seconds.min(LONGEST_WAIT.as_secs()), Ordering::Relaxed);
    }
}

/// A client of one authority.
pub(super) struct Client {
    http: HyperClient<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    enough: Enough,
}

impl Client {
    /// Makes a client that trusts what the system does, or the certificates of a file.
    pub(super) fn new(ca_file: Option<&Path>, enough: &Enough) -> Result<Self, ClientError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = match ca_file {
            None => {
                let builder = HttpsConnectorBuilder::new().with_provider_and_platform_verifier(provider);
                builder.map_err(|error| ClientError::Trust(told(&error)))?
            }
            Some(path) => {
                let wrong = |why: String| ClientError::CaFile { path: path.to_owned(), why };
                let roots = roots(path).map_err(wrong)?;
                let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
                let config = config.map_err(|error| ClientError::Trust(told(&error)))?;
                HttpsConnectorBuilder::new().with_tls_config(config.with_root_certificates(roots).with_no_client_auth())
            }
        };
        let connector = builder.https_only().enable_http1().enable_http2().build();
        Ok(Self { http: HyperClient::builder(TokioExecutor::new()).build(connector), enough: enough.clone() })
    }
}

fn roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| told(&error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| told(&error))?;
        roots.add(certificate).map_err(|error| told(&error))?;
    }
    if roots.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(roots) }
}

impl HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let (http, enough) = (self.http.clone(), self.enough.clone());
        Box::pin(async move {
            let method = request.method().clone();
            let authority = request.uri().host().unwrap_or_default().to_owned();
            let answered = async {
                let unreachable = |why| ClientError::Unreachable { authority: authority.clone(), why };
                let response = http.request(request).await.map_err(|error| unreachable(told(&error)))?;
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| {
                    match error.downcast_ref::<http_body_util::LengthLimitError>() {
                        Some(_) => ClientError::TooLong(authority.clone()),
                        None => unreachable(error.to_string()),
                    }
                })?;
                Ok((parts, body.to_bytes()))
            };
            let in_time = tokio::time::timeout(PATIENCE, answered).await;
            let (parts, body) = in_time.unwrap_or_else(|_| Err(ClientError::Slow(authority.clone())))?;
            judged(&method, parts, body, &enough)
        })
    }
}

/// What the library is given of an answer. It believes what it reads: without this, an authority could have it wait for
/// years, or panic.
fn judged(
    method: &Method,
    mut parts: Parts,
    body: Bytes,
    enough: &Enough,
) -> Result<BytesResponse, instant_acme::Error> {
    let wait = parts.headers.get(RETRY_AFTER).and_then(|value| seconds(value, clock::now()));
    parts.headers.remove(RETRY_AFTER);
    if parts.status.is_success() {
        if let Some(wait) = wait {
            parts.headers.insert(RETRY_AFTER, HeaderValue::from(wait.min(LONGEST_PAUSE)));
        }
        if *method == Method::GET {
            check_directory(&body)?;
        }
        return Ok(BytesResponse { parts, body: Box::new(body) });
    }
    if matches!(parts.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
        && let Some(wait) = wait
    {
        enough.note(wait);
    }
    let failed = parts.status.is_client_error() || parts.status.is_server_error();
    let problem = serde_json::from_slice::<Problem>(&body).ok();
    let problem = problem.filter(|problem| failed && (problem.r#type.is_some() || problem.detail.is_some()));
    match problem {
        // The library looks for problems in answers to this alone.
        Some(_) if *method == Method::POST => Ok(BytesResponse { parts, body: Box::new(body) }),
        Some(problem) => Err(problem.into()),
        None => Err(ClientError::Status(parts.status.as_u16()).into()),
    }
}

/// Reads a `Retry-After`: seconds, or a date.
fn seconds(value: &HeaderValue, now: i64) -> Option<u64> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u64::MAX));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(at.as_second().saturating_sub(now / 1_000_000)).ok()
}

fn check_directory(body: &[u8]) -> Result<(), ClientError> {
    let directory = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
    let is_there = |name: &str| directory.get(name).and_then(serde_json::Value::as_str).is_some_and(is_https);
    RESOURCES.into_iter().try_for_each(|name| if is_there(name) { Ok(()) } else { Err(ClientError::Directory(name)) })
}

/// Whether a URL is one that can be asked, as the library takes it for granted.
pub(super) fn is_https(url: &str) -> bool {
    let parsed = url.parse::<Uri>();
    parsed.is_ok_and(|url| url.scheme_str() == Some("https") && url.host().is_some_and(|host| !host.is_empty()))
}

/// An error with its causes: what went wrong with a connection stands there.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 946_684_000_000_000;

    fn answer(
        method: &Method,
        status: u16,
        retry_after: &str,
        body: &str,
    ) -> (Result<BytesResponse, String>, Option<Duration>) {
        let mut response = http::Response::builder().status(status);
        if !retry_after.is_empty() {
            response = response.header(RETRY_AFTER, retry_after);
        }
        let (parts, ()) = response.body(()).unwrap().into_parts();
        let enough = Enough::default();
        let judged = judged(method, parts, Bytes::copy_from_slice(body.as_bytes()), &enough);
        (judged.map_err(|error| error.to_string()), enough.wait())
    }

    fn directory(new_nonce: &str) -> String {
        serde_json::json!({ "newNonce": new_nonce, "newAccount": "https://ca.test/a", "newOrder": "https://ca.test/o" })
            .to_string()
    }

    #[test]
    fn a_directory_that_would_have_the_library_panic_is_refused() {
        assert!(answer(&Method::GET, 200, "", &directory("https://ca.test/n")).0.is_ok());
        for wrong in ["", "/n", "http://ca.test/n", "https://", "https://ca.test/ n"] {
            let refused = answer(&Method::GET, 200, "", &directory(wrong)).0.err().unwrap();
            assert!(refused.contains("`newNonce`"), "{wrong}: {refused}");
        }
        assert!(answer(&Method::GET, 200, "", "<html>").0.is_err());
    }

    #[test]
    fn an_authority_says_when_to_come_again_and_cannot_say_never() {
        for (given, handed_on) in [("3", Some("3")), ("18446744073709551615", Some("10")), ("soon", None)] {
            let (taken, wait) = answer(&Method::POST, 200, given, "{}");
            let taken = taken.unwrap().parts;
            assert_eq!(taken.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap()), handed_on, "{given}");
            assert_eq!(wait, None);
        }
        let problem = r#"{"type": "urn:ietf:params:acme:error:rateLimited"}"#;
        for (status, given, remembered) in
            [(429, "7200", Some(7200)), (503, "99999999999999999999999", Some(86_400)), (500, "7200", None)]
        {
            let (taken, wait) = answer(&Method::POST, status, given, problem);
            assert!(!taken.unwrap().parts.headers.contains_key(RETRY_AFTER));
            assert_eq!(wait.map(|wait| wait.as_secs()), remembered, "{status}");
        }
        let date = HeaderValue::from_static("Sat, 01 Jan 2000 00:00:00 GMT");
        assert_eq!(seconds(&date, NOW), Some(800));
        assert_eq!(seconds(&date, NOW + 3600 * 1_000_000), None, "a time that is over");
    }

    #[test]
    fn an_answer_without_a_reason_is_told_by_its_number() {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            for (status, body) in [(502, "<html>"), (404, ""), (400, "{}"), (307, r#"{"detail": "elsewhere"}"#)] {
                let refused = answer(&method, status, "", body).0.err().unwrap();
                assert_eq!(refused, format!("the authority answered {status}"));
            }
        }
        let problem = r#"{"type": "urn:ietf:params:acme:error:serverInternal", "detail": "down"}"#;
        assert!(answer(&Method::GET, 500, "", problem).0.err().unwrap().contains("down"));
        assert!(answer(&Method::POST, 500, "", problem).0.is_ok(), "the library tells it");
    }

    #[test]
    fn a_file_of_certificates_that_cannot_be_used_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("authority.crt");
        for text in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            let error = Client::new(Some(&path), &Enough::default()).err().unwrap().to_string();
            assert!(error.contains("acme.ca_file") && error.contains("authority.crt"), "{error}");
        }
        let made = crate::pki::authority::Authority::make(NOW).unwrap();
        std::fs::write(&path, made.certificate()).unwrap();
        Client::new(Some(&path), &Enough::default()).unwrap();
    }
}
