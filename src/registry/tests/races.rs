//! Two requests, or a request and the sweeper, at the same moment: many rounds on every engine.

use std::time::Duration;

use bytes::Bytes;
use oci::Reference;

use super::support::*;
use crate::db::tests::invariants::broken;
use crate::registry::Error;

const ROUNDS: usize = 30;

async fn assert_rows_whole(world: &World) {
    assert_eq!(world.registry.db.scan(broken).await.unwrap(), Vec::<String>::new());
}

/// Runs futures on tasks of their own, all at once.
async fn at_once<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_pushed_again_while_the_sweeper_removes_it_is_there() {
    on_each(async |world| {
        let digest = sha256(b"again");
        world.push_blob("a/a", "again").await.unwrap();
        for round in 0..ROUNDS {
            world.advance(25 * HOUR);
            let (pusher, sweeper) = (world.clone(), world.clone());
            let push = tokio::spawn(async move { pusher.push_blob("a/a", "again").await });
            let sweep = tokio::spawn(async move { sweeper.sweep().await });
            push.await.unwrap().unwrap();
            sweep.await.unwrap();
            assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "again", "round {round}");
            assert_rows_whole(world).await;
        }
        world.assert_whole().await;
        world.advance(Duration::from_mins(2));
        world.sweep().await;
        assert_eq!(world.stored().await, (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_pushed_while_the_sweeper_removes_its_blobs_has_them_or_is_refused() {
    on_each(async |world| {
        let image = Image::new(&["config", "one", "two"]);
        for _ in 0..ROUNDS {
            for blob in &image.blobs {
                world.push_blob("a/a", blob.clone()).await.unwrap();
            }
            world.advance(25 * HOUR);
            let (pusher, sweeper, manifest) = (world.clone(), world.clone(), image.manifest.clone());
            let push = tokio::spawn(async move { pusher.push("a/a", "v1", &manifest).await });
            let sweep = tokio::spawn(async move { sweeper.sweep().await });
            let pushed = push.await.unwrap();
            sweep.await.unwrap();
            match pushed {
                Ok(digest) => {
                    for blob in 0..3 {
                        assert!(world.has_blob("a/a", image.blob(blob)).await);
                    }
                    world.delete("a/a", digest).await.unwrap();
                }
                Err(error) => assert!(matches!(error, Error::ReferencesMissing(_)), "{error}"),
            }
            assert_rows_whole(world).await;
        }
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_and_the_deletion_of_its_blob_exclude_each_other() {
    on_each(async |world| {
        let image = Image::new(&["config", "layer"]);
        let (mut kept, mut refused) = (0, 0);
        for _ in 0..ROUNDS {
            for blob in &image.blobs {
                world.push_blob("a/a", blob.clone()).await.unwrap();
            }
            let (pusher, deleter) = (world.clone(), world.clone());
            let (manifest, layer) = (image.manifest.clone(), image.blob(1));
            let push = tokio::spawn(async move { pusher.push("a/a", "v1", &manifest).await });
            let delete = tokio::spawn(async move { deleter.delete_blob("a/a", layer).await });
            let (pushed, deleted) = (push.await.unwrap(), delete.await.unwrap());
            match (pushed, deleted) {
                (Ok(digest), Err(Error::Referenced { .. })) => {
                    kept += 1;
                    assert!(world.has_blob("a/a", layer).await);
                    world.delete("a/a", digest).await.unwrap();
                }
                (Err(Error::ReferencesMissing(missing)), Ok(())) => {
                    refused += 1;
                    assert_eq!(missing, [layer]);
                }
                other => panic!("{other:?}"),
            }
            assert_rows_whole(world).await;
        }
        assert_eq!(kept + refused, ROUNDS);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_and_the_deletion_of_its_child_exclude_each_other() {
    on_each(async |world| {
        let image = Image::new(&["config", "layer"]);
        let parent = index(&[&image.manifest]);
        for _ in 0..ROUNDS {
            let child = world.push_image("a/a", "v1", &image).await.unwrap();
            let (pusher, deleter, content) = (world.clone(), world.clone(), parent.clone());
            let push = tokio::spawn(async move { pusher.push("a/a", "all", &content).await });
            let delete = tokio::spawn(async move { deleter.delete("a/a", child).await });
            match (push.await.unwrap(), delete.await.unwrap()) {
                (Ok(digest), Err(Error::Referenced { .. })) => world.delete("a/a", digest).await.unwrap(),
                (Err(Error::ReferencesMissing(missing)), Ok(())) => assert_eq!(missing, [child]),
                other => panic!("{other:?}"),
            }
            assert_rows_whole(world).await;
        }
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_pushed_while_it_is_deleted_is_there_or_was_deleted() {
    on_each(async |world| {
        let image = Image::new(&["config", "layer"]);
        world.push_image("a/a", "v1", &image).await.unwrap();
        for _ in 0..ROUNDS {
            let (pusher, deleter) = (world.clone(), world.clone());
            let (manifest, digest) = (image.manifest.clone(), image.digest());
            let push = tokio::spawn(async move { pusher.push("a/a", "v1", &manifest).await });
            let delete = tokio::spawn(async move { deleter.delete("a/a", digest).await });
            push.await.unwrap().unwrap();
            match delete.await.unwrap() {
                Ok(()) | Err(Error::ManifestUnknown { .. }) => {}
                Err(error) => panic!("{error}"),
            }
            // The tag goes with the manifest or stays with it.
            let tagged = world.pull("a/a", Reference::Tag(tag("v1"))).await.is_ok();
            assert_eq!(tagged, world.has_manifest("a/a", digest).await);
            assert_rows_whole(world).await;
        }
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tag_that_moves_away_from_a_manifest_under_deletion_is_kept() {
    on_each(async |world| {
        let images = ["one", "two"].map(|text| Image::new(&["c", text]));
        for _ in 0..ROUNDS {
            world.push_image("a/a", "new", &images[1]).await.unwrap();
            let old = world.push_image("a/a", "latest", &images[0]).await.unwrap();
            let (pusher, deleter, manifest) = (world.clone(), world.clone(), images[1].manifest.clone());
            let push = tokio::spawn(async move { pusher.push("a/a", "latest", &manifest).await });
            let delete = tokio::spawn(async move { deleter.delete("a/a", old).await });
            push.await.unwrap().unwrap();
            delete.await.unwrap().unwrap();
            assert_eq!(world.pull("a/a", Reference::Tag(tag("latest"))).await.unwrap(), images[1].manifest);
            assert!(!world.has_manifest("a/a", old).await);
            assert_rows_whole(world).await;
        }
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pushes_to_one_tag_at_once_all_succeed_and_its_history_is_one_line() {
    on_each(async |world| {
        world.push_blob("a/a", "config").await.unwrap();
        for round in 0..8 {
            let label = format!("v{round}");
            let pushes = (0..6).map(|i| {
                let (world, label) = (world.clone(), label.clone());
                async move {
                    let layer = format!("{label} {i}");
                    world.push_blob("a/a", layer.clone()).await?;
                    world.push("a/a", &label, &Image::new(&["config", &layer]).manifest).await
                }
            });
            let mut pushed = at_once(pushes).await.into_iter().map(Result::unwrap);
            let last = world.pull("a/a", Reference::Tag(tag(&label))).await.unwrap();
            assert!(pushed.any(|digest| digest == sha256(&last)));
            assert_rows_whole(world).await;
        }
        let moves = world.events("a/a").await;
        assert_eq!(moves.iter().filter(|kind| *kind == "tag.create").count(), 8);
        assert_eq!(moves.iter().filter(|kind| *kind == "tag.move").count(), 40);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_image_pushed_by_many_at_once_is_one() {
    on_each(async |world| {
        for round in 0..6 {
            let image = Image::new(&["config", &format!("layer {round}")]);
            let pushes = (0..8).map(|i| {
                let (world, image) = (world.clone(), image.clone());
                async move { world.push_image(if i % 2 == 0 { "a/a" } else { "b/b" }, "v1", &image).await }
            });
            for pushed in at_once(pushes).await {
                assert_eq!(pushed.unwrap(), image.digest());
            }
            assert!(world.has_blob("a/a", image.blob(1)).await && world.has_blob("b/b", image.blob(1)).await);
        }
        world.assert_whole().await;
        world.sweep().await;
        assert_eq!(world.stored().await, (7, 0));
        let created = world.events("a/a").await;
        assert_eq!(created.iter().filter(|kind| *kind == "repository.create").count(), 1);
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blob_that_all_repositories_let_go_of_at_once_is_removed() {
    on_each(async |world| {
        for _ in 0..ROUNDS {
            let mut digest = sha256(b"");
            for repository in ["a/a", "b/b", "c/c"] {
                digest = world.push_blob(repository, "shared").await.unwrap();
            }
            let deletes = ["a/a", "b/b", "c/c"].map(|repository| {
                let world = world.clone();
                async move { world.delete_blob(repository, digest).await }
            });
            at_once(deletes).await.into_iter().for_each(|deleted| deleted.unwrap());
            assert_rows_whole(world).await;
        }
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_whose_manifests_go_at_once_is_removed() {
    on_each(async |world| {
        let images: Vec<Image> = (0..4).map(|i| Image::new(&["config", "shared", &format!("own {i}")])).collect();
        for _ in 0..ROUNDS / 2 {
            for image in &images {
                world.push_image("a/a", "v1", image).await.unwrap();
            }
            let deletes = images.iter().map(|image| {
                let (world, digest) = (world.clone(), image.digest());
                async move { world.delete("a/a", digest).await }
            });
            at_once(deletes).await.into_iter().for_each(|deleted| deleted.unwrap());
            assert_rows_whole(world).await;
        }
        world.sweep_all().await;
        assert_eq!(world.stored().await, (0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mount_while_the_source_is_deleted_and_swept_holds_the_blob_or_says_no() {
    on_each(async |world| {
        for round in 0..ROUNDS {
            let text = format!("mounted {round}");
            let digest = world.push_blob("a/a", text).await.unwrap();
            let (mounter, deleter) = (world.clone(), world.clone());
            let mount = tokio::spawn(async move { mounter.mount("b/b", digest, Some("a/a")).await });
            let delete = tokio::spawn(async move {
                deleter.delete_blob("a/a", digest).await.unwrap();
                deleter.sweep().await
            });
            let mounted = mount.await.unwrap().unwrap();
            delete.await.unwrap();
            assert_eq!(world.has_blob("b/b", digest).await, mounted, "round {round}");
            assert_rows_whole(world).await;
        }
        world.advance(Duration::from_mins(2));
        world.sweep().await;
        world.assert_whole().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_blob_pushed_by_many_at_once_is_mended_once() {
    on_each(async |world| {
        let digest = world.push_blob("a/a", "mended").await.unwrap();
        for _ in 0..8 {
            let row = world.registry.db.read(move |tx| crate::db::blobs::hold(tx, &digest)).await.unwrap().unwrap();
            world.registry.db.write(move |tx| crate::db::blobs::quarantine(tx, &row.location)).await.unwrap();
            let pushes = (0..4).map(|_| {
                let world = world.clone();
                async move { world.push_blob("b/b", Bytes::from("mended")).await }
            });
            for pushed in at_once(pushes).await {
                assert_eq!(pushed.unwrap(), digest);
            }
            assert_eq!(world.pull_blob("a/a", digest).await.unwrap(), "mended");
            world.assert_whole().await;
        }
        world.sweep().await;
        assert_eq!(world.stored().await, (1, 0));
        world.assert_whole().await;
    })
    .await;
}
