//! A manifest as a page needs it: bounded, whatever its 4 MiB say.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, Manifest, Platform};

use super::config::{List, Named, plain};
use super::kinds::{Kind, of_manifest};
use super::text;
use crate::registry::Error;

/// Most layers that are shown one by one. Clients bear no more than 127.
const LAYERS: usize = 200;
/// Most children of an index that are shown.
const CHILDREN: usize = 200;
/// Most annotations that are shown.
const ANNOTATIONS: usize = 100;
/// Longest name of a file.
const TITLE: usize = 300;
/// Longest word of a platform.
const WORD: usize = 40;

/// A blob that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has, as the manifest says.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// What it is called, where it is a file.
    pub title: Option<String>,
    /// What kind of statement it is, where it is one of in-toto.
    pub predicate: Option<String>,
}

/// A manifest that an index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// Its artifact type, where the index tells it.
    pub artifact_type: Option<String>,
    /// What it runs on, as `os/architecture/variant`.
    pub platform: Option<String>,
    /// Which other child it says something of; such a child runs on nothing.
    pub about: Option<Digest>,
}

/// A manifest, as far as its own bytes tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What it is.
    pub kind: Kind,
    /// Its media type.
    pub media_type: String,
    /// Its artifact type.
    pub artifact_type: Option<String>,
    /// Its config.
    pub config: Option<Part>,
    /// Its layers.
    pub layers: List<Part>,
    /// Its children.
    pub children: List<Child>,
    /// What it refers to.
    pub subject: Option<Digest>,
    /// Its annotations.
    pub annotations: List<Named>,
    /// Bytes of its config and all its layers, as it says.
    pub bytes: u64,
}

impl Outline {
    /// Reads a manifest that was stored under a media type.
    pub(super) fn read(content: &[u8], media_type: &str) -> Result<Self, Error> {
        let manifest = Manifest::parse(content, Some(media_type))?;
        let artifact_type = manifest.artifact_type.clone();
        let kind = if manifest.kind.is_index() {
            Kind::Index
        } else {
            let config = manifest.config.as_ref().map_or("", |config| &config.media_type);
            let layers = manifest.layers.iter().map(|layer| layer.media_type.as_str());
            of_manifest(artifact_type.as_deref().unwrap_or_default(), config, layers)
        };
        let blobs = manifest.config.iter().chain(&manifest.layers);
        Ok(Self {
            kind,
            media_type: manifest.media_type.clone(),
            artifact_type,
            config: manifest.config.as_ref().map(part),
            bytes: blobs.fold(0, |sum: u64, blob| sum.saturating_add(blob.size)),
            layers: list(&manifest.layers, LAYERS, part),
            children: list(&manifest.manifests, CHILDREN, child),
            subject: manifest.subject.as_ref().map(|subject| subject.digest),
            annotations: annotations(&manifest.annotations),
        })
    }

    /// How many layers it has.
    pub fn layer_count(&self) -> usize {
        self.layers.shown.len() + self.layers.more
    }

    /// The children that run on something, those shown.
    pub fn runnable(&self) -> impl Iterator<Item = &Child> {
        self.children.shown.iter().filter(|child| child.about.is_none())
    }

    /// The child that is meant by a platform, or, without one that is there, the one that most people want.
    pub fn child(&self, platform: &str) -> Option<&Child> {
        let of = |wanted: &str| self.runnable().find(|child| child.platform.as_deref() == Some(wanted));
        let asked = if platform.is_empty() { None } else { of(platform) };
        asked.or_else(|| of("linux/amd64")).or_else(|| of("linux/arm64/v8")).or_else(|| self.runnable().next())
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let part = |part: &Part| {
            256 + part.media_type.len()
                + part.title.as_ref().map_or(0, String::len)
                + part.predicate.as_ref().map_or(0, String::len)
        };
        let named = |one: &Named| 64 + one.name.len() + one.value.as_ref().map_or(0, String::len);
        1024 + self.layers.shown.iter().map(part).sum::<usize>()
            + self.children.shown.len() * 600
            + self.annotations.shown.iter().map(named).sum::<usize>()
    }
}

fn list<T>(descriptors: &[Descriptor], limit: usize, of: fn(&Descriptor) -> T) -> List<T> {
    List { shown: descriptors.iter().take(limit).map(of).collect(), more: descriptors.len().saturating_sub(limit) }
}

fn part(descriptor: &Descriptor) -> Part {
    let annotation = |name: &str| descriptor.annotations.get(name).filter(|text| !text.is_empty());
    Part {
        digest: descriptor.digest,
        size: descriptor.size,
        media_type: descriptor.media_type.clone(),
        title: annotation("org.opencontainers.image.title").map(|text| text::line(text, TITLE)),
        predicate: annotation("in-toto.io/predicate-type")
            .or_else(|| annotation("predicateType"))
            .map(|text| text::line(text, TITLE)),
    }
}

fn child(descriptor: &Descriptor) -> Child {
    let annotation = |name: &str| descriptor.annotations.get(name).map(String::as_str);
    let platform = descriptor.platform.as_ref().and_then(platform);
    let unknown = platform.as_deref().is_some_and(|platform| platform.starts_with("unknown/unknown"));
    let attests = unknown || annotation("vnd.docker.reference.type") == Some("attestation-manifest");
    let about = annotation("vnd.docker.reference.digest").and_then(|text| Digest::parse(text).ok());
    Child {
        digest: descriptor.digest,
        media_type: descriptor.media_type.clone(),
        artifact_type: descriptor.artifact_type.clone(),
        // One that says nothing of another, and runs on nothing known, is about the index as a whole.
        about: attests.then(|| about.unwrap_or(descriptor.digest)),
        platform: platform.filter(|_| !unknown),
    }
}

/// `os/architecture/variant`; nothing where neither of the first two is told.
pub fn platform(platform: &Platform) -> Option<String> {
    let words = [&platform.os, &platform.architecture, &platform.variant];
    let words: Vec<String> =
        words.into_iter().flatten().filter(|word| !word.is_empty()).map(|word| text::line(word, WORD)).collect();
    (!words.is_empty()).then(|| words.join("/"))
}

fn annotations(annotations: &BTreeMap<String, String>) -> List<Named> {
    List {
        shown: annotations.iter().take(ANNOTATIONS).map(|(name, value)| plain(name, value)).collect(),
        more: annotations.len().saturating_sub(ANNOTATIONS),
    }
}
