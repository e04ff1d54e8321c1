use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oci::{Algorithm, ContentRange};

use super::support::*;
use crate::blobs::conformance;
use crate::blobs::faulty::{Fault, Operation};
use crate::db::uploads as rows;
use crate::registry::uploads::{self, Chunk};
use crate::registry::{Ctx, Error, Identity};

/// Longer than any lease.
const SILENCE: Duration = Duration::from_secs(600);

/// Has somebody else take hold of a session.
async fn take(world: &World, id: crate::blobs::UploadId, holder: &'static str, lease: Duration) -> bool {
    let (key, now) = (id.to_string(), world.ctx().now);
    let until = now + lease.as_micros() as i64;
    let claim = move |tx: &mut crate::db::Tx<'_>| rows::claim(tx, &key, holder, None, now, until);
    world.registry.db.write(claim).await.unwrap().is_some()
}

#[tokio::test]
async fn a_session_takes_chunks_and_becomes_a_blob() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        assert_eq!(world.status("a/a", id).await.unwrap(), 0);
        assert_eq!(world.append("a/a", id, "one ").await.unwrap(), 4);
        assert_eq!(world.append("a/a", id, "two ").await.unwrap(), 8);
        assert_eq!(world.status("a/a", id).await.unwrap(), 8);
        let digest = sha256(b"one two three");
        world.finish_with("a/a", id, digest, "three".into()).await.unwrap();
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "one two three");
        assert!(matches!(world.status("a/a", id).await, Err(Error::UploadUnknown)));
        assert!(matches!(world.finish("a/a", id, digest).await, Err(Error::UploadUnknown)));
        assert_eq!(world.store.calls(Operation::HashUpload), 0, "the hash was kept on the way");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn an_empty_blob_is_one() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "").await.unwrap();
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "");
        let id = world.start("a/a").await;
        world.finish("a/a", id, Algorithm::Sha512.digest(b"")).await.unwrap();
        assert_eq!(world.pull_blob("a/a", Algorithm::Sha512.digest(b"")).await.unwrap(), "");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_session_belongs_to_its_repository_and_to_who_began_it() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "x").await.unwrap();
        assert!(matches!(world.append("b/b", id, "y").await, Err(Error::UploadUnknown)));
        assert!(matches!(world.status("b/b", id).await, Err(Error::UploadUnknown)));
        let other = Ctx { identity: Identity::System, ..world.ctx() };
        let appended = uploads::append(&world.registry, &other, &name("a/a"), id, chunk("y")).await;
        assert!(matches!(appended, Err(Error::UploadUnknown)));
        let cancelled = uploads::cancel(&world.registry, &other, &name("a/a"), id).await;
        assert!(matches!(cancelled, Err(Error::UploadUnknown)));
        assert_eq!(world.append("a/a", id, "y").await.unwrap(), 2);
        uploads::cancel(&world.registry, &world.ctx(), &name("a/a"), id).await.unwrap();
        assert!(matches!(world.status("a/a", id).await, Err(Error::UploadUnknown)));
        assert_eq!(world.stored().await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn one_request_at_a_time_writes_to_a_session() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "x").await.unwrap();
        assert!(take(world, id, "somebody", Duration::from_secs(60)).await);
        assert!(matches!(world.append("a/a", id, "y").await, Err(Error::UploadBusy)));
        assert!(matches!(world.finish("a/a", id, sha256(b"x")).await, Err(Error::UploadBusy)));
        world.advance(SILENCE);
        assert_eq!(world.append("a/a", id, "y").await.unwrap(), 2, "the lease has run out");
        world.finish("a/a", id, sha256(b"xy")).await.unwrap();
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_lease_cannot_finish() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "bytes").await.unwrap();
        let digest = sha256(b"bytes");
        // The first request hangs in the store while its lease runs out and another one takes the session over.
        let hold = Arc::new(tokio::sync::Barrier::new(2));
        let first = {
            let world = world.clone();
            world.store.fail(Operation::Finish, 1, Fault::Delay(Duration::from_secs(1)));
            let hold = Arc::clone(&hold);
            tokio::spawn(async move {
                hold.wait().await;
                world.finish("a/a", id, digest).await
            })
        };
        hold.wait().await;
        while world.store.calls(Operation::Finish) == 0 {
            tokio::task::yield_now().await;
        }
        world.advance(SILENCE);
        assert!(take(world, id, "another", Duration::from_secs(60)).await);
        let refused = first.await.unwrap();
        assert!(matches!(refused, Err(Error::UploadUnknown | Error::UploadBusy)), "{refused:?}");
        assert!(!world.has_blob("a/a", digest).await, "what was refused is not there");
        world.advance(SILENCE);
        // Who holds it now finishes it, although its bytes were published by the other one already.
        world.finish("a/a", id, digest).await.unwrap();
        assert!(world.has_blob("a/a", digest).await);
        world.assert_whole().await;
        world.store.mend();
    })
    .await;
}

