//! What is attached to an image: manifests that refer to it, those that cosign of old tagged, and the statements that
//! builders put into an index.

use std::collections::HashSet;

use oci::{Digest, RepositoryName, Tag};

use super::kinds::Attachment;
use super::loose::{Members, text as string};
use super::outline::Outline;
use super::{Kind, Memory, outline, text};
use crate::db::images::{self, AttachedRow};
use crate::db::{Tx, manifests, repositories};
use crate::registry::{Error, Registry};

/// Most manifests that refer to the image itself which are shown.
const SHOWN: usize = 50;
/// Most that refer to one of those, in the whole tree.
const SHOWN_BELOW: usize = 100;
/// Of how many statements in an index the kind is looked up.
const STATEMENTS: usize = 20;
/// Longest type that is shown.
const TYPE: usize = 100;

/// A manifest that says something of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// What it says: one word, or several where it holds several statements.
    pub kinds: Vec<Attachment>,
    /// Its digest.
    pub digest: Digest,
    /// When it was pushed, in microseconds since 1970; nothing where the index holds it.
    pub pushed_at: Option<i64>,
    /// The tag by which cosign of old found it.
    pub tag: Option<String>,
    /// Of which child of the index it speaks.
    pub about: Option<Digest>,
    /// What refers to it in turn.
    pub attached: Vec<Self>,
}

/// What is attached to an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// What refers to the image itself.
    pub attached: Vec<Attached>,
    /// Whether there is more than is shown.
    pub more: bool,
}

/// Finds what is attached to a manifest, two levels deep.
pub async fn tree(
    registry: &Registry,
    repository: &RepositoryName,
    digest: &Digest,
    outline: &std::sync::Arc<Outline>,
) -> Result<Tree, Error> {
    let (name, subject, memory, of) =
        (repository.clone(), *digest, std::sync::Arc::clone(&registry.images), std::sync::Arc::clone(outline));
    let find = move |tx: &mut Tx<'_>| {
        let id = repositories::find(tx, &name)?.ok_or_else(|| Error::NameUnknown(name.clone()))?;
        let mut walk = Walk { id, left: SHOWN_BELOW, more: false, seen: HashSet::from([subject]) };
        let mut attached = walk.referrers(tx, &subject, SHOWN)?;
        for one in &mut attached {
            one.attached = walk.below(tx, &one.digest)?;
        }
        for end in ["sig", "att", "sbom"] {
            attached.extend(walk.tagged(tx, &name, &subject, end)?);
        }
        attached.extend(walk.statements(tx, &memory, &of)?);
        Ok::<_, Error>(Tree { attached, more: walk.more })
    };
    registry.db.scan(find).await
}

struct Walk {
    /// The repository.
    id: i64,
    /// How many more may be shown below the first level.
    left: usize,
    more: bool,
    seen: HashSet<Digest>,
}

impl Walk {
    fn referrers(&mut self, tx: &mut Tx<'_>, subject: &Digest, limit: usize) -> Result<Vec<Attached>, Error> {
        let mut rows = images::attached(tx, self.id, subject, limit as i64 + 1)?;
        self.more |= rows.len() > limit;
        rows.truncate(limit);
        // A manifest that is shown already would be shown without end where two refer to each other.
        rows.retain(|row| self.seen.insert(row.digest));
        Ok(rows.iter().map(attached).collect())
    }

    fn below(&mut self, tx: &mut Tx<'_>, subject: &Digest) -> Result<Vec<Attached>, Error> {
        let found = self.referrers(tx, subject, self.left)?;
        self.left -= found.len().min(self.left);
        Ok(found)
    }

    /// What cosign of old tagged `sha256-….sig`.
    fn tagged(
        &mut self,
        tx: &mut Tx<'_>,
        name: &RepositoryName,
        subject: &Digest,
        end: &str,
    ) -> Result<Option<Attached>, Error> {
        let tag = format!("{}-{}.{end}", subject.algorithm(), subject.hex());
        // A digest of SHA-512 does not fit a tag.
        let Ok(parsed) = Tag::parse(&tag) else { return Ok(None) };
        let Some(head) = manifests::head_by_tag(tx, name, &parsed)? else { return Ok(None) };
        if !self.seen.insert(head.digest) {
            return Ok(None);
        }
        let pushed_at = images::find(tx, self.id, &head.digest)?.map(|row| row.created_at);
        let attached = self.below(tx, &head.digest)?;
        let kinds = Attachment::of_tag(&tag).into_iter().collect();
        Ok(Some(Attached { kinds, digest: head.digest, pushed_at, tag: Some(tag), about: None, attached }))
    }

    /// The children of an index that say something of the others.
    fn statements(&mut self, tx: &mut Tx<'_>, memory: &Memory, index: &Outline) -> Result<Vec<Attached>, Error> {
        let mut found = Vec::new();
        for child in index.children.shown.iter().filter(|child| child.about.is_some()) {
            if found.len() == STATEMENTS {
                self.more = true;
                break;
            }
            let Some(row) = images::find(tx, self.id, &child.digest)? else { continue };
            if !self.seen.insert(child.digest) {
                continue;
            }
            let statement = outline(tx, memory, &child.digest, &row)?;
            found.push(Attached {
                kinds: statements_of(&statement),
                digest: child.digest,
                pushed_at: Some(row.created_at),
                tag: None,
                about: child.about.filter(|about| *about != child.digest),
                attached: Vec::new(),
            });
        }
        Ok(found)
    }
}

/// What the layers of a manifest state, each kind once.
fn statements_of(outline: &Outline) -> Vec<Attachment> {
    let of = |part: &super::Part| Attachment::known(&part.media_type, part.predicate.as_deref());
    let mut kinds: Vec<Attachment> = outline.layers.shown.iter().filter_map(of).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() {
        kinds.push(match &outline.kind {
            Kind::Attachment(kind) => kind.clone(),
            _ => Attachment::Attestation,
        });
    }
    kinds
}

fn attached(row: &AttachedRow) -> Attached {
    let artifact_type = text::line(row.artifact_type.as_deref().unwrap_or_default(), TYPE);
    let names = ["in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", "predicateType"];
    let annotations = Members::named(row.annotations.as_deref().unwrap_or_default(), &names);
    let predicate = names.iter().find_map(|name| annotations.get(name)).and_then(string);
    Attached {
        kinds: vec![Attachment::of(&artifact_type, predicate.as_deref())],
        digest: row.digest,
        pushed_at: Some(row.created_at),
        tag: None,
        about: None,
        attached: Vec::new(),
    }
}
