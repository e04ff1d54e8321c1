use super::support::TestDb;
use crate::db::{Db, Error, Kind, Tx, garbage};

fn add(tx: &mut Tx<'_>) -> Result<(), Error> {
    garbage::insert(tx, &"x".repeat(1000), 0)
}

async fn count(db: &Db) -> usize {
    db.read(|tx| garbage::due(tx, 0, 100_000)).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_locked_by_another_process_is_busy_and_then_serves_again() {
    let db = TestDb::sqlite();
    let other = rusqlite::Connection::open(db.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Reads go on beside the writer.
    assert_eq!(count(&db).await, 0);
    let error = db.write(add).await.unwrap_err();
    assert_eq!(error.kind, Kind::Busy);
    assert!(error.is_unavailable());
    // This one waits until the other process is done.
    let writer = std::sync::Arc::clone(&db.db);
    let waiting = tokio::spawn(async move { writer.write(add).await });
    other.execute_batch("ROLLBACK").unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn another_process_writes_beside_the_server() {
    let db = TestDb::sqlite();
    let other = db.reopen().await.unwrap();
    for _ in 0..10 {
        db.run(add).await;
        other.write(add).await.unwrap();
    }
    assert_eq!((count(&db).await, count(&other).await), (20, 20));
}

#[tokio::test]
async fn a_full_disk_is_called_one_and_what_was_committed_stays() {
    let db = TestDb::sqlite();
    db.run(add).await;
    let pages = db.run(|tx| tx.one("PRAGMA page_count", &[])?.int(0)).await;
    assert!(pages > 1);
    // As small as it can be made: the number of pages it has.
    db.run(|tx| tx.query("PRAGMA max_page_count = 1", &[]).map(drop)).await;
    let fill = |tx: &mut Tx<'_>| (0..1000).try_for_each(|_| add(tx));
    for _ in 0..3 {
        let error = db.write(fill).await.unwrap_err();
        assert_eq!(error.kind, Kind::Full, "{error}");
        assert_eq!(count(&db).await, 1);
    }
    db.run(|tx| tx.query("PRAGMA max_page_count = 1000000", &[]).map(drop)).await;
    db.run(fill).await;
    assert_eq!(count(&db).await, 1001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_fails_the_whole_batch_and_no_one_is_told_otherwise() {
    let db = TestDb::sqlite();
    db.run(|tx| tx.query("PRAGMA max_page_count = 1", &[]).map(drop)).await;
    let writes: Vec<_> = (0..100)
        .map(|i| {
            let db = std::sync::Arc::clone(&db.db);
            tokio::spawn(async move {
                db.write(move |tx| (0..if i % 10 == 9 { 100 } else { 1 }).try_for_each(|_| add(tx))).await
            })
        })
        .collect();
    let mut kept = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(()) => kept += 1,
            Err(error) => assert_eq!(error.kind, Kind::Full, "{error}"),
        }
    }
    assert_eq!(count(&db).await, kept);
}

#[tokio::test]
async fn a_database_that_may_not_be_written_says_so_and_is_still_read() {
    let db = TestDb::sqlite();
    db.run(add).await;
    // What a file system that was remounted read-only answers, from SQLite itself: the superuser may write to any file.
    db.run(|tx| tx.query("PRAGMA query_only = ON", &[]).map(drop)).await;
    for _ in 0..2 {
        let error = db.write(add).await.unwrap_err();
        assert_eq!(error.kind, Kind::ReadOnly);
        assert!(error.is_unavailable());
    }
    assert_eq!(count(&db).await, 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_or_is_no_database_is_refused_with_its_path() {
    let directory = tempfile::TempDir::new().unwrap();
    let missing = directory.path().join("none/havre.db");
    let error = Db::open_sqlite(&missing, false).err().unwrap();
    assert_eq!(error.kind, Kind::Unavailable);
    assert!(error.to_string().contains("none/havre.db"), "{error}");
    let other = directory.path().join("havre.db");
    std::fs::write(&other, "not a database, but longer than the header of one ".repeat(50)).unwrap();
    assert_eq!(Db::open_sqlite(&other, false).err().unwrap().kind, Kind::Corrupt);
}

#[tokio::test]
async fn the_database_is_set_up_to_lose_nothing() {
    let directory = tempfile::TempDir::new().unwrap();
    let db = Db::open_sqlite(&directory.path().join("havre.db"), false).unwrap();
    let pragma = |sql: &'static str| move |tx: &mut Tx<'_>| tx.one(sql, &[])?.int(0);
    // 2: FULL, 1: NORMAL. A soft transaction must not leave the next one soft.
    assert_eq!(db.write(pragma("PRAGMA synchronous")).await.unwrap(), 2);
    assert_eq!(db.write_soft(pragma("PRAGMA synchronous")).await.unwrap(), 1);
    assert_eq!(db.write(pragma("PRAGMA synchronous")).await.unwrap(), 2);
    assert_eq!(db.write(pragma("PRAGMA foreign_keys")).await.unwrap(), 1);
    let mode = db.write(|tx| tx.one("PRAGMA journal_mode", &[])?.text(0)).await.unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn the_checks_of_sqlite_itself_find_nothing() {
    let db = TestDb::sqlite();
    db.run(|tx| (0..500).try_for_each(|_| add(tx))).await;
    let answer = db.read(|tx| tx.one("PRAGMA integrity_check", &[])?.text(0)).await.unwrap();
    assert_eq!(answer, "ok");
    assert!(db.read(|tx| tx.query("PRAGMA foreign_key_check", &[])).await.unwrap().is_empty());
}
