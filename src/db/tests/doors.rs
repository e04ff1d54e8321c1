use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::{TestDb, digest, name, on_each_engine};
use crate::db::{Db, Error, Kind, Tx, Val, events, garbage, repositories};

fn add(tx: &mut Tx<'_>, location: &str) -> Result<(), Error> {
    garbage::insert(tx, location, 0)
}

async fn locations(db: &Db) -> Vec<String> {
    let due = db.read(|tx| garbage::due(tx, i64::MAX, 10_000)).await.unwrap();
    let mut found: Vec<String> = due.into_iter().map(|(_, location)| location).collect();
    found.sort();
    found
}

fn refuse() -> Error {
    Error::new(Kind::Internal, "refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_at_once_are_all_answered_and_all_kept() {
    on_each_engine(async |db| {
        let writes: Vec<_> = (0..300)
            .map(|i| {
                let db = Arc::clone(&db.db);
                tokio::spawn(async move {
                    let write = move |tx: &mut Tx<'_>| add(tx, &format!("{i:03}")).map(|()| i);
                    if i % 3 == 0 { db.write_soft(write).await } else { db.write(write).await }
                })
            })
            .collect();
        for (i, write) in writes.into_iter().enumerate() {
            assert_eq!(write.await.unwrap().unwrap(), i);
        }
        let expected: Vec<String> = (0..300).map(|i| format!("{i:03}")).collect();
        assert_eq!(locations(db).await, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_fails_or_panics_is_rolled_back_alone() {
    on_each_engine(async |db| {
        let writes: Vec<_> = (0..120)
            .map(|i| {
                let db = Arc::clone(&db.db);
                tokio::spawn(async move {
                    db.write(move |tx| {
                        add(tx, &format!("{i:03}"))?;
                        match i % 4 {
                            1 => Err(refuse()),
                            2 => panic!("on purpose"),
                            // The database's own refusal: no such column of NULL.
                            3 => tx.execute("INSERT INTO garbage (location) VALUES ($1)", &[Val::Null]).map(drop),
                            _ => Ok(()),
                        }
                    })
                    .await
                })
            })
            .collect();
        for (i, write) in writes.into_iter().enumerate() {
            let kind = write.await.unwrap().err().map(|error| error.kind);
            let expected = [None, Some(Kind::Internal), Some(Kind::Internal), Some(Kind::Constraint)];
            assert_eq!(kind, expected[i % 4], "{i}");
        }
        let expected: Vec<String> = (0..120).filter(|i| i % 4 == 0).map(|i| format!("{i:03}")).collect();
        assert_eq!(locations(db).await, expected);
    })
    .await;
}

#[tokio::test]
async fn reads_see_what_was_committed_at_once() {
    on_each_engine(async |db| {
        for i in 0..20_usize {
            let soft = move |tx: &mut Tx<'_>| add(tx, &format!("{i:03}"));
            if i % 2 == 0 {
                db.write(soft).await.unwrap();
            } else {
                db.write_soft(soft).await.unwrap();
            }
            let seen = db.read(|tx| garbage::due(tx, 0, 100)).await.unwrap();
            assert_eq!(seen.len(), i + 1);
            let seen = db.scan(|tx| garbage::due(tx, 0, 100)).await.unwrap();
            assert_eq!(seen.len(), i + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_transaction_sees_its_own_changes_and_others_do_not() {
    on_each_engine(async |db| {
        let other = Arc::clone(&db.db);
        let handle = tokio::runtime::Handle::current();
        let kept = db.scan(|_| Ok::<_, Error>(())).await;
        kept.unwrap();
        db.run(move |tx| {
            add(tx, "x")?;
            assert_eq!(garbage::due(tx, 0, 9)?.len(), 1);
            let seen = handle.block_on(other.read(|tx| garbage::due(tx, 0, 9)))?;
            assert!(seen.is_empty());
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_write_inside_the_reading_door_is_refused_by_the_embedded_engine() {
    let db = TestDb::sqlite();
    let error = db.read(|tx| add(tx, "x")).await.unwrap_err();
    assert_eq!(error.kind, Kind::ReadOnly);
    assert!(locations(&db).await.is_empty());
}

#[tokio::test]
async fn a_statement_that_failed_fails_its_transaction_even_if_the_closure_goes_on() {
    // PostgreSQL would take back everything and call the COMMIT a success.
    super::support::on_postgres(async |db| {
        let swallow = |tx: &mut Tx<'_>| {
            add(tx, "x")?;
            let _ = tx.execute("INSERT INTO garbage (location) VALUES ($1)", &[Val::Null]);
            Ok::<_, Error>(())
        };
        assert_eq!(db.write(swallow).await.unwrap_err().kind, Kind::Constraint);
        db.run(|tx| add(tx, "y")).await;
        assert_eq!(locations(db).await, ["y"]);
    })
    .await;
}

#[tokio::test]
async fn every_type_of_value_comes_back_as_it_went_in() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let digest = digest("d");
            let new = events::NewEvent {
                at: i64::MIN,
                kind: "k '$1' \"é\" 日本",
                repository: Some("a/b"),
                digest: Some(&digest),
                actor: "",
                ..events::NewEvent::default()
            };
            let id = events::insert(tx, &new)?;
            let mut found = events::of_repository(tx, "a/b", 9)?;
            let found = found.pop().unwrap();
            assert_eq!((found.id, found.kind.as_str()), (id, "k '$1' \"é\" 日本"));
            assert_eq!((found.tag, found.digest, found.actor.as_str()), (None, Some(digest), ""));
            let mut row = tx.one("SELECT at, address, at < 0, 'don''t $1' FROM events WHERE id = $1", &[id.into()])?;
            assert_eq!((row.int(0)?, row.opt_int(1)?, row.bool(2)?), (i64::MIN, None, true));
            assert_eq!(row.text(3)?, "don't $1");
            assert_eq!(row.int(3).unwrap_err().kind, Kind::Corrupt);
            assert_eq!(row.size(0).unwrap_err().kind, Kind::Corrupt);
            assert_eq!(row.int(4).unwrap_err().kind, Kind::Corrupt);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn parameters_may_come_in_any_order_and_more_than_once() {
    on_each_engine(async |db| {
        db.run(|tx| {
            add(tx, "x")?;
            let sql = "SELECT location FROM garbage WHERE location = $2 AND not_before < $1 AND $2 <> 'y'";
            let mut row = tx.one(sql, &[1_i64.into(), "x".into()])?;
            assert_eq!(row.text(0)?, "x");
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn every_use_of_a_door_is_observed() {
    let directory = tempfile::TempDir::new().unwrap();
    let counts: Arc<[AtomicUsize; 2]> = Arc::default();
    let counted = Arc::clone(&counts);
    let db =
        Db::open_sqlite(&directory.path().join("havre.db"), true).unwrap().observed_by(Arc::new(move |write, _| {
            counted[usize::from(write)].fetch_add(1, Ordering::SeqCst);
        }));
    db.read(|tx| repositories::find(tx, &name("a/b"))).await.unwrap();
    db.scan(|_| Ok::<_, Error>(())).await.unwrap();
    let _ = db.write(|_| Err::<(), _>(refuse())).await;
    assert_eq!([0, 1].map(|i| counts[i].load(Ordering::SeqCst)), [2, 1]);
    assert_eq!(db.engine(), "sqlite");
}
