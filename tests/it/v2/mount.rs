//! `POST /v2/<name>/blobs/uploads/?mount=<digest>&from=<name>`.

use crate::support::{Client, on_each_engine, sha256};
use oci::Digest;

/// Expects that the blob is there now.
async fn assert_mounted(client: &Client, target: &str, repository: &str, digest: &Digest) {
    let answer = client.post(target).await.expect(201);
    assert_eq!(answer.location(), format!("/v2/{repository}/blobs/{digest}"));
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    client.head(answer.location()).await.expect(200);
}

/// Expects a session in its place, which takes the blob.
async fn assert_session(client: &Client, target: &str, bytes: &'static str) {
    let answer = client.post(target).await.expect(202);
    assert_eq!(answer.header("range"), "0-0");
    let put = client.put(format!("{}?digest={}", answer.location(), sha256(bytes.as_bytes())));
    put.body(bytes).await.expect(201);
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        let target = format!("/v2/some/copy/blobs/uploads/?mount={digest}&from=some/app");
        assert_mounted(app, &target, "some/copy", &digest).await;
        assert_eq!(app.get(format!("/v2/some/copy/blobs/{digest}")).await.expect(200).body, "x");
        // Again, which changes nothing.
        assert_mounted(app, &target, "some/copy", &digest).await;
        assert_eq!(app.events("some/copy").await, ["repository.create", "blob.mount"]);
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_mounted_from_wherever_it_is() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        let target = format!("/v2/some/copy/blobs/uploads/?mount={digest}");
        assert_mounted(app, &target, "some/copy", &digest).await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_mounted_from_an_alias_and_with_its_digest_escaped() {
    on_each_engine(async |app| {
        let digest = app.push_blob("mon-app", "x").await;
        let escaped = digest.to_string().replace(':', "%3A");
        let target = format!("/v2/some/copy/blobs/uploads/?from=mon-app&mount={escaped}");
        assert_mounted(app, &target, "some/copy", &digest).await;
        let target = format!("/v2/some/other/blobs/uploads/?from=library%2Fmon-app&mount={escaped}");
        assert_mounted(app, &target, "some/other", &digest).await;
    })
    .await;
}

#[tokio::test]
async fn a_repository_mounts_from_itself_what_it_has() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        let target = format!("/v2/some/app/blobs/uploads/?mount={digest}&from=some/app");
        assert_mounted(app, &target, "some/app", &digest).await;
        let unknown = sha256(b"y");
        assert_session(app, &format!("/v2/some/app/blobs/uploads/?mount={unknown}&from=some/app"), "y").await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_mounted_is_asked_for() {
    on_each_engine(async |app| {
        app.push_blob("some/app", "x").await;
        app.push_blob("some/other", "y").await;
        let (there, unknown) = (sha256(b"x"), sha256(b"z"));
        // Unknown everywhere, unknown in the repository that is named, in one that does not exist or cannot.
        assert_session(app, &format!("/v2/some/copy/blobs/uploads/?mount={unknown}"), "z1").await;
        for from in ["some/other", "some/nothing", "..", "A", "", "x%2F..%2Fy"] {
            assert_session(app, &format!("/v2/some/copy/blobs/uploads/?mount={there}&from={from}"), "z2").await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_mount_of_no_digest_is_refused() {
    on_each_engine(async |app| {
        for digest in ["", "x", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:0"] {
            let target = format!("/v2/some/copy/blobs/uploads/?mount={digest}&from=some/app");
            app.post(target).await.refused(400, "DIGEST_INVALID");
        }
    })
    .await;
}

#[tokio::test]
async fn a_session_in_place_of_a_mount_takes_a_digest_of_either_algorithm() {
    on_each_engine(async |app| {
        let digest = crate::support::sha512(b"x");
        let answer = app.post(format!("/v2/some/copy/blobs/uploads/?mount={digest}&from=some/app")).await.expect(202);
        app.put(format!("{}?digest={digest}", answer.location())).body("x").await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn what_is_mounted_outlives_its_source() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "x").await;
        app.post(format!("/v2/some/copy/blobs/uploads/?mount={digest}&from=some/app")).await.expect(201);
        app.delete(format!("/v2/some/app/blobs/{digest}")).await.expect(202);
        app.get(format!("/v2/some/app/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
        assert_eq!(app.get(format!("/v2/some/copy/blobs/{digest}")).await.expect(200).body, "x");
    })
    .await;
}
