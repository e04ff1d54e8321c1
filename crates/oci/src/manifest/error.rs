//! What is wrong with a manifest.

use thiserror::Error;

use crate::error::ParseError;
use crate::manifest::{MAX_DEPTH, MAX_DESCRIPTORS, MAX_ITEMS};

/// Says why a manifest is refused, and where in it the fault stands (`layers[3].digest`).
///
/// Messages repeat no text of the document beyond media types and algorithm names, which are short and
/// printable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// The bytes are not UTF-8.
    #[error("the manifest is not UTF-8 text")]
    NotUtf8,
    /// The text is not JSON, or something follows the document.
    #[error("the manifest is not JSON: {0}")]
    Json(String),
    /// Objects and arrays nest too deep.
    #[error("the manifest nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// There are more descriptors than the registry takes.
    #[error("the manifest has more than {MAX_DESCRIPTORS} descriptors")]
    TooManyDescriptors,
    /// There are more annotations and addresses than the registry takes.
    #[error("the manifest has more than {MAX_ITEMS} annotations and urls")]
    TooManyItems,
    /// A member stands twice, or once more in other letters; parsers differ on which one counts.
    #[error("{place}: the key stands more than once, or again in other letter case")]
    AmbiguousKey {
        /// Where the member stands; `.*` for any key of an object of strings.
        place: String,
    },
    /// The document is an image and an index at once (CVE-2021-41190).
    #[error("a manifest has either `manifests`, or `config` and `layers`, but not both")]
    TwoShapes,
    /// The `Content-Type` header is not a media type.
    #[error("Content-Type: {0}")]
    ContentType(#[source] ParseError),
    /// The header and the document name different media types.
    #[error("mediaType: the document says `{media_type}`, but the Content-Type is `{content_type}`")]
    MediaTypeMismatch {
        /// The header's, without parameters.
        content_type: String,
        /// The document's.
        media_type: String,
    },
    /// A manifest of Docker's schema 1.
    #[error(
        "Docker image manifests of schema 1 are not supported: pull and push the image again, or rebuild \
         it, with Docker 1.10 or newer"
    )]
    Schema1,
    /// The media type is none that the registry takes as a manifest.
    #[error(
        "{} is not supported as a manifest: push an OCI image manifest or index, or a Docker schema 2 \
         manifest or list",
        described(.media_type.as_deref())
    )]
    Unsupported {
        /// The media type, if the header or the document names one.
        media_type: Option<String>,
    },
    /// The members are not those of the media type.
    #[error("a document of type {media_type} has {expected}")]
    WrongShape {
        /// The media type of the header or the document.
        media_type: &'static str,
        /// The members of a document of that type.
        expected: &'static str,
    },
    /// A member is missing or is not what it should be.
    #[error("{}: expected {expected}", at(.place))]
    Expected {
        /// Where it stands; empty for the document itself.
        place: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A digest is malformed or of an unsupported algorithm.
    #[error("{place}: {source}")]
    Digest {
        /// Where it stands.
        place: String,
        /// What is wrong with it.
        source: ParseError,
    },
}

/// The media type in quotes, or what is said when there is none.
fn described(media_type: Option<&str>) -> String {
    media_type.map_or_else(
        || "a document without `mediaType`, `config`, `layers` and `manifests`".to_owned(),
        |name| format!("the media type `{name}`"),
    )
}

/// The place, or the name of the whole.
fn at(place: &str) -> &str {
    if place.is_empty() { "the document" } else { place }
}
