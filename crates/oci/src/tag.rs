//! Tags (distribution-spec, "Pulling manifests").

use std::fmt;
use std::sync::Arc;

use crate::error::ParseError;
use crate::serde_text::text_impls;

#[cfg(test)]
mod tests;

/// Longest tag in bytes.
pub const MAX_TAG_LEN: usize = 128;

/// A name that a repository gives to one of its manifests. Cheap to clone; orders as its text does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Reads `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
    ///
    /// # Errors
    ///
    /// [`ParseError::Tag`] for any other text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let well_formed = match text.as_bytes() {
            [first, rest @ ..] if text.len() <= MAX_TAG_LEN => {
                is_word(first) && rest.iter().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
            }
            _ => false,
        };
        if well_formed { Ok(Self(text.into())) } else { Err(ParseError::Tag) }
    }

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.0)
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_impls!(Tag, "a tag");
