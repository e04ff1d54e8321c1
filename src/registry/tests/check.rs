use std::ops::ControlFlow;

use super::support::*;
use crate::blobs::{Location, conformance};
use crate::db::blobs;
use crate::db::inventory::Totals;
use crate::registry::Error;
use crate::registry::check::{self, Checked, Fault, Options, Report};

const SHALLOW: Options = Options { deep: false, repair: false };
const DEEP: Options = Options { deep: true, repair: false };
const REPAIR: Options = Options { deep: true, repair: true };

async fn location(world: &World, digest: oci::Digest) -> Location {
    let row = world.registry.db.read(move |tx| blobs::hold(tx, &digest)).await.unwrap().unwrap();
    Location::parse(&row.location).unwrap()
}

/// Puts other bytes where a blob lies, as a failing disk does.
async fn spoil(world: &World, location: &Location, bytes: &str) {
    world.bytes.delete(location).await.unwrap();
    conformance::append(&*world.bytes, location.upload(), 0, bytes.as_bytes()).await;
    world.bytes.finish(location.upload(), location).await.unwrap();
}

fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::BlobMissing(_) => "missing",
        Fault::BlobLength(_) => "length",
        Fault::BlobCorrupt(_) => "corrupt",
        Fault::BlobUnreadable(_) => "unreadable",
        Fault::BlobQuarantined(_) => "quarantined",
        Fault::Orphan { .. } => "orphan",
        Fault::ManifestCorrupt(_) => "manifest",
        Fault::ManifestEdges(_) => "edges",
    }
}

async fn kinds(world: &World, options: Options) -> Vec<&'static str> {
    world.faults(options).await.iter().map(kind).collect()
}

#[tokio::test]
async fn missing_cut_and_changed_blobs_are_found_and_a_new_push_mends_them() {
    on_each(async |world| {
        let image = Image::new(&["config", "one", "two", "six"]);
        world.push_image("a/a", "v1", &image).await.unwrap();
        world.mount("b/b", image.blob(1), None).await.unwrap();
        world.bytes.delete(&location(world, image.blob(1)).await).await.unwrap();
        spoil(world, &location(world, image.blob(2)).await, "tw").await;
        spoil(world, &location(world, image.blob(3)).await, "xis").await;
        assert_eq!(kinds(world, SHALLOW).await, ["missing", "length"]);
        assert_eq!(kinds(world, DEEP).await, ["missing", "length", "corrupt"]);
        let faults = world.faults(DEEP).await;
        let Fault::BlobMissing(fault) = &faults[0] else { panic!("{faults:?}") };
        assert_eq!((fault.digest, fault.mended), (image.blob(1), false));
        assert_eq!(fault.repositories, ["a/a", "b/b"]);

        assert_eq!(kinds(world, REPAIR).await, ["missing", "length", "corrupt"]);
        assert_eq!(kinds(world, DEEP).await, ["quarantined"; 3]);
        for blob in [1, 2, 3] {
            assert!(matches!(world.pull_blob("a/a", image.blob(blob)).await, Err(Error::BlobDamaged(_))));
            assert!(!world.mount("c/c", image.blob(blob), None).await.unwrap());
        }
        let other = Image::new(&["config", "one"]);
        assert!(matches!(world.push("a/a", "v2", &other.manifest).await, Err(Error::ReferencesMissing(_))));
        world.push_image("c/c", "v1", &image).await.unwrap();
        world.sweep_all().await;
        world.assert_whole().await;
        assert!(world.has_blob("a/a", image.blob(3)).await, "mended for everybody");
    })
    .await;
}

#[tokio::test]
async fn damage_found_by_a_pull_is_recorded_and_a_push_of_the_same_bytes_mends_it() {
    on_each(async |world| {
        let gone = world.push_blob("a/a", "gone").await.unwrap();
        let cut = world.push_blob("a/a", "cut").await.unwrap();
        world.bytes.delete(&location(world, gone).await).await.unwrap();
        spoil(world, &location(world, cut).await, "c").await;
        for digest in [gone, cut] {
            for _ in 0..2 {
                assert!(matches!(world.pull_blob("a/a", digest).await, Err(Error::BlobDamaged(_))));
            }
        }
        assert_eq!(kinds(world, SHALLOW).await, ["quarantined"; 2]);
        world.push_blob("a/a", "gone").await.unwrap();
        world.push_blob("b/b", "cut").await.unwrap();
        assert!(world.has_blob("a/a", gone).await && world.has_blob("a/a", cut).await);
        world.sweep().await;
        world.assert_whole().await;
        assert_eq!(world.stored().await, (2, 0));
    })
    .await;
}

