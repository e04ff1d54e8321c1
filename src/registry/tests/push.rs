use oci::media_type::OCI_MANIFEST;
use oci::{Algorithm, Reference};
use serde_json::json;

use super::support::*;
use crate::config::MissingReferences;
use crate::db::{repositories, tags};
use crate::registry::manifests::{self, Push};
use crate::registry::{Error, catalog, referrers, tags as tag_rules};

#[tokio::test]
async fn an_image_is_pushed_and_pulled_byte_for_byte() {
    on_each(async |world| {
        let image = Image::new(&["config", "layer", "another layer"]);
        let digest = world.push_image("some/app", "v1", &image).await.unwrap();
        assert_eq!(digest, image.digest());
        assert_eq!(world.pull("some/app", Reference::Tag(tag("v1"))).await.unwrap(), image.manifest);
        assert_eq!(world.pull("some/app", Reference::Digest(digest)).await.unwrap(), image.manifest);
        for (i, blob) in image.blobs.iter().enumerate() {
            assert_eq!(world.pull_blob("some/app", image.blob(i)).await.unwrap(), blob);
        }
        let head = manifests::head(&world.registry, &world.ctx(), &name("some/app"), &Reference::Tag(tag("v1"))).await;
        let head = head.unwrap();
        assert_eq!((head.digest, head.size), (digest, image.manifest.len() as u64));
        let expected = ["repository.create", "blob.push", "blob.push", "blob.push", "manifest.push", "tag.create"];
        assert_eq!(world.events("some/app").await, expected);
        // Again: nothing has changed, nothing is told of the manifest.
        world.push("some/app", "v1", &image.manifest).await.unwrap();
        assert_eq!(world.events("some/app").await, expected);
        assert_eq!(world.stored().await, (3, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_told_apart() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        let digest = image.digest();
        for reference in [Reference::Tag(tag("v1")), Reference::Digest(digest)] {
            let error = world.pull("some/app", reference).await.unwrap_err();
            assert!(matches!(error, Error::NameUnknown(_)), "{error}");
        }
        assert!(matches!(world.pull_blob("some/app", digest).await, Err(Error::NameUnknown(_))));
        world.push_image("some/app", "v1", &image).await.unwrap();
        let error = world.pull("some/app", Reference::Tag(tag("v2"))).await.unwrap_err();
        assert!(matches!(error, Error::ManifestUnknown { .. }), "{error}");
        assert!(matches!(world.pull_blob("some/app", digest).await, Err(Error::BlobUnknown { .. })));
        assert!(matches!(world.delete("some/other", digest).await, Err(Error::NameUnknown(_))));
        assert!(matches!(world.delete_tag("some/app", "v2").await, Err(Error::ManifestUnknown { .. })));
        assert!(matches!(world.delete_blob("some/app", digest).await, Err(Error::BlobUnknown { .. })));
        assert!(matches!(world.delete_blob("some/other", digest).await, Err(Error::NameUnknown(_))));
    })
    .await;
}

#[tokio::test]
async fn a_manifest_whose_references_are_missing_is_refused_and_leaves_nothing() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        world.push_blob("some/app", "c").await.unwrap();
        world.push_blob("some/other", "l").await.unwrap();
        let error = world.push("some/app", "v1", &image.manifest).await.unwrap_err();
        let Error::ReferencesMissing(missing) = error else { panic!("{error}") };
        assert_eq!(missing, [image.blob(1)]);
        let parent = index(&[&image.manifest]);
        let error = world.push("some/new", "v1", &parent).await.unwrap_err();
        let Error::ReferencesMissing(missing) = error else { panic!("{error}") };
        assert_eq!(missing, [image.digest()]);
        let made = world.registry.db.read(|tx| repositories::find(tx, &name("some/new"))).await.unwrap();
        assert_eq!(made, None);
        assert_eq!(world.events("some/app").await, ["repository.create", "blob.push"]);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn what_may_be_missing_is_what_the_operator_allows() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        let parent = index(&[&image.manifest]);
        let sparse = world.with(|registry| registry.settings.missing_references = MissingReferences::AllowChildren);
        assert!(matches!(sparse.push("a/a", "v1", &image.manifest).await, Err(Error::ReferencesMissing(_))));
        sparse.push("a/a", "v1", &parent).await.unwrap();
        let any = world.with(|registry| registry.settings.missing_references = MissingReferences::Allow);
        any.push("a/a", "v2", &image.manifest).await.unwrap();
        // A child that came later is one, too.
        assert!(matches!(world.delete("a/a", image.digest()).await, Err(Error::Referenced { .. })));
        assert_eq!(world.faults(super::super::check::Options::default()).await, []);
    })
    .await;
}

