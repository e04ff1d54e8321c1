//! Requests whose body nobody wants: they are refused before it is read, and still get to read the answer.

use bytes::Bytes;

use crate::support::{TestApp, blob, on_each_engine, sha256};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_refused_request_with_a_large_body_reads_its_answer() {
    on_each_engine(async |app| {
        let bytes = blob(1, MIB - 1);
        let unknown = "/v2/some/app/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8";
        for announced in [true, false] {
            let calls = [
                (app.put("/v2/nothing"), 404, "UNSUPPORTED"),
                (app.put("/v2/A/manifests/v1"), 400, "NAME_INVALID"),
                (app.put("/v2/some/app/manifests/-"), 400, "TAG_INVALID"),
                (app.post("/v2/some/app/blobs/uploads/?digest=md5:00"), 400, "DIGEST_INVALID"),
                (app.patch(unknown), 404, "BLOB_UPLOAD_UNKNOWN"),
                (app.put(format!("{unknown}?digest={}", sha256(b""))), 404, "BLOB_UPLOAD_UNKNOWN"),
                (app.put("/v2/_catalog"), 405, "UNSUPPORTED"),
            ];
            for (call, status, code) in calls {
                let call = if announced {
                    call.body(bytes.clone())
                } else {
                    call.pieces(bytes.chunks(100_000).map(Bytes::copy_from_slice))
                };
                call.await.refused(status, code);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_refusal_that_was_drained_the_connection_goes_on() {
    on_each_engine(async |app| {
        let mut raw = app.raw().await;
        for _ in 0..3 {
            let head = "PUT /v2/A/manifests/v1 HTTP/1.1\r\nhost: h\r\ncontent-length: 300000\r\n\r\n";
            raw.send([head.as_bytes(), &blob(1, 300_000)].concat()).await.unwrap();
            let (status, text) = raw.answer().await.unwrap();
            assert!(status == 400 && text.contains("NAME_INVALID"), "{text}");
        }
        raw.send("GET /v2/ HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
        assert_eq!(raw.answer().await.unwrap().0, 200);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_waits_for_leave_is_refused_without_being_asked_for_the_body() {
    on_each_engine(async |app| {
        let unknown = "/v2/some/app/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8";
        let too_long = 4 * MIB + 1;
        let cases = [
            ("PUT", "/v2/A/manifests/v1", 10, 400),
            ("PATCH", unknown, 10, 404),
            ("POST", "/v2/some/app/blobs/uploads/?digest=x", 10, 400),
            ("PUT", "/v2/some/app/manifests/v1", too_long, 413),
        ];
        for (method, target, length, expected) in cases {
            let mut raw = app.raw().await;
            let head = format!(
                "{method} {target} HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
            );
            raw.send(head).await.unwrap();
            // Nothing is sent: an answer that waited for the body would not come.
            let (status, text) = raw.answer().await.unwrap();
            assert_eq!(status, expected, "{text}");
        }
    })
    .await;
}

/// As long as a refused body is read at most, and some time for a busy machine.
const DRAIN_LIMIT: std::time::Duration = std::time::Duration::from_secs(15);

#[tokio::test]
async fn a_refused_client_that_stops_sending_gets_its_answer_all_the_same() {
    on_each_engine(async |app| {
        let mut raw = app.raw().await;
        raw.send("PUT /v2/A/manifests/v1 HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nx").await.unwrap();
        let (status, text) = tokio::time::timeout(DRAIN_LIMIT, raw.answer()).await.unwrap().unwrap();
        assert_eq!(status, 400, "{text}");
    })
    .await;
}

/// How long a refused body is read at most.
const DRAIN_TIME: std::time::Duration = std::time::Duration::from_secs(2);

/// Sends so much of a long body that is refused; returns when the answer came, having seen the connection end.
async fn refused_after(app: &TestApp, sent: usize) -> std::time::Duration {
    let mut raw = app.raw().await;
    let head = format!("PUT /v2/A/manifests/v1 HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", 100 * MIB);
    let start = std::time::Instant::now();
    raw.send([head.as_bytes(), &blob(1, sent)].concat()).await.unwrap();
    let (status, text) = tokio::time::timeout(DRAIN_LIMIT, raw.answer()).await.unwrap().unwrap();
    let elapsed = start.elapsed();
    assert!(status == 400 && text.contains("NAME_INVALID"), "{text}");
    // The rest of the body cannot be told from a request: the connection ends. With bytes unread, that is a reset.
    let rest = tokio::time::timeout(DRAIN_LIMIT, raw.rest()).await.expect("the connection stays open");
    assert!(rest.map_or(true, |rest| rest.is_empty()));
    elapsed
}

#[tokio::test]
async fn a_refused_body_is_read_to_a_mebibyte_or_for_two_seconds() {
    on_each_engine(async |app| {
        // Short of a MiB the rest is waited for, no longer than that.
        assert!(refused_after(app, MIB - 1).await >= DRAIN_TIME);
        // After a MiB nothing is. A busy machine may be slow once.
        let mut soon = false;
        for _ in 0..5 {
            soon = soon || refused_after(app, MIB).await < DRAIN_TIME;
        }
        assert!(soon, "more than a MiB was waited for");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_waits_for_leave_gets_it() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let mut raw = app.raw().await;
        let head = format!(
            "PUT {upload}?digest={} HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
            sha256(b"hello")
        );
        raw.send(head).await.unwrap();
        assert!(raw.head().await.unwrap().starts_with("HTTP/1.1 100"));
        raw.send("hello").await.unwrap();
        assert_eq!(raw.answer().await.unwrap().0, 201);
    })
    .await;
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_before_its_body_came() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let mut raw = app.raw().await;
        let head = format!(
            "PATCH {upload} HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-range: 5-9\r\ncontent-length: 5\r\n\r\n"
        );
        raw.send(head).await.unwrap();
        assert_eq!(raw.answer().await.unwrap().0, 416);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_too_large_is_refused_while_it_is_still_sent() {
    on_each_engine(async |app| {
        let mut raw = app.raw().await;
        let head = format!("PUT /v2/some/app/manifests/v1 HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n", 64 * MIB);
        raw.send(head).await.unwrap();
        // As much as is drained, and no more: the answer comes, then the connection ends.
        raw.send(vec![b' '; MIB]).await.unwrap();
        let (status, text) = raw.answer().await.unwrap();
        assert!(status == 413 && text.contains("SIZE_INVALID"), "{text}");
    })
    .await;
}
