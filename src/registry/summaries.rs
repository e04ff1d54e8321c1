//! What images are in a few words, for lists: what they run on, how large they are.
//!
//! Looking at an image is no pull. What was read was written by strangers, so it is bounded, and left out where it cannot be
//! read.

use std::sync::{Arc, LazyLock};

use oci::{Digest, Manifest, RepositoryName};
use quick_cache::sync::Cache;

use super::tags::image::{CHILDREN, children, configuration, is_attestation, is_image, parse, platform_of, size_of};
use super::{Ctx, Error, Registry};
use crate::db::Tx;
use crate::db::manifests::{self, ManifestRow};

/// How many summaries are remembered.
const REMEMBERED: usize = 8 * 1024;

/// Summaries by the digest of the manifest. Content under a digest never changes, so that one that is whole holds for ever
/// and everywhere; who asks has found the manifest before, where it may be read.
static SUMMARIES: LazyLock<Cache<Digest, Arc<Summary>>> = LazyLock::new(|| Cache::new(REMEMBERED));

/// What a list shows of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What it runs on, such as `linux/arm64/v8`.
    pub platforms: Vec<String>,
    /// Bytes of config and layers; of an index those of its largest image.
    pub bytes: u64,
    /// How many layers that one has.
    pub layers: usize,
}

/// Tells of images of a repository what a list shows of each, in the same order; nothing for what is not there.
pub async fn summary(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    digests: &[Digest],
) -> Result<Vec<Option<Summary>>, Error> {
    let mut found = Vec::new();
    // One after the other: a hundred manifests may be a hundred times as large as one may be.
    for digest in digests {
        if let Some(known) = SUMMARIES.get(digest) {
            found.push(Some(Summary::clone(&known)));
            continue;
        }
        let (name, wanted) = (repository.clone(), *digest);
        let row = registry.db.read(move |tx: &mut Tx<'_>| manifests::by_digest(tx, &name, &wanted)).await?;
        found.push(match row {
            Some(row) => Some(of(registry, ctx, repository, &row).await?),
            None => None,
        });
    }
    Ok(found)
}

async fn of(registry: &Registry, ctx: &Ctx, repository: &RepositoryName, row: &ManifestRow) -> Result<Summary, Error> {
    let (summary, whole) = match parse(row) {
        None => (Summary { bytes: row.content.len() as u64, ..Summary::default() }, true),
        Some(manifest) if manifest.kind.is_index() => of_index(registry, ctx, repository, row, &manifest).await?,
        Some(manifest) => of_image(registry, ctx, repository, &manifest).await?,
    };
    if whole {
        SUMMARIES.insert(row.digest, Arc::new(summary.clone()));
    }
    Ok(summary)
}

/// Sums up an image; tells whether nothing was missing.
async fn of_image(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    manifest: &Manifest,
) -> Result<(Summary, bool), Error> {
    let mut summary = Summary { bytes: size_of(manifest), layers: manifest.layers.len(), platforms: Vec::new() };
    if !is_image(manifest) {
        return Ok((summary, true));
    }
    let Some(config) = configuration(registry, ctx, repository, manifest).await? else { return Ok((summary, false)) };
    summary.platforms.extend(config.platform());
    Ok((summary, true))
}

/// Sums up an index: its platforms, and the largest of its images.
async fn of_index(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    row: &ManifestRow,
    index: &Manifest,
) -> Result<(Summary, bool), Error> {
    let mut summary = Summary::default();
    let children = children(registry, row.keys.manifest).await?;
    let mut whole = true;
    for descriptor in index.manifests.iter().filter(|child| !is_attestation(child)).take(CHILDREN) {
        let child = children.get(&descriptor.digest).and_then(parse);
        let mut platform = descriptor.platform.as_ref().and_then(platform_of);
        whole &= child.is_some();
        if let Some(child) = child {
            if platform.is_none() && is_image(&child) {
                let config = configuration(registry, ctx, repository, &child).await?;
                platform = config.and_then(|config| config.platform());
            }
            let size = size_of(&child);
            if size >= summary.bytes {
                (summary.bytes, summary.layers) = (size, child.layers.len());
            }
        }
        summary.platforms.extend(platform.filter(|platform| !summary.platforms.contains(platform)));
    }
    Ok((summary, whole))
}
