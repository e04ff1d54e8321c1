//! What the sweeper takes away, and what it leaves; time is told to it.

use std::time::Duration;

use havre::clock;
use havre::registry::Ctx;
use havre::registry::sweep::{self, Swept};

use crate::support::{Image, Setup, TestApp, on_each_engine, sha256};

const HOUR: Duration = Duration::from_secs(3600);

/// Sweeps as if so much time had passed.
async fn sweep_after(app: &TestApp, passed: Duration) -> Swept {
    let now = clock::now() + i64::try_from(passed.as_micros()).unwrap();
    sweep::sweep(&app.app.registry, &Ctx::system(now)).await.unwrap()
}

fn files(app: &TestApp, below: &str) -> usize {
    fn count(path: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&app.in_store(below))
}

#[tokio::test]
async fn an_abandoned_upload_expires_with_its_bytes() {
    on_each_engine(async |app| {
        let upload = app.begin("some/app").await;
        app.patch(&upload).body("some bytes").await.expect(202);
        assert_eq!(sweep_after(app, 23 * HOUR).await, Swept::default());
        app.get(&upload).await.expect(204);
        assert_eq!(files(app, "uploads"), 1);
        assert_eq!(sweep_after(app, 25 * HOUR).await.uploads, 1);
        app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        app.patch(&upload).body("more").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        assert_eq!(files(app, "uploads"), 0);
    })
    .await;
}

#[tokio::test]
async fn the_expiry_of_uploads_is_configured() {
    Setup::default()
        .set("storage.upload_expiry", "1h")
        .on_each_engine(async |app| {
            let upload = app.begin("some/app").await;
            sweep_after(app, HOUR / 2).await;
            app.get(&upload).await.expect(204);
            sweep_after(app, HOUR * 2).await;
            app.get(&upload).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        })
        .await;
}

#[tokio::test]
async fn a_blob_that_no_manifest_names_is_removed_after_its_grace() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let loose = app.push_blob("some/app", "nobody names it").await;
        sweep_after(app, 23 * HOUR).await;
        app.get(format!("/v2/some/app/blobs/{loose}")).await.expect(200);
        let swept = sweep_after(app, 25 * HOUR).await;
        assert_eq!((swept.links, swept.blobs), (1, 1));
        app.get(format!("/v2/some/app/blobs/{loose}")).await.refused(404, "BLOB_UNKNOWN");
        // Its bytes go a little later, so that a pull that has just begun still finds them.
        assert_eq!(files(app, "blobs"), 3);
        assert_eq!(sweep_after(app, 26 * HOUR).await.bytes, 15);
        assert_eq!(files(app, "blobs"), 2);
        // What is named stays.
        for bytes in [&image.config, &image.layer] {
            app.get(format!("/v2/some/app/blobs/{}", sha256(bytes))).await.expect(200);
        }
        assert_eq!(app.events("some/app").await.last().unwrap(), "blob.expire");
    })
    .await;
}

#[tokio::test]
async fn the_layers_of_a_deleted_image_are_removed_but_not_those_of_another() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let other = Image::new("b").manifest.with("config", crate::support::descriptor("a/b", &image.config));
        app.push_blob("some/app", Image::new("b").layer).await;
        app.push_manifest("some/app", "v2", &other).await.expect(201);
        app.delete(format!("/v2/some/app/manifests/{}", image.digest())).await.expect(202);
        sweep_after(app, 25 * HOUR).await;
        app.get(format!("/v2/some/app/blobs/{}", sha256(&image.layer))).await.refused(404, "BLOB_UNKNOWN");
        app.get(format!("/v2/some/app/blobs/{}", sha256(&image.config))).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_kept_while_one_repository_holds_it() {
    on_each_engine(async |app| {
        let image = app.push_image("some/app", "v1", "a").await;
        let layer = sha256(&image.layer);
        app.post(format!("/v2/some/copy/blobs/uploads/?mount={layer}&from=some/app")).await.expect(201);
        sweep_after(app, 25 * HOUR).await;
        app.get(format!("/v2/some/copy/blobs/{layer}")).await.refused(404, "BLOB_UNKNOWN");
        assert_eq!(app.get(format!("/v2/some/app/blobs/{layer}")).await.expect(200).body, image.layer);
    })
    .await;
}

#[tokio::test]
async fn a_blob_pushed_again_while_it_is_removed_stays() {
    on_each_engine(async |app| {
        let digest = app.push_blob("some/app", "some bytes").await;
        app.delete(format!("/v2/some/app/blobs/{digest}")).await.expect(202);
        // Its row is gone, its bytes are about to be.
        sweep_after(app, Duration::from_secs(1)).await;
        app.push_blob("some/app", "some bytes").await;
        sweep_after(app, HOUR).await;
        assert_eq!(app.get(format!("/v2/some/app/blobs/{digest}")).await.expect(200).body, "some bytes");
        assert_eq!(files(app, "blobs"), 1);
    })
    .await;
}
