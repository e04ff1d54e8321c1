//! The `Content-Range` header of a chunk of an upload (distribution-spec, "Pushing a blob in chunks").

use std::fmt;

use crate::error::ParseError;
use crate::serde_text::text_impls;

#[cfg(test)]
mod tests;

/// The greatest offset: what the length columns of a database and the offsets of a file can hold.
const MAX_OFFSET: u64 = i64::MAX as u64 - 1;

/// The place of a chunk in an upload, in bytes; both ends are part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentRange {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset of the last byte, not below `start`.
    pub end: u64,
}

impl ContentRange {
    /// Reads the specification's `start-end`, and the forms `bytes start-end/total` (RFC 9110, 14.4;
    /// the total may be `*` or absent) and `bytes=start-end` that clients send as well.
    ///
    /// # Errors
    ///
    /// [`ParseError::ContentRange`] for any other text, a start above the end, a total that does not
    /// reach beyond the end, or an end of 2^63 - 1 and more.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::read(text.trim_matches([' ', '\t'])).ok_or(ParseError::ContentRange)
    }

    fn read(text: &str) -> Option<Self> {
        let (range, total) = match text.strip_prefix("bytes") {
            None => (text, "*"),
            Some(rest) => match rest.strip_prefix('=') {
                Some(range) => (range, "*"),
                None => {
                    let range = rest.strip_prefix(' ')?;
                    range.split_once('/').unwrap_or((range, "*"))
                }
            },
        };
        let (start, end) = range.split_once('-')?;
        let (start, end) = (offset(start)?, offset(end)?);
        let total_ok = total == "*" || offset(total)? > end;
        (start <= end && total_ok).then_some(Self { start, end })
    }

    /// Length in bytes, at least one for what was parsed.
    #[expect(clippy::len_without_is_empty, reason = "a content range is never empty")]
    #[must_use]
    pub const fn len(&self) -> u64 {
        // Saturating, since the fields can be filled with anything.
        self.end.saturating_sub(self.start).saturating_add(1)
    }
}

impl fmt::Display for ContentRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

text_impls!(ContentRange, "a content range");

/// Reads decimal digits up to the greatest offset.
fn offset(digits: &str) -> Option<u64> {
    // `parse` alone would let a plus sign pass.
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|&number| number <= MAX_OFFSET)
}
