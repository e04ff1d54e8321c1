//! The least of a client that a seed needs: requests over HTTP/1.1 without TLS, one after the other on one connection.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use oci::Algorithm;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

/// A connection to a registry.
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    /// The name and the token with which it signs in; nothing at an open registry.
    credential: Option<(String, String)>,
}

impl Client {
    /// Connects.
    pub async fn connect(url: &Url, credential: Option<(String, String)>) -> anyhow::Result<Self> {
        let host = url.host_str().filter(|_| url.scheme() == "http");
        let host = host.with_context(|| {
            format!("{url} is not an address such as http://127.0.0.1:5000; TLS is not spoken here")
        })?;
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
        let stream = stream.with_context(|| format!("nothing answers at {url}; start it with: havre serve"))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: format!("{host}:{port}"), credential })
    }

    async fn send(
        &mut self,
        method: Method,
        target: &str,
        kind: &str,
        body: Bytes,
        bearer: bool,
    ) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::builder().method(method.clone()).uri(target).header(HOST, &self.host);
        if !kind.is_empty() {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some((name, token)) = &self.credential {
            let value = if bearer {
                format!("Bearer {token}")
            } else {
                format!("Basic {}", STANDARD.encode(format!("{name}:{token}")))
            };
            request = request.header(AUTHORIZATION, value);
        }
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request.body(Full::new(body))?).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if !parts.status.is_success() && parts.status != StatusCode::NOT_FOUND {
            bail!("{method} {target} was answered with {}: {}", parts.status, String::from_utf8_lossy(&body));
        }
        Ok(Response::from_parts(parts, body))
    }

    /// A call of the management API.
    pub async fn call(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<()> {
        let target = format!("/api/v1{path}");
        let answer = self.send(method, &target, "application/json", body.to_string().into(), true).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            bail!("{target} was answered with {}: {}", answer.status(), String::from_utf8_lossy(answer.body()));
        }
        Ok(())
    }

    /// Pushes a blob, unless the repository has it.
    pub async fn push_blob(&mut self, repository: &str, content: Bytes) -> anyhow::Result<()> {
        let digest = Algorithm::Sha256.digest(&content);
        let target = format!("/v2/{repository}/blobs/{digest}");
        if self.send(Method::HEAD, &target, "", Bytes::new(), false).await?.status() == StatusCode::OK {
            return Ok(());
        }
        let target = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.send(Method::POST, &target, "", Bytes::new(), false).await?;
        let location = begun.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.with_context(|| format!("{target} names no upload"))?;
        let separator = if location.contains('?') { '&' } else { '?' };
        let target = format!("{location}{separator}digest={digest}");
        self.send(Method::PUT, &target, "application/octet-stream", content, false).await?;
        Ok(())
    }

    /// Pushes a manifest under a tag, or a digest.
    pub async fn push_manifest(
        &mut self,
        repository: &str,
        reference: &str,
        kind: &str,
        content: Bytes,
    ) -> anyhow::Result<()> {
        let target = format!("/v2/{repository}/manifests/{reference}");
        self.send(Method::PUT, &target, kind, content, false).await?;
        Ok(())
    }

    /// Pulls a manifest, so that there is something to count.
    pub async fn pull(&mut self, repository: &str, reference: &str) -> anyhow::Result<()> {
        self.send(Method::GET, &format!("/v2/{repository}/manifests/{reference}"), "", Bytes::new(), false).await?;
        Ok(())
    }
}
