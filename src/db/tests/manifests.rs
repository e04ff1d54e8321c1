use super::support::{digest, name, on_each_engine, tag};
use crate::db::manifests::{ManifestHead, ManifestRow, NewManifest, Target};
use crate::db::{Error, Kind, Tx, blobs, inventory, manifests, repositories, tags};

fn insert(tx: &mut Tx<'_>, repository_id: i64, seed: &str) -> Result<Option<i64>, Error> {
    let new = NewManifest {
        repository_id,
        digest: &digest(seed),
        media_type: "type",
        artifact_type: Some("artifact"),
        subject: None,
        annotations: Some("{}"),
        content: seed.as_bytes(),
        now: 1,
    };
    manifests::insert(tx, &new)
}

fn repository(tx: &mut Tx<'_>, text: &str) -> Result<i64, Error> {
    Ok(repositories::ensure(tx, &name(text), 1)?.0)
}

#[tokio::test]
async fn a_manifest_is_found_by_tag_and_by_digest_in_its_repository_only() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let a = repository(tx, "a/a")?;
            repository(tx, "b/b")?;
            let id = insert(tx, a, "m")?.unwrap();
            assert_eq!(insert(tx, a, "m")?, None);
            tags::insert(tx, a, &tag("v1"), id, 1)?;
            let keys = manifests::Keys { manifest: id, repository: a };
            let row = ManifestRow { digest: digest("m"), media_type: "type".into(), content: b"m".to_vec(), keys };
            let head = ManifestHead { digest: digest("m"), media_type: "type".into(), size: 1, keys };
            assert_eq!(manifests::by_tag(tx, &name("a/a"), &tag("v1"))?, Some(row.clone()));
            assert_eq!(manifests::by_digest(tx, &name("a/a"), &digest("m"))?, Some(row));
            assert_eq!(manifests::head_by_tag(tx, &name("a/a"), &tag("v1"))?, Some(head.clone()));
            assert_eq!(manifests::head_by_digest(tx, &name("a/a"), &digest("m"))?, Some(head));
            for (repository, label, seed) in [("b/b", "v1", "m"), ("a/a", "V1", "n"), ("c/c", "v1", "m")] {
                assert_eq!(manifests::by_tag(tx, &name(repository), &tag(label))?, None);
                assert_eq!(manifests::by_digest(tx, &name(repository), &digest(seed))?, None);
                assert_eq!(manifests::head_by_tag(tx, &name(repository), &tag(label))?, None);
                assert_eq!(manifests::head_by_digest(tx, &name(repository), &digest(seed))?, None);
            }
            assert_eq!(manifests::hold(tx, a, &digest("m"))?, Some(id));
            assert_eq!(manifests::lock(tx, a, &digest("m"))?, Some(id));
            assert_eq!(manifests::hold(tx, a, &digest("n"))?, None);
            assert_eq!(manifests::lock(tx, a, &digest("n"))?, None);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn edges_lead_from_parents_and_users_to_what_they_name() {
    on_each_engine(async |db| {
        db.run(|tx| {
            let (a, b) = (repository(tx, "a/a")?, repository(tx, "b/b")?);
            let blob = blobs::insert(tx, &digest("layer"), 1, "l", 1)?.unwrap();
            blobs::link(tx, a, blob, &digest("layer"), 1)?;
            let image = insert(tx, a, "image")?.unwrap();
            manifests::insert_edge(tx, image, 0, "config", a, &digest("layer"), Target::Blob(blob))?;
            manifests::insert_edge(tx, image, 1, "layer", a, &digest("layer"), Target::Blob(blob))?;
            manifests::insert_edge(tx, image, 2, "layer", a, &digest("elsewhere"), Target::Missing)?;
            let mut indexes = Vec::new();
            for seed in ["i", "j", "k"] {
                let index = insert(tx, a, seed)?.unwrap();
                manifests::insert_edge(tx, index, 0, "child", a, &digest("image"), Target::Child(image))?;
                indexes.push(digest(seed));
            }
            indexes.sort();
            assert_eq!(manifests::parents(tx, a, &digest("image"), 9)?, indexes);
            assert_eq!(manifests::parents(tx, a, &digest("image"), 2)?, indexes[..2]);
            assert!(manifests::parents(tx, b, &digest("image"), 9)?.is_empty());
            assert_eq!(manifests::users(tx, a, &digest("layer"), 9)?, [digest("image")]);
            // A blob with the bytes of a manifest is not named by that manifest's parents, nor the other way round.
            assert!(manifests::users(tx, a, &digest("image"), 9)?.is_empty());
            assert!(manifests::parents(tx, a, &digest("layer"), 9)?.is_empty());
            assert!(!blobs::is_referenced(tx, a, &digest("image"))?);
            assert_eq!(manifests::blobs_of(tx, image)?, [(blob, digest("layer"))]);
            let mut named = [digest("layer"), digest("elsewhere")];
            named.sort();
            assert_eq!(inventory::edges(tx, image)?, named);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_child_cannot_be_deleted_and_a_parent_takes_its_edges_along() {
    on_each_engine(async |db| {
        let (a, child, parent) = db
            .run(|tx| {
                let a = repository(tx, "a/a")?;
                let (child, parent) = (insert(tx, a, "child")?.unwrap(), insert(tx, a, "parent")?.unwrap());
                manifests::insert_edge(tx, parent, 0, "child", a, &digest("child"), Target::Child(child))?;
                Ok((a, child, parent))
            })
            .await;
        let error = db.write(move |tx| manifests::delete(tx, a, child, 2)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Constraint);
        db.run(move |tx| {
            assert_eq!(manifests::hold(tx, a, &digest("child"))?, Some(child));
            manifests::delete(tx, a, parent, 2)?;
            assert!(inventory::edges(tx, parent)?.is_empty());
            manifests::delete(tx, a, child, 2)?;
            assert_eq!(inventory::totals(tx)?.manifests, 0);
            Ok(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_tagged_manifest_cannot_be_deleted_under_its_tag() {
    on_each_engine(async |db| {
        let (a, id) = db
            .run(|tx| {
                let a = repository(tx, "a/a")?;
                let id = insert(tx, a, "m")?.unwrap();
                tags::insert(tx, a, &tag("v1"), id, 1)?;
                Ok((a, id))
            })
            .await;
        let error = db.write(move |tx| manifests::delete(tx, a, id, 2)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Constraint);
    })
    .await;
}
