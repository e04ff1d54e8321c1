//! References to a manifest inside a repository (distribution-spec, "Definitions").

use std::fmt;

use crate::digest::Digest;
use crate::error::ParseError;
use crate::serde_text::text_impls;
use crate::tag::Tag;

#[cfg(test)]
mod tests;

/// What stands after `/manifests/`: a tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// The manifest a tag points to.
    Tag(Tag),
    /// The manifest of this digest.
    Digest(Digest),
}

impl Reference {
    /// Reads a digest if the text has a colon, which no tag can have, and a tag otherwise.
    ///
    /// # Errors
    ///
    /// Those of [`Digest::parse`] and [`Tag::parse`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.contains(':') { Digest::parse(text).map(Self::Digest) } else { Tag::parse(text).map(Self::Tag) }
    }
}

impl From<Tag> for Reference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl From<Digest> for Reference {
    fn from(digest: Digest) -> Self {
        Self::Digest(digest)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

text_impls!(Reference, "a tag or a digest");
