//! Time, size and number are limited; slowness is not.

use std::sync::atomic::{AtomicIsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use super::support::*;

use super::super::*;

const IDLE: Duration = Duration::from_millis(400);

fn impatient() -> Options {
    Options { idle_timeout: IDLE, header_timeout: IDLE, ..Options::default() }
}

/// Waits for the server to close the connection and tells how long it took.
async fn closed(client: &mut Client<TcpStream>) -> Duration {
    let since = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(20), client.rest()).await;
    let _ = closed.expect("the connection stays open");
    since.elapsed()
}

#[tokio::test]
async fn silent_client_is_cut() {
    let server = TestServer::start(impatient(), site);
    let mut silent = server.connect().await;
    assert!(closed(&mut silent).await >= IDLE);

    let mut after_an_answer = server.connect().await;
    after_an_answer.ask("/0-5").await.unwrap();
    assert!(closed(&mut after_an_answer).await >= IDLE);

    let mut amid_an_upload = server.connect().await;
    amid_an_upload.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc").await.unwrap();
    assert!(closed(&mut amid_an_upload).await >= IDLE);
}

#[tokio::test]
async fn silent_client_of_http2_is_cut() {
    let server = TestServer::start(impatient(), site);
    let mut silent = server.connect().await;
    // The preface and an empty SETTINGS frame (RFC 9113, 3.4 and 6.5): all that opens a connection, and nothing more.
    silent.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    assert!(closed(&mut silent).await >= IDLE);
}

#[tokio::test]
async fn client_that_does_not_read_is_cut() {
    let server = TestServer::start(impatient(), site);
    let mut client = server.connect().await;
    client.send(format!("GET /0-{LARGE} HTTP/1.1\r\nHost: h\r\n\r\n")).await.unwrap();
    sleep(IDLE * 6).await;
    let (received, _) = client.rest().await;
    assert!(received < LARGE, "{received}");
}

#[tokio::test]
async fn slow_client_is_not_cut() {
    let server = TestServer::start(impatient(), site);
    let step = IDLE / 4;

    let mut uploads = server.connect().await;
    uploads.send("PUT /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n").await.unwrap();
    for _ in 0..12 {
        uploads.send("x").await.unwrap();
        sleep(step).await;
    }
    assert_eq!(uploads.answer().await.unwrap().body, b"slow 12");

    // It takes the socket's queue far longer than the timeout to have room again: the peer's progress must count.
    let mut reads = server.connect().await;
    reads.send(format!("GET /0-{LARGE} HTTP/1.1\r\nHost: h\r\n\r\n")).await.unwrap();
    reads.head().await.unwrap();
    let mut received = vec![0; LARGE];
    let mut filled = 0;
    for _ in 0..16 {
        filled += reads.io.read_exact(&mut received[filled..][..256 * 1024]).await.unwrap();
        sleep(step).await;
    }
    reads.io.read_exact(&mut received[filled..]).await.unwrap();
    assert!(received == LARGE_FILE.content);
}

#[tokio::test]
async fn slow_answer_is_not_the_silence_of_the_client() {
    let server = TestServer::start(impatient(), |request: Request<Incoming>| async {
        let info = request.extensions().get::<ConnInfo>().unwrap().clone();
        let answer = site(request).await;
        let _busy = info.busy();
        sleep(IDLE * 4).await;
        answer
    });
    let mut client = server.connect().await;
    assert_eq!(client.ask("/0-3").await.unwrap().body, LARGE_FILE.content[..3]);
    client.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").await.unwrap();
    assert_eq!(client.answer().await.unwrap().body, b"x 3");
}

#[tokio::test]
async fn head_that_trickles_in_is_cut() {
    let options = Options { header_timeout: IDLE, idle_timeout: Duration::from_secs(60), ..Options::default() };
    let server = TestServer::start(options, site);
    for warm_up in [false, true] {
        let mut client = server.connect().await;
        if warm_up {
            client.ask("/0-3").await.unwrap();
            // Between requests only the idle timeout holds.
            sleep(IDLE * 3).await;
        }
        let since = Instant::now();
        let mut open = client.send("GET / HTTP/1.1\r\nX: ").await.is_ok();
        while open && since.elapsed() < IDLE * 10 {
            sleep(IDLE / 10).await;
            open = client.send("x").await.is_ok();
        }
        assert!(!open, "a byte now and then keeps the connection");
        assert!(since.elapsed() >= IDLE);
    }
}

