//! Uploads that go as they should, of a whole blob: `POST` then `PUT`, one `POST`, one `PATCH`.

use bytes::Bytes;

use crate::support::{Answer, Client, Setup, blob, on_each_engine, sha256, sha512};

/// Looks at the answer that a session gives of itself.
#[track_caller]
pub(super) fn assert_progress(answer: &Answer, upload: &str, range: &str) {
    assert_eq!(answer.header("location"), upload);
    assert_eq!(answer.header("range"), range);
    assert!(upload.ends_with(answer.header("docker-upload-uuid")));
}

/// Looks at the answer to a finished upload, and pulls the blob.
pub(super) async fn assert_created(client: &Client, answer: Answer, repository: &str, bytes: &Bytes) {
    let answer = answer.expect(201);
    let digest = answer.header("docker-content-digest").to_owned();
    assert_eq!(answer.location(), format!("/v2/{repository}/blobs/{digest}"));
    assert!(client.get(answer.location()).await.expect(200).body == bytes, "other bytes came back");
}

#[tokio::test]
async fn a_session_begins_empty() {
    on_each_engine(async |app| {
        let answer = app.post("/v2/some/app/blobs/uploads/").await.expect(202);
        let upload = answer.location();
        assert!(upload.starts_with("/v2/some/app/blobs/uploads/"));
        assert_progress(&answer, &upload, "0-0");
        assert_eq!(answer.header("content-length"), "0");
        let status = app.get(&upload).await.expect(204);
        assert_progress(&status, &upload, "0-0");
        // Without the closing slash it is the same.
        app.post("/v2/some/app/blobs/uploads").await.expect(202);
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_pushed_by_post_and_put() {
    on_each_engine(async |app| {
        let bytes = blob(1, 300_000);
        let upload = app.begin("some/app").await;
        let put = app.put(format!("{upload}?digest={}", sha256(&bytes)));
        let answer = put.header("content-type", "application/octet-stream").body(bytes.clone()).await;
        assert_created(app, answer, "some/app", &bytes).await;
        // The session is over.
        app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.patch(&upload).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_pushed_by_one_post() {
    on_each_engine(async |app| {
        for (bytes, announced) in [(blob(1, 300_000), true), (blob(2, 300_000), false), (Bytes::new(), true)] {
            for digest in [sha256(&bytes), sha512(&bytes)] {
                let post = app.post(format!("/v2/some/app/blobs/uploads/?digest={digest}"));
                let post = if announced { post.body(bytes.clone()) } else { post.pieces([bytes.clone()]) };
                assert_created(app, post.await, "some/app", &bytes).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_streamed_into_a_patch_and_closed_by_an_empty_put() {
    on_each_engine(async |app| {
        let bytes = blob(1, 3 * 1024 * 1024 + 1);
        let upload = app.begin("some/app").await;
        let pieces = bytes.chunks(70_001).map(Bytes::copy_from_slice);
        let answer = app.patch(&upload).pieces(pieces).await.expect(202);
        assert_progress(&answer, &upload, &format!("0-{}", bytes.len() - 1));
        let answer = app.put(format!("{upload}?digest={}", sha256(&bytes))).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn the_closing_put_may_bring_the_last_chunk() {
    on_each_engine(async |app| {
        let bytes = blob(1, 50_000);
        let upload = app.begin("some/app").await;
        app.patch(&upload).body(bytes.slice(..20_000)).await.expect(202);
        let put = app.put(format!("{upload}?digest={}", sha256(&bytes)));
        let answer = put.header("content-range", "20000-49999").body(bytes.slice(20_000..)).await;
        assert_created(app, answer, "some/app", &bytes).await;
    })
    .await;
}

#[tokio::test]
async fn the_location_may_already_have_a_query() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let put = app.put(format!("{upload}?_state=anything&digest={}", sha256(b"x").to_string().replace(':', "%3A")));
        assert_created(app, put.body("x").await, "some/app", &Bytes::from("x")).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_is_hashed_by_the_algorithm_it_names() {
    on_each_engine(async |app| {
        let bytes = blob(1, 100_000);
        for algorithm in ["sha256", "sha512"] {
            let begun = app.post(format!("/v2/some/app/blobs/uploads/?digest-algorithm={algorithm}")).await.expect(202);
            let upload = begun.location();
            app.patch(&upload).body(bytes.clone()).await.expect(202);
            let digest = if algorithm == "sha256" { sha256(&bytes) } else { sha512(&bytes) };
            let answer = app.put(format!("{upload}?digest={digest}")).await;
            assert_created(app, answer, "some/app", &bytes).await;
        }
        let answer = app.post("/v2/some/app/blobs/uploads/?digest-algorithm=md5").await;
        answer.refused(400, "DIGEST_INVALID");
    })
    .await;
}

#[tokio::test]
async fn the_closing_digest_may_be_of_another_algorithm() {
    on_each_engine(async |app| {
        let bytes = blob(1, 100_000);
        let cases = [("sha256", sha512(&bytes)), ("sha512", sha256(&bytes))];
        for (algorithm, digest) in cases {
            let begun = app.post(format!("/v2/some/app/blobs/uploads/?digest-algorithm={algorithm}")).await.expect(202);
            let upload = begun.location();
            app.patch(&upload).body(bytes.slice(..60_000)).await.expect(202);
            let answer = app.put(format!("{upload}?digest={digest}")).body(bytes.slice(60_000..)).await;
            assert_created(app, answer, "some/app", &bytes).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_blob_is_pushed_every_way() {
    on_each_engine(async |app| {
        let digest = sha256(b"");
        let upload = app.begin("some/app").await;
        assert_created(app, app.put(format!("{upload}?digest={digest}")).await, "some/app", &Bytes::new()).await;
        let upload = app.begin("some/app").await;
        let patched = app.patch(&upload).body("").await.expect(202);
        assert_eq!(patched.header("range"), "0-0");
        assert_created(app, app.put(format!("{upload}?digest={digest}")).await, "some/app", &Bytes::new()).await;
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_session_is_gone() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        app.patch(&upload).body("some bytes").await.expect(202);
        app.delete(&upload).await.expect(204);
        app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.delete(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.put(format!("{upload}?digest={}", sha256(b"some bytes"))).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        // One that nothing was sent to can be cancelled as well.
        let upload = app.begin("some/app").await;
        app.delete(&upload).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn a_digest_that_does_not_match_ends_the_session() {
    on_each_engine(async |app| {
        let wrong = sha256(b"other bytes");
        let upload = app.begin("some/app").await;
        let answer =
            app.put(format!("{upload}?digest={wrong}")).body("some bytes").await.refused(400, "DIGEST_INVALID");
        assert_eq!(answer.detail()["expected"], wrong.to_string());
        assert_eq!(answer.detail()["actual"], sha256(b"some bytes").to_string());
        app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");

        let upload = app.begin("some/app").await;
        app.patch(&upload).body("some bytes").await.expect(202);
        app.put(format!("{upload}?digest={wrong}")).await.refused(400, "DIGEST_INVALID");
        app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");

        let answer = app.post(format!("/v2/some/app/blobs/uploads/?digest={wrong}")).body("some bytes").await;
        answer.refused(400, "DIGEST_INVALID");
        // Nothing of it was kept, not even the repository.
        app.get(format!("/v2/some/app/blobs/{wrong}")).await.refused(404, "NAME_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn a_session_survives_a_closing_put_that_cannot_be_read() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        app.patch(&upload).body("some bytes").await.expect(202);
        let message = app.put(&upload).await.refused(400, "DIGEST_INVALID").message();
        assert!(message.contains("?digest="), "{message}");
        for digest in ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:0", ""] {
            app.put(format!("{upload}?digest={digest}")).await.refused(400, "DIGEST_INVALID");
        }
        let answer = app.put(format!("{upload}?digest={}", sha256(b"some bytes"))).await;
        assert_created(app, answer, "some/app", &Bytes::from("some bytes")).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_belongs_to_its_repository() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        let elsewhere = upload.replace("some/app", "some/other");
        let digest = sha256(b"x");
        app.get(&elsewhere).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.patch(&elsewhere).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.put(format!("{elsewhere}?digest={digest}")).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.delete(&elsewhere).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        // It was not touched.
        assert_eq!(app.get(&upload).await.expect(204).header("range"), "0-0");
        app.put(format!("{upload}?digest={digest}")).body("x").await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_session_belongs_to_who_began_it() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        app.write("UPDATE uploads SET principal = 'somebody else'").await;
        for call in [app.get(&upload), app.patch(&upload).body("x"), app.delete(&upload)] {
            call.await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        }
        app.put(format!("{upload}?digest={}", sha256(b"x"))).body("x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    })
    .await;
}

#[tokio::test]
async fn an_id_that_no_session_has_is_unknown() {
    on_each_engine(async |app| {
        let other = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for id in [other, &other.to_uppercase(), "x", "..%2F..%2Fetc", "1", "%00"] {
            let upload = format!("/v2/some/app/blobs/uploads/{id}");
            for call in [app.get(&upload), app.patch(&upload).body("x"), app.delete(&upload)] {
                let answer = call.await;
                let code = answer.json()["errors"][0]["code"].clone();
                assert!(answer.status == 404 && (code == "BLOB_UPLOAD_UNKNOWN" || id.contains("%2F")), "{answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_blob_larger_than_the_limit_is_refused() {
    Setup::default()
        .set("registry.max_blob_size", "1000")
        .on_each_engine(async |app| {
            let bytes = blob(1, 1001);
            let digest = sha256(&bytes);
            for announced in [true, false] {
                let post = app.post(format!("/v2/some/app/blobs/uploads/?digest={digest}"));
                let post = if announced { post.body(bytes.clone()) } else { post.pieces([bytes.clone()]) };
                let answer = post.await.refused(413, "SIZE_INVALID");
                assert_eq!(answer.detail()["limit"], 1000);
                assert!(answer.message().contains("registry.max_blob_size"));
            }
            // Chunks do not get around it.
            let upload = app.begin("some/app").await;
            app.patch(&upload).body(bytes.slice(..600)).await.expect(202);
            app.patch(&upload).body(bytes.slice(600..)).await.refused(413, "SIZE_INVALID");
            app.put(format!("{upload}?digest={digest}")).body(bytes.slice(600..)).await.refused(413, "SIZE_INVALID");
            // What fits goes through.
            app.push_blob("some/app", bytes.slice(..1000)).await;
        })
        .await;
}
