use super::support::{digest, name, on_each_engine};
use crate::db::access::{self, Viewer};
use crate::db::manifests::{NewManifest, Target};
use crate::db::{Error, Tx, blobs, garbage, inventory, manifests, repositories, uploads};

fn blob(tx: &mut Tx<'_>, seed: &str) -> Result<i64, Error> {
    Ok(blobs::insert(tx, &digest(seed), seed.len() as u64, &format!("at {seed}"), 1)?.unwrap())
}

fn repository(tx: &mut Tx<'_>, text: &str) -> Result<i64, Error> {
    Ok(repositories::ensure(tx, &name(text), 1)?.0)
}

fn manifest(tx: &mut Tx<'_>, repository_id: i64, seed: &str, layer: &str, target: Target) -> Result<i64, Error> {
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
    let id = manifests::insert(tx, &new)?.unwrap();
    manifests::insert_edge(tx, id, 0, "layer", repository_id, &digest(layer), target)?;
    if let Target::Blob(blob) = target {
        blobs::set_referenced(tx, repository_id, blob)?;
    }
    Ok(id)
}

fn since(tx: &mut Tx<'_>, repository_id: i64, blob_id: i64) -> Result<Option<i64>, Error> {
    let sql = "SELECT unreferenced_since FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2";
    tx.one(sql, &[repository_id.into(), blob_id.into()])?.opt_int(0)
}

