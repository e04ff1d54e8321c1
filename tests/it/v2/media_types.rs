//! What a manifest is: its `Content-Type`, its `mediaType`, its shape.

use oci::media_type::{DOCKER_MANIFEST, DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, OCI_INDEX, OCI_MANIFEST};

use crate::support::{Image, Manifest, TestApp, on_each_engine};

const TARGET: &str = "/v2/some/app/manifests/v1";

async fn pushed(app: &TestApp) -> Image {
    app.push_image("some/app", "before", "a").await
}

/// The media type under which what was pushed is served.
async fn served(app: &TestApp) -> String {
    app.get(TARGET).await.expect(200).header("content-type").to_owned()
}

#[tokio::test]
async fn without_a_content_type_the_document_says_what_it_is() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        let cases = [
            (image.manifest.clone(), OCI_MANIFEST),
            (image.manifest.clone().with("mediaType", DOCKER_MANIFEST), DOCKER_MANIFEST),
            (Manifest::index(&[&image.manifest]), OCI_INDEX),
            // Not even that: by its shape.
            (image.manifest.clone().without("mediaType"), OCI_MANIFEST),
            (Manifest::index(&[&image.manifest]).without("mediaType"), OCI_INDEX),
        ];
        for (manifest, expected) in cases {
            app.put(TARGET).body(manifest.bytes()).await.expect(201);
            assert_eq!(served(app).await, expected);
            // An empty header is none.
            app.put(TARGET).header("content-type", "").body(manifest.bytes()).await.expect(201);
        }
    })
    .await;
}

#[tokio::test]
async fn a_content_type_stands_for_a_missing_media_type() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        let manifest = image.manifest.without("mediaType");
        app.put(TARGET).header("content-type", DOCKER_MANIFEST).body(manifest.bytes()).await.expect(201);
        assert_eq!(served(app).await, DOCKER_MANIFEST);
    })
    .await;
}

#[tokio::test]
async fn parameters_and_case_of_a_content_type_do_not_count() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        for suffix in ["; charset=utf-8", ";charset=utf-8;q=1", " ; x", ";"] {
            for media_type in [OCI_MANIFEST.to_owned(), OCI_MANIFEST.to_uppercase()] {
                let put = app.put(TARGET).header("content-type", format!("{media_type}{suffix}"));
                put.body(image.manifest.bytes()).await.expect(201);
                assert_eq!(served(app).await, OCI_MANIFEST);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_media_type_that_contradicts_the_content_type_is_refused() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        for content_type in [DOCKER_MANIFEST, OCI_INDEX] {
            let put = app.put(TARGET).header("content-type", content_type).body(image.manifest.bytes());
            let message = put.await.refused(400, "MANIFEST_INVALID").message();
            assert!(message.contains(OCI_MANIFEST) && message.contains(content_type), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_an_image_and_an_index_at_once_is_refused() {
    // CVE-2021-41190: two readers of one digest must not see two things.
    on_each_engine(async |app| {
        let image = pushed(app).await;
        let children = serde_json::json!([]);
        let both = image.manifest.clone().with("manifests", children.clone());
        let layers_too = Manifest::index(&[&image.manifest]).with("layers", children);
        for manifest in [both.clone(), both.without("mediaType"), layers_too.clone(), layers_too.without("mediaType")] {
            for content_type in [OCI_MANIFEST, OCI_INDEX, ""] {
                let put = app.put(TARGET).header("content-type", content_type).body(manifest.bytes());
                put.await.refused(400, "MANIFEST_INVALID");
            }
        }
        // A shape that is not the one its type has.
        let put = app.put(TARGET).header("content-type", OCI_INDEX);
        put.body(image.manifest.without("mediaType").bytes()).await.refused(400, "MANIFEST_INVALID");
    })
    .await;
}

#[tokio::test]
async fn a_member_that_stands_twice_is_refused() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        let text = String::from_utf8(image.manifest.bytes().to_vec()).unwrap();
        for more in [r#"{"config":{},"#, r#"{"Config":{},"#, r#"{"mediatype":"x","#] {
            let put = app.put(TARGET).body(text.replacen('{', more, 1));
            put.await.refused(400, "MANIFEST_INVALID");
        }
    })
    .await;
}

#[tokio::test]
async fn schema_1_is_refused_with_what_to_do() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        let document = r#"{"schemaVersion":1,"name":"some/app","tag":"v1","fsLayers":[],"history":[]}"#;
        for content_type in [DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, ""] {
            let put = app.put(TARGET).header("content-type", content_type).body(document);
            let message = put.await.refused(400, "MANIFEST_INVALID").message();
            assert!(message.contains("schema 1") && message.contains("Docker 1.10"), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    on_each_engine(async |app| {
        let image = pushed(app).await;
        let config_twice = image.manifest.clone().with("config", 7);
        let version = image.manifest.clone().with("schemaVersion", 3);
        let texts: [&[u8]; 13] = [
            b"",
            b"{",
            b"null",
            b"[]",
            b"7",
            b"{}",
            b"{\"schemaVersion\":2}",
            b"\xff\xfe",
            b"{\"schemaVersion\":2,\"config\":{}} trailing",
            b"{\"schemaVersion\":2,\"manifests\":[{}]}",
            b"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"md5:00\",\"size\":1}]}",
            &config_twice.bytes(),
            &version.bytes(),
        ];
        for text in texts {
            let put = app.put(TARGET).body(text.to_vec());
            put.await.refused(400, "MANIFEST_INVALID");
        }
        for content_type in ["application/json", "text/plain", "nonsense", "application/vnd.oci.image.config.v1+json"] {
            let put = app.put(TARGET).header("content-type", content_type).body(image.manifest.bytes());
            put.await.refused(400, "MANIFEST_INVALID");
        }
        app.get(TARGET).await.refused(404, "MANIFEST_UNKNOWN");
    })
    .await;
}