/// Waits until a session's lease was extended so often that it lasts longer than one that was never extended.
async fn await_extension(world: &World, id: crate::blobs::UploadId) {
    let (key, claimed_until) = (id.to_string(), world.ctx().now + world.registry.lease.as_micros() as i64);
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let key = key.clone();
            let read = move |tx: &mut crate::db::Tx<'_>| {
                tx.one("SELECT lease_until FROM uploads WHERE id = $1", &[key.into()])?.int(0)
            };
            if world.registry.db.read(read).await.unwrap() > claimed_until {
                break;
            }
            tokio::task::yield_now().await;
        }
    });
    waited.await.expect("the lease is not extended");
}

#[tokio::test]
async fn a_session_stays_held_while_its_bytes_are_read_once_more_or_published() {
    on_each(async |world| {
        let world = world.with(|registry| registry.lease = Duration::from_millis(30));
        for held in [Operation::HashUpload, Operation::Finish] {
            let id = world.start("a/a").await;
            world.append("a/a", id, "bytes").await.unwrap();
            world.store.fail(held, 1, Fault::Held);
            let digest = Algorithm::Sha512.digest(b"bytes");
            let finish = tokio::spawn({
                let world = world.clone();
                async move { world.finish("a/a", id, digest).await }
            });
            await_extension(&world, id).await;
            world.advance(world.registry.lease);
            assert!(matches!(world.append("a/a", id, "more").await, Err(Error::UploadBusy)), "{held:?}");
            world.store.let_go();
            finish.await.unwrap().unwrap();
            assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "bytes");
            world.delete_blob("a/a", digest).await.unwrap();
            world.sweep_all().await;
        }
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_closing_digest_of_another_algorithm_has_the_bytes_read_once_more() {
    on_each(async |world| {
        let before = world.store.calls(Operation::HashUpload);
        let id = world.start("a/a").await;
        world.append("a/a", id, "some ").await.unwrap();
        let digest = Algorithm::Sha512.digest(b"some bytes");
        world.finish_with("a/a", id, digest, "bytes".into()).await.unwrap();
        assert_eq!(world.store.calls(Operation::HashUpload), before + 1);
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "some bytes");
        let id = world.start("a/a").await;
        world.append("a/a", id, "some ").await.unwrap();
        let wrong = world.finish("a/a", id, Algorithm::Sha512.digest(b"other")).await.unwrap_err();
        assert!(matches!(wrong, Error::DigestMismatch { .. }), "{wrong}");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn after_a_restart_the_upload_goes_on_and_after_a_new_boot_its_bytes_are_read_again() {
    on_each(async |world| {
        let before = world.store.calls(Operation::HashUpload);
        let id = world.start("a/a").await;
        world.append("a/a", id, "one ").await.unwrap();
        let restarted = world.with(|registry| registry.node = "other".into());
        assert_eq!(restarted.append("a/a", id, "two ").await.unwrap(), 8);
        assert_eq!(world.store.calls(Operation::HashUpload), before, "trusted under the same boot");
        let booted = world.with(|registry| registry.boot = "later".into());
        assert_eq!(booted.append("a/a", id, "three").await.unwrap(), 13);
        assert_eq!(world.store.calls(Operation::HashUpload), before + 1);
        booted.finish("a/a", id, sha256(b"one two three")).await.unwrap();
        assert_eq!(world.pull_blob("a/a", sha256(b"one two three")).await.unwrap(), "one two three");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_that_a_loss_of_power_changed_are_not_taken_for_those_that_were_sent() {
    on_each(async |world| {
        let digest = sha256(b"as they were sent");
        for lost in ["as they were lost", "as they"] {
            let id = world.start("a/a").await;
            world.append("a/a", id, "as they were sent").await.unwrap();
            conformance::append(&*world.bytes, id, 0, lost.as_bytes()).await;
            let booted = world.with(|registry| registry.boot = "later".into());
            let error = booted.finish("a/a", id, digest).await.unwrap_err();
            assert!(matches!(error, Error::DigestMismatch { .. } | Error::UploadUnknown), "{error}");
            assert!(!world.has_blob("a/a", digest).await);
        }
        world.sweep_all().await;
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_chunk_that_begins_elsewhere_is_refused_before_a_byte_is_read() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "12345").await.unwrap();
        let ranged = |range: &str, bytes: &'static str| {
            let range = ContentRange::parse(range).unwrap();
            Chunk { range: Some(range), ..chunk(bytes) }
        };
        let append = async |chunk| uploads::append(&world.registry, &world.ctx(), &name("a/a"), id, chunk).await;
        let error = append(ranged("3-5", "abc")).await.unwrap_err();
        assert!(matches!(error, Error::ChunkOutOfOrder { start: 3, received: 5 }), "{error}");
        let error = append(ranged("9-11", "abc")).await.unwrap_err();
        assert!(matches!(error, Error::ChunkOutOfOrder { start: 9, received: 5 }), "{error}");
        let error = append(ranged("5-9", "abc")).await.unwrap_err();
        assert!(matches!(error, Error::SizeMismatch { announced: 5, received: 3 }), "{error}");
        assert_eq!(append(ranged("5-7", "678")).await.unwrap(), 8);
        world.finish("a/a", id, sha256(b"12345678")).await.unwrap();
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_had_come_when_the_connection_broke_is_kept() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        let (registry, ctx, repository) = (&world.registry, world.ctx(), name("a/a"));
        let error = uploads::append(registry, &ctx, &repository, id, broken_chunk(b"half", 8)).await.unwrap_err();
        assert!(matches!(error, Error::BodyBroken(_)), "{error}");
        assert_eq!(world.status("a/a", id).await.unwrap(), 4);
        assert_eq!(world.append("a/a", id, " and half").await.unwrap(), 13);
        let digest = sha256(b"half and half and all");
        let broken = uploads::finish(registry, &ctx, &repository, id, digest, broken_chunk(b" and", 8)).await;
        assert!(matches!(broken, Err(Error::BodyBroken(_))));
        assert_eq!(world.status("a/a", id).await.unwrap(), 17);
        world.finish_with("a/a", id, digest, Bytes::from_static(b" all")).await.unwrap();
        assert!(world.has_blob("a/a", digest).await);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_failed_to_close_closes_under_no_other_digest() {
    on_each(async |world| {
        let (digest, other) = (sha256(b"bytes"), Algorithm::Sha512.digest(b"bytes"));
        let id = world.start("a/a").await;
        world.append("a/a", id, "bytes").await.unwrap();
        world.store.fail(Operation::Finish, 1, Fault::Lost);
        assert!(matches!(world.finish("a/a", id, digest).await, Err(Error::Store(_))));
        assert!(matches!(world.finish("a/a", id, other).await, Err(Error::UploadUnknown)));
        world.finish("a/a", id, digest).await.unwrap();
        world.sweep().await;
        assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "bytes");
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_digest_are_thrown_away() {
    on_each(async |world| {
        let id = world.start("a/a").await;
        world.append("a/a", id, "these").await.unwrap();
        let error = world.finish("a/a", id, sha256(b"those")).await.unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        assert!(matches!(world.status("a/a", id).await, Err(Error::UploadUnknown)));
        assert_eq!(world.stored().await, (0, 0));
        assert_eq!(world.events("a/a").await, Vec::<String>::new());
        world.assert_whole().await;
    })
    .await;
}
