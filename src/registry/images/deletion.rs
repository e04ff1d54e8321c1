//! What goes with a manifest, for who is about to delete it. Nothing is changed here: `manifests::delete` does that.

use oci::{Digest, Reference, RepositoryName};

use super::{Count, Kind, PARENTS, TAGS, outline};
use crate::db::{Tx, images, manifests, pulls, repositories};
use crate::registry::{Error, Registry};

/// Most manifests that refer to it which are counted.
const ATTACHED: usize = 100;

/// What goes, and what stays.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Tags that go, the first of them.
    pub tags: Vec<String>,
    /// Whether more go.
    pub more_tags: bool,
    /// Manifests that name it: as long as there is one, it cannot be deleted.
    pub parents: Vec<Digest>,
    /// How many children stay behind.
    pub children: usize,
    /// How many manifests refer to it, which stay behind and speak of nothing then: at most a hundred are counted.
    pub attached: usize,
    /// Bytes that nothing else in the repository needs. Those that other repositories hold as well stay.
    pub bytes: u64,
    /// How often it was pulled, and when last.
    pub pulls: Option<(Count, i64)>,
}

/// Tells what would go with a manifest.
pub async fn preview(registry: &Registry, repository: &RepositoryName, digest: &Digest) -> Result<Preview, Error> {
    let (name, wanted, memory) = (repository.clone(), *digest, std::sync::Arc::clone(&registry.images));
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let unknown = || Error::ManifestUnknown { repository: name.clone(), reference: Reference::Digest(wanted) };
        let row = images::find(tx, id, &wanted)?.ok_or_else(unknown)?;
        let mut tags = images::tags(tx, id, row.id, TAGS as i64 + 1)?;
        let more_tags = tags.len() > TAGS;
        tags.truncate(TAGS);
        let outline = outline(tx, &memory, &wanted, &row)?;
        let is_index = outline.kind == Kind::Index;
        Ok::<_, Error>(Preview {
            tags,
            more_tags,
            parents: manifests::parents(tx, id, &wanted, PARENTS)?,
            children: if is_index { outline.children.shown.len() + outline.children.more } else { 0 },
            attached: images::attached(tx, id, &wanted, ATTACHED as i64)?.len(),
            bytes: images::own_blobs(tx, row.id)?.into_iter().fold(row.size, u64::saturating_add),
            pulls: pulls::of_manifest(tx, row.id)?,
        })
    };
    registry.db.scan(find).await
}
