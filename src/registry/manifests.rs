//! Manifests: pull, push, delete.

use bytes::Bytes;
use oci::{Algorithm, Digest, Manifest, Reference, ReferenceKind, RepositoryName, Tag};

use super::access::admit_again;
use super::accounts::namespaces::refuse_reserved;
use super::audit::Pull;
use super::{Ctx, Error, Event, Registry, tags};
use crate::auth::Permissions;
use crate::config::MissingReferences;
use crate::db::manifests::{self, Keys, ManifestHead, ManifestRow, NewManifest, Target};
use crate::db::{self, Tx, blobs, repositories};

/// How many missing references or parents a refusal names.
const SHOWN: usize = 10;
/// Annotations beyond this many bytes are left out of the referrers list: they would crowd out the other referrers.
const ANNOTATIONS_LISTED: usize = 1024 * 1024;

/// Finds a manifest with its bytes.
pub async fn get(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<ManifestRow, Error> {
    let (name, wanted) = (repository.clone(), reference.clone());
    let find = move |tx: &mut Tx<'_>| match &wanted {
        Reference::Tag(tag) => manifests::by_tag(tx, &name, tag),
        Reference::Digest(digest) => manifests::by_digest(tx, &name, digest),
    };
    match registry.db.read(find).await? {
        Some(row) => {
            let pull = Pull { repository, reference, digest: &row.digest, keys: row.keys, fetched: true };
            registry.audit.pulled(ctx, &pull);
            Ok(row)
        }
        None => Err(unknown(registry, repository, reference).await?),
    }
}

/// Finds a manifest without its bytes.
pub async fn head(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<ManifestHead, Error> {
    let (name, wanted) = (repository.clone(), reference.clone());
    let find = move |tx: &mut Tx<'_>| match &wanted {
        Reference::Tag(tag) => manifests::head_by_tag(tx, &name, tag),
        Reference::Digest(digest) => manifests::head_by_digest(tx, &name, digest),
    };
    match registry.db.read(find).await? {
        Some(row) => {
            let pull = Pull { repository, reference, digest: &row.digest, keys: row.keys, fetched: false };
            registry.audit.pulled(ctx, &pull);
            Ok(row)
        }
        None => Err(unknown(registry, repository, reference).await?),
    }
}

async fn unknown(registry: &Registry, repository: &RepositoryName, reference: &Reference) -> Result<Error, Error> {
    let name = repository.clone();
    Ok(match registry.db.read(move |tx| repositories::find(tx, &name)).await? {
        Some(_) => Error::ManifestUnknown { repository: repository.clone(), reference: reference.clone() },
        None => Error::NameUnknown(repository.clone()),
    })
}

/// A manifest to store.
#[derive(Debug)]
pub struct Push {
    /// Into which repository.
    pub repository: RepositoryName,
    /// Under which tag, or by which digest.
    pub reference: Reference,
    /// Further tags that are to point to it.
    pub tags: Vec<Tag>,
    /// What the client says it is.
    pub content_type: Option<String>,
    /// Its bytes.
    pub content: Bytes,
}

/// A manifest that was stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Its digest.
    pub digest: Digest,
    /// What it refers to.
    pub subject: Option<Digest>,
}

/// Stores a manifest and moves the tags to it, all in one transaction.
pub async fn push(registry: &Registry, ctx: &Ctx, push: Push) -> Result<Pushed, Error> {
    let limit = registry.settings.max_manifest_size.bytes();
    if push.content.len() as u64 > limit {
        return Err(Error::ManifestTooLarge { limit });
    }
    refuse_reserved(registry, &push.repository).await?;
    let digest = verified_digest(&push.reference, &push.content)?;
    let manifest = Manifest::parse(&push.content, push.content_type.as_deref())?;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest);
    let task = Insert::new(ctx.clone(), push, digest, manifest, registry.settings.missing_references);
    let keys = registry.db.write(move |tx| task.run(tx)).await?;
    registry.audit.pushed(keys.repository, keys.manifest, ctx.now);
    Ok(Pushed { digest, subject })
}

