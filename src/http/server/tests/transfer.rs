//! Bytes arrive as they are, or the connection breaks off.

use std::io::Write;
use std::sync::Mutex;

use bytes::Bytes;

use super::support::*;
use crate::blobs::Reader;
use crate::http::body::{BlobBody, Sent};
use crate::http::sendfile;

use super::super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_file_arrives_whole_and_in_ranges() {
    let server = TestServer::start(Options::default(), site);
    let mut client = server.connect().await;
    let ranges = [
        (0, LARGE),
        (0, 1),
        (LARGE - 1, LARGE),
        (4 * MIB - 1, 4 * MIB + 1),
        (16 * MIB, 24 * MIB),
        (1, 16 * 1024 + 1),
        (7, 16 * 1024 + 8),
    ];
    for (start, end) in ranges {
        let answer = client.ask(&format!("/{start}-{end}")).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.body == LARGE_FILE.content[start..end], "{start}-{end}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start(Options::default(), site);
    let mut client = server.connect().await;
    let ranges: Vec<_> = (0..40).map(|turn| (turn * 1000, turn * 1000 + [3, 20_000, 5 * MIB][turn % 3])).collect();
    let requests: String =
        ranges.iter().map(|(start, end)| format!("GET /{start}-{end} HTTP/1.1\r\nHost: h\r\n\r\n")).collect();
    client.send(requests).await.unwrap();
    for (start, end) in ranges {
        assert!(client.answer().await.unwrap().body == LARGE_FILE.content[start..end], "{start}-{end}");
    }
}

/// A service that sends one file of its own, which nobody else sends.
fn own_file() -> (Arc<std::fs::File>, impl Fn(Request<Incoming>) -> std::future::Ready<Response<Body>> + Clone) {
    let file = tempfile::tempfile().unwrap();
    file.set_len(LARGE as u64).unwrap();
    let file = Arc::new(file);
    let served = Arc::clone(&file);
    (file, move |_| std::future::ready(Response::new(blob(&served, 0..LARGE as u64).into())))
}

#[tokio::test]
async fn plain_http1_goes_by_sendfile() {
    let (file, service) = own_file();
    let server = TestServer::start(Options::default(), service);
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    client.head().await.unwrap();
    assert!(sendfile::sends(&file));
    drop(client);
    eventually(|| !sendfile::sends(&file)).await;
}

#[tokio::test]
async fn http2_never_goes_by_sendfile() {
    let (file, service) = own_file();
    let server = TestServer::start(Options::default(), service);
    let io = hyper_util::rt::TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://h/").body(Body::Empty).unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    for _ in 0..100 {
        assert!(http_body_util::BodyExt::frame(&mut body).await.unwrap().is_ok());
        assert!(!sendfile::sends(&file));
    }
}

