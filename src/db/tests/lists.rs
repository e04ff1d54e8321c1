use super::support::{TestDb, digest, name, on_each_engine, tag};
use crate::db::access::{self, Viewer};
use crate::db::manifests::NewManifest;
use crate::db::{Error, Tx, blobs, events, garbage, inventory, manifests, referrers, repositories, tags};

fn manifest(tx: &mut Tx<'_>, repository_id: i64, seed: &str) -> Result<i64, Error> {
    let new = NewManifest {
        repository_id,
        digest: &digest(seed),
        media_type: "m",
        artifact_type: None,
        subject: None,
        annotations: None,
        content: b"{}",
        now: 1,
    };
    Ok(manifests::insert(tx, &new)?.unwrap())
}

/// Reads a list page by page.
async fn pages(
    db: &TestDb,
    size: i64,
    list: impl Fn(&mut Tx<'_>, &str, i64) -> Result<Vec<String>, Error> + Clone + Send + 'static,
) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let (list, last) = (list.clone(), all.last().cloned().unwrap_or_default());
        let page = db.scan(move |tx| list(tx, &last, size)).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[tokio::test]
async fn repositories_are_listed_in_ascii_order() {
    on_each_engine(async |db| {
        let names = ["a/b", "a-b", "a.b", "a_b", "a/b/c", "ab", "a/b-c", "a0", "a__b", "b", "a/b.c", "a"];
        db.run(move |tx| {
            for text in names {
                let (id, made) = repositories::ensure(tx, &name(text), 1)?;
                assert!(made);
                assert_eq!(repositories::ensure(tx, &name(text), 2)?, (id, false));
                assert_eq!(repositories::find(tx, &name(text))?, Some(id));
                manifest(tx, id, text)?;
            }
            // Without a manifest, it is not one yet that can be pulled from.
            repositories::ensure(tx, &name("a/empty"), 1)?;
            Ok(())
        })
        .await;
        let mut sorted = names.map(str::to_owned);
        sorted.sort();
        for size in [1, 2, 5, 100] {
            assert_eq!(
                pages(db, size, |tx, after, limit| access::repositories(tx, Viewer::ALL, after, limit)).await,
                sorted
            );
        }
        let none = db.read(|tx| repositories::find(tx, &name("A".to_lowercase().as_str()))).await.unwrap();
        assert!(none.is_some());
    })
    .await;
}

#[tokio::test]
async fn tags_are_listed_in_ascii_order() {
    on_each_engine(async |db| {
        let names = ["a-b", "a.b", "aB", "a_b", "ab", "AB", "A", "a", "_a", "0", "10", "9", "Z", "z", "a--b", "a-B"];
        let id = db
            .run(move |tx| {
                let (id, _) = repositories::ensure(tx, &name("some/app"), 1)?;
                let (other, _) = repositories::ensure(tx, &name("some/other"), 1)?;
                let (ours, theirs) = (manifest(tx, id, "m")?, manifest(tx, other, "m")?);
                for text in names {
                    assert!(tags::insert(tx, id, &tag(text), ours, 1)?);
                    tags::insert(tx, other, &tag(&format!("{text}.other")), theirs, 1)?;
                }
                let mut sorted = names;
                sorted.sort_unstable();
                assert_eq!(tags::of_manifest(tx, ours)?, sorted);
                Ok(id)
            })
            .await;
        let mut sorted = names.map(str::to_owned);
        sorted.sort();
        for size in [1, 3, 100] {
            assert_eq!(pages(db, size, move |tx, last, size| tags::list(tx, id, last, size)).await, sorted);
        }
    })
    .await;
}

#[tokio::test]
async fn a_tag_moves_and_its_history_tells_how() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (id, _) = repositories::ensure(tx, &name("some/app"), 1)?;
            let (one, two) = (manifest(tx, id, "one")?, manifest(tx, id, "two")?);
            let latest = tag("latest");
            assert_eq!(tags::lock(tx, id, &latest)?, None);
            assert!(tags::insert(tx, id, &latest, one, 1)?);
            assert!(!tags::insert(tx, id, &latest, two, 2)?);
            assert_eq!(tags::lock(tx, id, &latest)?, Some((one, digest("one"))));
            tags::set(tx, id, &latest, two, 2)?;
            assert_eq!(tags::lock(tx, id, &latest)?, Some((two, digest("two"))));
            let moves = [(Some("one"), None, 1), (Some("two"), Some("one"), 2), (None, Some("two"), 3)];
            for (to, from, at) in moves {
                let (to, from) = (to.map(digest), from.map(digest));
                let moved = tags::Move {
                    repository_id: id,
                    tag: "latest",
                    digest: to.as_ref(),
                    previous: from.as_ref(),
                    event_id: at,
                    at,
                };
                tags::record_move(tx, &moved)?;
            }
            let history = tags::history(tx, id, &latest, 2)?;
            let expected = [(None, Some("two"), 3), (Some("two"), Some("one"), 2)];
            let expected = expected.map(|(to, from, at)| (to.map(digest), from.map(digest), at));
            assert_eq!(history.iter().map(|row| (row.digest, row.previous, row.at)).collect::<Vec<_>>(), expected);
            assert!(tags::delete(tx, id, &latest)?);
            assert!(!tags::delete(tx, id, &latest)?);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn referrers_are_listed_by_digest_and_filtered() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (id, _) = repositories::ensure(tx, &name("some/app"), 1)?;
            let (other, _) = repositories::ensure(tx, &name("some/other"), 1)?;
            let subject = digest("subject");
            for i in 0..7 {
                for repository_id in [id, other] {
                    let new = NewManifest {
                        repository_id,
                        digest: &digest(&format!("{i}")),
                        media_type: "m",
                        artifact_type: (i > 0).then_some(if i % 2 == 0 { "even" } else { "odd" }),
                        subject: Some(&subject),
                        annotations: (i == 3).then_some("{\"a\":\"b\"}"),
                        content: b"{}",
                        now: 1,
                    };
                    manifests::insert(tx, &new)?;
                }
            }
            let mut expected: Vec<_> = (0..7).map(|i| digest(&format!("{i}"))).collect();
            expected.sort();
            let lengths = referrers::measure(tx, id, &subject, Vec::new(), "", 100)?;
            assert_eq!(lengths.iter().map(|length| length.digest).collect::<Vec<_>>(), expected);
            // Of one: the media type alone; of six: with an artifact type; of one of those: with annotations.
            assert_eq!(lengths.iter().map(|length| length.bytes).sum::<u64>(), 7 + 3 * 3 + 3 * 4 + 9);
            let all = referrers::list(tx, id, &subject, Vec::new(), &expected[6], "")?;
            assert_eq!(all.iter().map(|row| row.digest).collect::<Vec<_>>(), expected);
            assert_eq!(all.iter().filter(|row| row.annotations.is_some() && row.size == 2).count(), 1);
            let behind = expected[2].to_key();
            assert_eq!(referrers::measure(tx, id, &subject, behind.clone(), "", 2)?.len(), 2);
            let rest = referrers::list(tx, id, &subject, behind, &expected[4], "")?;
            assert_eq!(rest.iter().map(|row| row.digest).collect::<Vec<_>>(), expected[3..5]);
            assert_eq!(referrers::measure(tx, id, &subject, Vec::new(), "odd", 100)?.len(), 3);
            let odd = referrers::list(tx, id, &subject, Vec::new(), &expected[6], "odd")?;
            assert_eq!(odd.len(), 3);
            assert!(odd.iter().all(|row| row.artifact_type.as_deref() == Some("odd") && row.media_type == "m"));
            assert!(referrers::measure(tx, id, &digest("none"), Vec::new(), "", 9)?.is_empty());
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn events_and_garbage_are_listed_the_oldest_first() {
    on_each_engine(async |db| {
        db.run(|tx| {
            for (at, kind) in [(3, "c"), (1, "a"), (2, "b")] {
                let new =
                    events::NewEvent { at, kind, repository: Some("r"), actor: "x", ..events::NewEvent::default() };
                events::insert(tx, &new)?;
                garbage::insert(tx, kind, at)?;
            }
            let listed = events::of_repository(tx, "r", 2)?;
            assert_eq!(listed.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(), ["c", "a"]);
            assert!(events::of_repository(tx, "other", 2)?.is_empty());
            let due = garbage::due(tx, 2, 10)?;
            assert_eq!(due.iter().map(|(_, location)| location.as_str()).collect::<Vec<_>>(), ["a", "b"]);
            assert_eq!(garbage::due(tx, 9, 1)?.len(), 1);
            garbage::postpone(tx, due[0].0, 5)?;
            assert_eq!(garbage::due(tx, 2, 10)?.len(), 1);
            garbage::delete(tx, due[0].0)?;
            assert_eq!(garbage::due(tx, 9, 10)?.len(), 2);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_inventory_pages_over_everything() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (id, _) = repositories::ensure(tx, &name("some/app"), 1)?;
            let (other, _) = repositories::ensure(tx, &name("a/b"), 1)?;
            for i in 0..5_u64 {
                let seed = format!("{i}");
                let blob = blobs::insert(tx, &digest(&seed), i, &format!("l{i}"), 1)?.unwrap();
                blobs::link(tx, id, blob, &digest(&seed), 1)?;
                blobs::link(tx, other, blob, &digest(&seed), 1)?;
                assert_eq!(inventory::holders(tx, blob, 1)?, ["a/b"]);
                assert_eq!(inventory::holders(tx, blob, 9)?, ["a/b", "some/app"]);
                manifest(tx, id, &seed)?;
            }
            blobs::quarantine(tx, "l4")?;
            let page = inventory::blobs(tx, 0, 3)?;
            assert_eq!(page.iter().map(|blob| blob.size).collect::<Vec<_>>(), [0, 1, 2]);
            let rest = inventory::blobs(tx, page[2].id, 30)?;
            assert_eq!(
                rest.iter().map(|blob| (blob.size, blob.quarantined)).collect::<Vec<_>>(),
                [(3, false), (4, true)]
            );
            assert!(inventory::is_unchanged(tx, &page[0])?);
            let moved = inventory::BlobEntry { location: "elsewhere".into(), ..page[0].clone() };
            assert!(!inventory::is_unchanged(tx, &moved)?);
            let page = inventory::manifests(tx, 0, 4)?;
            assert_eq!((page.len(), page[0].repository.as_str(), &page[0].content[..]), (4, "some/app", &b"{}"[..]));
            let last = inventory::manifests(tx, page[3].id, 4)?;
            assert_eq!((last.len(), last[0].digest, last[0].media_type.as_str()), (1, digest("4"), "m"));
            assert!(inventory::has_manifest(tx, last[0].id, &digest("4"))?);
            // The key may have been given to another manifest meanwhile.
            assert!(!inventory::has_manifest(tx, last[0].id, &digest("3"))?);
            assert!(inventory::edges(tx, last[0].id)?.is_empty());
            assert_eq!(inventory::totals(tx)?, inventory::Totals { blobs: 5, manifests: 5 });
            Ok(())
        })
        .await;
    })
    .await;
}
