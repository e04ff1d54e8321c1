//! `GET` and `HEAD` of `/v2/<name>/blobs/<digest>`.

use crate::support::{Setup, blob, on_each_engine, sha256, sha512};

const PRIVATE: &str = "private, max-age=31536000, immutable";
const PUBLIC: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn a_blob_is_pulled_as_it_was_pushed() {
    on_each_engine(async |app| {
        // The last is longer than one window of sendfile, and not a multiple of anything.
        for (seed, len) in [(1, 1), (2, 4096), (3, 5 * 1024 * 1024 + 7)] {
            let bytes = blob(seed, len);
            let digest = app.push_blob("some/app", bytes.clone()).await;
            let target = format!("/v2/some/app/blobs/{digest}");
            let answer = app.get(&target).await.expect(200);
            assert!(answer.body == bytes, "other bytes came back");
            let head = app.head(&target).await.expect(200);
            assert!(head.body.is_empty());
            for answer in [answer, head] {
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("etag"), format!("\"{digest}\""));
                assert_eq!(answer.header("content-length"), len.to_string());
                assert_eq!(answer.header("content-type"), "application/octet-stream");
                assert_eq!(answer.header("cache-control"), PRIVATE);
                assert_eq!(answer.header("accept-ranges"), "bytes");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_of_no_bytes_is_a_blob() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "").await;
        let target = format!("/v2/some/app/blobs/{digest}");
        for answer in [app.get(&target).await, app.head(&target).await] {
            let answer = answer.expect(200);
            assert_eq!(answer.header("content-length"), "0");
            assert_eq!(answer.header("docker-content-digest"), digest.to_string());
            assert!(answer.body.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_addressed_by_sha512_as_well() {
    on_each_engine(async |app| {
        let bytes = blob(4, 70_000);
        let digest = sha512(&bytes);
        let upload = app.begin("some/app").await;
        let pushed = app.put(format!("{upload}?digest={digest}")).body(bytes.clone()).await.expect(201);
        assert_eq!(pushed.header("docker-content-digest"), digest.to_string());
        let answer = app.get(pushed.location()).await.expect(200);
        assert!(answer.body == bytes);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        // Under its other digest it was never pushed.
        app.get(format!("/v2/some/app/blobs/{}", sha256(&bytes))).await.refused(404, "BLOB_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn any_other_algorithm_is_refused_by_its_name() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        for digest in ["md5:d41d8cd98f00b204e9800998ecf8427e", "blake3:00", "sha384:00", "sha256+b64u:LCa0a2j_xo"] {
            let target = format!("/v2/some/app/blobs/{}", digest.replace('+', "%2B"));
            let algorithm = digest.split_once(':').unwrap().0;
            for answer in [app.get(&target).await, app.delete(&target).await] {
                let message = answer.refused(400, "DIGEST_INVALID").message();
                assert!(message.contains(algorithm) && message.contains("sha512"), "{message}");
            }
            app.head(&target).await.expect(400);
        }
        for digest in [
            "sha256:",
            "sha256:00",
            "sha256",
            "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        ] {
            app.get(format!("/v2/some/app/blobs/{digest}")).await.refused(400, "DIGEST_INVALID");
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_only_found_through_a_repository_that_holds_it() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        app.push_blob("some/other", "y").await;
        let answer = app.get(format!("/v2/some/other/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
        assert_eq!(answer.detail()["digest"], digest.to_string());
        assert!(app.head(format!("/v2/some/other/blobs/{digest}")).await.expect(404).body.is_empty());
        let answer = app.get(format!("/v2/some/third/blobs/{digest}")).await.refused(404, "NAME_UNKNOWN");
        assert_eq!(answer.detail()["name"], "some/third");
        assert!(answer.message().contains(&format!("docker push {}/some/third:TAG", app.address())));
    })
    .await;
}

#[tokio::test]
async fn who_has_a_blob_already_is_told_so() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        let target = format!("/v2/some/app/blobs/{digest}");
        let same = format!("\"{digest}\"");
        for etag in [same.clone(), format!("W/{same}"), format!("\"other\", {same}"), "*".to_owned()] {
            for call in [app.get(&target), app.head(&target)] {
                let answer = call.header("if-none-match", &etag).await.expect(304);
                assert!(answer.body.is_empty());
                assert_eq!(answer.header("etag"), same);
                assert_eq!(answer.header("docker-content-digest"), digest.to_string());
                assert_eq!(answer.header("cache-control"), PRIVATE);
            }
        }
        for etag in [digest.to_string(), "\"other\"".to_owned()] {
            app.get(&target).header("if-none-match", etag).await.expect(200);
        }
        // What is not there, or may not be seen, is not confirmed either.
        app.get(format!("/v2/some/other/blobs/{digest}"))
            .header("if-none-match", &same)
            .await
            .refused(404, "NAME_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn shared_caches_may_keep_blobs_only_where_the_operator_says_so() {
    Setup::default()
        .set("registry.shared_cache", "true")
        .on_each_engine(async |app| {
            let digest = app.push_blob("some/app", "x").await;
            let answer = app.get(format!("/v2/some/app/blobs/{digest}")).await.expect(200);
            assert_eq!(answer.header("cache-control"), PUBLIC);
        })
        .await;
}
