//! The names under which the store keeps bytes.

use std::fmt;

use oci::Digest;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

#[cfg(test)]
mod tests;

/// The name of an upload session, unguessable and never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadId(Uuid);

impl UploadId {
    /// Draws a new id (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id that a stored UUID stands for.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID, to be stored.
    #[must_use]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }

    /// Reads an id as it is printed, hyphenated and in lower case; `None` for any other spelling, so that
    /// an upload has one URL and one file name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text).ok()?);
        (id.encode(&mut [0; Hyphenated::LENGTH]) == text).then_some(id)
    }

    fn encode<'b>(&self, buffer: &'b mut [u8; Hyphenated::LENGTH]) -> &'b str {
        self.0.as_hyphenated().encode_lower(buffer)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.encode(&mut [0; Hyphenated::LENGTH]))
    }
}

/// Where the bytes of a blob lie: `sha256/ab/ab12….<upload id>`.
///
/// The id of the upload makes it unique for ever: a blob that was deleted and pushed again lies elsewhere,
/// so a deletion that comes late cannot hit the new bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    // First, so that locations order as their texts do.
    text: String,
    digest: Digest,
    upload: UploadId,
}

impl Location {
    /// The location of the blob that an upload becomes.
    #[must_use]
    pub fn new(digest: &Digest, upload: UploadId) -> Self {
        let hex = digest.hex();
        let text = format!("{}/{}/{hex}.{upload}", digest.algorithm(), &hex[..2]);
        Self { text, digest: *digest, upload }
    }

    /// Reads a location as [`Location::new`] writes it; `None` for any other text. What is accepted has
    /// no `.` or `..` component and no leading slash, whoever wrote it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (algorithm, _, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (hex, upload) = name.split_once('.')?;
        let digest = Digest::parse(&format!("{algorithm}:{hex}")).ok()?;
        let location = Self::new(&digest, UploadId::parse(upload)?);
        (location.text == text).then_some(location)
    }

    /// The text, which is also the path below the store's directory of blobs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The digest that the bytes were pushed under.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The upload that brought the bytes.
    #[must_use]
    pub const fn upload(&self) -> UploadId {
        self.upload
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
