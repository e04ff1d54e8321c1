//! Bytes that are gone or not what they were, and a store that fails.

use havre::blobs::faulty::{Fault, Operation};

use crate::support::{Image, Setup, TestApp, blob, eventually, on_each_engine, sha256};

/// The file of a blob.
fn file_of(app: &TestApp, digest: &oci::Digest) -> std::path::PathBuf {
    let directory = app.in_store("blobs/sha256").join(&digest.hex()[..2]);
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().find(|path| path.to_str().unwrap().contains(&digest.hex())).expect("the blob's file")
}

#[tokio::test]
async fn a_vanished_blob_is_told_and_healed_by_a_push() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "some bytes").await;
        let target = format!("/v2/some/app/blobs/{digest}");
        for look in [true, false] {
            std::fs::remove_file(file_of(app, &digest)).unwrap();
            if look {
                let message = app.get(&target).await.refused(404, "BLOB_UNKNOWN").message();
                assert!(message.contains("push the image again"), "{message}");
            }
            // A client that asks whether it has to push is told that it has.
            app.head(&target).await.expect(404);
            app.push_blob("some/app", "some bytes").await;
            assert_eq!(app.get(&target).await.expect(200).body, "some bytes");
        }
    })
    .await;
}

#[tokio::test]
async fn a_truncated_blob_is_never_served_as_if_it_were_whole() {
    on_each_engine(async |app| {
        let bytes = blob(1, 100_000);
        let digest = app.push_blob("some/app", bytes.clone()).await;
        let target = format!("/v2/some/app/blobs/{digest}");
        let file = std::fs::OpenOptions::new().write(true).open(file_of(app, &digest)).unwrap();
        file.set_len(50_000).unwrap();
        app.get(&target).await.refused(404, "BLOB_UNKNOWN");
        app.get(&target).header("range", "bytes=0-9").await.refused(404, "BLOB_UNKNOWN");
        // It is not mounted either.
        let mount = app.post(format!("/v2/some/copy/blobs/uploads/?mount={digest}&from=some/app"));
        mount.await.expect(202);
        app.push_blob("some/app", bytes.clone()).await;
        assert!(app.get(&target).await.expect(200).body == bytes);
    })
    .await;
}

#[tokio::test]
async fn a_blob_truncated_while_it_is_sent_breaks_the_transfer() {
    on_each_engine(async |app| {
        let bytes = blob(1, 16 * 1024 * 1024);
        let digest = app.push_blob("some/app", bytes.clone()).await;
        let target = format!("/v2/some/app/blobs/{digest}");
        let mut raw = app.raw().await;
        raw.send(format!("GET {target} HTTP/1.1\r\nhost: h\r\n\r\n")).await.unwrap();
        assert!(raw.head().await.unwrap().starts_with("HTTP/1.1 200"));
        let file = std::fs::OpenOptions::new().write(true).open(file_of(app, &digest)).unwrap();
        file.set_len(1000).unwrap();
        // Cut short, not filled up: the client sees that bytes are missing.
        let received = raw.rest().await.map_or(0, |rest| rest.len());
        assert!(received < bytes.len(), "{received}");
        eventually(async || app.get(&target).await.status == 404).await;
        app.push_blob("some/app", bytes.clone()).await;
        assert!(app.get(&target).await.expect(200).body == bytes);
    })
    .await;
}

#[tokio::test]
async fn a_full_store_refuses_uploads_and_nothing_else() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let other = Image::new("b");
        for operation in [Operation::Write, Operation::Close, Operation::Finish, Operation::Append] {
            app.store.fail_always(operation, Fault::NoSpace);
            let digest = sha256(&other.layer);
            let post = app.post(format!("/v2/some/app/blobs/uploads/?digest={digest}")).body(other.layer.clone());
            let answer = post.await.refused(503, "UNAVAILABLE");
            assert!(answer.find("retry-after").is_some());
            // What went wrong is in the log, under the request id; nothing of it is shown.
            let message = answer.message();
            assert!(message.contains(answer.header("x-request-id")), "{message}");
            assert!(!message.contains("ENOSPC") && !message.contains("os error"), "{message}");
            app.get(format!("/v2/some/app/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
            assert_eq!(app.get("/v2/some/app/manifests/v1").await.expect(200).body, image.manifest.bytes());
            app.get(format!("/v2/some/app/blobs/{}", sha256(&image.layer))).await.expect(200);
            app.store.mend();
        }
        // Mended, it goes on by itself.
        app.push_image("some/app", "v2", "b").await;
    })
    .await;
}

#[tokio::test]
async fn an_upload_goes_on_when_there_is_room_again() {
    on_each_engine(async |app| {
        let bytes = blob(1, 600_000);
        let upload = app.begin("some/app").await;
        app.patch(&upload).body(bytes.slice(..200_000)).await.expect(202);
        app.store.fail_always(Operation::Write, Fault::NoSpace);
        app.patch(&upload).body(bytes.slice(200_000..)).await.refused(503, "UNAVAILABLE");
        app.store.mend();
        let received = app.get(&upload).await.expect(204).header("range")[2..].parse::<usize>().unwrap() + 1;
        assert!(received >= 200_000);
        let put = app.put(format!("{upload}?digest={}", sha256(&bytes)));
        put.body(bytes.slice(received..)).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn an_answer_of_the_store_that_is_lost_loses_no_blob() {
    on_each_engine(async |app| {
        let bytes = blob(1, 10_000);
        let digest = sha256(&bytes);
        let upload = app.begin("some/app").await;
        let close = format!("{upload}?digest={digest}");
        app.store.fail(Operation::Finish, 1, Fault::Lost);
        app.put(&close).body(bytes.clone()).await.refused(503, "UNAVAILABLE");
        // Nothing was acknowledged, and nothing is in the way of another push.
        app.push_blob("some/app", bytes.clone()).await;
        assert!(app.get(format!("/v2/some/app/blobs/{digest}")).await.expect(200).body == bytes);
    })
    .await;
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_an_error_and_no_missing_blob() {
    Setup::default()
        .on_each_engine(async |app| {
            let digest = app.push_blob("some/app", "x").await;
            let target = format!("/v2/some/app/blobs/{digest}");
            app.store.fail_always(Operation::Open, Fault::InputOutput);
            app.store.fail_always(Operation::Stat, Fault::InputOutput);
            app.get(&target).await.refused(503, "UNAVAILABLE");
            app.head(&target).await.expect(503);
            app.store.mend();
            app.get(&target).await.expect(200);
        })
        .await;
}
