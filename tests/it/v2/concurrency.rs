//! Requests that meet.

use super::uploads::assert_created;
use crate::support::{Image, blob, eventually, on_each_engine, sha256};

const HELD: &str = "SELECT id FROM uploads WHERE lease_holder IS NOT NULL";

#[tokio::test]
async fn of_two_patches_on_one_session_one_is_refused() {
    on_each_engine(async |app| {
        let bytes = blob(1, 600_000);
        let upload = app.begin("some/app").await;
        let (first, body) = app.patch(&upload).streamed();
        let first = tokio::spawn(first.into_future());
        body.send(bytes.slice(..300_000)).await;
        eventually(async || app.read(|tx| tx.first(HELD, &[])).await.is_some()).await;
        let answer = app.patch(&upload).body("other bytes").await.refused(409, "BLOB_UPLOAD_INVALID");
        assert!(answer.message().contains("GET"), "{}", answer.message());
        let close = format!("{upload}?digest={}", sha256(&bytes));
        app.put(&close).await.refused(409, "BLOB_UPLOAD_INVALID");
        app.delete(&upload).await.refused(409, "BLOB_UPLOAD_INVALID");
        body.send(bytes.slice(300_000..)).await;
        drop(body);
        first.await.unwrap().expect(202);
        assert_created(app, app.put(&close).await, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn one_blob_is_pushed_by_many_at_once() {
    on_each_engine(async |app| {
        let bytes = blob(1, 200_000);
        let digest = sha256(&bytes);
        let mut pushes = tokio::task::JoinSet::new();
        for client in 0..8 {
            let (app, bytes) = ((**app).clone(), bytes.clone());
            // Half into one repository, half into others.
            let repository = if client % 2 == 0 { "some/app".to_owned() } else { format!("some/app{client}") };
            pushes.spawn(async move {
                app.push_blob(&repository, bytes).await;
                repository
            });
        }
        for repository in pushes.join_all().await {
            let answer = app.get(format!("/v2/{repository}/blobs/{digest}")).await.expect(200);
            assert!(answer.body == bytes, "{repository}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_manifest_is_pushed_by_many_at_once() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let mut pushes = tokio::task::JoinSet::new();
        for client in 0..8 {
            let (app, manifest) = ((**app).clone(), image.manifest.clone());
            pushes.spawn(async move {
                let reference = if client % 2 == 0 { "latest".to_owned() } else { format!("v{client}") };
                app.push_manifest("some/app", reference, &manifest).await.expect(201);
            });
        }
        pushes.join_all().await;
        let tags = app.get("/v2/some/app/tags/list").await.expect(200).strings("tags");
        assert_eq!(tags, ["latest", "v1", "v3", "v5", "v7"]);
        assert_eq!(app.events("some/app").await.iter().filter(|kind| *kind == "manifest.push").count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_tag_that_many_move_points_to_one_of_theirs() {
    on_each_engine(async |app| {
        let mut images = Vec::new();
        for client in 0..6 {
            images.push(app.push_image("some/app", &format!("v{client}"), &client.to_string()).await);
        }
        let mut pushes = tokio::task::JoinSet::new();
        for image in &images {
            let (app, manifest) = ((**app).clone(), image.manifest.clone());
            pushes.spawn(async move { app.push_manifest("some/app", "latest", &manifest).await.expect(201) });
        }
        pushes.join_all().await;
        let answer = app.get("/v2/some/app/manifests/latest").await.expect(200);
        assert!(images.iter().any(|image| image.manifest.bytes() == answer.body));
        let moves = app.events("some/app").await.iter().filter(|kind| *kind == "tag.move").count();
        assert_eq!(moves, images.len() - 1);
    })
    .await;
}

#[tokio::test]
async fn a_blob_deleted_while_it_is_pulled_is_pulled_to_the_end() {
    on_each_engine(async |app| {
        let bytes = blob(1, 8 * 1024 * 1024);
        let digest = app.push_blob("some/app", bytes.clone()).await;
        let target = format!("/v2/some/app/blobs/{digest}");
        let mut raw = app.raw().await;
        raw.send(format!("GET {target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")).await.unwrap();
        assert!(raw.head().await.unwrap().starts_with("HTTP/1.1 200"));
        app.delete(&target).await.expect(202);
        app.get(&target).await.refused(404, "BLOB_UNKNOWN");
        assert!(raw.rest().await.unwrap() == bytes);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_pushed_beside_the_deletion_of_its_layer_is_whole_or_refused() {
    on_each_engine(async |app| {
        for round in 0..5 {
            let image = Image::new(&format!("round {round}"));
            app.push_blobs_of("some/app", &image).await;
            let layer = sha256(&image.layer);
            let push = app.push_manifest("some/app", "latest", &image.manifest);
            let delete = app.delete(format!("/v2/some/app/blobs/{layer}"));
            let (pushed, deleted) = tokio::join!(push.into_future(), delete.into_future());
            match pushed.status.as_u16() {
                201 => {
                    deleted.refused(405, "DENIED");
                    app.head(format!("/v2/some/app/blobs/{layer}")).await.expect(200);
                }
                _ => {
                    pushed.refused(404, "MANIFEST_BLOB_UNKNOWN");
                    deleted.expect(202);
                }
            }
        }
    })
    .await;
}
