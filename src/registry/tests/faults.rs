//! Whatever the store refuses, nothing is acknowledged that is not there, and the same push succeeds afterwards.

use bytes::Bytes;

use super::support::*;
use crate::blobs::UploadId;
use crate::blobs::faulty::{Fault, Operation};
use crate::registry::Error;

const FAULTS: [Fault; 5] = [Fault::NoSpace, Fault::ReadOnly, Fault::InputOutput, Fault::Cut(3), Fault::Lost];
const OPERATIONS: [Operation; 9] = [
    Operation::Append,
    Operation::Write,
    Operation::Close,
    Operation::UploadLen,
    Operation::HashUpload,
    Operation::Finish,
    Operation::Abort,
    Operation::Stat,
    Operation::Open,
];

/// Every fault of every operation of a push.
fn all() -> impl Iterator<Item = (Operation, Fault)> {
    OPERATIONS.into_iter().flat_map(|operation| FAULTS.map(|fault| (operation, fault)))
}

fn is_of_the_store(error: &Error) -> bool {
    matches!(error, Error::Store(error) if error.is_unavailable())
}

#[tokio::test]
async fn a_push_in_one_request_fails_cleanly_and_succeeds_when_tried_again() {
    on_each(async |world| {
        for (i, (operation, fault)) in all().enumerate() {
            let text = format!("bytes of push {i}");
            let digest = sha256(text.as_bytes());
            world.store.fail_always(operation, fault);
            let pushed = world.push_blob("a/a", text.clone()).await;
            world.store.mend();
            match pushed {
                Ok(_) => assert!(world.has_blob("a/a", digest).await, "{operation:?} {fault:?}"),
                Err(error) => {
                    assert!(is_of_the_store(&error), "{operation:?} {fault:?}: {error}");
                    assert!(!world.has_blob("a/a", digest).await, "{operation:?} {fault:?}");
                }
            }
            world.push_blob("a/a", text).await.unwrap();
            assert!(world.has_blob("a/a", digest).await, "{operation:?} {fault:?}");
        }
        // Young bytes without a session are left alone: they might be those of a request.
        let impatient = world.with(|registry| registry.storage.unreferenced_grace = 1000 * DAY);
        impatient.sweep_all().await;
        assert_eq!(world.stored().await.0, all().count());
        world.assert_whole().await;
    })
    .await;
}

/// Sends two chunks and the end, each tried again until it succeeds; from the beginning where the session is lost.
async fn push_in_chunks(world: &World, parts: [&str; 3], operation: Operation, fault: Fault, nth: u64) {
    let whole = parts.concat();
    let digest = sha256(whole.as_bytes());
    world.store.fail(operation, nth, fault);
    for _ in 0..3 {
        let id = world.start("a/a").await;
        let done = attempt(world, id, &whole, parts[0].len()).await;
        if done {
            world.store.mend();
            assert!(world.has_blob("a/a", digest).await, "{operation:?} {fault:?} {nth}");
            return;
        }
        let rows = world.registry.db.read(move |tx| crate::db::blobs::lookup(tx, &digest)).await.unwrap();
        assert_eq!(rows, None, "{operation:?} {fault:?} {nth}");
    }
    panic!("{operation:?} {fault:?} {nth}: no attempt succeeded");
}

async fn attempt(world: &World, id: UploadId, whole: &str, step: usize) -> bool {
    let digest = sha256(whole.as_bytes());
    for _ in 0..20 {
        let at = match world.status("a/a", id).await {
            Ok(at) => at as usize,
            Err(Error::UploadUnknown) => return false,
            Err(error) => panic!("{error}"),
        };
        let done = if at + step < whole.len() {
            let part = Bytes::copy_from_slice(&whole.as_bytes()[at..at + step]);
            world.append("a/a", id, part).await.map(|_| false)
        } else {
            let rest = Bytes::copy_from_slice(&whole.as_bytes()[at..]);
            world.finish_with("a/a", id, digest, rest).await.map(|()| true)
        };
        match done {
            Ok(true) => return true,
            Ok(false) => {}
            Err(Error::UploadUnknown) => return false,
            // Bytes that are not those that were sent: the session is over, and nothing was acknowledged.
            Err(Error::DigestMismatch { .. }) => return false,
            Err(error) => assert!(is_of_the_store(&error), "{error}"),
        }
    }
    false
}

#[tokio::test]
async fn a_push_in_chunks_goes_on_where_it_stood() {
    on_each(async |world| {
        let mut pushed = 0;
        for (operation, fault) in all() {
            for nth in 1..=3 {
                let parts = [format!("{operation:?} "), format!("{fault:?} "), format!("{nth}")];
                push_in_chunks(world, parts.each_ref().map(String::as_str), operation, fault, nth).await;
                pushed += 1;
            }
        }
        let patient = world.with(|registry| registry.storage.unreferenced_grace = 1000 * DAY);
        patient.sweep_all().await;
        assert_eq!(world.stored().await.0, pushed);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_push_survives_faults_too() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "there already").await.unwrap();
        for (operation, fault) in all() {
            world.store.fail_always(operation, fault);
            let pushed = world.push_blob("b/b", "there already").await;
            world.store.mend();
            if let Err(error) = pushed {
                assert!(is_of_the_store(&error), "{operation:?} {fault:?}: {error}");
            }
            assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "there already");
        }
        world.push_blob("b/b", "there already").await.unwrap();
        world.sweep().await;
        assert_eq!(world.stored().await.0, 1);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_is_not_taken_for_one_that_lost_its_blobs() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "safe").await.unwrap();
        for operation in [Operation::Stat, Operation::Open] {
            world.store.fail_always(operation, Fault::InputOutput);
            let error = world.pull_blob("a/a", digest).await.unwrap_err();
            assert!(is_of_the_store(&error), "{error}");
            world.store.mend();
            assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "safe", "not quarantined");
        }
    })
    .await;
}
