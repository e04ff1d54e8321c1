//! Names of repositories: the alias `x` of `library/x`, and what no name can be.

use crate::support::{Image, on_each_engine, sha256};

#[tokio::test]
async fn a_name_of_one_component_is_an_alias_of_library() {
    on_each_engine(async |app| {
        let image = app.push_image("mon-app", "v1", "a").await;
        let layer = sha256(&image.layer);
        for name in ["mon-app", "library/mon-app"] {
            assert_eq!(app.get(format!("/v2/{name}/manifests/v1")).await.expect(200).body, image.manifest.bytes());
            assert_eq!(app.get(format!("/v2/{name}/blobs/{layer}")).await.expect(200).body, image.layer);
            let tags = app.get(format!("/v2/{name}/tags/list")).await.expect(200);
            assert_eq!((tags.json()["name"].as_str(), tags.strings("tags")), (Some(name), vec!["v1".to_owned()]));
        }
        assert_eq!(app.get("/v2/_catalog").await.expect(200).strings("repositories"), ["library/mon-app"]);
    })
    .await;
}

#[tokio::test]
async fn answers_use_the_name_that_was_asked() {
    on_each_engine(async |app| {
        let image = Image::new("a");
        let digest = image.digest();
        for name in ["mon-app", "library/mon-app"] {
            let upload = app.begin(name).await;
            assert!(upload.starts_with(&format!("/v2/{name}/blobs/uploads/")));
            let status = app.get(&upload).await.expect(204);
            assert_eq!(status.location(), upload);
            let blob = app.put(format!("{upload}?digest={}", sha256(b"x"))).body("x").await.expect(201);
            assert!(blob.location().starts_with(&format!("/v2/{name}/blobs/sha256:")));
            app.push_blobs_of(name, &image).await;
            for tag in ["v1", "v2"] {
                let manifest = app.push_manifest(name, tag, &image.manifest).await.expect(201);
                assert_eq!(manifest.location(), format!("/v2/{name}/manifests/{digest}"));
            }
            let next = app.get(format!("/v2/{name}/tags/list?n=1")).await.expect(200).next_page().unwrap();
            assert!(next.starts_with(&format!("/v2/{name}/tags/list?")));
        }
    })
    .await;
}

#[tokio::test]
async fn refusals_use_the_name_that_was_asked() {
    on_each_engine(async |app| {
        let digest = sha256(b"nowhere");
        for name in ["none", "library/none"] {
            let refused = app.get(format!("/v2/{name}/tags/list")).await.refused(404, "NAME_UNKNOWN");
            assert!(refused.message().starts_with(&format!("repository {name} does not exist")), "{refused:?}");
            assert!(refused.message().ends_with(&format!("/{name}:TAG")), "{refused:?}");
            assert_eq!(refused.detail()["name"], name);
        }
        app.push_image("mon-app", "v1", "a").await;
        for name in ["mon-app", "library/mon-app"] {
            for manifest in
                [app.get(format!("/v2/{name}/manifests/v2")), app.delete(format!("/v2/{name}/manifests/v2"))]
            {
                let refused = manifest.await.refused(404, "MANIFEST_UNKNOWN");
                assert!(refused.message().starts_with(&format!("v2 is not in repository {name};")), "{refused:?}");
                assert!(refused.message().ends_with(&format!("/v2/{name}/tags/list")), "{refused:?}");
                assert_eq!(refused.detail()["name"], name);
            }
            let refused = app.get(format!("/v2/{name}/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
            assert!(refused.message().ends_with(&format!("is not in repository {name}")), "{refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_goes_on_under_either_name() {
    on_each_engine(async |app| {
        let upload = app.begin("mon-app").await;
        let other = upload.replace("/v2/mon-app/", "/v2/library/mon-app/");
        app.patch(&other).body("some ").await.expect(202);
        app.put(format!("{upload}?digest={}", sha256(b"some bytes"))).body("bytes").await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn names_may_have_many_components_and_any_words() {
    on_each_engine(async |app| {
        let deep = ["a"; 120].join("/");
        let names = ["a/b/c/d", "tags/list", "blobs/uploads", "manifests/manifests", "a--b/c__d/e.f", "1/2", &deep];
        for name in names {
            let image = app.push_image(name, "v1", name).await;
            assert_eq!(app.get(format!("/v2/{name}/manifests/v1")).await.expect(200).body, image.manifest.bytes());
            assert_eq!(app.get(format!("/v2/{name}/tags/list")).await.expect(200).strings("tags"), ["v1"]);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_name_is_refused() {
    on_each_engine(async |app| {
        let long = "a".repeat(256);
        for name in ["A", "a//b", "-a", "a-", "a..b", "a___b", "a/b%20c", "a/%C3%A9", "_a/b", &long, "..", "a/../b"] {
            let digest = sha256(b"");
            app.get(format!("/v2/{name}/tags/list")).await.refused(400, "NAME_INVALID");
            app.get(format!("/v2/{name}/manifests/v1")).await.refused(400, "NAME_INVALID");
            app.get(format!("/v2/{name}/blobs/{digest}")).await.refused(400, "NAME_INVALID");
            app.get(format!("/v2/{name}/referrers/{digest}")).await.refused(400, "NAME_INVALID");
            app.post(format!("/v2/{name}/blobs/uploads/")).await.refused(400, "NAME_INVALID");
        }
        assert!(app.get("/v2/_catalog").await.expect(200).strings("repositories").is_empty());
    })
    .await;
}
