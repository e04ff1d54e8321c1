//! Proves metadata and blobs against each other, and mends what can be mended.
//!
//! Safe beside a running server: every fault is looked at again before it is reported, because a push or delete may
//! have passed between the two looks.

use std::ops::ControlFlow;

use oci::{Digest, Manifest, ReferenceKind};
use serde::Serialize;

use super::blobs::parse_location;
use super::{Ctx, Error, Event, Registry};
use crate::blobs::{self as store, Location};
use crate::db::inventory::{self, BlobEntry, ManifestEntry, Totals};
use crate::db::{self, blobs};

/// Rows looked at in one step.
const STEP: i64 = 500;
/// Manifests looked at in one step: each may be some megabytes.
const MANIFEST_STEP: i64 = 20;
/// How many repositories a fault names.
const HOLDERS: i64 = 10;

/// What to look at and what to do about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether to read and hash every blob.
    pub deep: bool,
    /// Whether to mend.
    pub repair: bool,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// A blob's bytes are not in the store.
    BlobMissing(BlobFault),
    /// A blob has another length than when it was stored.
    BlobLength(BlobFault),
    /// A blob's bytes hash to something else.
    BlobCorrupt(BlobFault),
    /// A blob's bytes cannot be read: the disk fails, or something else lies in their place.
    BlobUnreadable(BlobFault),
    /// A blob was found damaged before, and nobody has pushed it again since.
    BlobQuarantined(BlobFault),
    /// Bytes lie in the store that nothing accounts for. They take room and do no harm.
    Orphan {
        /// Where they lie.
        location: String,
        /// How many they are.
        size: u64,
        /// Whether they were removed.
        mended: bool,
    },
    /// A manifest's bytes hash to something else, or cannot be read any more.
    ManifestCorrupt(ManifestFault),
    /// A manifest's edges do not say what its bytes name.
    ManifestEdges(ManifestFault),
}

/// A fault of a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlobFault {
    /// The blob.
    pub digest: Digest,
    /// Where its bytes should lie.
    pub location: String,
    /// Repositories that hold it; the first few.
    pub repositories: Vec<String>,
    /// Whether it was taken out of service, so that the next push replaces it, or put back into service.
    pub mended: bool,
}

/// A fault of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ManifestFault {
    /// The repository.
    pub repository: String,
    /// The manifest.
    pub digest: Digest,
}

impl Fault {
    /// Whether nothing is left to do about it.
    pub fn is_mended(&self) -> bool {
        match self {
            Self::Orphan { mended, .. } => *mended,
            // Its bytes were found whole again.
            Self::BlobQuarantined(blob) => blob.mended,
            // Taken out of service is not whole: somebody has to push it again.
            Self::BlobMissing(_) | Self::BlobLength(_) | Self::BlobCorrupt(_) | Self::BlobUnreadable(_) => false,
            Self::ManifestCorrupt(_) | Self::ManifestEdges(_) => false,
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Blobs, as rows.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Manifests.
    pub manifests: u64,
    /// Blobs, as found in the store.
    pub stored: u64,
}

/// Told of faults and progress as they come.
pub trait Report: Send {
    /// A fault was found. Breaking off ends the check.
    fn fault(&mut self, fault: Fault) -> ControlFlow<()>;
    /// So much is done.
    fn progress(&mut self, done: &Checked, totals: &Totals);
}

fn unreadable(entry: &BlobEntry, error: &store::Error) -> fn(BlobFault) -> Fault {
    tracing::warn!(digest = %entry.digest, %error, "a blob cannot be read");
    Fault::BlobUnreadable
}

/// Checks everything.
pub async fn check(
    registry: &Registry,
    ctx: &Ctx,
    options: Options,
    report: &mut dyn Report,
) -> Result<Checked, Error> {
    let totals = registry.db.scan(inventory::totals).await?;
    let mut check = Check { registry, ctx, options, report, totals, done: Checked::default() };
    // Broken off is done, too.
    if check.blobs().await?.is_continue() && check.manifests().await?.is_continue() {
        let _ = check.store().await?;
    }
    Ok(check.done)
}

struct Check<'a> {
    registry: &'a Registry,
    ctx: &'a Ctx,
    options: Options,
    report: &'a mut dyn Report,
    totals: Totals,
    done: Checked,
}

type Step = Result<ControlFlow<()>, Error>;

impl Check<'_> {
    async fn blobs(&mut self) -> Step {
        let mut after = 0;
        loop {
            let page = self.registry.db.scan(move |tx| inventory::blobs(tx, after, STEP)).await?;
            let Some(last) = page.last() else { return Ok(ControlFlow::Continue(())) };
            after = last.id;
            for entry in page {
                self.done.blobs += 1;
                self.done.bytes += entry.size;
                if self.blob(entry).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                if self.options.deep {
                    self.report.progress(&self.done, &self.totals);
                }
            }
            self.report.progress(&self.done, &self.totals);
        }
    }

    async fn blob(&mut self, entry: BlobEntry) -> Step {
        let location = parse_location(&entry.location).ok();
        let fault = match &location {
            Some(location) => self.blob_fault(&entry, location).await,
            // What the store did not write cannot lie in it.
            None => Some(Fault::BlobMissing as fn(BlobFault) -> Fault),
        };
        let Some(fault) = fault else { return Ok(ControlFlow::Continue(())) };
        let look_again = entry.clone();
        if !self.registry.db.read(move |tx| inventory::is_unchanged(tx, &look_again)).await? {
            return Ok(ControlFlow::Continue(()));
        }
        let mended = match location.filter(|_| self.options.repair) {
            Some(location) if entry.quarantined => self.put_back_into_service(&entry, &location).await?,
            Some(location) => self.take_out_of_service(&entry.digest, &location).await?,
            None => false,
        };
        let repositories = self.registry.db.scan(move |tx| inventory::holders(tx, entry.id, HOLDERS)).await?;
        let found = BlobFault { digest: entry.digest, location: entry.location, repositories, mended };
        Ok(self.report.fault(fault(found)))
    }

