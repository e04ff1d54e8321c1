//! Images as pages show them: a manifest, its config, and what stands around both. Looking at an image is no pull.
//!
//! Everything that is read here was written by strangers. It is read loosely and cut to what fits a page; what was read of
//! bytes that never change is remembered under their digest.

mod attached;
mod chart;
mod config;
mod deletion;
mod history;
mod kinds;
mod loose;
mod outline;
pub mod secrets;
#[cfg(test)]
mod tests;
pub mod text;

use std::sync::Arc;

use bytes::Bytes;
use oci::{Digest, Kind as ManifestKind, Reference, RepositoryName};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::{Ctx, Error, Registry, blobs};
use crate::blobs as store;
use crate::db::images::{self, FoundRow};
use crate::db::{Tx, access, manifests, pulls, repositories};

pub use crate::db::pulls::Count;
pub use attached::{Attached, Tree, tree};
pub use chart::{Chart, chart};
pub use config::{Config, List, Named, Step};
pub use deletion::{Preview, preview};
pub use kinds::{Attachment, Kind};
pub use outline::{Child, Outline, Part, platform};

/// Largest config that is read. Those of images have a few KiB.
const MAX_CONFIG: usize = 4 * 1024 * 1024;
/// About how many bytes of what was read are remembered, of manifests, of configs and of charts each.
const REMEMBERED: u64 = 16 * 1024 * 1024;
/// About how many manifests that is.
const REMEMBERED_ITEMS: usize = 4_000;
/// About how many charts.
const REMEMBERED_CHARTS: usize = 500;
/// Most tags that are shown beside an image.
const TAGS: usize = 50;
/// Most manifests that name it which are shown.
const PARENTS: i64 = 10;
/// Most children of an index that are looked for.
const CHILDREN: i64 = 200;
/// Up to how many other repositories that hold a layer are counted.
pub const SHARED_AT_MOST: usize = 100;
/// Among how many.
const SHARED_LOOKED_AT: i64 = 1_000;
/// Of how many layers, from the first on: what is shared is what others build upon.
const SHARED_LAYERS: usize = 40;

/// What was read of manifests and configs, by digest.
pub struct Memory {
    /// The same bytes may be pushed as one kind or another where they do not say which.
    outlines: Cache<(Digest, ManifestKind), Arc<Outline>, Weight>,
    configs: Cache<Digest, Arc<Config>, Weight>,
    charts: Cache<Digest, Arc<Chart>, Weight>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            outlines: Cache::with_weighter(REMEMBERED_ITEMS, REMEMBERED, Weight),
            configs: Cache::with_weighter(REMEMBERED_ITEMS, REMEMBERED, Weight),
            charts: Cache::with_weighter(REMEMBERED_CHARTS, REMEMBERED, Weight),
        }
    }
}

#[derive(Clone)]
struct Weight;

impl<K> Weighter<K, Arc<Outline>> for Weight {
    fn weight(&self, _: &K, outline: &Arc<Outline>) -> u64 {
        outline.weight() as u64
    }
}

impl<K> Weighter<K, Arc<Config>> for Weight {
    fn weight(&self, _: &K, config: &Arc<Config>) -> u64 {
        config.weight() as u64
    }
}

impl<K> Weighter<K, Arc<Chart>> for Weight {
    fn weight(&self, _: &K, chart: &Arc<Chart>) -> u64 {
        chart.weight() as u64
    }
}

/// What came of looking for a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// It was read.
    Read(T),
    /// There is none.
    None,
    /// It is too long to be read.
    TooLong,
    /// The repository does not hold it, or its bytes are damaged.
    Missing,
}

impl<T> Found<T> {
    /// What was read, if anything.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(found) => Some(found),
            Self::None | Self::TooLong | Self::Missing => None,
        }
    }
}

/// A manifest of a repository.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes its manifest has.
    pub size: u64,
    /// When it was pushed, in microseconds since 1970.
    pub pushed_at: i64,
    /// What its manifest says.
    pub outline: Arc<Outline>,
    /// What its config says.
    pub config: Found<Arc<Config>>,
    /// Tags that point to it.
    pub tags: Vec<String>,
    /// Whether there are more.
    pub more_tags: bool,
    /// Manifests that name it.
    pub parents: Vec<Digest>,
    /// Those of its children that are there.
    pub children: Vec<Digest>,
    /// How often it was pulled, and when last; nothing where it never was.
    pub pulls: Option<(Count, i64)>,
}

/// Looks at a manifest of a repository from which the caller may pull.
pub async fn look(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Image, Error> {
    let (name, wanted, memory) = (repository.clone(), *digest, Arc::clone(&registry.images));
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let unknown = || Error::ManifestUnknown { repository: name.clone(), reference: Reference::Digest(wanted) };
        let row = images::find(tx, id, &wanted)?.ok_or_else(unknown)?;
        let mut tags = images::tags(tx, id, row.id, TAGS as i64 + 1)?;
        let more_tags = tags.len() > TAGS;
        tags.truncate(TAGS);
        let outline = outline(tx, &memory, &wanted, &row)?;
        let children = if outline.kind == Kind::Index { images::children(tx, row.id, CHILDREN)? } else { Vec::new() };
        Ok::<_, Error>(Image {
            digest: wanted,
            size: row.size,
            pushed_at: row.created_at,
            outline,
            config: Found::None,
            tags,
            more_tags,
            parents: manifests::parents(tx, id, &wanted, PARENTS)?,
            children,
            pulls: pulls::of_manifest(tx, row.id)?,
        })
    };
    let mut image = registry.db.scan(find).await?;
    image.config = config(registry, ctx, repository, &image.outline).await?;
    Ok(image)
}

