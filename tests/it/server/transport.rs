//! HTTP/2, pipelining and long-lived connections over the same routes.

use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{TestApp, blob, on_each_engine, sha256};

type Http2 = hyper::client::conn::http2::SendRequest<Full<bytes::Bytes>>;

/// Speaks HTTP/2 from the first byte.
async fn http2(app: &TestApp) -> Http2 {
    let tcp = TcpStream::connect(app.address()).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tcp)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(
    app: &TestApp,
    http2: &Http2,
    method: &str,
    target: &str,
    body: bytes::Bytes,
) -> http::Response<bytes::Bytes> {
    let uri = format!("http://{}{target}", app.address());
    let request = Request::builder().method(method).uri(uri).body(Full::new(body)).unwrap();
    let mut http2 = http2.clone();
    http2.ready().await.unwrap();
    let (parts, body) = http2.send_request(request).await.unwrap().into_parts();
    http::Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn images_are_pushed_and_pulled_over_http2() {
    on_each_engine(async |app| {
        let http2 = http2(app).await;
        let bytes = blob(1, 3_000_000);
        let digest = sha256(&bytes);
        let target = format!("/v2/some/app/blobs/uploads/?digest={digest}");
        let pushed = ask(app, &http2, "POST", &target, bytes.clone()).await;
        assert_eq!((pushed.status().as_u16(), pushed.version()), (201, Version::HTTP_2));
        // Many at once on the one connection.
        let target = format!("/v2/some/app/blobs/{digest}");
        let pulls = [(); 4].map(|()| ask(app, &http2, "GET", &target, bytes::Bytes::new()));
        let [a, b, c, d] = pulls;
        let (a, b, c, d) = tokio::join!(a, b, c, d);
        for pulled in [a, b, c, d] {
            assert_eq!(pulled.status(), 200);
            assert_eq!(pulled.headers()["docker-distribution-api-version"], "registry/2.0");
            assert!(*pulled.body() == bytes);
        }
        let refused = ask(app, &http2, "PUT", "/v2/A/manifests/v1", bytes).await;
        assert_eq!(refused.status(), 400);
    })
    .await;
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        let mut raw = app.raw().await;
        // All are sent before the first answer is read.
        let targets = [
            "/v2/".to_owned(),
            format!("/v2/some/app/blobs/{digest}"),
            "/v2/nothing".to_owned(),
            "/healthz".to_owned(),
        ];
        let requests: String = targets.map(|target| format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n")).concat();
        raw.send(requests).await.unwrap();
        for expected in [200, 200, 404, 200] {
            assert_eq!(raw.answer().await.unwrap().0, expected);
        }
    })
    .await;
}