#[tokio::test]
async fn head_tells_the_length_and_sends_nothing() {
    let server = TestServer::start(Options::default(), site);
    let mut client = server.connect().await;
    client.send("HEAD /0-9000000 HTTP/1.1\r\nHost: h\r\n\r\nGET /5-8 HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let head = client.head().await.unwrap();
    assert!(head.contains("content-length: 9000000\r\n"), "{head}");
    assert_eq!(client.answer().await.unwrap().body, LARGE_FILE.content[5..8]);
}

#[tokio::test]
async fn blob_in_chunks_and_to_old_clients_is_whole_too() {
    let chunked = |request: Request<Incoming>| async move {
        let old = request.version() == http::Version::HTTP_10;
        let mut answer = site(request).await;
        if !old {
            answer.headers_mut().insert("transfer-encoding", http::HeaderValue::from_static("chunked"));
        }
        answer
    };
    let server = TestServer::start(Options::default(), chunked);
    let mut client = server.connect().await;
    client.send("GET /0-100000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let head = client.head().await.unwrap();
    assert!(head.contains("chunked") && !head.contains("content-length"), "{head}");
    let expected = 100_000 + "186A0\r\n".len() + "\r\n0\r\n\r\n".len();
    assert_eq!(client.rest().await.0, expected);

    let mut client = server.connect().await;
    client.send("GET /0-100000 HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(client.answer().await.unwrap().body == LARGE_FILE.content[..100_000]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_transfers_at_once_do_not_mix() {
    let server = TestServer::start(Options::default(), site);
    let transfers: Vec<_> = (0..32)
        .map(|turn| {
            let (start, end) = (turn * MIB, turn * MIB + 6 * MIB + turn);
            let connect = TcpStream::connect(server.address);
            tokio::spawn(async move {
                let mut client = Client::new(connect.await.unwrap());
                let answer = client.ask(&format!("/{start}-{end}")).await.unwrap();
                assert!(answer.body == LARGE_FILE.content[start..end], "{start}-{end}");
            })
        })
        .collect();
    for transfer in transfers {
        transfer.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_do_not_hold_up_the_others() {
    let server = TestServer::start(Options::default(), site);
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut client = server.connect().await;
        client.send(format!("GET /0-{LARGE} HTTP/1.1\r\nHost: h\r\n\r\n")).await.unwrap();
        slow.push(client);
    }
    let mut quick = server.connect().await;
    let answer = tokio::time::timeout(Duration::from_secs(30), quick.ask("/0-20000000")).await;
    assert!(answer.unwrap().unwrap().body == LARGE_FILE.content[..20_000_000]);
}

/// Serves a file that is shorter than recorded from the start, or becomes so on the way.
async fn truncated(truncate_first: bool, len: usize) -> (usize, Calls) {
    let content = noise(len);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let (file, calls) = (Arc::new(file), Calls::default());
    if truncate_first {
        file.set_len(len as u64 / 2).unwrap();
    }
    let (served, hook) = (Arc::clone(&file), calls.hook());
    let service = move |_| {
        let body = blob(&served, 0..len as u64).on_corrupt(Arc::clone(&hook));
        async move { Response::new(body.into()) }
    };
    let server = TestServer::start(Options::default(), service);
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let head = client.head().await.unwrap();
    if !truncate_first {
        // The transfer has begun and waits for this client; what is in the socket already is not much.
        file.set_len(0).unwrap();
    }
    let (received, _) = client.rest().await;
    assert!(head.is_empty() || head.contains(&format!("content-length: {len}\r\n")), "{head}");
    (received, calls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncated_file_breaks_the_transfer_and_is_reported() {
    for (first, len) in [(true, 64 * MIB), (false, 64 * MIB), (true, 10_000), (true, 20_000), (true, 3 * MIB)] {
        let (received, calls) = truncated(first, len).await;
        assert!(received < len, "{received} of {len}");
        assert_eq!(calls.count(), 1, "{len}");
    }
}

#[tokio::test]
async fn upload_arrives_whole() {
    let server = TestServer::start(Options::default(), site);
    let mut client = server.connect().await;
    let content = vec![7; 9 * MIB];
    client.send(format!("PUT /up HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", content.len())).await.unwrap();
    client.send(&content).await.unwrap();
    assert_eq!(client.answer().await.unwrap().body, format!("up {}", content.len()).as_bytes());
    assert_eq!(client.ask("/0-3").await.unwrap().body, LARGE_FILE.content[..3]);
}

#[tokio::test]
async fn refusal_reaches_a_client_that_is_still_sending() {
    let refuse = |_| async { Response::builder().status(413).body(Body::from("too large")).unwrap() };
    let server = TestServer::start(Options::default(), refuse);
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000\r\n\r\n").await.unwrap();
        // The answer is there, and the server would be gone if it did not listen on.
        client.io.get_ref().readable().await.unwrap();
        client.send(vec![0; 900_000]).await.unwrap();
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status(), answer.body.as_slice()), (413, &b"too large"[..]));
    }
}

#[tokio::test]
async fn http2_without_tls_is_understood() {
    let server = TestServer::start(Options::default(), site);
    let io = hyper_util::rt::TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://h/3-9000000").body(Body::Empty).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "8999997");
    let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
    assert!(body == LARGE_FILE.content[3..9_000_000]);
}

#[tokio::test]
async fn request_knows_its_connection() {
    let tell = |request: Request<Incoming>| async move {
        let info = request.extensions().get::<ConnInfo>().unwrap();
        Response::new(format!("{} {}", info.peer, info.tls).into())
    };
    let server = TestServer::start(Options::default(), tell);
    let mut client = server.connect().await;
    let own = client.io.get_ref().local_addr().unwrap();
    assert_eq!(client.ask("/").await.unwrap().body, format!("{own} false").as_bytes());
}

async fn collect(body: Body) -> io::Result<Bytes> {
    Ok(http_body_util::BodyExt::collect(body).await?.to_bytes())
}

#[tokio::test]
async fn body_that_no_server_has_touched_holds_the_bytes() {
    let body = Body::from(blob(&LARGE_FILE.file, 10..5_000_000));
    assert_eq!(body.remaining(), 4_999_990);
    assert!(collect(body).await.unwrap() == LARGE_FILE.content[10..5_000_000]);
    let memory = Reader::Memory(Bytes::from_static(b"hello"));
    assert_eq!(collect(BlobBody::new(memory, 1..3).into()).await.unwrap(), "el");
    let memory = Reader::Memory(Bytes::from_static(b"hello"));
    assert!(collect(BlobBody::new(memory, 1..6).into()).await.is_err());
}

#[tokio::test]
async fn cold_file_is_read_off_the_workers() {
    let content = noise(20 * MIB);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    file.sync_all().unwrap();
    let file = Arc::new(file);
    let served = Arc::clone(&file);
    let server = TestServer::start(Options::default(), move |_| {
        let body = blob(&served, 0..20 * MIB as u64);
        async move { Response::new(body.into()) }
    });
    let forget = || rustix::fs::fadvise(&*file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    forget();
    assert!(server.connect().await.ask("/").await.unwrap().body == content);
    forget();
    assert!(collect(blob(&file, 0..20 * MIB as u64).into()).await.unwrap() == content);
}

#[tokio::test]
async fn end_of_a_body_is_reported() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let watch = |body: Body| {
        let reports = Arc::clone(&reports);
        body.watch(move |sent| reports.lock().unwrap().push(sent))
    };
    collect(watch(Body::from("hello"))).await.unwrap();
    drop(watch(Body::from("hello")));
    drop(watch(Body::Empty));
    let expected = [(5, true), (0, false), (0, true)].map(|(bytes, complete)| Sent { bytes, complete });
    assert_eq!(*reports.lock().unwrap(), expected);
}

#[tokio::test]
async fn watched_blob_still_goes_by_sendfile() {
    let server = TestServer::start(Options::default(), |request| async {
        let (parts, body) = site(request).await.into_parts();
        Response::from_parts(parts, body.watch(|sent| assert!(sent.complete)))
    });
    let answer = server.connect().await.ask("/0-9000000").await.unwrap();
    assert!(answer.body == LARGE_FILE.content[..9_000_000]);
}
