//! Media types (RFC 6838) and those that the registry knows.

use std::fmt;
use std::sync::Arc;

use crate::error::ParseError;
use crate::serde_text::text_impls;

#[cfg(test)]
mod tests;

/// An image manifest (image-spec).
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// An image index (image-spec).
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The empty descriptor's content, `{}` (image-spec).
pub const OCI_EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// An image manifest of Docker, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// A manifest list of Docker, schema 2.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// A manifest of Docker, schema 1, which is refused.
pub const DOCKER_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
/// A signed manifest of Docker, schema 1, which is refused.
pub const DOCKER_SCHEMA1_SIGNED: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// A layer that may not be redistributed, uncompressed.
pub const OCI_LAYER_NON_DISTRIBUTABLE: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar";
/// A layer that may not be redistributed, compressed with gzip.
pub const OCI_LAYER_NON_DISTRIBUTABLE_GZIP: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
/// A layer that may not be redistributed, compressed with zstd.
pub const OCI_LAYER_NON_DISTRIBUTABLE_ZSTD: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
/// A layer of Docker that is fetched from its own address.
pub const DOCKER_FOREIGN_LAYER: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

/// Longest type, and longest subtype, in bytes (RFC 6838, 4.2).
const MAX_PART_LEN: usize = 127;

/// Longest media type in bytes: a type, a slash and a subtype.
pub const MAX_MEDIA_TYPE_LEN: usize = 2 * MAX_PART_LEN + 1;

/// A media type without parameters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Arc<str>);

impl MediaType {
    /// Reads `type/subtype` as RFC 6838 restricts them, keeping the case of its letters.
    ///
    /// # Errors
    ///
    /// [`ParseError::MediaType`] for any other text, so too for one with parameters.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text.split_once('/') {
            Some((kind, subtype)) if is_restricted(kind) && is_restricted(subtype) => Ok(Self(text.into())),
            _ => Err(ParseError::MediaType),
        }
    }

    /// Reads a `Content-Type` header: parameters are cut off, and letters become lower-case, since
    /// the header is compared without regard to case (RFC 9110, 8.3.1).
    ///
    /// # Errors
    ///
    /// [`ParseError::MediaType`] when what stands before the first `;` is no media type.
    pub fn parse_content_type(header: &str) -> Result<Self, ParseError> {
        let essence = header.split(';').next().unwrap_or(header);
        let essence = essence.trim_matches([' ', '\t']);
        // The length comes first: nothing of any length is copied.
        if essence.len() > MAX_MEDIA_TYPE_LEN {
            return Err(ParseError::MediaType);
        }
        Self::parse(&essence.to_ascii_lowercase())
    }

    /// The media type's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a layer of this type need not be in the registry.
    #[must_use]
    pub fn is_non_distributable(&self) -> bool {
        is_non_distributable(&self.0)
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaType({})", self.0)
    }
}

impl AsRef<str> for MediaType {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_impls!(MediaType, "a media type");

/// Whether a layer of this media type need not be in the registry: its terms forbid to pass it on, and
/// clients fetch it from the addresses in its descriptor.
#[must_use]
pub fn is_non_distributable(media_type: &str) -> bool {
    let oci = media_type
        .strip_prefix(OCI_LAYER_NON_DISTRIBUTABLE)
        .is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('+'));
    oci || media_type == DOCKER_FOREIGN_LAYER
}

/// Whether the media type is one of Docker's schema 1.
#[must_use]
pub fn is_schema1(media_type: &str) -> bool {
    matches!(media_type, DOCKER_SCHEMA1 | DOCKER_SCHEMA1_SIGNED)
}

/// Whether the text is a `restricted-name` of RFC 6838, 4.2.
fn is_restricted(name: &str) -> bool {
    let tail_ok =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+');
    name.len() <= MAX_PART_LEN
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(tail_ok)
}