/// What the bytes of a manifest say, from memory where they were read before.
fn outline(tx: &mut Tx<'_>, memory: &Memory, digest: &Digest, row: &FoundRow) -> Result<Arc<Outline>, Error> {
    let key = ManifestKind::from_media_type(&row.media_type).map(|kind| (*digest, kind));
    if let Some(found) = key.as_ref().and_then(|key| memory.outlines.get(key)) {
        return Ok(found);
    }
    let outline = Arc::new(Outline::read(&images::content(tx, row.id)?, &row.media_type)?);
    if let Some(key) = key {
        memory.outlines.insert(key, Arc::clone(&outline));
    }
    Ok(outline)
}

/// What a config says. It is looked for in the repository each time, also where it was read before: a manifest may name
/// what its repository does not hold.
async fn config(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    outline: &Outline,
) -> Result<Found<Arc<Config>>, Error> {
    let Some(part) = outline.config.as_ref().filter(|part| part.media_type != oci::media_type::OCI_EMPTY) else {
        return Ok(Found::None);
    };
    let blob = match blobs::find(registry, ctx, repository, &part.digest).await {
        Ok(blob) => blob,
        Err(Error::BlobUnknown { .. } | Error::BlobDamaged(_)) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    if let Some(found) = registry.images.configs.get(&part.digest) {
        return Ok(Found::Read(found));
    }
    let bytes = match bytes(registry, ctx, &blob, MAX_CONFIG).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Found::TooLong),
        Err(Error::BlobDamaged(_)) => return Ok(Found::Missing),
        Err(error) => return Err(error),
    };
    let config = Arc::new(read_aside(bytes, Config::read).await);
    registry.images.configs.insert(part.digest, Arc::clone(&config));
    Ok(Found::Read(config))
}

/// From this many bytes on, reading would keep the other requests of its thread waiting.
const LONG: usize = 64 * 1024;

async fn read_aside(bytes: Bytes, read: fn(&[u8]) -> Config) -> Config {
    if bytes.len() < LONG {
        return read(&bytes);
    }
    tokio::task::spawn_blocking(move || read(&bytes)).await.unwrap_or_default()
}

/// The bytes of a blob; nothing when there are more than `limit`.
async fn bytes(registry: &Registry, ctx: &Ctx, blob: &blobs::Blob, limit: usize) -> Result<Option<Bytes>, Error> {
    if blob.size > limit as u64 {
        return Ok(None);
    }
    let reader = blobs::open(registry, ctx, blob).await?;
    let failed = |error| Error::from(store::Error::io("read", blob.location().as_str(), error));
    reader.read(limit).await.map_err(failed)
}

/// The bytes of a manifest, as they were pushed.
pub async fn manifest_document(
    registry: &Registry,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Bytes, Error> {
    let (name, wanted) = (repository.clone(), *digest);
    let row = registry.db.scan::<_, Error, _>(move |tx| Ok(manifests::by_digest(tx, &name, &wanted)?)).await?;
    let unknown = || Error::ManifestUnknown { repository: repository.clone(), reference: Reference::Digest(*digest) };
    row.map(|row| row.content.into()).ok_or_else(unknown)
}

/// The bytes of the config that an image names.
pub async fn config_document(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    image: &Image,
) -> Result<Found<Bytes>, Error> {
    let Some(part) = &image.outline.config else { return Ok(Found::None) };
    let found = match blobs::find(registry, ctx, repository, &part.digest).await {
        Ok(blob) => bytes(registry, ctx, &blob, MAX_CONFIG).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(bytes)) => Ok(Found::Read(bytes)),
        Ok(None) => Ok(Found::TooLong),
        Err(Error::BlobUnknown { .. } | Error::BlobDamaged(_)) => Ok(Found::Missing),
        Err(error) => Err(error),
    }
}

/// For each layer, in how many other repositories it lies that the caller may read: [`SHARED_AT_MOST`] stands for that many
/// or more. What the caller may not read is not counted, so that it cannot be found out.
pub async fn sharing(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    layers: &[Part],
) -> Result<Vec<usize>, Error> {
    let (name, viewer) = (repository.clone(), registry.viewer(ctx));
    let digests: Vec<Digest> = layers.iter().take(SHARED_LAYERS).map(|layer| layer.digest).collect();
    let count = move |tx: &mut Tx<'_>| {
        let holders =
            |digest: &Digest| access::holders(tx, viewer, &name, digest, SHARED_LOOKED_AT, SHARED_AT_MOST as i64);
        digests.iter().map(holders).collect::<Result<Vec<_>, _>>()
    };
    Ok(registry.db.scan(count).await?)
}