/// A push by digest is checked against it; a push by tag is addressed by SHA-256.
fn verified_digest(reference: &Reference, content: &[u8]) -> Result<Digest, Error> {
    match reference {
        Reference::Tag(_) => Ok(Algorithm::Sha256.digest(content)),
        Reference::Digest(expected) => {
            let actual = expected.algorithm().digest(content);
            if actual == *expected {
                Ok(actual)
            } else {
                Err(Error::DigestMismatch { expected: *expected, actual: Box::new(actual) })
            }
        }
    }
}

/// The transaction of a push.
struct Insert {
    ctx: Ctx,
    repository: RepositoryName,
    digest: Digest,
    content: Bytes,
    manifest: Manifest,
    annotations: Option<String>,
    /// In ASCII order, so that two pushes of several tags never wait for each other in a circle.
    tags: Vec<Tag>,
    missing: MissingReferences,
}

impl Insert {
    fn new(ctx: Ctx, push: Push, digest: Digest, manifest: Manifest, missing: MissingReferences) -> Self {
        let mut tags = push.tags;
        if let Reference::Tag(tag) = push.reference {
            tags.push(tag);
        }
        tags.sort();
        tags.dedup();
        let listed = manifest.subject.is_some() && !manifest.annotations.is_empty();
        let annotations = listed
            .then(|| serde_json::to_string(&manifest.annotations).ok())
            .flatten()
            .filter(|text| text.len() <= ANNOTATIONS_LISTED);
        Self { ctx, repository: push.repository, digest, content: push.content, manifest, annotations, tags, missing }
    }

    fn run(&self, tx: &mut Tx<'_>) -> Result<Keys, Error> {
        admit_again(tx, &self.ctx, &self.repository, Permissions::WRITE)?;
        let (repository_id, made) = repositories::ensure(tx, &self.repository, self.ctx.now)?;
        if made {
            let event = Event { kind: "repository.create", repository: Some(&self.repository), ..Event::default() };
            self.ctx.record(tx, &event)?;
        }
        let manifest_id = match manifests::hold(tx, repository_id, &self.digest)? {
            Some(id) => id,
            None => self.insert(tx, repository_id)?,
        };
        let target = tags::Target { repository: &self.repository, repository_id, manifest_id, digest: &self.digest };
        for tag in &self.tags {
            tags::move_to(tx, &self.ctx, &target, tag)?;
        }
        Ok(Keys { manifest: manifest_id, repository: repository_id })
    }

    fn insert(&self, tx: &mut Tx<'_>, repository_id: i64) -> Result<i64, Error> {
        let targets = self.resolve(tx, repository_id)?;
        let new = NewManifest {
            repository_id,
            digest: &self.digest,
            media_type: &self.manifest.media_type,
            artifact_type: self.manifest.artifact_type.as_deref(),
            subject: self.manifest.subject.as_ref().map(|subject| &subject.digest),
            annotations: self.annotations.as_deref(),
            content: &self.content,
            now: self.ctx.now,
        };
        let id = manifests::insert(tx, &new)?
            .ok_or_else(|| db::Error::new(db::Kind::Conflict, "the same manifest was pushed at the same moment"))?;
        for (position, edge) in targets.iter().enumerate() {
            manifests::insert_edge(tx, id, position as i64, edge.kind, repository_id, &edge.digest, edge.target)?;
            if let Target::Blob(blob_id) = edge.target {
                blobs::set_referenced(tx, repository_id, blob_id)?;
            }
        }
        let event = Event {
            kind: "manifest.push",
            repository: Some(&self.repository),
            digest: Some(&self.digest),
            ..Event::default()
        };
        self.ctx.record(tx, &event)?;
        Ok(id)
    }

