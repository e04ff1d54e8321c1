//! Manifests: what a push by reference carries (image-spec, and Docker's schema 2).

use std::collections::BTreeMap;

use crate::descriptor::Descriptor;
use crate::json::{Budget, Members, Place, check_depth};
use crate::media_type::{DOCKER_LIST, DOCKER_MANIFEST, MediaType, OCI_INDEX, OCI_MANIFEST, is_schema1};

mod error;
#[cfg(test)]
mod tests;

pub use error::ManifestError;

/// How deep a manifest may nest. No known manifest needs more than 5 levels, and every client's parser
/// bears this many.
pub const MAX_DEPTH: usize = 64;

/// Most descriptors in one manifest.
pub const MAX_DESCRIPTORS: usize = 10_000;

/// Most annotations and addresses in one manifest, its descriptors included.
pub const MAX_ITEMS: usize = 100_000;

/// The members of a manifest that are read.
const MEMBERS: [&str; 8] =
    ["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"];

/// The kinds of manifest that the registry takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An OCI image manifest.
    Image,
    /// An OCI image index.
    Index,
    /// A manifest of Docker, schema 2.
    DockerManifest,
    /// A manifest list of Docker.
    DockerList,
}

impl Kind {
    /// The kind that a media type names.
    #[must_use]
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            OCI_MANIFEST => Some(Self::Image),
            OCI_INDEX => Some(Self::Index),
            DOCKER_MANIFEST => Some(Self::DockerManifest),
            DOCKER_LIST => Some(Self::DockerList),
            _ => None,
        }
    }

    /// The media type under which the kind is stored and served.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Image => OCI_MANIFEST,
            Self::Index => OCI_INDEX,
            Self::DockerManifest => DOCKER_MANIFEST,
            Self::DockerList => DOCKER_LIST,
        }
    }

    /// Whether the kind lists other manifests, and has neither config nor layers.
    #[must_use]
    pub const fn is_index(self) -> bool {
        matches!(self, Self::Index | Self::DockerList)
    }
}

/// The part that a referenced content plays in a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    /// The configuration of an image; a blob.
    Config,
    /// A layer of an image; a blob.
    Layer,
    /// A manifest in an index or a list.
    Child,
    /// The manifest that this one refers to, which need not exist.
    Subject,
}

/// What the registry needs to know of a manifest. Its bytes are stored and served as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// What it is.
    pub kind: Kind,
    /// The media type to store and to serve.
    pub media_type: String,
    /// The artifact type as the referrers API reports and filters it: of an image its `artifactType`
    /// or else its config's media type, of an index its `artifactType`.
    pub artifact_type: Option<String>,
    /// The config; always there in an image, never in an index.
    pub config: Option<Descriptor>,
    /// The layers of an image.
    pub layers: Vec<Descriptor>,
    /// The children of an index or a list.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this one refers to.
    pub subject: Option<Descriptor>,
    /// The annotations of the manifest itself.
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest as it was pushed.
    ///
    /// Its kind is that of the `Content-Type` header, whose parameters do not count; without one, that
    /// of the `mediaType` member, or else of the shape. `mediaType` may not contradict the header, nor
    /// the shape either of them.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] says what is wrong and where.
    pub fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Self, ManifestError> {
        let declared = content_type
            .filter(|header| !header.trim().is_empty())
            .map(MediaType::parse_content_type)
            .transpose()
            .map_err(ManifestError::ContentType)?;
        let text = std::str::from_utf8(bytes).map_err(|_| ManifestError::NotUtf8)?;
        check_depth(text)?;
        let document = Document(Members::read(text, &MEMBERS, &Place::ROOT)?);
        document.interpret(declared.as_ref())
    }

    /// Every content that the manifest references, with the part it plays.
    pub fn references(&self) -> impl Iterator<Item = (ReferenceKind, &Descriptor)> {
        let config = self.config.iter().map(|d| (ReferenceKind::Config, d));
        let layers = self.layers.iter().map(|d| (ReferenceKind::Layer, d));
        let children = self.manifests.iter().map(|d| (ReferenceKind::Child, d));
        let subject = self.subject.iter().map(|d| (ReferenceKind::Subject, d));
        config.chain(layers).chain(children).chain(subject)
    }
}

/// The top level of a document, before its kind is known.
struct Document<'a>(Members<'a, 8>);

