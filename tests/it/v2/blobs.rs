//! `GET`, `HEAD` of `/v2/<name>/blobs/<digest>`.

use crate::support::{Setup, blob, on_each_engine, sha256, sha512};

const IMMUTABLE: &str = "private, max-age=31536000, immutable";

#[tokio::test]
async fn a_blob_is_pulled_as_it_was_pushed() {
    on_each_engine(async |app| {
        // Longer than one window of sendfile, and not a multiple of anything.
        for (seed, len) in [(1, 1), (2, 4096), (3, 5 * 1024 * 1024 + 7)] {
            let bytes = blob(seed, len);
            let digest = app.push_blob("some/app", bytes.clone()).await;
            let target = format!("/v2/some/app/blobs/{digest}");
            let answer = app.get(&target).await.expect(200);
            assert!(answer.body == bytes, "other bytes came back");
            let head = app.head(&target).await.expect(200);
            for answer in [answer, head] {
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("content-length"), len.to_string());
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                assert_eq!(answer.header("cache-control"), IMMUTABLE);
                assert_eq!(answer.header("accept-ranges"), "bytes");
            }
        }
    })
    .await;
}
