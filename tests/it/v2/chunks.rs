//! Uploads in chunks with `Content-Range`.

use super::uploads::{assert_created, assert_progress};
use crate::support::{blob, on_each_engine, sha256};

#[tokio::test]
async fn a_blob_is_pushed_in_chunks_of_announced_ranges() {
    on_each_engine(async |app| {
        let bytes = blob(1, 10_000);
        // The specification's form, and those that clients send as well.
        for form in ["{}-{}", "bytes {}-{}/*", "bytes {}-{}/10000", "bytes={}-{}", "bytes {}-{}"] {
            let upload = app.begin("some/app").await;
            for (start, end) in [(0, 0), (1, 4999), (5000, 9999)] {
                let range = form.replacen("{}", &start.to_string(), 1).replacen("{}", &end.to_string(), 1);
                let patch = app.patch(&upload).header("content-range", range).body(bytes.slice(start..=end));
                assert_progress(&patch.await.expect(202), &upload, &format!("0-{end}"));
                assert_progress(&app.get(&upload).await.expect(204), &upload, &format!("0-{end}"));
            }
            let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).await;
            assert_created(app, answer, "some/app", &bytes).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_chunk_out_of_order_is_told_where_to_go_on() {
    on_each_engine(async |app| {
        let bytes = blob(1, 10_000);
        let upload = app.begin("some/app").await;
        // Before anything was sent, and after.
        let early = app.patch(&upload).header("content-range", "1-10").body(bytes.slice(1..=10)).await;
        let early = early.refused(416, "RANGE_INVALID");
        assert_eq!((early.location(), early.header("range")), (upload.clone(), "0-0"));
        app.patch(&upload).header("content-range", "0-4999").body(bytes.slice(..5000)).await.expect(202);
        for (start, end) in [(0, 4999), (4999, 5000), (5001, 9999), (9999, 9999)] {
            let range = format!("{start}-{end}");
            let answer = app.patch(&upload).header("content-range", range).body(bytes.slice(start..=end)).await;
            let answer = answer.refused(416, "RANGE_INVALID");
            assert_eq!((answer.location(), answer.header("range")), (upload.clone(), "0-4999"));
            assert_eq!(answer.detail()["received"], 5000);
        }
        // So is one that comes with the closing request, and the session goes on.
        let close = format!("{upload}?digest={}", sha256(&bytes));
        let answer = app.put(&close).header("content-range", "0-4999").body(bytes.slice(5000..)).await;
        let answer = answer.refused(416, "RANGE_INVALID");
        assert_eq!((answer.location(), answer.header("range")), (upload.clone(), "0-4999"));
        let answer = app.put(&close).header("content-range", "5000-9999").body(bytes.slice(5000..)).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn a_range_that_cannot_be_read_is_refused() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        for range in ["x", "", "5-0", "0", "-5", "0-", "bytes 0-4/3", "0-99999999999999999999", "+0-4", "0-4,6-7"] {
            app.patch(&upload).header("content-range", range).body("12345").await.refused(400, "RANGE_INVALID");
        }
        assert_eq!(app.get(&upload).await.expect(204).header("range"), "0-0");
    })
    .await;
}

#[tokio::test]
async fn a_chunk_of_another_length_than_announced_is_refused() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        // By its Content-Length, before a byte is taken.
        for range in ["0-3", "0-5"] {
            let answer = app.patch(&upload).header("content-range", range).body("12345").await;
            let answer = answer.refused(400, "SIZE_INVALID");
            assert_eq!(answer.detail()["received"], 5);
        }
        assert_eq!(app.get(&upload).await.expect(204).header("range"), "0-0");
        // Streamed, when it is over: the answer says so, and what came can still be asked for.
        let answer = app.patch(&upload).header("content-range", "0-9").pieces(["12345".into()]).await;
        answer.refused(400, "SIZE_INVALID");
        app.get(&upload).await.expect(204);
    })
    .await;
}