    /// Looks at a blob's bytes. One that cannot be read is a fault like the others: a bad sector must not keep the rest
    /// from being looked at.
    async fn blob_fault(&self, entry: &BlobEntry, location: &Location) -> Option<fn(BlobFault) -> Fault> {
        if entry.quarantined {
            return Some(Fault::BlobQuarantined);
        }
        match self.registry.blobs.stat(location).await {
            Ok(None) => return Some(Fault::BlobMissing),
            Ok(Some(size)) if size != entry.size => return Some(Fault::BlobLength),
            Ok(Some(_)) if !self.options.deep => return None,
            Ok(Some(_)) => {}
            Err(error) => return Some(unreadable(entry, &error)),
        }
        match self.registry.blobs.verify(location).await {
            Ok(digest) if digest == entry.digest => None,
            Ok(_) => Some(Fault::BlobCorrupt),
            Err(store::Error::NotFound(_)) => Some(Fault::BlobMissing),
            Err(error) => Some(unreadable(entry, &error)),
        }
    }

    /// Marks a blob as damaged, then moves what is left of it aside.
    async fn take_out_of_service(&self, digest: &Digest, location: &Location) -> Result<bool, Error> {
        super::blobs::quarantine(self.registry, self.ctx, digest, location).await?;
        if let Err(error) = self.registry.blobs.quarantine(location).await
            && !matches!(error, store::Error::NotFound(_))
        {
            tracing::warn!(%digest, %error, "cannot move damaged bytes aside");
        }
        Ok(true)
    }

    /// Lets a blob be served again whose bytes are found whole: a store that was not mounted, a file that was restored.
    async fn put_back_into_service(&self, entry: &BlobEntry, location: &Location) -> Result<bool, Error> {
        if !self.registry.blobs.verify(location).await.is_ok_and(|digest| digest == entry.digest) {
            return Ok(false);
        }
        let (ctx, digest, key) = (self.ctx.clone(), entry.digest, location.as_str().to_owned());
        let restore = move |tx: &mut db::Tx<'_>| {
            let restored = blobs::restore(tx, &key)?;
            if restored {
                ctx.record(tx, &Event { kind: "blob.restore", digest: Some(&digest), ..Event::default() })?;
            }
            Ok::<_, db::Error>(restored)
        };
        Ok(self.registry.db.write(restore).await?)
    }

    async fn manifests(&mut self) -> Step {
        let mut after = 0;
        loop {
            let page = self.registry.db.scan(move |tx| inventory::manifests(tx, after, MANIFEST_STEP)).await?;
            let Some(last) = page.last() else { return Ok(ControlFlow::Continue(())) };
            after = last.id;
            for entry in page {
                self.done.manifests += 1;
                if let Some(fault) = self.manifest_fault(&entry).await? {
                    let found = ManifestFault { repository: entry.repository, digest: entry.digest };
                    if self.report.fault(fault(found)).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            self.report.progress(&self.done, &self.totals);
        }
    }

    async fn manifest_fault(&self, entry: &ManifestEntry) -> Result<Option<fn(ManifestFault) -> Fault>, Error> {
        let hashed = entry.digest.algorithm().digest(&entry.content);
        let Ok(manifest) = Manifest::parse(&entry.content, Some(&entry.media_type)) else {
            return Ok(Some(Fault::ManifestCorrupt));
        };
        if hashed != entry.digest {
            return Ok(Some(Fault::ManifestCorrupt));
        }
        let mut named: Vec<Digest> = manifest
            .references()
            .filter(|(kind, _)| *kind != ReferenceKind::Subject)
            .map(|(_, descriptor)| descriptor.digest)
            .collect();
        named.sort_unstable();
        named.dedup();
        let (id, digest) = (entry.id, entry.digest);
        let (edges, there) = self
            .registry
            .db
            .scan::<_, db::Error, _>(move |tx| {
                Ok((inventory::edges(tx, id)?, inventory::has_manifest(tx, id, &digest)?))
            })
            .await?;
        Ok((there && edges != named).then_some(Fault::ManifestEdges))
    }

    /// Looks for bytes that nothing accounts for.
    async fn store(&mut self) -> Step {
        let mut after: Option<Location> = None;
        loop {
            let page = self.registry.blobs.list(after.as_ref(), STEP as usize).await?;
            let Some((last, _)) = page.last() else { return Ok(ControlFlow::Continue(())) };
            after = Some(last.clone());
            for (location, size) in page {
                self.done.stored += 1;
                if self.stored(location, size).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            self.report.progress(&self.done, &self.totals);
        }
    }

    async fn stored(&mut self, location: Location, size: u64) -> Step {
        let key = location.as_str().to_owned();
        // One statement, so that an upload that becomes a blob at this moment is seen as one or the other.
        if self.registry.db.read(move |tx| inventory::is_accounted_for(tx, &key)).await? {
            return Ok(ControlFlow::Continue(()));
        }
        // The sweeper may have removed both since the store was listed.
        if matches!(self.registry.blobs.stat(&location).await, Ok(None)) {
            return Ok(ControlFlow::Continue(()));
        }
        if self.options.repair {
            tracing::info!(location = location.as_str(), at = self.ctx.now, "removing bytes that nothing accounts for");
            self.registry.blobs.delete(&location).await?;
        }
        let fault = Fault::Orphan { location: location.as_str().to_owned(), size, mended: self.options.repair };
        Ok(self.report.fault(fault))
    }
}