#[tokio::test]
async fn a_blob_is_found_only_through_a_repository_that_holds_it() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (a, _) = (repository(tx, "a/a")?, repository(tx, "b/b")?);
            let id = blob(tx, "x")?;
            assert_eq!(blobs::insert(tx, &digest("x"), 1, "elsewhere", 1)?, None);
            assert_eq!(access::blob_anywhere(tx, Viewer::ALL, &digest("x"))?, None);
            assert_eq!(blobs::hold_link(tx, a, &digest("x"))?, None);
            assert!(blobs::link(tx, a, id, &digest("x"), 5)?);
            let row = blobs::find(tx, &name("a/a"), &digest("x"))?.unwrap();
            assert_eq!((row.id, row.size, row.location.as_str(), row.quarantined), (id, 1, "at x", false));
            assert_eq!(blobs::find(tx, &name("b/b"), &digest("x"))?, None);
            assert_eq!(blobs::find(tx, &name("a/a"), &digest("y"))?, None);
            assert_eq!(access::blob_anywhere(tx, Viewer::ALL, &digest("x"))?, Some(row.clone()));
            assert_eq!(blobs::hold(tx, &digest("x"))?, Some(row.clone()));
            assert_eq!(blobs::lookup(tx, &digest("x"))?, Some(row));
            assert_eq!(blobs::lookup(tx, &digest("y"))?, None);
            assert_eq!(blobs::lock(tx, &digest("x"))?, blobs::lookup(tx, &digest("x"))?);
            assert_eq!(blobs::hold_link(tx, a, &digest("x"))?, Some(id));
            assert!(blobs::lock_link(tx, a, id)?);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_quarantined_blob_gets_new_bytes_once() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let a = repository(tx, "a/a")?;
            let id = blob(tx, "x")?;
            blobs::link(tx, a, id, &digest("x"), 5)?;
            assert!(!blobs::replace_bytes(tx, id, 1, "new")?);
            assert!(!blobs::quarantine(tx, "elsewhere")?);
            assert!(blobs::quarantine(tx, "at x")?);
            assert!(!blobs::quarantine(tx, "at x")?);
            assert!(blobs::hold(tx, &digest("x"))?.unwrap().quarantined);
            assert_eq!(blobs::hold_link(tx, a, &digest("x"))?, None);
            assert!(!blobs::restore(tx, "elsewhere")?);
            assert!(blobs::restore(tx, "at x")? && !blobs::restore(tx, "at x")?);
            assert_eq!(blobs::hold_link(tx, a, &digest("x"))?, Some(id));
            assert!(blobs::quarantine(tx, "at x")?);
            assert!(blobs::replace_bytes(tx, id, 1, "new")?);
            assert!(!blobs::replace_bytes(tx, id, 1, "newer")?);
            let row = blobs::hold(tx, &digest("x"))?.unwrap();
            assert_eq!((row.location.as_str(), row.quarantined), ("new", false));
            assert!(garbage::is_in_use(tx, "new")? && !garbage::is_in_use(tx, "at x")?);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_grace_period_runs_while_no_manifest_names_the_blob() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let a = repository(tx, "a/a")?;
            let id = blob(tx, "x")?;
            assert!(blobs::link(tx, a, id, &digest("x"), 5)?);
            assert_eq!(since(tx, a, id)?, Some(5));
            assert!(!blobs::link(tx, a, id, &digest("x"), 7)?);
            assert_eq!(since(tx, a, id)?, Some(7), "pushed again, it starts anew");
            assert!(blobs::unreferenced(tx, 7, 9)?.is_empty());
            let due = blobs::unreferenced(tx, 8, 9)?;
            assert_eq!((due.len(), due[0].blob_id, due[0].repository.as_str()), (1, id, "a/a"));
            assert_eq!((due[0].repository_id, due[0].digest), (a, digest("x")));
            assert!(blobs::lock_link_unreferenced_since(tx, a, id, 8)?);
            assert!(!blobs::lock_link_unreferenced_since(tx, a, id, 7)?);

            let first = manifest(tx, a, "m", "x", Target::Blob(id))?;
            let second = manifest(tx, a, "n", "x", Target::Blob(id))?;
            assert_eq!(since(tx, a, id)?, None);
            assert!(blobs::is_referenced(tx, a, &digest("x"))?);
            assert!(!blobs::link(tx, a, id, &digest("x"), 9)?);
            assert_eq!(since(tx, a, id)?, None);
            manifests::delete(tx, a, first, 20)?;
            assert_eq!(since(tx, a, id)?, None);
            manifests::delete(tx, a, second, 21)?;
            assert_eq!(since(tx, a, id)?, Some(21));
            assert!(!blobs::is_referenced(tx, a, &digest("x"))?);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_came_after_its_manifest_is_let_go_of_with_it() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let a = repository(tx, "a/a")?;
            let early = manifest(tx, a, "m", "x", Target::Missing)?;
            let id = blob(tx, "x")?;
            blobs::link(tx, a, id, &digest("x"), 5)?;
            assert_eq!(since(tx, a, id)?, None, "a manifest names it already");
            assert_eq!(manifests::blobs_of(tx, early)?, [(id, digest("x"))]);
            let late = manifest(tx, a, "n", "x", Target::Blob(id))?;
            manifests::delete(tx, a, late, 8)?;
            assert_eq!(since(tx, a, id)?, None);
            manifests::delete(tx, a, early, 9)?;
            assert_eq!(since(tx, a, id)?, Some(9));
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_shared_blob_goes_when_the_last_repository_lets_go_of_it() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (a, b) = (repository(tx, "a/a")?, repository(tx, "b/b")?);
            let id = blob(tx, "x")?;
            blobs::link(tx, a, id, &digest("x"), 1)?;
            blobs::link(tx, b, id, &digest("x"), 1)?;
            blobs::unlink(tx, a, id, 5)?;
            assert!(!blobs::lock_link(tx, a, id)?);
            assert!(blobs::unlinked(tx, i64::MAX, 9)?.is_empty());
            assert_eq!(blobs::delete_unlinked(tx, id)?, None);
            blobs::unlink(tx, b, id, 6)?;
            assert!(blobs::unlinked(tx, 6, 9)?.is_empty());
            assert_eq!(blobs::unlinked(tx, 7, 9)?, [id]);
            blobs::link(tx, a, id, &digest("x"), 8)?;
            assert!(blobs::unlinked(tx, i64::MAX, 9)?.is_empty());
            blobs::unlink(tx, a, id, 9)?;
            assert_eq!(blobs::delete_unlinked(tx, id)?, Some(("at x".to_owned(), digest("x"))));
            assert_eq!(blobs::delete_unlinked(tx, id)?, None);
            assert_eq!(blobs::hold(tx, &digest("x"))?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_that_a_manifest_names_cannot_be_let_go_of() {
    on_each_engine(async |db| {
        let (a, id) = db
            .run(|tx| {
                let a = repository(tx, "a/a")?;
                let id = blob(tx, "x")?;
                blobs::link(tx, a, id, &digest("x"), 1)?;
                manifest(tx, a, "m", "x", Target::Blob(id))?;
                Ok((a, id))
            })
            .await;
        let error = db.write(move |tx| blobs::unlink(tx, a, id, 2)).await.unwrap_err();
        assert_eq!(error.kind, crate::db::Kind::Constraint);
        let held = db.read(|tx| blobs::find(tx, &name("a/a"), &digest("x"))).await.unwrap();
        assert!(held.is_some());
    })
    .await;
}

#[tokio::test]
async fn bytes_are_accounted_for_by_a_blob_an_upload_or_garbage() {
    on_each_engine(async |db| {
        db.run(|tx| {
            for location in ["blob", "upload", "garbage"] {
                assert!(!inventory::is_accounted_for(tx, location)?);
            }
            blobs::insert(tx, &digest("x"), 1, "blob", 1)?;
            uploads::insert(tx, "u", &name("a/a"), "p", oci::Algorithm::Sha256, "boot", 1)?;
            uploads::claim(tx, "u", "h", Some("upload"), 1, 2)?;
            garbage::insert(tx, "garbage", 1)?;
            for location in ["blob", "upload", "garbage"] {
                assert!(inventory::is_accounted_for(tx, location)?);
            }
            assert!(!inventory::is_accounted_for(tx, "other")?);
            Ok(())
        })
        .await;
    })
    .await;
}
