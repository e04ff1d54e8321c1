//! Stopping loses nothing that can finish in time.

use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::support::*;

use super::super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfer_in_flight_finishes() {
    let server = TestServer::start(Options::default(), site);
    let mut client = server.connect().await;
    client.send(format!("GET /0-{LARGE} HTTP/1.1\r\nHost: h\r\n\r\n")).await.unwrap();
    client.head().await.unwrap();
    let address = server.address;
    let ended = server.stop();
    eventually(|| std::net::TcpStream::connect(address).is_err()).await;
    let mut received = Vec::new();
    client.io.read_to_end(&mut received).await.unwrap();
    assert!(received == LARGE_FILE.content);
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let server = TestServer::start(Options::default(), site);
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.ask("/0-3").await.unwrap();
    let mut after_an_upload = server.connect().await;
    after_an_upload.send("PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").await.unwrap();
    after_an_upload.answer().await.unwrap();
    let since = Instant::now();
    let ended = server.stop();
    for client in [&mut silent, &mut idle, &mut after_an_upload] {
        assert_eq!(client.rest().await.0, 0);
    }
    drop((silent, idle, after_an_upload));
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
    assert!(since.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn what_does_not_finish_is_cut() {
    let server =
        TestServer::start(Options { shutdown_timeout: Duration::from_millis(200), ..Options::default() }, site);
    let mut stuck = server.connect().await;
    stuck.send(format!("GET /0-{LARGE} HTTP/1.1\r\nHost: h\r\n\r\n")).await.unwrap();
    stuck.head().await.unwrap();
    let mut idle = server.connect().await;
    idle.ask("/0-3").await.unwrap();
    assert_eq!(server.stop().await.unwrap(), Drained { cut: 1 });
    assert!(stuck.rest().await.0 < LARGE);
}

#[tokio::test]
async fn last_answer_says_that_the_connection_closes() {
    let (asked, mut answering) = tokio::sync::mpsc::channel(1);
    let server = TestServer::start(Options::default(), move |_| {
        let asked = asked.clone();
        async move {
            let (answer, answered) = tokio::sync::oneshot::channel::<()>();
            asked.send(answer).await.unwrap();
            let _ = answered.await;
            Response::new(Body::from("late"))
        }
    });
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let answer = answering.recv().await.unwrap();
    let address = server.address;
    let ended = server.stop();
    eventually(|| std::net::TcpStream::connect(address).is_err()).await;
    // The connection learns of the stop in a task of its own.
    tokio::time::sleep(Duration::from_millis(50)).await;
    answer.send(()).unwrap();
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.header("connection"), answer.body.as_slice()), (Some("close"), &b"late"[..]));
    assert_eq!(ended.await.unwrap(), Drained { cut: 0 });
}