#[tokio::test]
async fn what_becomes_of_a_blob_is_told_by_its_events() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "bytes").await.unwrap();
        let mut told = vec!["blob.push"];
        assert_eq!(world.events_of(digest).await, told);
        world.bytes.delete(&location(world, digest).await).await.unwrap();
        for _ in 0..2 {
            assert!(matches!(world.pull_blob("a/a", digest).await, Err(Error::BlobDamaged(_))));
        }
        told.push("blob.quarantine");
        assert_eq!(world.events_of(digest).await, told);
        world.push_blob("a/a", "bytes").await.unwrap();
        told.extend(["blob.restore", "blob.push"]);
        assert_eq!(world.events_of(digest).await, told);

        let place = location(world, digest).await;
        spoil(world, &place, "setyb").await;
        assert_eq!(kinds(world, REPAIR).await, ["corrupt"]);
        told.push("blob.quarantine");
        assert_eq!(world.events_of(digest).await, told);
        spoil(world, &place, "bytes").await;
        assert_eq!(kinds(world, REPAIR).await, ["quarantined"]);
        told.push("blob.restore");
        assert_eq!(world.events_of(digest).await, told);

        world.sweep_all().await;
        told.extend(["blob.expire", "blob.remove"]);
        assert_eq!(world.events_of(digest).await, told);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test]
async fn bytes_that_nothing_accounts_for_are_found_and_removed() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "accounted for").await.unwrap();
        let orphan = conformance::put(&*world.bytes, b"orphan").await;
        let faults = world.faults(SHALLOW).await;
        let expected = |mended| Fault::Orphan { location: orphan.to_string(), size: 6, mended };
        assert_eq!(faults, [expected(false)]);
        assert!(!faults[0].is_mended());
        let mended = world.faults(Options { deep: false, repair: true }).await;
        assert_eq!(mended, [expected(true)]);
        assert!(mended[0].is_mended());
        world.assert_whole().await;
        assert!(world.has_blob("a/a", digest).await);
    })
    .await;
}

#[tokio::test]
async fn a_manifest_whose_bytes_or_edges_are_wrong_is_found() {
    on_each(async |world| {
        let images = ["one", "two", "six"].map(|text| Image::new(&["c", text]));
        for image in &images {
            world.push_image("a/a", "v1", image).await.unwrap();
        }
        let [changed, unreadable, cut] = [0, 1, 2].map(|i: usize| images[i].digest());
        let twisted = String::from_utf8(images[0].manifest.to_vec()).unwrap().replace("\"size\":1", "\"size\":2");
        let damage = move |tx: &mut crate::db::Tx<'_>| {
            let update = "UPDATE manifests SET content = $2 WHERE digest = $1";
            tx.execute(update, &[(&changed).into(), twisted.clone().into_bytes().into()])?;
            tx.execute(update, &[(&unreadable).into(), b"not a manifest".to_vec().into()])?;
            let edges = "DELETE FROM manifest_edges WHERE position = 0 \
                         AND manifest_id = (SELECT id FROM manifests WHERE digest = $1)";
            tx.execute(edges, &[(&cut).into()])
        };
        world.registry.db.write(damage).await.unwrap();
        let faults = world.faults(SHALLOW).await;
        assert_eq!(faults.iter().map(kind).collect::<Vec<_>>(), ["manifest", "manifest", "edges"]);
        let Fault::ManifestEdges(fault) = &faults[2] else { panic!("{faults:?}") };
        assert_eq!((fault.digest, fault.repository.as_str()), (cut, "a/a"));
        assert!(!faults[2].is_mended());
    })
    .await;
}

#[tokio::test]
async fn a_check_counts_what_it_looked_at_and_ends_when_told() {
    on_each(async |world| {
        let image = Image::new(&["config", "one"]);
        world.push_image("a/a", "v1", &image).await.unwrap();
        let mut found = Found::default();
        let done = check::check(&world.registry, &world.ctx(), DEEP, &mut found).await.unwrap();
        assert_eq!(done, Checked { blobs: 2, bytes: 9, manifests: 1, stored: 2 });

        struct First(usize);
        impl Report for First {
            fn fault(&mut self, _: Fault) -> ControlFlow<()> {
                self.0 += 1;
                ControlFlow::Break(())
            }
            fn progress(&mut self, _: &Checked, _: &Totals) {}
        }
        for blob in [0, 1] {
            world.bytes.delete(&location(world, image.blob(blob)).await).await.unwrap();
        }
        let mut first = First(0);
        let done = check::check(&world.registry, &world.ctx(), SHALLOW, &mut first).await.unwrap();
        assert_eq!((first.0, done.blobs, done.manifests), (1, 1, 0));
    })
    .await;
}
