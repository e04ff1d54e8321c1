use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use super::support::{TestDb, on_postgres, with_schema};
use crate::db::{Db, Error, Kind, Tx, garbage};

async fn add_two(db: &TestDb) {
    db.run(|tx| {
        garbage::insert(tx, "a", 0)?;
        garbage::insert(tx, "b", 0)
    })
    .await;
}

fn touch(tx: &mut Tx<'_>, location: &str) -> Result<(), Error> {
    let sql = "UPDATE garbage SET not_before = not_before + 1 WHERE location = $1";
    tx.execute(sql, &[location.into()]).map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transactions_that_wait_for_each_other_both_succeed() {
    on_postgres(async |db| {
        add_two(db).await;
        let barrier = Arc::new(Barrier::new(2));
        let runs = Arc::new(AtomicUsize::new(0));
        let crossing = |first: &'static str, second: &'static str| {
            let (barrier, runs, mut met) = (Arc::clone(&barrier), Arc::clone(&runs), false);
            db.write(move |tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                touch(tx, first)?;
                if !std::mem::replace(&mut met, true) {
                    barrier.wait();
                }
                touch(tx, second)
            })
        };
        let (one, other) = tokio::join!(crossing("a", "b"), crossing("b", "a"));
        one.unwrap();
        other.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 3, "one of them had to run again");
        let due = db.read(|tx| garbage::due(tx, 2, 9)).await.unwrap();
        assert_eq!((due.len(), db.read(|tx| garbage::due(tx, 1, 9)).await.unwrap().len()), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn a_conflict_that_never_ends_is_given_up() {
    on_postgres(async |db| {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let error = db
            .write(move |_| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err::<(), _>(Error::new(Kind::Conflict, "again"))
            })
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Conflict);
        assert!(error.is_unavailable());
        assert!((2..100).contains(&runs.load(Ordering::SeqCst)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_an_error_once_and_then_replaced() {
    on_postgres(async |db| {
        let client = Arc::new(db.client().await);
        let handle = tokio::runtime::Handle::current();
        for _ in 0..3 {
            let (client, handle) = (Arc::clone(&client), handle.clone());
            let error = db
                .write(move |tx| {
                    garbage::insert(tx, "lost", 0)?;
                    let pid = tx.one("SELECT pg_backend_pid()", &[])?.int(0)? as i32;
                    handle.block_on(client.execute("SELECT pg_terminate_backend($1)", &[&pid])).unwrap();
                    loop {
                        garbage::insert(tx, "lost", 0)?;
                    }
                    #[expect(unreachable_code, reason = "gives the closure its type")]
                    Ok::<(), Error>(())
                })
                .await
                .unwrap_err();
            assert_eq!(error.kind, Kind::Unavailable, "{error}");
            let due = db.read(|tx| garbage::due(tx, 0, 9)).await.unwrap();
            assert!(due.is_empty());
        }
        add_two(db).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_connections_wait_for_their_turn() {
    on_postgres(async |db| {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let db = Arc::clone(&db.db);
                tokio::spawn(async move { db.read(|tx| tx.one("SELECT COUNT(*) FROM blobs", &[])?.int(0)).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), 0);
        }
    })
    .await;
}

#[tokio::test]
async fn the_rules_do_not_hang_on_the_servers_default_isolation() {
    with_schema(async |schema| {
        let url = format!("{}%20-cdefault_transaction_isolation%3Dserializable", schema.url());
        let db = Db::open_postgres(&url, 2, false).await.unwrap();
        let isolation = |tx: &mut Tx<'_>| tx.one("SELECT current_setting('transaction_isolation')", &[])?.text(0);
        assert_eq!(db.write(isolation).await.unwrap(), "read committed");
        let synced = |tx: &mut Tx<'_>| tx.one("SELECT current_setting('synchronous_commit')", &[])?.text(0);
        let default = db.write(synced).await.unwrap();
        assert_eq!(db.write_soft(synced).await.unwrap(), "off");
        assert_eq!(db.write(synced).await.unwrap(), default);
    })
    .await;
}

fn setting(name: &'static str) -> impl FnMut(&mut Tx<'_>) -> Result<String, Error> + Send + 'static {
    move |tx| tx.one("SELECT current_setting($1)", &[name.into()])?.text(0)
}

#[tokio::test]
async fn no_statement_and_no_lock_is_waited_for_without_end() {
    with_schema(async |schema| {
        let db = Db::open_postgres(&schema.url(), 2, false).await.unwrap();
        let timeouts = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"];
        for (name, timeout) in timeouts.into_iter().zip(["30s", "5min", "1min"]) {
            assert_eq!(db.write(setting(name)).await.unwrap(), timeout);
            assert_eq!(db.read(setting(name)).await.unwrap(), timeout);
            // Who runs the database decides otherwise.
            let own = Db::open_postgres(&format!("{}%20-c{name}%3D7s", schema.url()), 2, false).await.unwrap();
            assert_eq!(own.write(setting(name)).await.unwrap(), "7s");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_never_let_go_of_and_a_statement_without_end_are_busy() {
    on_postgres(async |db| {
        add_two(db).await;
        let client = db.client().await;
        client.batch_execute("BEGIN; UPDATE garbage SET not_before = 7 WHERE location = 'a'").await.unwrap();
        let impatient = db.reopen_with("lock_timeout%3D50ms").await;
        let error = impatient.write(|tx| touch(tx, "a")).await.unwrap_err();
        assert_eq!(error.kind, Kind::Busy, "{error}");
        impatient.write(|tx| touch(tx, "b")).await.unwrap();
        client.batch_execute("ROLLBACK").await.unwrap();
        impatient.write(|tx| touch(tx, "a")).await.unwrap();
        let impatient = db.reopen_with("statement_timeout%3D50ms").await;
        let error = impatient.read(|tx| tx.query("SELECT pg_sleep(60)::TEXT", &[])).await.unwrap_err();
        assert_eq!(error.kind, Kind::Busy, "{error}");
        impatient.write(|tx| touch(tx, "a")).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_hangs_is_ended_by_the_server_and_the_next_one_succeeds() {
    on_postgres(async |db| {
        add_two(db).await;
        let client = Arc::new(db.client().await);
        let impatient = db.reopen_with("idle_in_transaction_session_timeout%3D50ms").await;
        let handle = tokio::runtime::Handle::current();
        let hanging = move |tx: &mut Tx<'_>| {
            let pid = tx.one("SELECT pg_backend_pid()", &[])?.int(0)? as i32;
            let alive = "SELECT 1 FROM pg_stat_activity WHERE pid = $1";
            while !handle.block_on(client.query(alive, &[&pid])).unwrap().is_empty() {}
            touch(tx, "a")
        };
        let error = impatient.write(hanging).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{error}");
        impatient.write(|tx| touch(tx, "a")).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_waits_for_another_as_long_as_it_takes() {
    with_schema(async |schema| {
        let (client, waits) = (schema.client().await, schema.client().await);
        // The number that every Havre takes.
        let lock = format!("SELECT pg_advisory_lock({})", crate::db::migrations::POSTGRES_LOCK);
        client.batch_execute(&lock).await.unwrap();
        let url = format!("{}%20-clock_timeout%3D1ms%20-cstatement_timeout%3D1ms", schema.url());
        let opened = tokio::spawn(async move { Db::open_postgres(&url, 1, false).await.map(drop) });
        let blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%advisory%' \
             AND now() - query_start > INTERVAL '50 ms'";
        while waits.query(blocked, &[]).await.unwrap().is_empty() {
            assert!(!opened.is_finished(), "{:?}", opened.await);
        }
        client.batch_execute("SELECT pg_advisory_unlock_all()").await.unwrap();
        opened.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let error = Db::open_postgres("postgres://127.0.0.1:1/none", 1, false).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unavailable);
    let error = Db::open_postgres("not a url", 1, false).await.err().unwrap();
    assert_eq!(error.kind, Kind::Unavailable);
}
