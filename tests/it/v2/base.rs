//! `GET /v2/` and extension discovery.

use crate::support::on_each_engine;

#[tokio::test]
async fn the_base_says_that_this_is_a_registry() {
    on_each_engine(async |app| {
        for target in ["/v2/", "/v2", "/v2/?x=1"] {
            let answer = app.get(target).await.expect(200);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.json(), serde_json::json!({}));
        }
        let answer = app.head("/v2/").await.expect(200);
        assert!(answer.body.is_empty());
    })
    .await;
}

#[tokio::test]
async fn extensions_are_discovered_and_are_none() {
    on_each_engine(async |app| {
        for target in ["/v2/_oci/ext/discover", "/v2/some/app/_oci/ext/discover"] {
            let answer = app.get(target).await.expect(200);
            assert_eq!(answer.json(), serde_json::json!({ "extensions": [] }));
        }
    })
    .await;
}

#[tokio::test]
async fn a_method_that_is_not_there_is_answered_with_those_that_are() {
    on_each_engine(async |app| {
        let digest = crate::support::sha256(b"");
        let cases = [
            ("/v2/", "GET, HEAD"),
            ("/v2/_catalog", "GET, HEAD"),
            ("/v2/a/b/tags/list", "GET, HEAD"),
            ("/v2/a/b/manifests/latest", "GET, HEAD, PUT, DELETE"),
            (&format!("/v2/a/b/blobs/{digest}"), "GET, HEAD, DELETE"),
            (&format!("/v2/a/b/referrers/{digest}"), "GET, HEAD"),
        ];
        for (target, allowed) in cases {
            let answer = app.post(target).await.refused(405, "UNSUPPORTED");
            assert_eq!(answer.header("allow"), allowed, "{target}");
            assert!(answer.message().contains(allowed));
        }
    })
    .await;
}

#[tokio::test]
async fn a_path_that_is_not_there_is_an_error_of_the_specification() {
    on_each_engine(async |app| {
        for target in ["/v2/nothing", "/v2/a/b/nothing", "/v2/a/b/tags", "/v2/a/b/tags/lists", "/v2//", "/v2/a/"] {
            app.get(target).await.refused(404, "UNSUPPORTED");
        }
    })
    .await;
}
