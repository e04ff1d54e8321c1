//! Descriptors: the links from a manifest to content (image-spec, "Content Descriptors").

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::Digest;
use crate::json::{Budget, Members, Place};
use crate::manifest::ManifestError;
use crate::media_type;

#[cfg(test)]
mod tests;

/// The greatest size that a descriptor may state, in bytes: what clients read it into.
const MAX_SIZE: u64 = i64::MAX as u64;

/// The members of a descriptor that are read.
const MEMBERS: [&str; 8] = ["mediaType", "digest", "size", "artifactType", "urls", "annotations", "platform", "data"];

/// The members of a platform that are read.
const PLATFORM_MEMBERS: [&str; 3] = ["os", "architecture", "variant"];

/// A link to content by its digest. Members that are not listed here are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type of the content; empty when the document does not say.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Size of the content in bytes, at most `i64::MAX`.
    pub size: u64,
    /// Type of the artifact, when the content is a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Addresses from which the content may be fetched as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Annotations of the link.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What the content runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Whether the content is embedded in the descriptor. It is not kept: what is pulled by its digest
    /// has to be pushed.
    #[serde(skip)]
    pub has_data: bool,
}

/// What an image runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Operating system, in Go's words (`linux`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// Processor architecture, in Go's words (`amd64`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Variant of the architecture (`v8`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Descriptor {
    /// Whether the content need not be in the registry.
    #[must_use]
    pub fn is_non_distributable(&self) -> bool {
        media_type::is_non_distributable(&self.media_type)
    }

    /// Reads the text of one descriptor.
    pub(crate) fn read(text: &str, place: &Place<'_>, budget: &mut Budget) -> Result<Self, ManifestError> {
        let members = Members::read(text, &MEMBERS, place)?;
        Ok(Self {
            media_type: members.type_name("mediaType", place)?.unwrap_or_default(),
            digest: read_digest(&members, place)?,
            size: read_size(&members, place)?,
            artifact_type: members.type_name("artifactType", place)?,
            urls: members.string_list("urls", place, budget)?,
            annotations: members.string_map("annotations", place, budget)?,
            platform: Platform::read(&members, place)?,
            has_data: members.get("data").is_some(),
        })
    }
}

impl Platform {
    /// Reads the platform of a descriptor.
    fn read<const N: usize>(descriptor: &Members<'_, N>, place: &Place<'_>) -> Result<Option<Self>, ManifestError> {
        let Some(text) = descriptor.get("platform") else {
            return Ok(None);
        };
        let place = place.member("platform");
        let members = Members::read(text, &PLATFORM_MEMBERS, &place)?;
        Ok(Some(Self {
            os: members.string("os", &place)?,
            architecture: members.string("architecture", &place)?,
            variant: members.string("variant", &place)?,
        }))
    }
}

fn read_digest<const N: usize>(members: &Members<'_, N>, place: &Place<'_>) -> Result<Digest, ManifestError> {
    let place_of = || place.member("digest");
    let text = members.string("digest", place)?.ok_or_else(|| place_of().expected("a digest"))?;
    Digest::parse(&text).map_err(|source| ManifestError::Digest { place: place_of().to_string(), source })
}

fn read_size<const N: usize>(members: &Members<'_, N>, place: &Place<'_>) -> Result<u64, ManifestError> {
    members
        .get("size")
        .and_then(|text| text.parse::<u64>().ok())
        .filter(|size| *size <= MAX_SIZE)
        .ok_or_else(|| place.member("size").expected("a whole number of bytes from 0 to 9223372036854775807"))
}
