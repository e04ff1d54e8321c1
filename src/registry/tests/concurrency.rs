//! Everything at once: what is found at the end, and by `check` meanwhile, has to be without fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oci::Reference;

use super::support::*;
use crate::registry::Error;
use crate::registry::check::Options;

const WORKERS: u64 = 4;
const STEPS: usize = 60;
const REPOSITORIES: [&str; 2] = ["a/a", "b/b"];

/// One random act; what may be refused beside others may be refused, what is a fault is not.
async fn act(world: &World, numbers: &mut Numbers) -> Result<(), Error> {
    let repository = REPOSITORIES[numbers.below(2) as usize];
    let image = Image::new(&["config", &format!("layer {}", numbers.below(4)), "base"]);
    let label = format!("v{}", numbers.below(3));
    match numbers.below(8) {
        0..3 => {
            let digest = world.push_image(repository, &label, &image).await?;
            match world.pull(repository, Reference::Digest(digest)).await {
                Ok(_) | Err(Error::ManifestUnknown { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        3 => drop(world.push(repository, &label, &index(&[&image.manifest])).await?),
        4 => world.delete(repository, image.digest()).await?,
        5 => world.delete_tag(repository, &label).await?,
        6 => world.delete_blob(repository, image.blob(1)).await?,
        _ => drop(world.mount(repository, image.blob(1), None).await?),
    }
    Ok(())
}

fn may_happen(error: &Error) -> bool {
    matches!(
        error,
        Error::NameUnknown(_)
            | Error::ManifestUnknown { .. }
            | Error::BlobUnknown { .. }
            | Error::ReferencesMissing(_)
            | Error::Referenced { .. }
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_beside_pushes_deletes_and_sweeps_finds_nothing() {
    on_each(async |world| {
        let world = &world.with(|registry| registry.storage.unreferenced_grace = std::time::Duration::from_secs(30));
        let working = Arc::new(AtomicBool::new(true));
        let workers: Vec<_> = (0..WORKERS)
            .map(|seed| {
                let world = world.clone();
                tokio::spawn(async move {
                    let mut numbers = Numbers(seed + 1);
                    for _ in 0..STEPS {
                        if let Err(error) = act(&world, &mut numbers).await {
                            assert!(may_happen(&error), "{error}");
                        }
                    }
                })
            })
            .collect();
        let sweeper = {
            let (world, working) = (world.clone(), Arc::clone(&working));
            tokio::spawn(async move {
                while working.load(Ordering::SeqCst) {
                    world.advance(std::time::Duration::from_secs(20));
                    world.sweep().await;
                }
            })
        };
        let mut checks = 0;
        while workers.iter().any(|worker| !worker.is_finished()) {
            assert_eq!(world.faults(Options { deep: true, repair: false }).await, []);
            checks += 1;
        }
        assert!(checks > 0);
        for worker in workers {
            worker.await.unwrap();
        }
        working.store(false, Ordering::SeqCst);
        sweeper.await.unwrap();
        world.assert_whole().await;
        world.sweep_all().await;
        world.assert_whole().await;
    })
    .await;
}
