//! A registry of its own for each test, on every engine and store that can be had, with a clock that the test moves.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use oci::media_type::{OCI_INDEX, OCI_MANIFEST};
use oci::{Algorithm, Digest, Reference, RepositoryName, Tag};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::auth::Permissions;
use crate::blobs::{self, Blobs, Disk, Durability, Faulty, Memory, Pool, Reader, UploadId};
use crate::db::Db;
use crate::db::inventory::Totals;
use crate::db::tests::invariants::broken;
use crate::db::tests::support::{TestDb, on_postgres};
use crate::registry::check::{self, Checked, Fault, Options, Report};
use crate::registry::manifests::Push;
use crate::registry::sweep::{Swept, sweep};
use crate::registry::uploads::{self, Chunk};
use crate::registry::{Ctx, Error, Identity, Registry, blobs as rules, manifests};

pub(super) const HOUR: Duration = Duration::from_hours(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

/// A registry under test.
#[derive(Clone)]
pub(super) struct World {
    pub(super) registry: Arc<Registry>,
    /// The store, to be told to fail.
    pub(super) store: Faulty,
    /// The same store without faults.
    pub(super) bytes: Arc<dyn Blobs>,
    clock: Arc<AtomicI64>,
}

/// Runs a test on every engine that can be had, with a store in memory and one on a disk.
pub(super) async fn on_each(test: impl AsyncFn(&World)) {
    eprintln!("SQLite, memory");
    test(&World::new(&TestDb::sqlite().db, Arc::new(Memory::new()))).await;
    on_disk(&test).await;
    on_postgres(async |db| test(&World::new(&db.db, Arc::new(Memory::new()))).await).await;
}

async fn on_disk(test: &impl AsyncFn(&World)) {
    eprintln!("SQLite, disk");
    let (directory, db) = (TempDir::new().unwrap(), TestDb::sqlite());
    let disk = Disk::open(directory.path(), Durability::Relaxed).unwrap();
    test(&World::new(&db.db, Arc::new(disk))).await;
}

fn chain_key() -> Option<crate::auth::chain::ChainKey> {
    crate::auth::seal::MasterKey::new(&[7; 32]).map(|master| crate::auth::chain::ChainKey::new(&master))
}

impl World {
    pub(super) fn new(db: &Arc<Db>, bytes: Arc<dyn Blobs>) -> Self {
        let store = Faulty::new(Arc::clone(&bytes));
        let registry = Registry {
            db: Arc::clone(db),
            blobs: Arc::new(store.clone()),
            pool: Arc::new(Pool::default()),
            access: Arc::new(crate::registry::access::Access::open()),
            audit: Arc::new(crate::registry::audit::Audit::new(crate::config::Audit::default(), chain_key())),
            images: Arc::default(),
            people: crate::registry::People::default(),
            instance: Arc::default(),
            settings: crate::config::Registry::default(),
            storage: crate::config::Storage::default(),
            lease: uploads::LEASE,
            node: "node".into(),
            boot: "boot".into(),
        };
        Self { registry: Arc::new(registry), store, bytes, clock: Arc::new(AtomicI64::new(1_700_000_000_000_000)) }
    }

    /// The same database, store and clock, with other settings.
    pub(super) fn with(&self, change: impl FnOnce(&mut Registry)) -> Self {
        let own = &self.registry;
        let mut registry = Registry {
            db: Arc::clone(&own.db),
            blobs: Arc::clone(&own.blobs),
            pool: Arc::clone(&own.pool),
            access: Arc::clone(&own.access),
            audit: Arc::clone(&own.audit),
            images: Arc::clone(&own.images),
            people: own.people.clone(),
            instance: Arc::default(),
            settings: own.settings.clone(),
            storage: own.storage.clone(),
            lease: own.lease,
            node: Arc::clone(&own.node),
            boot: Arc::clone(&own.boot),
        };
        change(&mut registry);
        Self { registry: Arc::new(registry), ..self.clone() }
    }

    pub(super) fn ctx(&self) -> Ctx {
        Ctx {
            identity: Identity::Anonymous,
            credential: None,
            hands_on: Permissions::NONE,
            once: None,
            managing: None,
            request_id: "request".into(),
            address: None,
            user_agent: None,
            now: self.clock.load(Ordering::SeqCst),
        }
    }

    pub(super) fn advance(&self, time: Duration) {
        self.clock.fetch_add(time.as_micros() as i64, Ordering::SeqCst);
    }

    pub(super) async fn push_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Result<Digest, Error> {
        let bytes = bytes.into();
        let digest = Algorithm::Sha256.digest(&bytes);
        uploads::monolithic(&self.registry, &self.ctx(), &name(repository), digest, chunk(bytes)).await?;
        Ok(digest)
    }

    pub(super) async fn push_as(
        &self,
        repository: &str,
        reference: Reference,
        content: Bytes,
    ) -> Result<Digest, Error> {
        let push = Push { repository: name(repository), reference, tags: Vec::new(), content_type: None, content };
        Ok(manifests::push(&self.registry, &self.ctx(), push).await?.digest)
    }

    pub(super) async fn push(&self, repository: &str, label: &str, content: &Bytes) -> Result<Digest, Error> {
        self.push_as(repository, Reference::Tag(tag(label)), content.clone()).await
    }

    pub(super) async fn push_image(&self, repository: &str, label: &str, image: &Image) -> Result<Digest, Error> {
        for blob in &image.blobs {
            self.push_blob(repository, blob.clone()).await?;
        }
        self.push(repository, label, &image.manifest).await
    }

    pub(super) async fn delete(&self, repository: &str, digest: Digest) -> Result<(), Error> {
        manifests::delete(&self.registry, &self.ctx(), &name(repository), &Reference::Digest(digest)).await
    }

    pub(super) async fn delete_tag(&self, repository: &str, label: &str) -> Result<(), Error> {
        manifests::delete(&self.registry, &self.ctx(), &name(repository), &Reference::Tag(tag(label))).await
    }

    pub(super) async fn delete_blob(&self, repository: &str, digest: Digest) -> Result<(), Error> {
        rules::delete(&self.registry, &self.ctx(), &name(repository), &digest).await
    }

    pub(super) async fn mount(&self, repository: &str, digest: Digest, from: Option<&str>) -> Result<bool, Error> {
        let from = from.map(name);
        rules::mount(&self.registry, &self.ctx(), &name(repository), &digest, from.as_ref()).await
    }

    /// Pulls a blob; its bytes have to be those of its digest.
    pub(super) async fn pull_blob(&self, repository: &str, digest: Digest) -> Result<Bytes, Error> {
        let (registry, ctx) = (&self.registry, self.ctx());
        let blob = rules::find(registry, &ctx, &name(repository), &digest).await?;
        rules::check(registry, &ctx, &blob).await?;
        let bytes = read(&rules::open(registry, &ctx, &blob).await?);
        assert_eq!(digest.algorithm().digest(&bytes), digest, "invariant 1");
        Ok(bytes)
    }

    pub(super) async fn pull(&self, repository: &str, reference: Reference) -> Result<Bytes, Error> {
        let row = manifests::get(&self.registry, &self.ctx(), &name(repository), &reference).await?;
        assert_eq!(row.digest.algorithm().digest(&row.content), row.digest, "invariant 1");
        Ok(row.content.into())
    }

    pub(super) async fn has_blob(&self, repository: &str, digest: Digest) -> bool {
        match self.pull_blob(repository, digest).await {
            Ok(_) => true,
            Err(Error::BlobUnknown { .. } | Error::NameUnknown(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn has_manifest(&self, repository: &str, digest: Digest) -> bool {
        match self.pull(repository, Reference::Digest(digest)).await {
            Ok(_) => true,
            Err(Error::ManifestUnknown { .. } | Error::NameUnknown(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn start(&self, repository: &str) -> UploadId {
        uploads::start(&self.registry, &self.ctx(), &name(repository), Algorithm::Sha256).await.unwrap()
    }

    pub(super) async fn append(&self, repository: &str, id: UploadId, bytes: impl Into<Bytes>) -> Result<u64, Error> {
        uploads::append(&self.registry, &self.ctx(), &name(repository), id, chunk(bytes)).await
    }

    pub(super) async fn finish(&self, repository: &str, id: UploadId, digest: Digest) -> Result<(), Error> {
        self.finish_with(repository, id, digest, Bytes::new()).await
    }

    pub(super) async fn finish_with(
        &self,
        repository: &str,
        id: UploadId,
        digest: Digest,
        rest: Bytes,
    ) -> Result<(), Error> {
        uploads::finish(&self.registry, &self.ctx(), &name(repository), id, digest, chunk(rest)).await
    }

    pub(super) async fn status(&self, repository: &str, id: UploadId) -> Result<u64, Error> {
        uploads::status(&self.registry, &self.ctx(), &name(repository), id).await
    }

    pub(super) async fn sweep(&self) -> Swept {
        sweep(&self.registry, &self.ctx()).await.unwrap()
    }

    /// Sweeps until everything that nobody needs has run out of every grace and is gone.
    pub(super) async fn sweep_all(&self) {
        for _ in 0..4 {
            self.advance(25 * HOUR);
            self.sweep().await;
        }
    }

    pub(super) async fn faults(&self, options: Options) -> Vec<Fault> {
        let mut found = Found::default();
        check::check(&self.registry, &self.ctx(), options, &mut found).await.unwrap();
        found.0
    }

    /// Proves that every row and every byte is as it should be.
    pub(super) async fn assert_whole(&self) {
        assert_eq!(self.faults(Options { deep: true, repair: false }).await, []);
        assert_eq!(self.registry.db.scan(broken).await.unwrap(), Vec::<String>::new());
    }

    /// How many blobs and unfinished uploads lie in the store.
    pub(super) async fn stored(&self) -> (usize, usize) {
        let blobs = self.bytes.list(None, 10_000).await.unwrap().len();
        (blobs, self.bytes.list_uploads(10_000).await.unwrap().len())
    }

    /// The kinds of events of a repository, the oldest first.
    pub(super) async fn events(&self, repository: &'static str) -> Vec<String> {
        let events = self.registry.db.scan(move |tx| crate::db::events::of_repository(tx, repository, 1_000));
        events.await.unwrap().into_iter().map(|event| event.kind).collect()
    }

    /// The kinds of events of a digest, in whichever repository, the oldest first.
    pub(super) async fn events_of(&self, digest: Digest) -> Vec<String> {
        let kinds = self.registry.db.scan(move |tx| {
            let rows = tx.query("SELECT kind FROM events WHERE digest = $1 ORDER BY id", &[(&digest).into()])?;
            rows.into_iter().map(|mut row| row.text(0)).collect::<Result<_, crate::db::Error>>()
        });
        kinds.await.unwrap()
    }
}

/// The faults that a check found.
#[derive(Default)]
pub(super) struct Found(pub(super) Vec<Fault>);

impl Report for Found {
    fn fault(&mut self, fault: Fault) -> ControlFlow<()> {
        self.0.push(fault);
        ControlFlow::Continue(())
    }

    fn progress(&mut self, done: &Checked, totals: &Totals) {
        assert!(totals.blobs >= 0 && done.blobs <= done.blobs + done.manifests);
    }
}

/// The body of a request, in frames; it breaks off behind them if told to.
pub(super) struct Frames {
    frames: VecDeque<Bytes>,
    breaks: bool,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.frames.pop_front() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None => std::mem::take(&mut self.breaks).then_some(Err("the connection was reset")),
        })
    }
}

/// A chunk that carries these bytes and says how many they are.
pub(super) fn chunk(bytes: impl Into<Bytes>) -> Chunk<Frames> {
    let bytes = bytes.into();
    let length = Some(bytes.len() as u64);
    let frames = if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([bytes]) };
    Chunk { body: Frames { frames, breaks: false }, range: None, length }
}

/// A chunk whose connection breaks off behind these bytes.
pub(super) fn broken_chunk(bytes: &'static [u8], announced: u64) -> Chunk<Frames> {
    let frames = VecDeque::from([Bytes::from_static(bytes)]);
    Chunk { body: Frames { frames, breaks: true }, range: None, length: Some(announced) }
}

/// An image with its blobs.
#[derive(Debug, Clone)]
pub(super) struct Image {
    pub(super) blobs: Vec<Bytes>,
    pub(super) manifest: Bytes,
}

impl Image {
    /// An image whose config and layers are these texts.
    pub(super) fn new(texts: &[&str]) -> Self {
        let blobs: Vec<Bytes> = texts.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        let layers: Vec<Value> = blobs[1..].iter().map(|blob| descriptor(LAYER, blob)).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &blobs[0]),
            "layers": layers,
        });
        Self { blobs, manifest: manifest.to_string().into() }
    }

    pub(super) fn digest(&self) -> Digest {
        sha256(&self.manifest)
    }

    pub(super) fn blob(&self, index: usize) -> Digest {
        sha256(&self.blobs[index])
    }
}

/// An index of manifests.
pub(super) fn index(children: &[&Bytes]) -> Bytes {
    let children: Vec<Value> = children.iter().map(|child| descriptor(OCI_MANIFEST, child)).collect();
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children }).to_string().into()
}

pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub(super) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": sha256(bytes).to_string(), "size": bytes.len() })
}

pub(super) fn sha256(bytes: &[u8]) -> Digest {
    Algorithm::Sha256.digest(bytes)
}

pub(super) fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

pub(super) fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

pub(super) fn read(reader: &Reader) -> Bytes {
    blobs::conformance::read(reader).into()
}

/// A number generator that gives the same numbers for the same seed.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
