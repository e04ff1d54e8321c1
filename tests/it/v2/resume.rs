//! Uploads that are interrupted and go on.

use std::io::Write as _;

use bytes::Bytes;

use super::uploads::assert_created;
use crate::support::{TestApp, blob, eventually, on_each_engine, sha256, sha512};

/// Where a session stands, in the words of the specification.
async fn range(app: &TestApp, upload: &str) -> String {
    app.get(upload).await.expect(204).header("range").to_owned()
}

#[tokio::test]
async fn an_upload_goes_on_after_its_connection_broke() {
    on_each_engine(async |app| {
        let bytes = blob(1, 1_000_000);
        let upload = app.begin("some/app").await;
        let (patch, body) = app.patch(&upload).header("content-length", "1000000").streamed();
        let patch = tokio::spawn(patch.try_send());
        for piece in bytes.slice(..400_000).chunks(100_000) {
            body.send(Bytes::copy_from_slice(piece)).await;
        }
        body.cut().await;
        assert!(patch.await.unwrap().is_err());
        // The server notices in its own time; what arrived is kept, and no more than was sent.
        eventually(async || range(app, &upload).await != "0-0").await;
        let received: usize = range(app, &upload).await[2..].parse::<usize>().unwrap() + 1;
        assert!(received <= 400_000);
        let patch = app.patch(&upload).header("content-range", format!("{received}-999999"));
        patch.body(bytes.slice(received..)).await.expect(202);
        let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_that_only_stops_sending_is_told_that_bytes_are_missing() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let mut raw = app.raw().await;
        raw.send(format!("PATCH {upload} HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nhalf of it")).await.unwrap();
        raw.end().await.unwrap();
        // Some may not read any more; what counts is that the session goes on.
        let _ = raw.rest().await;
        eventually(async || range(app, &upload).await == "0-9").await;
        let answer = app.put(format!("{upload}?digest={}", sha256(b"half of it!"))).body("!").await;
        assert_created(app, answer, "some/app", &Bytes::from("half of it!")).await;
    })
    .await;
}

#[tokio::test]
async fn a_closing_put_that_broke_can_be_sent_again() {
    on_each_engine(async |app| {
        let bytes = blob(1, 500_000);
        let upload = app.begin("some/app").await;
        let target = format!("{upload}?digest={}", sha256(&bytes));
        let (put, body) = app.put(&target).header("content-length", "500000").streamed();
        let put = tokio::spawn(put.try_send());
        body.send(bytes.slice(..200_000)).await;
        body.cut().await;
        assert!(put.await.unwrap().is_err());
        eventually(async || range(app, &upload).await != "0-0").await;
        let received: usize = range(app, &upload).await[2..].parse::<usize>().unwrap() + 1;
        let answer = app.put(&target).body(bytes.slice(received..)).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    on_each_engine(async |app| {
        let bytes = blob(1, 90_000);
        for digest in [sha256(&bytes), sha512(&bytes)] {
            let upload = app.begin("some/app").await;
            app.patch(&upload).body(bytes.slice(..30_000)).await.expect(202);
            app.restart().await;
            assert_eq!(range(app, &upload).await, "0-29999");
            app.patch(&upload)
                .header("content-range", "30000-59999")
                .body(bytes.slice(30_000..60_000))
                .await
                .expect(202);
            app.restart().await;
            let answer = app.put(format!("{upload}?digest={digest}")).body(bytes.slice(60_000..)).await;
            assert_created(app, answer, "some/app", &bytes).await;
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_hashed_before_a_boot_is_read_again() {
    on_each_engine(async |app| {
        let bytes = blob(1, 60_000);
        let upload = app.begin("some/app").await;
        app.patch(&upload).body(bytes.slice(..30_000)).await.expect(202);
        let id = upload.rsplit('/').next().unwrap();
        // The bytes changed while the machine was down: a hash kept from before would not notice.
        let file = app.in_store("uploads").join(id);
        app.restart_under(Some("another boot")).await;
        std::fs::write(&file, vec![0; 30_000]).unwrap();
        let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).body(bytes.slice(30_000..)).await;
        answer.refused(400, "DIGEST_INVALID");

        let upload = app.begin("some/app").await;
        app.patch(&upload).body(bytes.slice(..30_000)).await.expect(202);
        app.restart_under(Some("a third boot")).await;
        let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).body(bytes.slice(30_000..)).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn bytes_beyond_the_recorded_offset_are_cut_off() {
    on_each_engine(async |app| {
        let bytes = blob(1, 60_000);
        let upload = app.begin("some/app").await;
        app.patch(&upload).body(bytes.slice(..30_000)).await.expect(202);
        let file = app.in_store("uploads").join(upload.rsplit('/').next().unwrap());
        // As when the server was killed between a write and its record.
        let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        file.write_all(b"never acknowledged").unwrap();
        app.restart().await;
        assert_eq!(range(app, &upload).await, "0-29999");
        app.patch(&upload).header("content-range", "30000-59999").body(bytes.slice(30_000..)).await.expect(202);
        let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_whose_bytes_were_lost_has_to_begin_again() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        app.patch(&upload).body("some bytes").await.expect(202);
        let file = app.in_store("uploads").join(upload.rsplit('/').next().unwrap());
        std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(3).unwrap();
        app.patch(&upload).body("more").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        std::fs::remove_file(&file).unwrap();
        app.patch(&upload).body("more").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn what_was_pushed_is_there_after_a_restart() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.restart().await;
        let answer = app.get("/v2/some/app/manifests/v1").await.expect(200);
        assert_eq!(answer.body, image.manifest.bytes());
        let layer = sha256(&image.layer);
        assert_eq!(app.get(format!("/v2/some/app/blobs/{layer}")).await.expect(200).body, image.layer);
    })
    .await;
}
