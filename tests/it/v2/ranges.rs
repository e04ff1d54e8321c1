//! `Range` of a blob (RFC 9110, 14).

use bytes::Bytes;

use crate::support::{Answer, Client, blob, on_each_engine};

const LEN: usize = 100_000;

/// A blob and its URL.
async fn pushed(client: &Client) -> (Bytes, String) {
    let bytes = blob(1, LEN);
    let digest = client.push_blob("some/app", bytes.clone()).await;
    (bytes, format!("/v2/some/app/blobs/{digest}"))
}

#[track_caller]
fn assert_part(answer: Answer, bytes: &Bytes, start: usize, end: usize) {
    let answer = answer.expect(206);
    assert_eq!(answer.header("content-range"), format!("bytes {start}-{end}/{}", bytes.len()));
    assert_eq!(answer.header("content-length"), (end + 1 - start).to_string());
    assert!(answer.find("docker-content-digest").is_some() && answer.find("etag").is_some());
    assert!(answer.body == bytes[start..=end], "other bytes came back");
}

#[tokio::test]
async fn a_part_of_a_blob_is_served() {
    on_each_engine(async |app| {
        let (bytes, target) = pushed(app).await;
        let last = LEN - 1;
        let cases = [
            ("bytes=0-0".to_owned(), 0, 0),
            ("bytes=0-499".to_owned(), 0, 499),
            ("bytes=500-999".to_owned(), 500, 999),
            // Open, and suffixes.
            ("bytes=99990-".to_owned(), 99_990, last),
            ("bytes=0-".to_owned(), 0, last),
            ("bytes=-10".to_owned(), LEN - 10, last),
            ("bytes=-200000".to_owned(), 0, last),
            // Ends beyond the blob are cut.
            (format!("bytes=10-{LEN}"), 10, last),
            ("bytes=10-99999999999999999999999".to_owned(), 10, last),
            (format!("BYTES={last}-{last}"), last, last),
        ];
        for (range, start, end) in cases {
            assert_part(app.get(&target).header("range", range).await, &bytes, start, end);
        }
    })
    .await;
}

#[tokio::test]
async fn parts_make_up_the_blob() {
    on_each_engine(async |app| {
        let (bytes, target) = pushed(app).await;
        let mut whole = Vec::new();
        while whole.len() < LEN {
            let range = format!("bytes={}-{}", whole.len(), whole.len() + 30_000);
            whole.extend_from_slice(&app.get(&target).header("range", range).await.expect(206).body);
        }
        assert!(whole == bytes);
    })
    .await;
}

#[tokio::test]
async fn a_part_that_does_not_exist_is_refused_with_the_length() {
    on_each_engine(async |app| {
        let (_, target) = pushed(app).await;
        let beyond = format!("bytes={LEN}-");
        for range in [&*beyond, "bytes=100000-100001", "bytes=99999999999999999999999-", "bytes=-0", "bytes=500-0"] {
            let answer = app.get(&target).header("range", range).await.expect(416);
            assert_eq!(answer.header("content-range"), format!("bytes */{LEN}"), "{range}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_single_range_of_bytes_is_ignored() {
    on_each_engine(async |app| {
        let (bytes, target) = pushed(app).await;
        for range in ["bytes=0-1,5-6", "lines=0-1", "bytes", "bytes=", "bytes=a-b", "bytes=-", "bytes=1-2-3", "0-1"] {
            let answer = app.get(&target).header("range", range).await.expect(200);
            assert!(answer.body == bytes, "{range}");
            assert!(answer.find("content-range").is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_part_is_only_served_of_what_the_client_has_the_rest_of() {
    on_each_engine(async |app| {
        let (bytes, target) = pushed(app).await;
        let etag = app.head(&target).await.expect(200).header("etag").to_owned();
        let part = app.get(&target).header("range", "bytes=1-2").header("if-range", etag).await;
        assert_part(part, &bytes, 1, 2);
        for other in ["\"other\"", "Mon, 01 Jan 2024 00:00:00 GMT"] {
            app.get(&target).header("range", "bytes=1-2").header("if-range", other).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_of_no_bytes_has_no_parts() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "").await;
        for range in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            let answer = app.get(format!("/v2/some/app/blobs/{digest}")).header("range", range).await.expect(200);
            assert!(answer.body.is_empty());
        }
    })
    .await;
}
