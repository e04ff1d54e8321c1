//! The listener: accepts connections, speaks HTTP/1.1 and HTTP/2 on them, with or without TLS, and stops gracefully.
//!
//! Nothing here knows what is served: a service turns a request into a response, and everything about time, memory
//! and number of connections is decided here.

mod activity;
mod connection;
mod listen;
pub mod proxy;
mod socket;
mod tls;

pub use activity::Busy;
pub use connection::ConnInfo;
pub use listen::listen;
pub use tls::{ReloadHandle, TlsError, TlsFiles, TlsSource};

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::http::body::Body;
use connection::{Phase, Shared};
use socket::Timeouts;
use tls::Tls;

/// The least that the heads of requests may be limited to, in bytes: hyper reads no less at a time.
const LEAST_HEADER_BYTES: usize = 8192;
/// How long no connection is accepted when the system has no more files or memory for one. Trying again at once
/// would only burn the processor: the connection that cannot be accepted stays at the head of the queue.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long the connections that are cut may take to go.
const CUT_TIME: Duration = Duration::from_secs(1);

/// The limits of a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the certificate comes from; without one the server speaks plain HTTP.
    pub tls: Option<TlsSource>,
    /// How many connections may be open; more wait in the backlog of the system.
    pub max_connections: usize,
    /// How long a connection may be without a byte in either direction. There is no limit to how long a transfer
    /// that moves may take.
    pub idle_timeout: Duration,
    /// How long the head of a request, or a TLS handshake, may take.
    pub header_timeout: Duration,
    /// How long transfers may go on when the server is told to stop.
    pub shutdown_timeout: Duration,
    /// How large the head of a request may be, in bytes; at least 8 KiB. Larger ones are answered with 431.
    pub max_header_bytes: usize,
    /// Is told of connections.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: None,
            max_connections: 10_000,
            idle_timeout: Duration::from_secs(60),
            header_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(60),
            max_header_bytes: 32 * 1024,
            observer: Arc::new(NoObserver),
        }
    }
}

/// Is told of connections as they come and go, for metrics.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A connection was accepted.
    fn connection_opened(&self) {}
    /// A connection ended.
    fn connection_closed(&self) {}
}

#[derive(Debug)]
struct NoObserver;

impl Observer for NoObserver {}

/// How a server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// How many connections had not finished within the shutdown timeout and were cut.
    pub cut: usize,
}

/// A server that is ready to accept connections.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    options: Options,
    tls: Option<Arc<Tls>>,
    reload: ReloadHandle,
}

impl Server {
    /// Takes over sockets that listen already and reads the certificate.
    ///
    /// # Errors
    ///
    /// When a socket cannot be used, or the certificate cannot ([`TlsError`], as the source of the error).
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with its network driver.
    pub fn new(listeners: Vec<std::net::TcpListener>, options: Options) -> io::Result<Self> {
        let listeners = listeners.into_iter().map(adopt).collect::<io::Result<_>>()?;
        let tls = options.tls.clone().map(Tls::new).transpose()?.map(Arc::new);
        Ok(Self { listeners, options, tls, reload: ReloadHandle::default() })
    }

    /// Returns what makes the server read its certificate again.
    pub fn reload_handle(&self) -> ReloadHandle {
        self.reload.clone()
    }

    /// Returns the addresses that the server listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Serves until `shutdown` is ready; then stops accepting at once, closes idle connections, lets transfers
    /// finish until the shutdown timeout, and cuts the rest.
    ///
    /// A request whose client goes away is dropped where it stands.
    pub async fn run<S, F>(self, service: S, shutdown: impl Future<Output = ()>) -> Drained
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let Self { listeners, options, tls, reload } = self;
        let follow = tls.clone().map(|tls| tokio::spawn(tls.follow(reload)));
        let (phase, _) = watch::channel(Phase::Running);
        let shared = Arc::new(Shared {
            service,
            tls,
            timeouts: Timeouts { idle: options.idle_timeout, header: options.header_timeout },
            max_header_bytes: options.max_header_bytes.max(LEAST_HEADER_BYTES),
        });
        let mut acceptor = Acceptor::new(listeners, options.max_connections);
        let mut shutdown = pin!(shutdown);
        loop {
            let (tcp, peer, slot) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = acceptor.accept() => accepted,
            };
            let open = Open::new(Arc::clone(&options.observer), slot);
            let served = connection::run(Arc::clone(&shared), tcp, peer, phase.subscribe());
            tokio::spawn(async move {
                served.await;
                drop(open);
            });
        }
        // Closes the listening sockets.
        drop(acceptor);
        if let Some(follow) = follow {
            follow.abort();
        }
        drain(&phase, options.shutdown_timeout).await
    }
}

/// Serves `service` on `listeners` until `shutdown` is ready; see [`Server`].
///
/// # Errors
///
/// As [`Server::new`].
pub async fn serve<S, F>(
    listeners: Vec<std::net::TcpListener>,
    options: Options,
    service: S,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Drained>
where
    S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    Ok(Server::new(listeners, options)?.run(service, shutdown).await)
}

fn adopt(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Lets the connections finish; every one of them holds a receiver of `phase`.
async fn drain(phase: &watch::Sender<Phase>, timeout: Duration) -> Drained {
    phase.send_replace(Phase::Draining);
    if tokio::time::timeout(timeout, phase.closed()).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = phase.receiver_count();
    phase.send_replace(Phase::Cut);
    let _ = tokio::time::timeout(CUT_TIME, phase.closed()).await;
    Drained { cut }
}

/// Accepts from several sockets, at most so many connections at once.
struct Acceptor {
    listeners: Vec<TcpListener>,
    /// The socket that is asked first, so that a busy one does not starve the others.
    first: usize,
    slots: Arc<Semaphore>,
}

impl Acceptor {
    fn new(listeners: Vec<TcpListener>, max_connections: usize) -> Self {
        let slots = max_connections.clamp(1, Semaphore::MAX_PERMITS);
        Self { listeners, first: 0, slots: Arc::new(Semaphore::new(slots)) }
    }

    async fn accept(&mut self) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        loop {
            let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
                // Nobody closes the semaphore.
                return std::future::pending().await;
            };
            match self.next().await {
                Ok((tcp, peer)) => return (tcp, peer, slot),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted for the moment");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let count = self.listeners.len();
        poll_fn(|cx| {
            for turn in 0..count {
                let index = (self.first + turn) % count;
                if let Poll::Ready(accepted) = self.listeners[index].poll_accept(cx) {
                    self.first = index + 1;
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// Whether an error of `accept(2)` is about the connection that was to be accepted, not about the socket or the system.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// A connection that counts, until it drops.
struct Open {
    observer: Arc<dyn Observer>,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn new(observer: Arc<dyn Observer>, slot: OwnedSemaphorePermit) -> Self {
        observer.connection_opened();
        Self { observer, _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.observer.connection_closed();
    }
}

#[cfg(test)]
mod tests;
