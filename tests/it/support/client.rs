//! A client of the registry API that does nothing by itself: one connection a request, no retry, no redirect.

use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use oci::Digest;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::answer::Answer;
use super::content::{Image, Manifest, sha256};
use super::raw::Raw;

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    authorization: Option<String>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, authorization: None }
    }

    /// The same client with a name and a password or the secret of a token.
    pub fn as_pair(&self, name: &str, secret: impl AsRef<str>) -> Self {
        let pair = STANDARD.encode(format!("{name}:{}", secret.as_ref()));
        Self { authorization: Some(format!("Basic {pair}")), ..self.clone() }
    }

    /// The same client with a token.
    pub fn as_bearer(&self, token: &str) -> Self {
        Self { authorization: Some(format!("Bearer {token}")), ..self.clone() }
    }

    /// What it shows in place of a password.
    pub fn secret(&self) -> String {
        let pair = self.authorization.as_ref().and_then(|text| text.strip_prefix("Basic ")).unwrap();
        let pair = String::from_utf8(STANDARD.decode(pair).unwrap()).unwrap();
        pair.split_once(':').unwrap().1.to_owned()
    }

    /// Fetches a token for a scope, as clients do that were challenged.
    pub async fn token_for(&self, scope: &str) -> String {
        self.get(format!("/token?service=havre&scope={scope}")).await.expect(200).string("token")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a connection on which anything may be sent.
    pub async fn raw(&self) -> Raw<TcpStream> {
        Raw::new(TcpStream::connect(self.address).await.unwrap())
    }

    pub fn call(&self, method: Method, target: impl Into<String>) -> Call {
        let body = Full::new(Bytes::new()).map_err(never).boxed();
        let mut headers = HeaderMap::new();
        if let Some(text) = &self.authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
        }
        Call { address: self.address, method, target: target.into(), headers, body }
    }

    pub fn get(&self, target: impl Into<String>) -> Call {
        self.call(Method::GET, target)
    }

    pub fn head(&self, target: impl Into<String>) -> Call {
        self.call(Method::HEAD, target)
    }

    pub fn put(&self, target: impl Into<String>) -> Call {
        self.call(Method::PUT, target)
    }

    pub fn post(&self, target: impl Into<String>) -> Call {
        self.call(Method::POST, target)
    }

    pub fn patch(&self, target: impl Into<String>) -> Call {
        self.call(Method::PATCH, target)
    }

    pub fn delete(&self, target: impl Into<String>) -> Call {
        self.call(Method::DELETE, target)
    }

    /// Begins an upload and returns its URL.
    pub async fn begin(&self, repository: &str) -> String {
        self.post(format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location()
    }

    /// Pushes a blob the way clients do, by POST and PUT.
    pub async fn push_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        let upload = self.begin(repository).await;
        self.put(format!("{upload}?digest={digest}")).body(bytes).await.expect(201);
        digest
    }

    /// Pushes a manifest under a tag or by its digest, with its own media type.
    pub fn push_manifest(&self, repository: &str, reference: impl Display, manifest: &Manifest) -> Call {
        self.put(format!("/v2/{repository}/manifests/{reference}"))
            .header(header::CONTENT_TYPE, manifest.media_type())
            .body(manifest.bytes())
    }

    /// Pushes the blobs of an image and its manifest under a tag.
    pub async fn push_image(&self, repository: &str, tag: &str, seed: &str) -> Image {
        let image = Image::new(seed);
        self.push_blobs_of(repository, &image).await;
        self.push_manifest(repository, tag, &image.manifest).await.expect(201);
        image
    }

    /// Pushes the blobs of an image, but not its manifest.
    pub async fn push_blobs_of(&self, repository: &str, image: &Image) {
        for bytes in [&image.config, &image.layer] {
            self.push_blob(repository, bytes.clone()).await;
        }
    }

    /// Follows `Link` from a page to the end; returns the strings of `member`, page by page.
    pub async fn pages(&self, first: &str, member: &str) -> Vec<Vec<String>> {
        let (mut next, mut pages) = (Some(first.to_owned()), Vec::new());
        while let Some(target) = next {
            let answer = self.get(target).await.expect(200);
            pages.push(answer.strings(member));
            next = answer.next_page();
            assert!(pages.len() < 1000, "the list has no end");
        }
        pages
    }
}

fn never(never: Infallible) -> io::Error {
    match never {}
}

/// A request, sent when it is awaited.
pub struct Call {
    address: SocketAddr,
    method: Method,
    target: String,
    headers: HeaderMap,
    body: BoxBody<Bytes, io::Error>,
}

impl Call {
    pub fn header<N>(mut self, name: N, value: impl AsRef<str>) -> Self
    where
        N: TryInto<HeaderName, Error: std::fmt::Debug>,
    {
        self.headers.append(name.try_into().unwrap(), HeaderValue::from_str(value.as_ref()).unwrap());
        self
    }

    /// Sends bytes of an announced length.
    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Full::new(bytes.into()).map_err(never).boxed();
        self
    }

    /// Sends pieces without announcing their length (`Transfer-Encoding: chunked`).
    pub fn pieces(self, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let pieces: Vec<Bytes> = pieces.into_iter().collect();
        let (call, sender) = self.streamed_with_room(pieces.len().max(1));
        for piece in pieces {
            sender.0.try_send(Ok(piece)).unwrap();
        }
        call
    }

    /// Sends what comes through the returned sender, when it comes.
    pub fn streamed(self) -> (Self, Sender) {
        self.streamed_with_room(1)
    }

    fn streamed_with_room(mut self, room: usize) -> (Self, Sender) {
        let (sender, receiver) = mpsc::channel(room);
        self.body = Streamed(receiver).boxed();
        (self, Sender(sender))
    }

    /// Sends the request; fails when the connection breaks before the answer is whole.
    pub async fn try_send(self) -> Result<Answer, hyper::Error> {
        let what = format!("{} {}", self.method, self.target);
        let mut request = Request::builder().method(self.method).uri(&self.target).body(self.body).unwrap();
        *request.headers_mut() = self.headers;
        if !request.headers().contains_key(header::HOST) {
            let host = HeaderValue::from_str(&self.address.to_string()).unwrap();
            request.headers_mut().insert(header::HOST, host);
        }
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer::new(what, parts.status, parts.headers, body))
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let what = format!("{} {}", self.method, self.target);
        Box::pin(async move {
            let answer = self.try_send().await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            answer.assert_common_headers(&what);
            answer
        })
    }
}

/// The sending side of a body. Dropping it ends the body.
pub struct Sender(mpsc::Sender<io::Result<Bytes>>);

impl Sender {
    pub async fn send(&self, bytes: impl Into<Bytes>) {
        self.0.send(Ok(bytes.into())).await.unwrap();
    }

    /// Has the connection cut in the middle of the body.
    pub async fn cut(self) {
        self.0.send(Err(io::ErrorKind::ConnectionReset.into())).await.unwrap();
    }
}

struct Streamed(mpsc::Receiver<io::Result<Bytes>>);

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
