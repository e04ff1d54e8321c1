//! One connection, from its first byte to its close.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::activity::{Activity, Busy};
use super::socket::{Protocol, Socket, Timeouts, Transport};
use super::tls::Tls;
use crate::http::body::Body;
use crate::http::sendfile::SendfileStream;

/// The most that hyper reads ahead of, or queues for, one HTTP/1 connection, in bytes. Uploads are read in pieces of
/// up to this size, so it is what an upload costs in memory, two or three times over.
const HTTP1_BUFFER_BYTES: usize = 64 * 1024;
/// How many requests a client may have open at once on an HTTP/2 connection.
const HTTP2_STREAMS: u32 = 250;
/// What a client may send of one upload over HTTP/2 before it is read, in bytes.
const HTTP2_STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// What a client may send on an HTTP/2 connection before it is read, in bytes.
const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// The largest frame that a client may send over HTTP/2, in bytes.
const HTTP2_FRAME_BYTES: u32 = 64 * 1024;
/// What may be queued for one HTTP/2 stream, in bytes.
const HTTP2_SEND_BUFFER_BYTES: usize = 256 * 1024;
/// How many streams a client may reset before they were answered (CVE-2023-44487).
const HTTP2_PENDING_RESETS: usize = 20;
/// How many streams may be reset because of the client's errors.
const HTTP2_ERROR_RESETS: usize = 256;

/// What a request knows of the connection it came over; an extension of every request.
#[derive(Debug, Clone)]
pub struct ConnInfo {
    /// The other end of the connection, which may be a proxy; see [`super::proxy`].
    pub peer: SocketAddr,
    /// Whether this server speaks TLS on it.
    pub tls: bool,
    activity: Arc<Activity>,
}

impl ConnInfo {
    /// Describes a connection that there is not, for a request that does not come from a socket.
    #[must_use]
    pub fn new(peer: SocketAddr, tls: bool) -> Self {
        Self { peer, tls, activity: Arc::default() }
    }

    /// Suspends the idle timeout for as long as the returned value lives.
    ///
    /// A request without a body does so by itself. One with a body does it when the body was read to its end and
    /// the answer may still take long, as when a large upload is made durable: then the silence is not the client's.
    #[must_use]
    pub fn busy(&self) -> Busy {
        Busy::new(Arc::clone(&self.activity))
    }
}

/// How far the server is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Running,
    /// No new requests; those that run may finish.
    Draining,
    /// Everything ends at once.
    Cut,
}

/// Waits until the server has come so far. A server that is gone has come all the way.
async fn reached(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}

/// What all connections of a server have in common.
#[derive(Debug)]
pub(super) struct Shared<S> {
    pub(super) service: S,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) timeouts: Timeouts,
    pub(super) max_header_bytes: usize,
}

/// Serves a connection until it ends or the server does.
pub(super) async fn run<S, F>(shared: Arc<Shared<S>>, tcp: TcpStream, peer: SocketAddr, phase: watch::Receiver<Phase>)
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    // Without this the last packet of an answer waits for the client's acknowledgement of the one before.
    let _ = tcp.set_nodelay(true);
    let connection = Connection { shared, info: ConnInfo::new(peer, false), phase };
    let served = match connection.shared.tls.clone() {
        None => connection.serve(SendfileStream::new(tcp), None).await,
        Some(tls) => connection.serve_tls(&tls, tcp).await,
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended with an error");
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

struct Connection<S> {
    shared: Arc<Shared<S>>,
    info: ConnInfo,
    phase: watch::Receiver<Phase>,
}

impl<S, F> Connection<S>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    async fn serve_tls(mut self, tls: &Tls, tcp: TcpStream) -> Result<(), Error> {
        self.info.tls = true;
        let handshake = tokio::time::timeout(self.shared.timeouts.header, tls.accept(tcp));
        let stream = tokio::select! {
            stream = handshake => stream??,
            () = reached(&mut self.phase, Phase::Draining) => return Ok(()),
        };
        let Some(stream) = stream else { return Ok(()) };
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        self.serve(stream, Some(protocol)).await
    }

    /// Serves a connection in the protocol that was `agreed`, else in the one its first bytes are of.
    async fn serve<T: Transport + Send + 'static>(
        mut self,
        transport: T,
        agreed: Option<Protocol>,
    ) -> Result<(), Error> {
        let mut socket = Socket::new(transport, Arc::clone(&self.info.activity), self.shared.timeouts);
        // hyper does not close a connection on which it waits for the first request, so it does not get it before.
        let seen = tokio::select! {
            seen = socket.protocol() => seen?,
            () = reached(&mut self.phase, Phase::Draining) => return Ok(()),
        };
        match seen.map(|seen| agreed.unwrap_or(seen)) {
            None => Ok(()),
            Some(Protocol::Http1) => self.serve_http1(socket).await,
            Some(Protocol::Http2) => self.serve_http2(socket).await,
        }
    }

    async fn serve_http1<T: Transport + Send + 'static>(self, socket: Socket<T>) -> Result<(), Error> {
        let mut http1 = http1::Builder::new();
        http1
            .timer(TokioTimer::new())
            // The socket keeps the time: this one would also end connections that wait for their next request.
            .header_read_timeout(None)
            .max_buf_size(HTTP1_BUFFER_BYTES.max(self.shared.max_header_bytes))
            .max_header_size(self.shared.max_header_bytes)
            // Bodies must be queued, never copied into one buffer: see `sendfile`.
            .writev(true);
        let connection = http1.serve_connection(TokioIo::new(socket), self.service());
        drive(connection, self.phase).await
    }

    async fn serve_http2<T: Transport + Send + 'static>(self, socket: Socket<T>) -> Result<(), Error> {
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW_BYTES)
            .max_frame_size(HTTP2_FRAME_BYTES)
            .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES)
            .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS)
            .max_local_error_reset_streams(HTTP2_ERROR_RESETS)
            .max_header_list_size(u32::try_from(self.shared.max_header_bytes).unwrap_or(u32::MAX));
        let connection = http2.serve_connection(TokioIo::new(socket), self.service());
        drive(connection, self.phase).await
    }

    /// Returns the service as hyper wants it: each request is told about its connection, each body what it may do.
    fn service(
        &self,
    ) -> impl HttpService<Incoming, ResBody = Body, Error = Infallible, Future: Send + 'static> + use<S, F> {
        let (service, info) = (self.shared.service.clone(), self.info.clone());
        service_fn(move |mut request: Request<Incoming>| {
            let open = info.activity.request(!request.body().is_end_stream());
            // Only a `SendfileStream` can send such bodies, and only HTTP/1 passes them on as they are.
            let sendfile = !info.tls && request.version() <= Version::HTTP_11;
            request.extensions_mut().insert(info.clone());
            let answer = service(request);
            async move {
                let mut answer = answer.await;
                drop(open);
                if sendfile {
                    answer.body_mut().grant_sendfile();
                }
                Ok(answer)
            }
        })
    }
}

/// Runs a connection until it ends, the server cuts it, or the server drains and its last answer was sent.
async fn drive<C>(connection: C, mut phase: watch::Receiver<Phase>) -> Result<(), Error>
where
    C: GracefulConnection,
    C::Error: Into<Error>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended.map_err(Into::into),
        () = reached(&mut phase, Phase::Draining) => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        biased;
        ended = connection => ended.map_err(Into::into),
        () = reached(&mut phase, Phase::Cut) => Err(io::Error::other("the server stopped before the answer was sent").into()),
    }
}
