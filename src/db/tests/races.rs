//! What PostgreSQL, which lets writers run beside each other, must not get wrong. SQLite has one writer.

use super::interleave::interleave;
use super::invariants::broken;
use super::support::{TestDb, digest, name, on_postgres};
use crate::db::{Error, Tx, blobs, repositories};

/// Two repositories, of which those in `holders` hold a blob.
async fn shared(db: &TestDb, holders: &'static [usize]) -> ([i64; 2], i64) {
    db.run(move |tx| {
        let repositories = [repositories::ensure(tx, &name("a/a"), 1)?.0, repositories::ensure(tx, &name("b/b"), 1)?.0];
        let id = blobs::insert(tx, &digest("x"), 1, "x", 1)?.unwrap();
        for holder in holders {
            blobs::link(tx, repositories[*holder], id, &digest("x"), 1)?;
        }
        Ok((repositories, id))
    })
    .await
}

fn let_go(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64) -> Result<bool, Error> {
    let locked = blobs::lock_link(tx, repository_id, blob_id)?;
    blobs::unlink(tx, repository_id, blob_id, 5)?;
    Ok(locked)
}

async fn assert_whole(db: &TestDb) {
    assert_eq!(db.read(broken).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_repositories_that_let_go_at_once_leave_a_blob_to_be_removed() {
    on_postgres(async |db| {
        let ([a, b], id) = shared(db, &[0, 1]).await;
        let (first, second) = interleave(db, move |tx| let_go(tx, a, id), db.write(move |tx| let_go(tx, b, id))).await;
        assert!(first.unwrap() && second.unwrap());
        assert_eq!(db.read(|tx| blobs::unlinked(tx, 6, 9)).await.unwrap(), [id]);
        assert_whole(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_removed_while_it_is_pushed_again_is_made_anew() {
    on_postgres(async |db| {
        let ([a, _], id) = shared(db, &[0]).await;
        let remove = move |tx: &mut Tx<'_>| let_go(tx, a, id);
        let push = db.write(move |tx| {
            assert!(blobs::hold(tx, &digest("x"))?.is_some());
            blobs::link(tx, a, id, &digest("x"), 9)
        });
        let (first, second) = interleave(db, remove, push).await;
        assert!(first.unwrap() && second.unwrap(), "the link is new");
        assert!(db.read(|tx| blobs::find(tx, &name("a/a"), &digest("x"))).await.unwrap().is_some());
        assert_whole(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_whose_removal_is_still_to_come_is_waited_for() {
    on_postgres(async |db| {
        let ([a, _], id) = shared(db, &[0]).await;
        // The sweeper holds the lock; the push then finds the link, and must not be told that it is there.
        let locked = std::sync::Arc::new(tokio::sync::Notify::new());
        let (signal, begun) = (locked.clone(), locked.clone());
        let other = db.db.clone();
        let sweep = async {
            let handle = tokio::runtime::Handle::current();
            db.write(move |tx| {
                assert!(blobs::lock_link_unreferenced_since(tx, a, id, 2)?);
                signal.notify_one();
                // Until the push waits for this lock.
                let waits = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted \
                             AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
                while tx.one(waits, &[])?.int(0)? == 0 {
                    let _ = handle.block_on(other.read(|tx| tx.first("SELECT 1", &[])))?;
                }
                blobs::unlink(tx, a, id, 5)
            })
            .await
        };
        let push = async {
            begun.notified().await;
            db.write(move |tx| {
                blobs::hold(tx, &digest("x"))?;
                blobs::link(tx, a, id, &digest("x"), 9)
            })
            .await
        };
        let (swept, pushed) = tokio::join!(sweep, push);
        swept.unwrap();
        assert!(pushed.unwrap(), "the link is new");
        assert!(db.read(|tx| blobs::find(tx, &name("a/a"), &digest("x"))).await.unwrap().is_some());
        assert_whole(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_linked_while_its_last_link_goes_is_kept_and_its_mark_removed() {
    on_postgres(async |db| {
        let ([a, b], id) = shared(db, &[0]).await;
        let link = move |tx: &mut Tx<'_>| {
            blobs::hold(tx, &digest("x"))?;
            blobs::link(tx, b, id, &digest("x"), 9)
        };
        let (first, second) = interleave(db, link, db.write(move |tx| let_go(tx, a, id))).await;
        assert!(first.unwrap() && second.unwrap());
        for _ in 0..2 {
            assert_eq!(db.run(move |tx| blobs::delete_unlinked(tx, id)).await, None);
        }
        assert!(db.read(|tx| blobs::unlinked(tx, i64::MAX, 9)).await.unwrap().is_empty(), "nothing left to look at");
        assert!(db.read(|tx| blobs::find(tx, &name("b/b"), &digest("x"))).await.unwrap().is_some());
        assert_whole(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_is_being_linked_is_not_deleted() {
    on_postgres(async |db| {
        let ([a, b], id) = shared(db, &[0]).await;
        db.run(move |tx| let_go(tx, a, id)).await;
        let link = move |tx: &mut Tx<'_>| {
            blobs::hold(tx, &digest("x"))?;
            blobs::link(tx, b, id, &digest("x"), 9)
        };
        let (first, second) = interleave(db, link, db.write(move |tx| blobs::delete_unlinked(tx, id))).await;
        assert!(first.unwrap());
        assert_eq!(second.unwrap(), None);
        // And the other way round: who comes while it is deleted finds no blob.
        db.run(move |tx| let_go(tx, b, id)).await;
        let (first, second) =
            interleave(db, move |tx| blobs::delete_unlinked(tx, id), db.write(|tx| blobs::hold(tx, &digest("x"))))
                .await;
        assert!(first.unwrap().is_some());
        assert_eq!(second.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_pushes_that_mend_a_blob_the_second_finds_it_mended() {
    on_postgres(async |db| {
        let (_, id) = shared(db, &[0]).await;
        db.run(|tx| blobs::quarantine(tx, "x")).await;
        let mend = |location: &'static str| {
            move |tx: &mut Tx<'_>| {
                // Not `hold`: two that held it would each wait for the other to let go before it is changed.
                let quarantined = blobs::lock(tx, &digest("x"))?.unwrap().quarantined;
                Ok((quarantined, quarantined && blobs::replace_bytes(tx, id, 1, location)?))
            }
        };
        let (first, second) = interleave(db, mend("one"), db.write(mend("two"))).await;
        assert_eq!((first.unwrap(), second.unwrap()), ((true, true), (false, false)));
        assert_eq!(db.read(|tx| blobs::hold(tx, &digest("x"))).await.unwrap().unwrap().location, "one");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_made_twice_at_once_is_one() {
    on_postgres(async |db| {
        let make = |tx: &mut Tx<'_>| repositories::ensure(tx, &name("a/a"), 1);
        let (first, second) = interleave(db, make, db.write(make)).await;
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.0, first.1, second.1), (second.0, true, false));
    })
    .await;
}
