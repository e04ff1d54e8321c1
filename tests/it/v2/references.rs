//! What a manifest references, and the modes of `registry.missing_references`.

use oci::media_type::{DOCKER_FOREIGN_LAYER, OCI_LAYER_NON_DISTRIBUTABLE_GZIP};
use serde_json::json;

use crate::support::{Image, Manifest, Setup, descriptor, on_each_engine, sha256};

#[tokio::test]
async fn a_manifest_with_a_missing_blob_is_refused_and_the_blob_named() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        let (config, layer) = (sha256(&image.config).to_string(), sha256(&image.layer).to_string());
        let push = || app.push_manifest("some/app", "v1", &image.manifest);
        let answer = push().await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        let mut named: Vec<String> = answer.json()["errors"][0]["detail"]["digests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|digest| digest.as_str().unwrap().to_owned())
            .collect();
        named.sort();
        let mut both = [config.clone(), layer.clone()];
        both.sort();
        assert_eq!(named, both);
        app.push_blob("some/app", image.config.clone()).await;
        let answer = push().await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        assert_eq!(answer.detail()["digest"], layer);
        assert!(answer.message().contains(&layer), "{}", answer.message());
        // One in another repository does not count.
        app.push_blob("some/other", image.layer.clone()).await;
        push().await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        app.post(format!("/v2/some/app/blobs/uploads/?mount={layer}&from=some/other")).await.expect(201);
        push().await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_refused_manifest_leaves_nothing_behind() {
    on_each_engine(async |app| {
        app.push_manifest("some/app", "v1", &Image::new("a").manifest).await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        app.get("/v2/some/app/tags/list").await.refused(404, "NAME_UNKNOWN");
        assert!(app.events("some/app").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_index_with_a_missing_child_is_refused() {
    on_each_engine(async |app| {
        let there = app.push_image("some/app", "v1", "a").await;
        let missing = Image::new("b");
        let index = Manifest::index(&[&there.manifest, &missing.manifest]);
        let answer = app.push_manifest("some/app", "all", &index).await.refused(404, "MANIFEST_BLOB_UNKNOWN");
        assert_eq!(answer.detail()["digest"], missing.digest().to_string());
        // A blob of the same bytes is not a manifest.
        app.push_blob("some/app", missing.manifest.bytes()).await;
        app.push_manifest("some/app", "all", &index).await.refused(404, "MANIFEST_BLOB_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn layers_that_may_not_be_distributed_may_be_missing() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blob("some/app", image.config.clone()).await;
        for media_type in [DOCKER_FOREIGN_LAYER, OCI_LAYER_NON_DISTRIBUTABLE_GZIP] {
            let mut foreign = descriptor(media_type, b"elsewhere");
            foreign["urls"] = json!(["https://example.org/layer"]);
            let manifest = image.manifest.clone().with("layers", json!([foreign]));
            app.push_manifest("some/app", "v1", &manifest).await.expect(201);
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_may_be_sparse_where_children_may_be_missing() {
    Setup::default()
        .set("registry.missing_references", "allow-children")
        .on_each_engine(async |app| {
            let (there, missing) = (app.push_image("some/app", "v1", "a").await, Image::new("b"));
            let index = Manifest::index(&[&there.manifest, &missing.manifest]);
            app.push_manifest("some/app", "all", &index).await.expect(201);
            // The child that is there is held all the same, the other may still come.
            app.delete(format!("/v2/some/app/manifests/{}", there.digest())).await.refused(405, "DENIED");
            // Blobs may not be missing.
            app.push_manifest("some/app", "v2", &missing.manifest).await.refused(404, "MANIFEST_BLOB_UNKNOWN");
            app.push_blobs_of("some/app", &missing).await;
            app.push_manifest("some/app", "v2", &missing.manifest).await.expect(201);
        })
        .await;
}

#[tokio::test]
async fn anything_may_be_missing_where_the_operator_says_so() {
    Setup::default()
        .set("registry.missing_references", "allow")
        .on_each_engine(async |app| {
            let image = Image::new("a");
            app.push_manifest("some/app", "v1", &image.manifest).await.expect(201);
            let index = Manifest::index(&[&image.manifest, &Image::new("b").manifest]);
            app.push_manifest("some/app", "all", &index).await.expect(201);
            assert_eq!(app.get("/v2/some/app/manifests/v1").await.expect(200).body, image.manifest.bytes());
            let layer = sha256(&image.layer);
            app.get(format!("/v2/some/app/blobs/{layer}")).await.refused(404, "BLOB_UNKNOWN");
        })
        .await;
}

#[tokio::test]
async fn a_blob_that_came_after_its_manifest_is_held_by_it() {
    Setup::default()
        .set("registry.missing_references", "allow")
        .on_each_engine(async |app| {
            let image = Image::new("a");
            app.push_manifest("some/app", "v1", &image.manifest).await.expect(201);
            let layer = app.push_blob("some/app", image.layer.clone()).await;
            let answer = app.delete(format!("/v2/some/app/blobs/{layer}")).await.refused(405, "DENIED");
            assert_eq!(answer.detail()["parents"][0], image.digest().to_string());
        })
        .await;
}
