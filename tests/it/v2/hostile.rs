//! Input that nobody means well with: it is refused, and no answer is a 5xx.

use std::fmt::Write as _;

use tokio::net::TcpStream;

use crate::support::{Raw, TestApp, blob, on_each_engine};

const PATHS: [&str; 24] = [
    "/v2/../../../etc/passwd",
    "/v2/..%2f..%2f..%2fetc/tags/list",
    "/v2/%2e%2e/%2e%2e/manifests/v1",
    "/v2/a/b/manifests/..",
    "/v2/a/b/manifests/..%2f..%2fx",
    "/v2/a/b/blobs/sha256:../../../../etc/passwd",
    "/v2/a/b/blobs/sha256:%2e%2e%2fx",
    "/v2/a/b/blobs/uploads/..",
    "/v2/a/b/blobs/uploads/../../x",
    "/v2/a/b/blobs/uploads/%2e%2e%2fhavre.db",
    "/v2/a/b/referrers/..",
    "/v2/a%00b/tags/list",
    "/v2/a/b/manifests/%00",
    "/v2/%ff%fe/tags/list",
    "/v2/a/b/manifests/%",
    "/v2/a/b/manifests/%zz",
    "/v2/a%0d%0aset-cookie:x/tags/list",
    "/v2/a/b/tags/list?n=%00&last=%0d%0a",
    "/v2/a/b/tags/list?n=1&n=2&n=x",
    "/v2/_catalog?last=%27%3B%20DROP%20TABLE%20tags%3B--",
    "/v2/_catalog?last=%F0%9F%98%80%00",
    "/v2///////",
    "/v2/a/b/blobs/uploads/?mount=%00&from=%00",
    "/v2/a/b/referrers/sha256:00?artifactType=%00",
];

/// Sends a request as it is; returns the status, 0 when the connection just ended.
async fn send(app: &TestApp, request: impl AsRef<[u8]>) -> u16 {
    let mut raw = app.raw().await;
    // The server may have answered and closed before everything was sent.
    let _ = raw.send(request).await;
    status(&mut raw).await
}

async fn status(raw: &mut Raw<TcpStream>) -> u16 {
    let head = raw.head().await.unwrap_or_default();
    head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn no_path_leads_out_or_breaks_the_server() {
    on_each_engine(async |app| {
        app.push_image("a/b", "v1", "a").await;
        for path in PATHS {
            for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
                let request =
                    format!("{method} {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                let status = send(app, request).await;
                assert!((200..500).contains(&status), "{method} {path}: {status}");
                // A page of a list behind any text is a page; nothing else of these is there.
                let listed = path.contains("_catalog") || path.contains("tags/list?n=1");
                assert!(status >= 400 || listed, "{method} {path}: {status}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn header_values_of_all_kinds_are_borne() {
    on_each_engine(async |app| {
        let image = app.push_image("a/b", "v1", "a").await;
        let target = format!("/v2/a/b/blobs/{}", crate::support::sha256(&image.layer));
        let upload = app.begin("a/b").await;
        let values: [&[u8]; 8] =
            [b"", b"\xff\xfe\x80", b"99999999999999999999-", b"bytes=--", b"W/\"", b",,,,", b"\t \t", &[b'x'; 8000]];
        let names = [
            "range",
            "if-none-match",
            "if-range",
            "content-range",
            "content-type",
            "accept",
            "user-agent",
            "x-forwarded-for",
            "forwarded",
            "host",
            "authorization",
            "expect",
        ];
        for name in names {
            for value in values {
                for (method, target) in [("GET", &*target), ("PATCH", &upload), ("PUT", "/v2/a/b/manifests/v2")] {
                    let mut request =
                        format!("{method} {target} HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n")
                            .into_bytes();
                    request.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n\r\n"].concat());
                    let status = send(app, request).await;
                    assert!(status < 500, "{method} {name}: {}: {status}", String::from_utf8_lossy(value));
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn bodies_of_noise_are_refused() {
    on_each_engine(async |app| {
        let upload = app.begin("a/b").await;
        let noise = blob(1, 1024 * 1024);
        for len in [1, 100, 10_000, noise.len()] {
            let body = noise.slice(..len);
            app.put("/v2/a/b/manifests/v1").body(body.clone()).await.refused(400, "MANIFEST_INVALID");
            // A blob may be anything, but not under any digest.
            let digest = crate::support::sha256(b"");
            app.post(format!("/v2/a/b/blobs/uploads/?digest={digest}")).body(body).await.refused(400, "DIGEST_INVALID");
        }
        for depth in [65, 10_000, 1_000_000] {
            let nested = "[".repeat(depth);
            app.put("/v2/a/b/manifests/v1").body(nested).await.refused(400, "MANIFEST_INVALID");
        }
        let mut wide = r#"{"schemaVersion":2,"manifests":["#.to_owned();
        for _ in 0..200_000 {
            wide.push_str("{},");
        }
        wide.push_str("{}]}");
        app.put("/v2/a/b/manifests/v1").body(wide).await.refused(400, "MANIFEST_INVALID");
        app.get(&upload).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn long_and_many_of_everything_is_refused() {
    on_each_engine(async |app| {
        let digest = crate::support::sha256(b"");
        let mut pairs = String::new();
        for pair in 0..101 {
            write!(pairs, "a{pair}=1&").unwrap();
        }
        let long = "x".repeat(17 * 1024);
        let targets = [
            format!("/v2/_catalog?{pairs}"),
            format!("/v2/_catalog?last={long}"),
            format!("/v2/{}/tags/list", "a/".repeat(5_000) + "a"),
            format!("/v2/a/b/manifests/{}", &long[..9_000]),
            format!("/v2/a/b/blobs/{digest}{}", &long[..9_000]),
        ];
        for target in targets {
            let status = app.get(&target).await.status.as_u16();
            assert!((400..500).contains(&status), "{}…: {status}", &target[..40]);
        }
        // A head larger than the limit, in one header and in many.
        let one = format!("GET /v2/ HTTP/1.1\r\nhost: h\r\nx: {}\r\n\r\n", "y".repeat(300_000));
        let many = format!("GET /v2/ HTTP/1.1\r\nhost: h\r\n{}\r\n", "x: y\r\n".repeat(20_000));
        for request in [one, many] {
            let status = send(app, request).await;
            assert!(matches!(status, 0 | 400..500), "{status}");
        }
        app.get("/v2/").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_http_does_no_harm() {
    on_each_engine(async |app| {
        let noise = blob(7, 100_000);
        let requests: [&[u8]; 9] = [
            &noise,
            b"\r\n\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET /v2/ HTTP/9.9\r\n\r\n",
            b"GET http://[::1 HTTP/1.1\r\nhost: h\r\n\r\n",
            b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n",
            b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            b"POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ];
        for request in requests {
            let mut raw = app.raw().await;
            let _ = raw.send(request).await;
            // Or the server would wait for the rest.
            let _ = raw.end().await;
            let status = status(&mut raw).await;
            // A version that nobody speaks has a status of its own.
            assert!(
                status < 500 || status == 505,
                "{}: {status}",
                String::from_utf8_lossy(&request[..request.len().min(60)])
            );
        }
        app.get("/v2/").await.expect(200);
    })
    .await;
}
