use std::time::Duration;

use super::support::*;
use crate::blobs::faulty::{Fault, Operation};
use crate::blobs::{Location, Memory, UploadId, conformance};
use crate::db::tests::support::TestDb;
use crate::db::{blobs, garbage, uploads};
use crate::registry::Error;
use crate::registry::sweep::Swept;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn an_abandoned_upload_expires_and_one_that_goes_on_does_not() {
    on_each(async |world| {
        let (abandoned, alive, held) = (world.start("a/a").await, world.start("a/a").await, world.start("a/a").await);
        for id in [abandoned, alive, held] {
            world.append("a/a", id, "bytes").await.unwrap();
        }
        world.advance(23 * HOUR);
        assert_eq!(world.sweep().await, Swept::default());
        world.append("a/a", alive, " more").await.unwrap();
        let (key, until) = (held.to_string(), world.ctx().now + (2 * DAY).as_micros() as i64);
        world.registry.db.write(move |tx| uploads::claim(tx, &key, "h", None, 1, until)).await.unwrap();
        let before_claim = world.ctx().now - (23 * HOUR).as_micros() as i64;
        let (key, at) = (held.to_string(), before_claim);
        let sql = "UPDATE uploads SET updated_at = $2 WHERE id = $1";
        let age = move |tx: &mut crate::db::Tx<'_>| tx.execute(sql, &[key.as_str().into(), at.into()]);
        world.registry.db.write(age).await.unwrap();
        world.advance(2 * HOUR);
        assert_eq!(world.sweep().await.uploads, 1);
        assert!(matches!(world.status("a/a", abandoned).await, Err(Error::UploadUnknown)));
        assert_eq!(world.status("a/a", alive).await.unwrap(), 10);
        assert_eq!(world.status("a/a", held).await.unwrap(), 5);
        assert_eq!(world.stored().await, (0, 2));
        world.finish("a/a", alive, sha256(b"bytes more")).await.unwrap();
        world.advance(3 * DAY);
        assert_eq!(world.sweep().await.uploads, 1, "a lease does not hold for ever");
        assert_eq!(world.stored().await.1, 0);
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_no_manifest_names_goes_after_its_grace_and_not_before() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "lonely").await.unwrap();
        world.advance(DAY);
        assert_eq!(world.sweep().await, Swept::default());
        assert!(world.has_blob("a/a", digest).await);
        world.advance(Duration::from_micros(1));
        let swept = world.sweep().await;
        assert_eq!((swept.links, swept.blobs, swept.bytes), (1, 1, 0));
        assert!(!world.has_blob("a/a", digest).await);
        assert_eq!(world.stored().await.0, 1, "a pull that has just begun still opens the bytes");
        world.assert_whole().await;
        world.advance(MINUTE - Duration::from_micros(1));
        assert_eq!(world.sweep().await, Swept::default());
        assert_eq!(world.stored().await.0, 1);
        world.advance(Duration::from_micros(1));
        assert_eq!(world.sweep().await.bytes, 6);
        assert_eq!(world.stored().await, (0, 0));
        assert_eq!(world.sweep().await, Swept::default());
        assert_eq!(world.events("a/a").await, ["repository.create", "blob.push", "blob.expire"]);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn pushing_or_mounting_again_begins_the_grace_anew() {
    on_each(async |world| {
        let (pushed, mounted) = (sha256(b"pushed"), sha256(b"mounted"));
        for bytes in ["pushed", "mounted"] {
            world.push_blob("a/a", bytes).await.unwrap();
        }
        for _ in 0..3 {
            world.advance(20 * HOUR);
            world.push_blob("a/a", "pushed").await.unwrap();
            assert!(world.mount("a/a", mounted, None).await.unwrap());
            assert_eq!(world.sweep().await.links, 0);
        }
        assert!(world.has_blob("a/a", pushed).await && world.has_blob("a/a", mounted).await);
        world.advance(25 * HOUR);
        assert_eq!(world.sweep().await.links, 2);
    })
    .await;
}

#[tokio::test]
async fn what_a_manifest_names_never_goes_and_what_it_named_begins_its_grace_when_it_does() {
    on_each(async |world| {
        let (one, two) = (Image::new(&["c", "shared", "own"]), Image::new(&["c", "shared"]));
        world.push_image("a/a", "one", &one).await.unwrap();
        world.push_image("a/a", "two", &two).await.unwrap();
        world.delete_tag("a/a", "two").await.unwrap();
        for _ in 0..3 {
            world.advance(100 * DAY);
            assert_eq!(world.sweep().await, Swept::default());
        }
        world.delete("a/a", one.digest()).await.unwrap();
        world.advance(DAY);
        assert_eq!(world.sweep().await, Swept::default(), "the grace begins with the deletion");
        world.advance(MINUTE);
        assert_eq!(world.sweep().await.links, 1);
        assert!(!world.has_blob("a/a", sha256(b"own")).await);
        for bytes in ["c", "shared"] {
            assert!(world.has_blob("a/a", sha256(bytes.as_bytes())).await);
        }
        world.delete("a/a", two.digest()).await.unwrap();
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_manifest_pushed_during_the_grace_keeps_its_blobs() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        let first = world.push_image("a/a", "v1", &image).await.unwrap();
        world.delete("a/a", first).await.unwrap();
        world.advance(23 * HOUR);
        world.push("a/a", "v1", &image.manifest).await.unwrap();
        world.advance(100 * DAY);
        assert_eq!(world.sweep().await, Swept::default());
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_shared_blob_stays_until_both_repositories_let_go_of_it() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        world.push_image("a/a", "v1", &image).await.unwrap();
        for blob in [0, 1] {
            assert!(world.mount("b/b", image.blob(blob), Some("a/a")).await.unwrap());
        }
        world.push("b/b", "v1", &image.manifest).await.unwrap();
        world.delete("a/a", image.digest()).await.unwrap();
        world.sweep_all().await;
        assert!(!world.has_blob("a/a", image.blob(1)).await);
        assert_eq!(world.pull_blob("b/b", image.blob(1)).await.unwrap(), "l");
        world.delete("b/b", image.digest()).await.unwrap();
        world.delete_blob("b/b", image.blob(1)).await.unwrap();
        assert!(!world.has_blob("b/b", image.blob(1)).await);
        world.sweep().await;
        assert_eq!(world.stored().await.0, 2, "deleted, its bytes have their minute too");
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_pushed_while_its_old_bytes_wait_for_removal_lies_elsewhere() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "again").await.unwrap();
        world.delete_blob("a/a", digest).await.unwrap();
        world.sweep().await;
        world.push_blob("a/a", "again").await.unwrap();
        assert_eq!(world.stored().await.0, 2);
        world.advance(2 * MINUTE);
        assert_eq!(world.sweep().await.bytes, 5);
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "again");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_in_use_are_never_removed_whatever_the_garbage_says() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "in use").await.unwrap();
        let row = world.registry.db.read(move |tx| blobs::hold(tx, &digest)).await.unwrap().unwrap();
        world.registry.db.write(move |tx| garbage::insert(tx, &row.location, 0)).await.unwrap();
        world.sweep().await;
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "in use");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_published_before_a_crash_are_found_by_the_row_of_their_upload() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "nobody heard").await.unwrap();
        // As the server does it, up to the moment before the commit.
        let location = Location::new(&sha256(b"nobody heard"), id);
        let (key, text, now) = (id.to_string(), location.as_str().to_owned(), world.ctx().now);
        let claim = move |tx: &mut crate::db::Tx<'_>| uploads::claim(tx, &key, "dead", Some(&text), now, now + 1);
        world.registry.db.write(claim).await.unwrap();
        world.bytes.finish(id, &location).await.unwrap();
        world.assert_whole().await;
        world.advance(23 * HOUR);
        world.sweep().await;
        assert_eq!(world.stored().await, (1, 0));
        world.advance(2 * HOUR);
        let swept = world.sweep().await;
        assert_eq!((swept.uploads, swept.bytes), (1, 12));
        assert_eq!(world.stored().await, (0, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_publishing_and_commit_can_be_finished_by_the_client() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "once more").await.unwrap();
        let digest = sha256(b"once more");
        world.bytes.finish(id, &Location::new(&digest, id)).await.unwrap();
        world.finish("a/a", id, digest).await.unwrap();
        assert!(world.has_blob("a/a", digest).await);
        world.sweep_all().await;
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn the_bytes_of_a_duplicate_that_were_left_behind_are_swept() {
    on_each(async |world| {
        world.push_blob("a/a", "twice").await.unwrap();
        world.store.fail(Operation::Abort, 1, Fault::InputOutput);
        world.push_blob("b/b", "twice").await.unwrap();
        assert_eq!(world.stored().await, (1, 1));
        // A session that is under way has a row, and stays however old its bytes are.
        let alive = world.start("a/a").await;
        world.append("a/a", alive, "x").await.unwrap();
        world.sweep().await;
        assert_eq!(world.stored().await, (1, 2), "young ones may belong to a request");
        let impatient = world.with(|registry| registry.storage.upload_expiry = Duration::ZERO);
        let mut swept = 0;
        while swept == 0 {
            // Files know their time in ticks of the kernel.
            tokio::time::sleep(Duration::from_millis(5)).await;
            swept = impatient.sweep().await.uploads;
        }
        assert_eq!(world.stored().await, (1, 1));
        assert_eq!(world.append("a/a", alive, "y").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn more_than_a_step_is_worked_off_in_one_sweep() {
    on_each(async |world| {
        for i in 0..230 {
            world.push_blob("a/a", format!("{i}")).await.unwrap();
        }
        for _ in 0..120 {
            world.start("a/a").await;
        }
        world.advance(25 * HOUR);
        let swept = world.sweep().await;
        assert_eq!((swept.uploads, swept.links, swept.blobs), (120, 230, 230));
        world.advance(MINUTE);
        world.sweep().await;
        assert_eq!(world.stored().await, (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_nodes_sweep_at_once() {
    on_each(async |world| {
        for i in 0..40 {
            world.push_blob("a/a", format!("{i}")).await.unwrap();
            let id = world.start("a/a").await;
            world.append("a/a", id, "x").await.unwrap();
        }
        let kept = Image::new(&["c", "l"]);
        world.push_image("a/a", "v1", &kept).await.unwrap();
        for _ in 0..3 {
            world.advance(25 * HOUR);
            let sweeps: Vec<_> = (0..4)
                .map(|_| {
                    let world = world.clone();
                    tokio::spawn(async move { world.sweep().await })
                })
                .collect();
            for sweep in sweeps {
                sweep.await.unwrap();
            }
        }
        assert_eq!(world.stored().await, (2, 0));
        assert!(world.has_manifest("a/a", kept.digest()).await);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_that_cannot_be_removed_do_not_keep_others_and_are_tried_again() {
    on_each(async |world| {
        for bytes in ["one", "two", "six"] {
            let digest = world.push_blob("a/a", bytes).await.unwrap();
            world.delete_blob("a/a", digest).await.unwrap();
        }
        world.sweep().await;
        world.advance(MINUTE);
        world.store.fail(Operation::Delete, 1, Fault::InputOutput);
        world.sweep().await;
        assert_eq!(world.stored().await.0, 1);
        world.assert_whole().await;
        world.advance(2 * HOUR);
        assert_eq!(world.sweep().await.bytes, 3);
        assert_eq!(world.stored().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_stray_without_a_row_is_no_ones() {
    let db = TestDb::sqlite();
    let world = World::new(&db.db, std::sync::Arc::new(Memory::new()));
    conformance::append(&*world.bytes, UploadId::random(), 0, b"stray").await;
    assert_eq!(world.sweep().await, Swept::default());
    let impatient = world.with(|registry| registry.storage.upload_expiry = Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(impatient.sweep().await.uploads, 1);
    assert_eq!(world.stored().await, (0, 0));
}
