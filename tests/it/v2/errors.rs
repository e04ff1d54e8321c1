//! What every refusal has in common.

use crate::support::{Image, Setup, on_each_engine, sha256};

#[tokio::test]
async fn every_refusal_is_a_document_of_the_specification() {
    on_each_engine(async |app| {
        let digest = sha256(b"x");
        let cases = [
            (app.get("/v2/nothing"), 404, "UNSUPPORTED"),
            (app.post("/v2/"), 405, "UNSUPPORTED"),
            (app.get("/v2/A/tags/list"), 400, "NAME_INVALID"),
            (app.get("/v2/some/app/tags/list"), 404, "NAME_UNKNOWN"),
            (app.get("/v2/some/app/tags/list?n=x"), 400, "PAGINATION_NUMBER_INVALID"),
            (app.get("/v2/some/app/tags/list?last=%ff"), 400, "UNSUPPORTED"),
            (app.get("/v2/some/app/manifests/-"), 400, "TAG_INVALID"),
            (app.get("/v2/some/app/blobs/sha256:x"), 400, "DIGEST_INVALID"),
            (app.get(format!("/v2/some/app/blobs/{digest}")), 404, "NAME_UNKNOWN"),
            (app.get("/v2/some/app/blobs/uploads/x"), 404, "BLOB_UPLOAD_UNKNOWN"),
            (app.put("/v2/some/app/manifests/v1").body("{}"), 400, "MANIFEST_INVALID"),
            (app.push_manifest("some/app", "v1", &Image::new("a").manifest), 404, "MANIFEST_BLOB_UNKNOWN"),
            (app.delete("/v2/some/app/manifests/v1"), 404, "NAME_UNKNOWN"),
        ];
        for (call, status, code) in cases {
            let answer = call.await.refused(status, code);
            // Docker prints the message and nothing else.
            assert!(!answer.message().contains('\n'), "{}", answer.message());
        }
    })
    .await;
}

#[tokio::test]
async fn a_refused_head_has_no_body() {
    on_each_engine(async |app| {
        let digest = sha256(b"x");
        let unknown = [format!("/v2/a/b/blobs/{digest}"), "/v2/a/b/manifests/v1".into(), "/v2/nothing".into()];
        for target in unknown {
            assert!(app.head(target).await.expect(404).body.is_empty());
        }
        for target in ["/v2/A/manifests/v1", "/v2/a/blobs/x:"] {
            assert!(app.head(target).await.expect(400).body.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn messages_name_the_server_as_the_client_does() {
    on_each_engine(async |app| {
        let get = || app.get("/v2/some/app/tags/list");
        let message = get().header("host", "registry.example.org").await.refused(404, "NAME_UNKNOWN").message();
        assert!(message.contains("docker push registry.example.org/some/app:TAG"), "{message}");
        // From anyone but a trusted proxy these headers are ignored.
        let message = get().header("x-forwarded-host", "evil.example").await.refused(404, "NAME_UNKNOWN").message();
        assert!(!message.contains("evil"), "{message}");
    })
    .await;
}

#[tokio::test]
async fn no_two_answers_have_one_request_id_and_clients_do_not_choose_it() {
    on_each_engine(async |app| {
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let answer = app.get("/v2/").header("x-request-id", "chosen").await.expect(200);
            assert!(ids.insert(answer.header("x-request-id").to_owned()));
        }
        assert!(!ids.contains("chosen"));
    })
    .await;
}

#[tokio::test]
async fn behind_a_proxy_messages_name_what_clients_see() {
    let behind = Setup::default().set("server.trusted_proxies", "127.0.0.0/8");
    behind
        .on_each_engine(async |app| {
            let get = app.get("/v2/some/app/tags/list").header("x-forwarded-host", "registry.example.org");
            let message = get.header("x-forwarded-proto", "https").await.refused(404, "NAME_UNKNOWN").message();
            assert!(message.contains("docker push registry.example.org/some/app:TAG"), "{message}");
        })
        .await;
    let public = Setup::default().set("server.public_url", "https://public.example.org:8443");
    public
        .on_each_engine(async |app| {
            let get = app.get("/v2/some/app/tags/list").header("host", "internal:5000");
            let message = get.await.refused(404, "NAME_UNKNOWN").message();
            assert!(message.contains("docker push public.example.org:8443/some/app:TAG"), "{message}");
            // A location is relative all the same.
            assert!(app.begin("some/app").await.starts_with("/v2/"));
        })
        .await;
}
