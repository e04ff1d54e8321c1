//! `DELETE` of tags, manifests and blobs.

use crate::support::{Image, Manifest, on_each_engine, sha256};

#[tokio::test]
async fn a_deleted_tag_leaves_its_manifest() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.push_manifest("some/app", "v2", &image.manifest).await.expect(201);
        app.delete("/v2/some/app/manifests/v1").await.expect(202);
        app.get("/v2/some/app/manifests/v1").await.refused(404, "MANIFEST_UNKNOWN");
        app.get("/v2/some/app/manifests/v2").await.expect(200);
        app.get(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(200);
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags"), ["v2"]);
        app.delete("/v2/some/app/manifests/v1").await.refused(404, "MANIFEST_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_along() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.push_manifest("some/app", "latest", &image.manifest).await.expect(201);
        let other = app.push_image("some/app", "v2", "b").await;
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        for reference in ["v1", "latest", &image.digest().to_string()] {
            app.get(format!("/v2/some/app/manifests/{reference}")).await.refused(404, "MANIFEST_UNKNOWN");
        }
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags"), ["v2"]);
        app.get(format!("/v2/some/app/manifests/{}", other.digest())).await.expect(200);
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.refused(404, "MANIFEST_UNKNOWN");
        let kinds = app.events("some/app").await;
        assert_eq!(kinds[kinds.len() - 3..], ["tag.delete", "tag.delete", "manifest.delete"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_deleted_can_be_pushed_again() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        for bytes in [&image.config, &image.layer] {
            app.delete(format!("/v2/some/app/blobs/{}", sha256(bytes))).await.expect(202);
        }
        app.push_manifest("some/app", "v1", &image.manifest).await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        app.push_image("some/app", "v1", "a").await;
        let answer = app.get(format!("/v2/some/app/blobs/{}", sha256(&image.layer))).await.expect(200);
        assert_eq!(answer.body, image.layer);
    })
    .await;
}

#[tokio::test]
async fn the_child_of_an_index_is_not_deleted_and_its_parents_are_named() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let index = Manifest::index(&[&image.manifest]);
        let other = Manifest::index(&[&image.manifest]).annotation("a", "b");
        for (tag, index) in [("all", &index), ("other", &other)] {
            app.push_manifest("some/app", tag, index).await.expect(201);
        }
        let target = format!("/v2/some/app/manifests/{}", image.digest());
        let answer = app.delete(&target).await.refused(405, "DENIED");
        let message = answer.message();
        for parent in [index.digest().to_string(), other.digest().to_string()] {
            assert!(message.contains(&parent), "{message}");
            assert!(answer.detail()["parents"].as_array().unwrap().contains(&parent.into()));
        }
        // Its tag may go, and it may when they are gone.
        app.delete("/v2/some/app/manifests/v1").await.expect(202);
        for index in [&index, &other] {
            app.get(&target).await.expect(200);
            app.delete(format!("/v2/some/app/manifests/{}", index.digest())).await.expect(202);
        }
        app.delete(&target).await.expect(202);
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_a_manifest_names_is_not_deleted() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        for bytes in [&image.config, &image.layer] {
            let target = format!("/v2/some/app/blobs/{}", sha256(bytes));
            let answer = app.delete(&target).await.refused(405, "DENIED");
            assert_eq!(answer.detail()["parents"], serde_json::json!([image.digest().to_string()]));
            app.get(&target).await.expect(200);
        }
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        let target = format!("/v2/some/app/blobs/{}", sha256(&image.layer));
        app.delete(&target).await.expect(202);
        app.get(&target).await.refused(404, "BLOB_UNKNOWN");
        app.delete(&target).await.refused(404, "BLOB_UNKNOWN");
        assert_eq!(app.events("some/app").await.last().unwrap(), "blob.delete");
    })
    .await;
}

#[tokio::test]
async fn a_referrer_holds_its_subject_not() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.push_blob("some/app", "{}").await;
        let referrer = Manifest::artifact("application/vnd.example.thing").subject(&image.manifest);
        app.push_manifest("some/app", referrer.digest(), &referrer).await.expect(201);
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        app.get(format!("/v2/some/app/manifests/{}", referrer.digest())).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn what_is_in_no_repository_cannot_be_deleted() {
    on_each_engine(async |app| {
        let digest = sha256(b"x");
        let targets = ["manifests/v1".to_owned(), format!("manifests/{digest}"), format!("blobs/{digest}")];
        for target in &targets {
            app.delete(format!("/v2/some/app/{target}")).await.refused(404, "NAME_UNKNOWN");
        }
        app.push_image("some/app", "v2", "a").await;
        for target in targets {
            let code = if target.starts_with("blobs") { "BLOB_UNKNOWN" } else { "MANIFEST_UNKNOWN" };
            app.delete(format!("/v2/some/app/{target}")).await.refused(404, code);
        }
    })
    .await;
}

#[tokio::test]
async fn a_deletion_in_one_repository_touches_no_other() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        app.push_image("some/copy", "v1", "a").await;
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        app.delete(format!("/v2/some/app/blobs/{}", sha256(&image.layer))).await.expect(202);
        assert_eq!(app.get("/v2/some/copy/manifests/v1").await.expect(200).body, image.manifest.bytes());
        let answer = app.get(format!("/v2/some/copy/blobs/{}", sha256(&image.layer))).await.expect(200);
        assert_eq!(answer.body, image.layer);
    })
    .await;
}

#[tokio::test]
async fn every_change_leaves_its_event() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let pushed = app.push_manifest("some/app", "v1", &image.manifest).await.expect(201);
        let digest = image.digest();
        app.delete(format!("/v2/some/app/manifests/{digest}")).await.expect(202);
        let rows = app.read(|tx| havre::db::events::of_repository(tx, "some/app", 100)).await;
        let seen: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.tag.as_deref(), row.digest)).collect();
        let (config, layer) = (Some(sha256(&image.config)), Some(sha256(&image.layer)));
        let expected = [
            ("repository.create", None, None),
            ("blob.push", None, config),
            ("blob.push", None, layer),
            ("manifest.push", None, Some(digest)),
            ("tag.create", Some("v1"), Some(digest)),
            ("tag.delete", Some("v1"), Some(digest)),
            ("manifest.delete", None, Some(digest)),
        ];
        assert_eq!(seen, expected);
        assert!(rows.iter().all(|row| row.actor == "anonymous"));
        assert_eq!(rows[4].request_id, pushed.header("x-request-id"));
    })
    .await;
}