impl Document<'_> {
    /// Decides the kind and reads the members that belong to it.
    fn interpret(&self, declared: Option<&MediaType>) -> Result<Manifest, ManifestError> {
        let members = &self.0;
        let own_type = members.type_name("mediaType", &Place::ROOT)?;
        let kind = self.kind(declared.map(MediaType::as_str), own_type.as_deref())?;
        self.check_shape(kind)?;
        if members.get("schemaVersion") != Some("2") {
            return Err(Place::ROOT.member("schemaVersion").expected("the number 2"));
        }

        let mut budget = Budget::new();
        let config = self.descriptor("config", &mut budget)?;
        if config.is_none() && !kind.is_index() {
            return Err(Place::ROOT.member("config").expected("a descriptor"));
        }
        let own_artifact_type = members.type_name("artifactType", &Place::ROOT)?;
        let config_type = config.as_ref().map(|config| config.media_type.clone());
        Ok(Manifest {
            kind,
            media_type: kind.media_type().to_owned(),
            artifact_type: own_artifact_type.or(config_type.filter(|name| !name.is_empty())),
            config,
            layers: self.descriptors("layers", &mut budget)?,
            manifests: self.descriptors("manifests", &mut budget)?,
            subject: self.descriptor("subject", &mut budget)?,
            annotations: members.string_map("annotations", &Place::ROOT, &mut budget)?,
        })
    }

    /// The kind, from the header, the member and the shape, in that order.
    fn kind(&self, declared: Option<&str>, own: Option<&str>) -> Result<Kind, ManifestError> {
        self.refuse_schema1(declared, own)?;
        if self.has_index_members() && self.has_image_members() {
            return Err(ManifestError::TwoShapes);
        }
        if let (Some(declared), Some(own)) = (declared, own)
            && declared != own
        {
            return Err(ManifestError::MediaTypeMismatch {
                content_type: declared.to_owned(),
                media_type: own.to_owned(),
            });
        }
        match declared.or(own) {
            Some(named) => Kind::from_media_type(named)
                .ok_or_else(|| ManifestError::Unsupported { media_type: Some(named.to_owned()) }),
            None if self.has_index_members() => Ok(Kind::Index),
            None if self.has_image_members() => Ok(Kind::Image),
            None => Err(ManifestError::Unsupported { media_type: None }),
        }
    }

    /// Schema 1 comes first, so that who pushes it learns that, and not what else differs.
    fn refuse_schema1(&self, declared: Option<&str>, own: Option<&str>) -> Result<(), ManifestError> {
        let named = declared.is_some_and(is_schema1) || own.is_some_and(is_schema1);
        if named || self.0.get("schemaVersion") == Some("1") {
            return Err(ManifestError::Schema1);
        }
        Ok(())
    }

    /// Refuses a document that has not the members of its kind, or has those of the other.
    fn check_shape(&self, kind: Kind) -> Result<(), ManifestError> {
        let (fits, expected) = if kind.is_index() {
            let fits = self.has_index_members() && !self.has_image_members();
            (fits, "`manifests`, and neither `config` nor `layers`")
        } else {
            let fits = self.has_image_members() && !self.has_index_members();
            (fits, "`config` and `layers`, and no `manifests`")
        };
        if fits {
            return Ok(());
        }
        Err(ManifestError::WrongShape { media_type: kind.media_type(), expected })
    }

    fn has_index_members(&self) -> bool {
        self.0.has("manifests")
    }

    fn has_image_members(&self) -> bool {
        self.0.has("config") || self.0.has("layers")
    }

    /// One descriptor; `None` when absent or null.
    fn descriptor(&self, name: &'static str, budget: &mut Budget) -> Result<Option<Descriptor>, ManifestError> {
        let Some(text) = self.0.get(name) else {
            return Ok(None);
        };
        budget.take_descriptors(1)?;
        Descriptor::read(text, &Place::ROOT.member(name), budget).map(Some)
    }

    /// An array of descriptors; empty when absent or null.
    fn descriptors(&self, name: &'static str, budget: &mut Budget) -> Result<Vec<Descriptor>, ManifestError> {
        let texts = self.0.list(name, &Place::ROOT, MAX_DESCRIPTORS)?.ok_or(ManifestError::TooManyDescriptors)?;
        budget.take_descriptors(texts.len())?;
        let place = Place::ROOT.member(name);
        texts
            .into_iter()
            .enumerate()
            .map(|(index, text)| Descriptor::read(text, &place.element(index), budget))
            .collect()
    }
}
