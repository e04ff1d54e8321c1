use oci::Algorithm;

use super::support::{name, on_each_engine};
use crate::db::uploads::{self, Progress};
use crate::db::{Error, Tx};

fn begin(tx: &mut Tx<'_>, id: &str, now: i64) -> Result<(), Error> {
    uploads::insert(tx, id, &name("a/a"), "somebody", Algorithm::Sha512, "boot", now)
}

fn progress(received: u64) -> Progress<'static> {
    Progress { received, hash_state: b"state", algorithm: Algorithm::Sha256, boot: "later" }
}

#[tokio::test]
async fn a_session_begins_empty_and_remembers_where_it_stands() {
    on_each_engine(async |db| {
        db.run(|tx| {
            begin(tx, "u", 1)?;
            let row = uploads::find(tx, "u")?.unwrap();
            assert_eq!((row.id.as_str(), row.repository.as_str(), row.principal.as_str()), ("u", "a/a", "somebody"));
            assert_eq!((row.algorithm, row.received, row.hash_state), (Algorithm::Sha512, 0, None));
            assert_eq!((row.boot.as_str(), row.location), ("boot", None));
            let row = uploads::claim(tx, "u", "h", Some("here"), 2, 10)?.unwrap();
            assert_eq!(row.location.as_deref(), Some("here"));
            assert!(uploads::checkpoint(tx, "u", "h", &progress(7), 3, 11)?);
            uploads::release(tx, "u", "h")?;
            // Without a location of its own, a claim keeps the one that is known.
            let row = uploads::claim(tx, "u", "h", None, 4, 10)?.unwrap();
            assert_eq!((row.received, row.hash_state.as_deref()), (7, Some(&b"state"[..])));
            assert_eq!((row.algorithm, row.boot.as_str()), (Algorithm::Sha256, "later"));
            assert_eq!(row.location.as_deref(), Some("here"));
            assert_eq!(uploads::find(tx, "other")?, None);
            assert_eq!(uploads::count(tx)?, 1);
            uploads::count_some(tx)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn one_request_holds_a_session_until_its_lease_runs_out() {
    on_each_engine(async |db| {
        db.run(|tx| {
            begin(tx, "u", 1)?;
            assert!(uploads::claim(tx, "u", "first", None, 1, 10)?.is_some());
            assert!(uploads::claim(tx, "u", "second", None, 10, 20)?.is_none());
            assert!(uploads::claim(tx, "u", "second", None, 11, 20)?.is_some());
            assert!(!uploads::checkpoint(tx, "u", "first", &progress(7), 12, 30)?);
            uploads::release(tx, "u", "first")?;
            assert!(!uploads::delete_held(tx, "u", "first")?);
            assert!(uploads::claim(tx, "u", "third", None, 12, 20)?.is_none());
            assert!(uploads::checkpoint(tx, "u", "second", &progress(7), 12, 30)?);
            assert!(uploads::claim(tx, "u", "third", None, 25, 40)?.is_none(), "a checkpoint renews the lease");
            assert!(uploads::delete_held(tx, "u", "second")?);
            assert!(uploads::claim(tx, "u", "third", None, 50, 60)?.is_none());
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn only_sessions_that_nobody_holds_are_abandoned() {
    on_each_engine(async |db| {
        db.run(|tx| {
            for (id, at) in [("c", 3), ("a", 1), ("b", 2)] {
                begin(tx, id, at)?;
            }
            let abandoned = |tx: &mut Tx<'_>, before, now| {
                let rows = uploads::abandoned(tx, before, now, 2)?;
                Ok::<Vec<String>, Error>(rows.into_iter().map(|row| row.id).collect())
            };
            assert_eq!(abandoned(tx, 3, 100)?, ["a", "b"]);
            assert_eq!(abandoned(tx, 100, 100)?, ["a", "b"], "no more than asked for");
            uploads::claim(tx, "a", "h", None, 1, 50)?;
            assert_eq!(abandoned(tx, 3, 50)?, ["b"]);
            assert_eq!(abandoned(tx, 3, 51)?, ["a", "b"]);
            assert!(!uploads::delete_abandoned(tx, "a", 3, 50)?);
            assert!(!uploads::delete_abandoned(tx, "c", 3, 50)?);
            assert!(uploads::delete_abandoned(tx, "b", 3, 50)?);
            assert!(uploads::delete_abandoned(tx, "a", 3, 51)?);
            assert_eq!(uploads::count(tx)?, 1);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_new_life_of_a_node_lets_go_of_its_sessions_and_of_no_others() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let holders = ["6f-1/a", "6f-1/Z-9", "6f-10/a", "6f-2/a", "6F-1/a", "6f/1", "6f-1"];
            for holder in holders {
                begin(tx, holder, 1)?;
                uploads::claim(tx, holder, holder, None, 1, 1_000)?;
            }
            uploads::release_all(tx, "6f-1")?;
            let mut free = Vec::new();
            for id in holders {
                if uploads::claim(tx, id, "after", None, 2, 1_000)?.is_some() {
                    free.push(id);
                }
            }
            assert_eq!(free, holders[..2]);
            Ok(())
        })
        .await;
    })
    .await;
}