#[tokio::test]
async fn a_layer_that_may_not_be_distributed_may_be_missing_unless_it_is_also_an_ordinary_one() {
    on_each(async |world| {
        let foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
        world.push_blob("a/a", "c").await.unwrap();
        let manifest = |types: &[&str]| {
            let layers: Vec<_> = types.iter().map(|media_type| descriptor(media_type, b"l")).collect();
            let text = json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "config": descriptor("application/vnd.oci.image.config.v1+json", b"c"),
                "layers": layers,
            });
            bytes::Bytes::from(text.to_string())
        };
        world.push("a/a", "foreign", &manifest(&[foreign])).await.unwrap();
        for both in [[foreign, LAYER], [LAYER, foreign]] {
            let error = world.push("a/a", "both", &manifest(&both)).await.unwrap_err();
            assert!(matches!(error, Error::ReferencesMissing(_)), "{error}");
        }
        // Once it is there, it goes with the last manifest that names it.
        world.push_blob("a/a", "l").await.unwrap();
        let digest = world.push("a/a", "both", &manifest(&[foreign, LAYER])).await.unwrap();
        world.delete("a/a", digest).await.unwrap();
        world.sweep_all().await;
        assert!(world.has_blob("a/a", sha256(b"l")).await);
        world.delete("a/a", sha256(&manifest(&[foreign]))).await.unwrap();
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_push_by_digest_is_held_to_it() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        for blob in &image.blobs {
            world.push_blob("a/a", blob.clone()).await.unwrap();
        }
        let wrong = Reference::Digest(sha256(b"other"));
        let error = world.push_as("a/a", wrong, image.manifest.clone()).await.unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
        let sha512 = Algorithm::Sha512.digest(&image.manifest);
        assert_eq!(world.push_as("a/a", Reference::Digest(sha512), image.manifest.clone()).await.unwrap(), sha512);
        assert!(world.has_manifest("a/a", sha512).await);
        assert!(!world.has_manifest("a/a", image.digest()).await);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn too_large_is_refused_before_anything_else() {
    on_each(async |world| {
        let long = bytes::Bytes::from(vec![b' '; 4 * 1024 * 1024 + 1]);
        let error = world.push("a/a", "v1", &long).await.unwrap_err();
        assert!(matches!(error, Error::ManifestTooLarge { limit } if limit == 4 * 1024 * 1024), "{error}");
        let small = world.with(|r| r.settings.max_blob_size = Some("10 B".parse().unwrap_or_else(|_| panic!())));
        assert!(matches!(small.push_blob("a/a", "more than ten").await, Err(Error::BlobTooLarge { limit: 10 })));
        small.push_blob("a/a", "exactly 10").await.unwrap();
        assert_eq!(world.stored().await, (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a_tag_moves_and_every_move_tells_where_it_was() {
    on_each(async |world| {
        let images = ["one", "two"].map(|text| Image::new(&["c", text]));
        for image in &images {
            world.push_image("a/a", "latest", image).await.unwrap();
        }
        world.push("a/a", "latest", &images[0].manifest).await.unwrap();
        world.push("a/a", "latest", &images[0].manifest).await.unwrap();
        world.delete_tag("a/a", "latest").await.unwrap();
        assert!(world.has_manifest("a/a", images[0].digest()).await);
        world.push("a/a", "latest", &images[1].manifest).await.unwrap();
        world.delete("a/a", images[1].digest()).await.unwrap();
        let history = world.registry.db.read(|tx| {
            let id = repositories::find(tx, &name("a/a"))?.unwrap();
            tags::history(tx, id, &tag("latest"), 100)
        });
        let history: Vec<_> = history.await.unwrap().into_iter().rev().map(|row| (row.digest, row.previous)).collect();
        let [one, two] = [Some(images[0].digest()), Some(images[1].digest())];
        let expected = [(one, None), (two, one), (one, two), (None, one), (two, None), (None, two)];
        assert_eq!(history, expected);
        let moves: Vec<_> = world.events("a/a").await.into_iter().filter(|kind| kind.starts_with("tag.")).collect();
        assert_eq!(moves, ["tag.create", "tag.move", "tag.move", "tag.delete", "tag.create", "tag.delete"]);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_manifest_takes_its_tags_along_and_its_parts_cannot_go_before_it() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        let digest = world.push_image("a/a", "v1", &image).await.unwrap();
        let push = Push {
            repository: name("a/a"),
            reference: Reference::Digest(digest),
            tags: ["v3", "v2", "v3"].map(tag).into(),
            content_type: None,
            content: image.manifest.clone(),
        };
        manifests::push(&world.registry, &world.ctx(), push).await.unwrap();
        let parent = world.push("a/a", "all", &index(&[&image.manifest])).await.unwrap();
        let error = world.delete("a/a", digest).await.unwrap_err();
        assert!(matches!(error, Error::Referenced { ref parents, .. } if *parents == [parent]), "{error}");
        let error = world.delete_blob("a/a", image.blob(1)).await.unwrap_err();
        assert!(matches!(error, Error::Referenced { ref parents, .. } if *parents == [digest]), "{error}");
        let listed = async || {
            let page = tag_rules::list(&world.registry, &world.ctx(), &name("a/a"), None, 100).await.unwrap();
            assert!(!page.more);
            page.names
        };
        assert_eq!(listed().await, ["all", "v1", "v2", "v3"]);
        world.delete("a/a", parent).await.unwrap();
        assert_eq!(listed().await, ["v1", "v2", "v3"]);
        world.delete("a/a", digest).await.unwrap();
        assert!(listed().await.is_empty());
        world.delete_blob("a/a", image.blob(1)).await.unwrap();
        assert!(catalog::list(&world.registry, &world.ctx(), None, 9).await.unwrap().names.is_empty());
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_with_the_bytes_of_a_child_is_not_the_child() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        let digest = world.push_image("a/a", "v1", &image).await.unwrap();
        let parent = world.push("a/a", "all", &index(&[&image.manifest])).await.unwrap();
        world.push_blob("a/a", image.manifest.clone()).await.unwrap();
        world.delete_blob("a/a", digest).await.unwrap();
        world.push_blob("a/a", image.manifest.clone()).await.unwrap();
        // The other way round: a manifest whose bytes are also a layer.
        let holder = Image::new(&["c", std::str::from_utf8(&image.manifest).unwrap()]);
        world.push_image("a/a", "holder", &holder).await.unwrap();
        world.delete("a/a", parent).await.unwrap();
        world.delete("a/a", digest).await.unwrap();
        assert!(world.has_blob("a/a", digest).await && !world.has_manifest("a/a", digest).await);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_referrer_is_listed_whether_its_subject_is_there_or_not() {
    on_each(async |world| {
        let image = Image::new(&["c", "l"]);
        world.push_blob("a/a", "{}").await.unwrap();
        let mut digests = Vec::new();
        for kind in ["sbom", "signature"] {
            let referrer = json!({
                "schemaVersion": 2,
                "mediaType": OCI_MANIFEST,
                "artifactType": kind,
                "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
                "layers": [],
                "subject": descriptor(OCI_MANIFEST, &image.manifest),
                "annotations": { "made": "by a test" },
            });
            let push = Push {
                repository: name("a/a"),
                reference: Reference::Tag(tag(kind)),
                tags: Vec::new(),
                content_type: Some(OCI_MANIFEST.into()),
                content: referrer.to_string().into(),
            };
            let pushed = manifests::push(&world.registry, &world.ctx(), push).await.unwrap();
            assert_eq!(pushed.subject, Some(image.digest()));
            digests.push(pushed.digest);
        }
        digests.sort();
        let list = async |filter: Option<&str>| {
            let (ctx, repository, subject) = (world.ctx(), name("a/a"), image.digest());
            let page = referrers::list(&world.registry, &ctx, &repository, &subject, filter, None).await.unwrap();
            assert!(page.next.is_none() && page.referrers.iter().all(|referrer| referrer.annotations.is_some()));
            page.referrers.into_iter().map(|referrer| referrer.digest).collect::<Vec<_>>()
        };
        assert_eq!(list(None).await, digests);
        assert_eq!(list(Some("sbom")).await.len(), 1);
        assert!(list(Some("other")).await.is_empty());
        world.push_image("a/a", "v1", &image).await.unwrap();
        world.delete("a/a", image.digest()).await.unwrap();
        assert_eq!(list(None).await, digests);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn a_blob_is_mounted_from_who_holds_it() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "shared").await.unwrap();
        assert!(!world.mount("b/b", digest, Some("c/c")).await.unwrap());
        assert!(!world.mount("b/b", sha256(b"none"), None).await.unwrap());
        assert_eq!(world.events("b/b").await, Vec::<String>::new());
        assert!(world.mount("b/b", digest, Some("a/a")).await.unwrap());
        assert!(world.mount("c/c", digest, None).await.unwrap());
        assert!(world.mount("c/c", digest, None).await.unwrap());
        assert_eq!(world.events("b/b").await, ["repository.create", "blob.mount"]);
        assert_eq!(world.events("c/c").await, ["repository.create", "blob.mount"]);
        assert!(world.has_blob("b/b", digest).await && world.has_blob("c/c", digest).await);
        assert_eq!(world.stored().await, (1, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn equal_bytes_are_stored_once_and_the_rest_swept() {
    on_each(async |world| {
        for repository in ["a/a", "b/b", "a/a"] {
            world.push_blob(repository, "same").await.unwrap();
        }
        assert_eq!(world.stored().await, (1, 0));
        let sha512 = Algorithm::Sha512.digest(b"same");
        let id = world.start("a/a").await;
        world.append("a/a", id, "same").await.unwrap();
        world.finish("a/a", id, sha512).await.unwrap();
        assert_eq!(world.pull_blob("a/a", sha512).await.unwrap(), "same");
        world.assert_whole().await;
    })
    .await;
}