#[tokio::test]
async fn flood_of_headers_is_refused() {
    let server = TestServer::start(Options { max_header_bytes: 16 * 1024, ..Options::default() }, site);
    let floods = [
        format!("GET /0-3 HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)),
        format!("GET /0-3 HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(500)),
        format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(64 * 1024)),
    ];
    for flood in floods {
        let mut client = server.connect().await;
        client.send(flood).await.unwrap();
        let status = client.answer().await.unwrap().status();
        assert!([400, 414, 431].contains(&status), "{status}");
    }
    let mut client = server.connect().await;
    client.send(format!("GET /0-3 HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(15 * 1024))).await.unwrap();
    assert_eq!(client.answer().await.unwrap().status(), 200);
}

#[tokio::test]
async fn flood_of_headers_over_http2_is_refused_and_the_next_request_served() {
    // Not the default of hyper, so that this limit is the one that is seen.
    let server = TestServer::start(Options { max_header_bytes: 32 * 1024, ..Options::default() }, site);
    let request = |length: usize, times: usize| {
        let mut request = Request::get("http://h/0-3").body(Empty::<Bytes>::new()).unwrap();
        for _ in 0..times {
            request.headers_mut().append("x", "y".repeat(length).parse().unwrap());
        }
        request
    };
    // What is somewhat too much is answered, and the connection goes on. What is far too much ends it.
    let floods = [(40 * 1024, 1, true), (1, 1_200, true), (1, 10_000, false), (60 * 1024, 20, false)];
    for (length, times, answered) in floods {
        let mut client = server.connect_http2().await;
        match client.send_request(request(length, times)).await {
            Ok(answer) => {
                assert!(answered, "{times} of {length} bytes");
                assert_eq!(answer.status(), 431, "{times} of {length} bytes");
                assert_eq!(client.send_request(request(1, 1)).await.unwrap().status(), 200);
            }
            Err(error) => assert!(!answered, "{times} of {length} bytes: {error:?}"),
        }
        let answer = server.connect_http2().await.send_request(request(24 * 1024, 1)).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), LARGE_FILE.content[..3]);
    }
}

#[tokio::test]
async fn rubbish_is_refused() {
    let server = TestServer::start(Options::default(), site);
    for rubbish in ["\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "GET\r\n\r\n"] {
        let mut client = server.connect().await;
        client.send(rubbish).await.unwrap();
        let (received, _) = client.rest().await;
        assert!(received < 1000, "{rubbish:?}");
    }
    assert_eq!(server.connect().await.ask("/0-1").await.unwrap().status(), 200);
}

#[derive(Debug, Default)]
struct Count {
    open: AtomicIsize,
    most: AtomicIsize,
}

impl Observer for Count {
    fn connection_opened(&self) {
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
    }

    fn connection_closed(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let count = Arc::new(Count::default());
    let observer: Arc<dyn Observer> = Arc::<Count>::clone(&count);
    let server = TestServer::start(Options { max_connections: 2, observer, ..Options::default() }, site);
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    first.ask("/0-3").await.unwrap();
    second.ask("/0-3").await.unwrap();
    let mut third = server.connect().await;
    third.send("GET /0-3 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(200), third.answer()).await.is_err(), "it must wait");
    drop(first);
    assert_eq!(third.answer().await.unwrap().status(), 200);
    drop((second, third));
    eventually(|| count.open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(count.most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn panic_of_a_service_costs_one_connection() {
    let count = Arc::new(Count::default());
    let observer: Arc<dyn Observer> = Arc::<Count>::clone(&count);
    let service = |request: Request<Incoming>| async move {
        assert_ne!(request.uri().path(), "/panic");
        site(request).await
    };
    let server = TestServer::start(Options { observer, ..Options::default() }, service);
    assert!(server.connect().await.ask("/panic").await.is_err());
    assert_eq!(server.connect().await.ask("/0-3").await.unwrap().status(), 200);
    eventually(|| count.open.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn several_sockets_are_served() {
    let listeners: Vec<_> = (0..3).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let server = Server::new(listeners, Options { max_connections: 1, ..Options::default() }).unwrap();
    let addresses = server.addresses();
    tokio::spawn(server.run(site, std::future::pending()));
    for address in addresses {
        let mut client = Client::new(TcpStream::connect(address).await.unwrap());
        assert_eq!(client.ask("/0-3").await.unwrap().status(), 200);
        client.io.shutdown().await.unwrap();
    }
}
