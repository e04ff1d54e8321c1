//! A server to test, a client that sees every byte, and a large file.

use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::blobs::Reader;
use crate::http::body::BlobBody;

use super::super::*;

pub(super) const MIB: usize = 1024 * 1024;
/// The length of the large file.
pub(super) const LARGE: usize = 100 * MIB;

/// 100 MiB of which no two stretches are alike, and a file that holds them.
pub(super) struct Large {
    pub(super) content: Bytes,
    pub(super) file: Arc<File>,
}

pub(super) static LARGE_FILE: LazyLock<Large> = LazyLock::new(|| {
    let content = noise(LARGE);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    Large { content, file: Arc::new(file) }
});

pub(super) fn noise(len: usize) -> Bytes {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut content = vec![0; len];
    for word in content.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        word.copy_from_slice(&state.to_ne_bytes()[..word.len()]);
    }
    content.into()
}

/// Counts the calls of a hook.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(super) fn hook(&self) -> Arc<dyn Fn() + Send + Sync> {
        let calls = Arc::clone(&self.0);
        Arc::new(move || {
            calls.fetch_add(1, Ordering::SeqCst);
        })
    }

    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Returns a blob over all that `len` says of a file.
pub(super) fn blob(file: &Arc<File>, range: std::ops::Range<u64>) -> BlobBody {
    BlobBody::new(Reader::File { file: Arc::clone(file), len: range.end }, range)
}

/// Answers with a range of the large file (`/START-END`), or with what was uploaded (any other path).
pub(super) async fn site(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let range = path.split_once('-').and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
    match range {
        Some(range) => Response::new(blob(&LARGE_FILE.file, range).into()),
        None => match request.into_body().collect().await {
            Ok(body) => Response::new(format!("{path} {}", body.to_bytes().len()).into()),
            Err(_) => Response::builder().status(400).body(Body::Empty).unwrap(),
        },
    }
}

pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) reload: ReloadHandle,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl TestServer {
    pub(super) fn start<S, F>(options: Options, service: S) -> Self
    where
        S: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        // Making it takes a while, in which no timeout of a test may run.
        LazyLock::force(&LARGE_FILE);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server::new(vec![listener], options).unwrap();
        let (address, reload) = (server.addresses()[0], server.reload_handle());
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(server.run(service, async {
            let _ = stopped.await;
        }));
        Self { address, reload, stop, ended }
    }

    pub(super) async fn connect(&self) -> Client<TcpStream> {
        Client::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Connects with a client of HTTP/2 that knows from the start that the server speaks it.
    pub(super) async fn connect_http2(&self) -> http2::SendRequest<Empty<Bytes>> {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(tcp)).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Tells the server to stop; its end is to be waited for.
    pub(super) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// An HTTP/1 client that does nothing by itself.
pub(super) struct Client<T> {
    pub(super) io: BufReader<T>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub(super) fn new(io: T) -> Self {
        Self { io: BufReader::new(io) }
    }

    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.io.write_all(bytes.as_ref()).await
    }

    pub(super) async fn ask(&mut self, path: &str) -> io::Result<Answer> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")).await?;
        self.answer().await
    }

    /// Reads the head of an answer; empty if the connection ends before.
    pub(super) async fn head(&mut self) -> io::Result<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.io.read_line(&mut head).await? == 0 {
                break;
            }
        }
        Ok(head)
    }

    pub(super) async fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer { head: self.head().await?, body: Vec::new() };
        if answer.head.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let len = answer.header("content-length").unwrap_or("0").parse().unwrap();
        answer.body = vec![0; len];
        self.io.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    /// Reads to the end and tells how many bytes came, and whether the end was clean.
    pub(super) async fn rest(&mut self) -> (usize, io::Result<()>) {
        let mut rest = Vec::new();
        let end = self.io.read_to_end(&mut rest).await.map(drop);
        (rest.len(), end)
    }
}

/// Waits until `done`, for a generous while.
pub(super) async fn eventually(mut done: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it did not come about in time");
}