    /// Finds what the manifest names and keeps it from being deleted until the transaction ends.
    fn resolve(&self, tx: &mut Tx<'_>, repository_id: i64) -> Result<Vec<Edge>, Error> {
        let mut edges: Vec<Edge> = self.edges();
        // In the order of digests: two pushes that name the same blobs lock them in the same order.
        // What is named twice may be missing only if both may.
        edges.sort_by_key(|edge| (edge.digest, edge.kind, edge.may_miss));
        edges.dedup_by_key(|edge| (edge.digest, edge.kind));
        let mut missing = Vec::new();
        for edge in &mut edges {
            let found = if edge.kind == "child" {
                manifests::hold(tx, repository_id, &edge.digest)?.map(Target::Child)
            } else {
                blobs::hold_link(tx, repository_id, &edge.digest)?.map(Target::Blob)
            };
            match found {
                Some(target) => edge.target = target,
                None if edge.may_miss => {}
                None => missing.push(edge.digest),
            }
        }
        missing.dedup();
        missing.truncate(SHOWN);
        if missing.is_empty() { Ok(edges) } else { Err(Error::ReferencesMissing(missing)) }
    }

    fn edges(&self) -> Vec<Edge> {
        let names = self.manifest.references().filter_map(|(kind, descriptor)| {
            let kind = match kind {
                ReferenceKind::Config => "config",
                ReferenceKind::Layer => "layer",
                ReferenceKind::Child => "child",
                // A subject may come later than its referrers, or never.
                ReferenceKind::Subject => return None,
            };
            let may_miss = match self.missing {
                MissingReferences::Allow => true,
                MissingReferences::AllowChildren => kind == "child" || descriptor.is_non_distributable(),
                MissingReferences::Refuse => descriptor.is_non_distributable(),
            };
            Some(Edge { kind, digest: descriptor.digest, may_miss, target: Target::Missing })
        });
        names.collect()
    }
}

struct Edge {
    kind: &'static str,
    digest: Digest,
    may_miss: bool,
    target: Target,
}

/// Deletes a tag, or a manifest with all tags that point to it.
pub async fn delete(
    registry: &Registry,
    ctx: &Ctx,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<(), Error> {
    let (ctx, name, reference) = (ctx.clone(), repository.clone(), reference.clone());
    let delete = move |tx: &mut Tx<'_>| {
        let repository_id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let found = match &reference {
            Reference::Tag(tag) => tags::delete(tx, &ctx, &name, repository_id, tag, None)?,
            Reference::Digest(digest) => delete_manifest(tx, &ctx, &name, repository_id, digest)?,
        };
        let unknown = || Error::ManifestUnknown { repository: name.clone(), reference: reference.clone() };
        if found { Ok(()) } else { Err(unknown()) }
    };
    registry.db.write(delete).await
}

fn delete_manifest(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    repository: &RepositoryName,
    repository_id: i64,
    digest: &Digest,
) -> Result<bool, Error> {
    // The lock comes first: an index that was pushed meanwhile is then seen by the next statement.
    let Some(manifest_id) = manifests::lock(tx, repository_id, digest)? else { return Ok(false) };
    let parents = manifests::parents(tx, repository_id, digest, SHOWN as i64)?;
    if !parents.is_empty() {
        return Err(Error::Referenced { digest: *digest, parents });
    }
    for name in db::tags::of_manifest(tx, manifest_id)? {
        let tag = Tag::parse(&name)
            .map_err(|e| db::Error::new(db::Kind::Corrupt, format!("a tag's name is not one: {e}")))?;
        // A push that moved it away meanwhile is left its tag.
        tags::delete(tx, ctx, repository, repository_id, &tag, Some(manifest_id))?;
    }
    manifests::delete(tx, repository_id, manifest_id, ctx.now)?;
    let event =
        Event { kind: "manifest.delete", repository: Some(repository), digest: Some(digest), ..Event::default() };
    ctx.record(tx, &event)?;
    Ok(true)
}
