//! `GET`, `HEAD` and `PUT` of `/v2/<name>/manifests/<reference>`.

use bytes::Bytes;
use oci::media_type::{DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST};

use crate::support::{Image, Manifest, Setup, on_each_engine, sha256, sha512};

const IMMUTABLE: &str = "private, max-age=31536000, immutable";
const REVALIDATE: &str = "private, no-cache";

#[tokio::test]
async fn a_manifest_is_pulled_by_tag_and_by_digest() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let (bytes, digest) = (image.manifest.bytes(), image.digest().to_string());
        for (reference, cache) in [("v1", REVALIDATE), (&*digest, IMMUTABLE)] {
            let target = format!("/v2/some/app/manifests/{reference}");
            let answer = app.get(&target).await.expect(200);
            assert_eq!(answer.body, bytes);
            let head = app.head(&target).await.expect(200);
            assert!(head.body.is_empty());
            for answer in [answer, head] {
                assert_eq!(answer.header("docker-content-digest"), digest);
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("content-type"), OCI_MANIFEST);
                assert_eq!(answer.header("content-length"), bytes.len().to_string());
                assert_eq!(answer.header("cache-control"), cache);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_push_is_answered_with_where_it_is_and_its_digest() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let digest = image.digest().to_string();
        for reference in ["v1", &digest] {
            let answer = app.push_manifest("some/app", reference, &image.manifest).await.expect(201);
            assert_eq!(answer.location(), format!("/v2/some/app/manifests/{digest}"));
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert!(answer.find("oci-subject").is_none() && answer.find("oci-tag").is_none());
            app.get(answer.location()).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn the_bytes_of_a_manifest_are_kept_exactly() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let text = String::from_utf8(image.manifest.bytes().to_vec()).unwrap();
        let spaced = text.replace("\":", "\" :\r\n\t ");
        let unknown = text.replacen('{', r#"{"zz":[1e3,"é",null],"#, 1);
        for text in [format!("\n  {text}\n\n"), spaced, unknown] {
            let digest = sha256(text.as_bytes());
            let put = app.put("/v2/some/app/manifests/v1").header("content-type", OCI_MANIFEST).body(text.clone());
            assert_eq!(put.await.expect(201).header("docker-content-digest"), digest.to_string());
            assert_eq!(app.get("/v2/some/app/manifests/v1").await.expect(200).body, text);
        }
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_manifest_is_taken() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "image", "a").await;
        app.push_blob("some/app", "{}").await;
        let docker = image.manifest.clone().with("mediaType", DOCKER_MANIFEST);
        let kinds = [
            ("docker", docker.clone(), DOCKER_MANIFEST),
            ("index", Manifest::index(&[&image.manifest, &docker]), OCI_INDEX),
            ("list", Manifest::index(&[&docker]).with("mediaType", DOCKER_LIST), DOCKER_LIST),
            ("empty-index", Manifest::index(&[]), OCI_INDEX),
            ("artifact", Manifest::artifact("application/vnd.example.thing"), OCI_MANIFEST),
            ("layerless", Manifest::image(&image.config, &[]), OCI_MANIFEST),
        ];
        for (tag, manifest, media_type) in kinds {
            app.push_manifest("some/app", tag, &manifest).await.expect(201);
            let answer = app.get(format!("/v2/some/app/manifests/{tag}")).await.expect(200);
            assert_eq!((answer.header("content-type"), answer.body.clone()), (media_type, manifest.bytes()));
        }
        let nested = Manifest::index(&[&Manifest::index(&[&image.manifest, &docker])]);
        app.push_manifest("some/app", "nested", &nested).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_is_served_as_it_is_whatever_is_accepted() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        for accept in [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, "text/html", "nonsense", "*/*;q=0"] {
            let answer = app.get("/v2/some/app/manifests/v1").header("accept", accept).await.expect(200);
            assert_eq!((answer.header("content-type"), &answer.body), (OCI_MANIFEST, &image.manifest.bytes()));
            app.head("/v2/some/app/manifests/v1").header("accept", accept).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn who_has_a_manifest_already_is_told_so() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let digest = image.digest();
        let same = format!("\"{digest}\"");
        for reference in ["v1", &digest.to_string()] {
            let target = format!("/v2/some/app/manifests/{reference}");
            for etag in [same.clone(), format!("W/{same}"), format!("\"x\" , {same}"), "*".to_owned()] {
                for call in [app.get(&target), app.head(&target)] {
                    let answer = call.header("if-none-match", &etag).await.expect(304);
                    assert!(answer.body.is_empty());
                    assert_eq!(answer.header("etag"), same);
                    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                }
            }
            app.get(&target).header("if-none-match", "\"x\"").await.expect(200);
        }
        // The tag moved on.
        app.push_image("some/app", "v1", "b").await;
        app.get("/v2/some/app/manifests/v1").header("if-none-match", &same).await.expect(200);
        // What is not there is not confirmed.
        let answer = app.get(format!("/v2/some/other/manifests/{digest}")).header("if-none-match", &same).await;
        answer.refused(404, "NAME_UNKNOWN");
        app.get("/v2/some/app/manifests/v2").header("if-none-match", "*").await.refused(404, "MANIFEST_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_repository_is_told_from_an_unknown_manifest() {
    on_each_engine(async |app| {
        app.push_image("some/app", "v1", "a").await;
        let unknown = sha256(b"x").to_string();
        for reference in ["v2", &unknown] {
            let answer = app.get(format!("/v2/some/app/manifests/{reference}")).await.refused(404, "MANIFEST_UNKNOWN");
            assert_eq!(answer.detail()["reference"], reference);
            assert!(answer.message().contains("/v2/some/app/tags/list"));
            app.get(format!("/v2/some/other/manifests/{reference}")).await.refused(404, "NAME_UNKNOWN");
            for repository in ["some/app", "some/other"] {
                let head = app.head(format!("/v2/{repository}/manifests/{reference}")).await.expect(404);
                assert!(head.body.is_empty());
            }
        }
        // A manifest of another repository is none of this one.
        app.push_image("some/other", "v1", "b").await;
        let other = Image::new("b").digest();
        app.get(format!("/v2/some/app/manifests/{other}")).await.refused(404, "MANIFEST_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_push_by_digest_is_checked_against_it() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let wrong = sha256(b"x");
        let answer = app.push_manifest("some/app", wrong, &image.manifest).await.refused(400, "DIGEST_INVALID");
        assert_eq!(answer.detail()["expected"], wrong.to_string());
        assert_eq!(answer.detail()["actual"], image.digest().to_string());
        let foreign = "md5:d41d8cd98f00b204e9800998ecf8427e";
        app.push_manifest("some/app", foreign, &image.manifest).await.refused(400, "DIGEST_INVALID");
        app.push_manifest("some/app", image.digest(), &image.manifest).await.expect(201);
        assert_eq!(app.get("/v2/some/app/tags/list").await.expect(200).strings("tags"), [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_pushed_by_sha512_is_found_by_it() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let digest = sha512(&image.manifest.bytes());
        let answer = app.push_manifest("some/app", digest, &image.manifest).await.expect(201);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        let answer = app.get(format!("/v2/some/app/manifests/{digest}")).await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        // Pushed by a tag it is a manifest of its own, under sha256.
        app.push_manifest("some/app", "v1", &image.manifest).await.expect(201);
        let answer = app.head("/v2/some/app/manifests/v1").await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), image.digest().to_string());
    })
    .await;
}

/// An image whose manifest is exactly so long.
fn manifest_of(image: &Image, len: usize) -> Bytes {
    let empty = image.manifest.clone().annotation("padding", "").bytes().len();
    let bytes = image.manifest.clone().annotation("padding", &"x".repeat(len - empty)).bytes();
    assert_eq!(bytes.len(), len);
    bytes
}

#[tokio::test]
async fn four_mebibytes_are_taken_and_not_one_byte_more() {
    const LIMIT: usize = 4 * 1024 * 1024;
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let most = manifest_of(&image, LIMIT);
        let put = || app.put("/v2/some/app/manifests/v1").header("content-type", OCI_MANIFEST);
        put().body(most.clone()).await.expect(201);
        assert!(app.get("/v2/some/app/manifests/v1").await.expect(200).body == most);
        // With and without an announced length.
        put().pieces(most.chunks(1_000_000).map(Bytes::copy_from_slice)).await.expect(201);
        let more = manifest_of(&image, LIMIT + 1);
        for call in [put().body(more.clone()), put().pieces(more.chunks(1_000_000).map(Bytes::copy_from_slice))] {
            let answer = call.await.refused(413, "SIZE_INVALID");
            assert_eq!(answer.detail()["limit"], LIMIT);
            assert!(answer.message().contains("registry.max_manifest_size"));
        }
    })
    .await;
}

#[tokio::test]
async fn the_limit_of_a_manifest_is_configured() {
    Setup::default()
        .set("registry.max_manifest_size", "5 MiB")
        .on_each_engine(async |app| {
            let image = Image::new("a");
            app.push_blobs_of("some/app", &image).await;
            let put = || app.put("/v2/some/app/manifests/v1").header("content-type", OCI_MANIFEST);
            put().body(manifest_of(&image, 5 * 1024 * 1024)).await.expect(201);
            put().body(manifest_of(&image, 5 * 1024 * 1024 + 1)).await.refused(413, "SIZE_INVALID");
        })
        .await;
}

#[tokio::test]
async fn a_tag_that_is_none_is_refused() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        app.push_blobs_of("some/app", &image).await;
        let long = "x".repeat(129);
        for tag in ["-x", ".x", "a%20b", "a!b", "%C3%A9", &long] {
            app.push_manifest("some/app", tag, &image.manifest).await.refused(400, "TAG_INVALID");
            app.get(format!("/v2/some/app/manifests/{tag}")).await.refused(400, "TAG_INVALID");
        }
        for tag in ["_x", "1", "A.b-c_d", &long[1..]] {
            app.push_manifest("some/app", tag, &image.manifest).await.expect(201);
        }
    })
    .await;
}
