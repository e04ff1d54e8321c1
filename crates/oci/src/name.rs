//! Repository names (distribution-spec, "Pulling manifests").

use std::fmt;
use std::sync::Arc;

use crate::error::ParseError;
use crate::serde_text::text_impls;

#[cfg(test)]
mod tests;

/// Longest repository name in bytes.
pub const MAX_NAME_LEN: usize = 255;

/// The namespace of names that have only one component.
pub const DEFAULT_NAMESPACE: &str = "library";

/// The name of a repository: components joined by `/`. Cheap to clone.
///
/// Names order as their text does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Arc<str>);

impl RepositoryName {
    /// Reads a name of the specification's grammar, at most 255 bytes long.
    ///
    /// A name of one component must stay within the limit as [`RepositoryName::canonical`] writes it.
    ///
    /// # Errors
    ///
    /// [`ParseError::NameTooLong`] or [`ParseError::Name`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let canonical_len = if text.contains('/') { text.len() } else { DEFAULT_NAMESPACE.len() + 1 + text.len() };
        if canonical_len > MAX_NAME_LEN {
            return Err(ParseError::NameTooLong);
        }
        if !text.split('/').all(|component| is_component(component.as_bytes())) {
            return Err(ParseError::Name);
        }
        Ok(Self(text.into()))
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components between the slashes; there is at least one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The first component. Of a canonical name, it is the namespace that owns the repository.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(first, _)| first)
    }

    /// The name under which the repository is kept: `x` is an alias of `library/x`.
    #[must_use]
    pub fn canonical(&self) -> Self {
        if self.0.contains('/') { self.clone() } else { Self(format!("{DEFAULT_NAMESPACE}/{}", self.0).into()) }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepositoryName({})", self.0)
    }
}

impl AsRef<str> for RepositoryName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

text_impls!(RepositoryName, "a repository name");

/// Whether the bytes are `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`.
fn is_component(bytes: &[u8]) -> bool {
    let mut rest = skip_alphanumerics(bytes);
    if rest.len() == bytes.len() {
        return false;
    }
    while !rest.is_empty() {
        let Some(after) = skip_separator(rest) else {
            return false;
        };
        rest = skip_alphanumerics(after);
        if rest.len() == after.len() {
            return false;
        }
    }
    true
}

/// What follows the lower-case letters and digits at the front.
fn skip_alphanumerics(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit())).unwrap_or(bytes.len());
    &bytes[end..]
}

/// What follows the separator at the front; `None` if there is no separator.
fn skip_separator(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [b'_', b'_', rest @ ..] | [b'.' | b'_', rest @ ..] => Some(rest),
        [b'-', ..] => {
            let end = bytes.iter().position(|&b| b != b'-').unwrap_or(bytes.len());
            Some(&bytes[end..])
        }
        _ => None,
    }
}
