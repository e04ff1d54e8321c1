//! Random sequences of acts, compared with a model that fits on a screen (invariants 3, 4, 7 and 8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oci::{Digest, Reference};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::support::*;
use crate::blobs::Memory;
use crate::db::tests::support::{TestDb, on_postgres};
use crate::registry::{Error, tags};

const REPOSITORIES: [&str; 3] = ["a/a", "a/b", "c"];
const TAGS: [&str; 2] = ["latest", "v1"];
const BLOBS: [&str; 5] = ["zero", "one", "two", "three", "four"];
/// Images as the blobs they name, and indexes as the documents before them that they name.
const IMAGES: [&[usize]; 4] = [&[0, 1], &[0, 2, 3], &[1, 2], &[4]];
const INDEXES: [&[usize]; 3] = [&[0], &[0, 1], &[2, 4]];

#[derive(Debug, Clone)]
enum Act {
    PushBlob(usize, usize),
    PushManifest(usize, usize, usize),
    DeleteTag(usize, usize),
    DeleteManifest(usize, usize),
    DeleteBlob(usize, usize),
    Mount(usize, usize, Option<usize>),
    Sweep(u64),
}

fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    let (repository, tag, blob) = (0..REPOSITORIES.len(), 0..TAGS.len(), 0..BLOBS.len());
    let document = 0..IMAGES.len() + INDEXES.len();
    let act = prop_oneof![
        6 => (repository.clone(), blob.clone()).prop_map(|(r, b)| Act::PushBlob(r, b)),
        6 => (repository.clone(), document.clone(), tag.clone()).prop_map(|(r, d, t)| Act::PushManifest(r, d, t)),
        1 => (repository.clone(), tag).prop_map(|(r, t)| Act::DeleteTag(r, t)),
        2 => (repository.clone(), document).prop_map(|(r, d)| Act::DeleteManifest(r, d)),
        1 => (repository.clone(), blob.clone()).prop_map(|(r, b)| Act::DeleteBlob(r, b)),
        2 => (repository.clone(), blob, proptest::option::of(repository)).prop_map(|(r, b, f)| Act::Mount(r, b, f)),
        2 => (1_u64..30).prop_map(Act::Sweep),
    ];
    proptest::collection::vec(act, 1..most)
}

/// What can be pushed: manifests by their number, images first.
struct Documents(Vec<Bytes>);

impl Documents {
    fn new() -> Self {
        let mut all: Vec<Bytes> = Vec::new();
        for blobs in IMAGES {
            let texts: Vec<&str> = blobs.iter().map(|blob| BLOBS[*blob]).collect();
            all.push(Image::new(&texts).manifest);
        }
        for children in INDEXES {
            let children: Vec<&Bytes> = children.iter().map(|child| &all[*child]).collect();
            all.push(index(&children));
        }
        Self(all)
    }

    fn digest(&self, document: usize) -> Digest {
        sha256(&self.0[document])
    }
}

fn blob(number: usize) -> Digest {
    sha256(BLOBS[number].as_bytes())
}

fn blobs_of(document: usize) -> &'static [usize] {
    IMAGES.get(document).copied().unwrap_or_default()
}

fn children_of(document: usize) -> &'static [usize] {
    document.checked_sub(IMAGES.len()).map(|index| INDEXES[index]).unwrap_or_default()
}

/// What a repository is thought to hold.
#[derive(Debug, Default)]
struct Repository {
    /// Blobs, each with when its grace began; nothing where a manifest names it.
    blobs: BTreeMap<usize, Option<u64>>,
    documents: BTreeSet<usize>,
    tags: BTreeMap<usize, usize>,
}

impl Repository {
    fn push_blob(&mut self, blob: usize, now: u64) {
        let since = self.blobs.entry(blob).or_insert(Some(now));
        *since = since.and(Some(now));
    }

    fn push(&mut self, document: usize, tag: usize) -> bool {
        let known = self.documents.contains(&document);
        let blobs = blobs_of(document).iter().all(|blob| self.blobs.contains_key(blob));
        let children = children_of(document).iter().all(|child| self.documents.contains(child));
        if !(known || blobs && children) {
            return false;
        }
        self.documents.insert(document);
        self.tags.insert(tag, document);
        for blob in blobs_of(document) {
            self.blobs.insert(*blob, None);
        }
        true
    }

    fn delete(&mut self, document: usize, now: u64) -> bool {
        let child = self.documents.iter().any(|parent| children_of(*parent).contains(&document));
        if child || !self.documents.remove(&document) {
            return false;
        }
        self.tags.retain(|_, tagged| *tagged != document);
        for blob in blobs_of(document) {
            if !self.is_named(*blob) {
                self.blobs.insert(*blob, Some(now));
            }
        }
        true
    }

    fn is_named(&self, blob: usize) -> bool {
        self.documents.iter().any(|document| blobs_of(*document).contains(&blob))
    }

    fn delete_blob(&mut self, blob: usize) -> bool {
        !self.is_named(blob) && self.blobs.remove(&blob).is_some()
    }

    fn sweep(&mut self, now: u64) {
        self.blobs.retain(|_, since| since.is_none_or(|since| since + 24 >= now));
    }
}

