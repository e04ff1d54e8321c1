//! `PUT /v2/<name>/manifests/<digest>?tag=…&tag=…`.

use crate::support::{Image, TestApp, on_each_engine, sha512};

fn target(image: &Image, tags: usize) -> String {
    let tags: Vec<String> = (0..tags).map(|tag| format!("tag=t{tag:02}")).collect();
    format!("{}?{}", image.digest(), tags.join("&"))
}

async fn with_blobs(app: &TestApp) -> Image {
    let image = Image::new("a");
    app.push_blobs_of("some/app", &image).await;
    image
}

#[tokio::test]
async fn a_push_by_digest_sets_the_tags_it_names() {
    on_each_engine(async |app| {
        let image = with_blobs(app).await;
        let reference = format!("{}?tag=v1&tag=v1.2&tag=latest", image.digest());
        let answer = app.push_manifest("some/app", reference, &image.manifest).await.expect(201);
        assert_eq!(answer.all("oci-tag"), ["v1", "v1.2", "latest"]);
        assert_eq!(answer.header("docker-content-digest"), image.digest().to_string());
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags"), ["latest", "v1", "v1.2"]);
        for tag in ["v1", "v1.2", "latest"] {
            assert_eq!(app.get(format!("/v2/some/app/manifests/{tag}")).await.expect(200).body, image.manifest.bytes());
        }
    })
    .await;
}

#[tokio::test]
async fn fifty_tags_are_set_and_fifty_one_refused() {
    on_each_engine(async |app| {
        let image = with_blobs(app).await;
        let answer = app.push_manifest("some/app", target(&image, 51), &image.manifest).await;
        let answer = answer.refused(414, "TAG_INVALID");
        assert!(answer.message().contains("50"), "{}", answer.message());
        app.get("/v2/some/app/tags/list").await.expect(200);
        assert_eq!(app.events("some/app").await.iter().filter(|kind| kind.starts_with("tag")).count(), 0);
        let answer = app.push_manifest("some/app", target(&image, 50), &image.manifest).await.expect(201);
        assert_eq!(answer.all("oci-tag").len(), 50);
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags").len(), 50);
    })
    .await;
}

#[tokio::test]
async fn a_tag_keeps_the_algorithm_it_was_pushed_with() {
    on_each_engine(async |app| {
        let image = with_blobs(app).await;
        let digest = sha512(&image.manifest.bytes());
        app.push_manifest("some/app", format!("{digest}?tag=v1"), &image.manifest).await.expect(201);
        for call in [app.get("/v2/some/app/manifests/v1"), app.head("/v2/some/app/manifests/v1")] {
            assert_eq!(call.await.expect(200).header("docker-content-digest"), digest.to_string());
        }
        // Until it is pushed with another one.
        app.push_manifest("some/app", "v1", &image.manifest).await.expect(201);
        let answer = app.head("/v2/some/app/manifests/v1").await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), image.digest().to_string());
    })
    .await;
}

#[tokio::test]
async fn tags_that_are_none_or_stand_beside_a_tag_are_refused() {
    on_each_engine(async |app| {
        let image = with_blobs(app).await;
        for reference in [format!("{}?tag=v1&tag=-x", image.digest()), format!("{}?tag=", image.digest())] {
            app.push_manifest("some/app", reference, &image.manifest).await.refused(400, "TAG_INVALID");
        }
        app.push_manifest("some/app", "v1?tag=v2", &image.manifest).await.refused(400, "TAG_INVALID");
        assert!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags").is_empty());
    })
    .await;
}

#[tokio::test]
async fn one_tag_named_twice_is_set_once() {
    on_each_engine(async |app| {
        let image = with_blobs(app).await;
        let reference = format!("{}?tag=v1&tag=v1", image.digest());
        app.push_manifest("some/app", reference, &image.manifest).await.expect(201);
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags"), ["v1"]);
        assert_eq!(app.events("some/app").await.iter().filter(|kind| *kind == "tag.create").count(), 1);
    })
    .await;
}