/// The model with its clock, in hours.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    repositories: [Repository; REPOSITORIES.len()],
}

impl Model {
    /// Does an act and tells whether it is to succeed.
    fn act(&mut self, act: &Act) -> bool {
        let now = self.now;
        match *act {
            Act::PushBlob(r, b) => self.repositories[r].push_blob(b, now),
            Act::PushManifest(r, d, t) => return self.repositories[r].push(d, t),
            Act::DeleteTag(r, t) => return self.repositories[r].tags.remove(&t).is_some(),
            Act::DeleteManifest(r, d) => return self.repositories[r].delete(d, now),
            Act::DeleteBlob(r, b) => return self.repositories[r].delete_blob(b),
            Act::Mount(r, b, from) => {
                let mut sources = from.map_or(0..REPOSITORIES.len(), |from| from..from + 1);
                let there = sources.any(|source| self.repositories[source].blobs.contains_key(&b));
                if there {
                    self.repositories[r].push_blob(b, now);
                }
                return there;
            }
            Act::Sweep(hours) => {
                self.now += hours;
                let now = self.now;
                self.repositories.iter_mut().for_each(|repository| repository.sweep(now));
            }
        }
        true
    }
}

/// Does an act for real and tells whether it succeeded; refusals are those that the model knows.
async fn perform(world: &World, documents: &Documents, act: &Act) -> bool {
    let done = match *act {
        Act::PushBlob(r, b) => world.push_blob(REPOSITORIES[r], BLOBS[b]).await.map(|_| true),
        Act::PushManifest(r, d, t) => world.push(REPOSITORIES[r], TAGS[t], &documents.0[d]).await.map(|_| true),
        Act::DeleteTag(r, t) => world.delete_tag(REPOSITORIES[r], TAGS[t]).await.map(|()| true),
        Act::DeleteManifest(r, d) => world.delete(REPOSITORIES[r], documents.digest(d)).await.map(|()| true),
        Act::DeleteBlob(r, b) => world.delete_blob(REPOSITORIES[r], blob(b)).await.map(|()| true),
        Act::Mount(r, b, from) => world.mount(REPOSITORIES[r], blob(b), from.map(|from| REPOSITORIES[from])).await,
        Act::Sweep(hours) => {
            world.advance(Duration::from_hours(hours));
            world.sweep().await;
            Ok(true)
        }
    };
    done.unwrap_or_else(|error| match error {
        Error::NameUnknown(_)
        | Error::ManifestUnknown { .. }
        | Error::BlobUnknown { .. }
        | Error::ReferencesMissing(_)
        | Error::Referenced { .. } => false,
        error => panic!("{act:?}: {error}"),
    })
}

async fn compare(world: &World, documents: &Documents, model: &Model) {
    for (name_of, repository) in REPOSITORIES.iter().zip(&model.repositories) {
        for b in 0..BLOBS.len() {
            assert_eq!(world.has_blob(name_of, blob(b)).await, repository.blobs.contains_key(&b), "{name_of} {b}");
        }
        for d in 0..documents.0.len() {
            let there = world.has_manifest(name_of, documents.digest(d)).await;
            assert_eq!(there, repository.documents.contains(&d), "{name_of} {d}");
        }
        let listed = match tags::list(&world.registry, &world.ctx(), &name(name_of), None, 100).await {
            Ok(page) => page.names,
            Err(Error::NameUnknown(_)) => Vec::new(),
            Err(error) => panic!("{error}"),
        };
        let expected: Vec<&str> = repository.tags.keys().map(|tag| TAGS[*tag]).collect();
        assert_eq!(listed, expected, "{name_of}");
        for (label, document) in &repository.tags {
            let content = world.pull(name_of, Reference::Tag(tag(TAGS[*label]))).await.unwrap();
            assert_eq!(content, documents.0[*document]);
        }
    }
    world.assert_whole().await;
}

async fn run(world: &World, acts: &[Act]) {
    let documents = Documents::new();
    let mut model = Model::default();
    for (step, act) in acts.iter().enumerate() {
        let expected = model.act(act);
        assert_eq!(perform(world, &documents, act).await, expected, "step {step}: {act:?}\n{model:?}");
    }
    compare(world, &documents, &model).await;
    // What the rows hold is stored, and once everything else has run out of its grace, nothing else is.
    let held: BTreeSet<usize> = model
        .repositories
        .iter()
        .flat_map(|repository| repository.blobs.iter().filter(|(_, since)| since.is_none()).map(|(blob, _)| *blob))
        .collect();
    world.sweep_all().await;
    assert_eq!(world.stored().await, (held.len(), 0));
    world.assert_whole().await;
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

#[test]
fn whatever_is_done_the_registry_is_as_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checked = runner(48).run(&acts(30), |acts| {
        runtime.block_on(async {
            let db = TestDb::sqlite();
            run(&World::new(&db.db, Arc::new(Memory::new())), &acts).await;
        });
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn whatever_is_done_on_postgres_the_registry_is_as_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let checked = runner(5).run(&acts(30), |acts| {
        runtime.block_on(on_postgres(async |db| {
            run(&World::new(&db.db, Arc::new(Memory::new())), &acts).await;
        }));
        Ok(())
    });
    checked.unwrap();
}
