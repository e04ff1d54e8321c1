//! The query of a URL, and the encoding of its values.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::error::ParseError;

#[cfg(test)]
mod tests;

/// Most pairs in a query: twice the 50 tags that a push may carry.
pub const MAX_QUERY_PAIRS: usize = 100;

/// Longest query in bytes, before decoding.
pub const MAX_QUERY_LEN: usize = 16 * 1024;

/// What is escaped in a component: everything but the unreserved characters of RFC 3986, 2.3.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The decoded pairs of a query, in the order they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes what stands after the `?`. A `+` is a space; a name without `=` has the empty value;
    /// empty pairs (`a&&b`) are skipped.
    ///
    /// # Errors
    ///
    /// [`ParseError::QueryTooLong`] beyond 16 KiB or 100 pairs, [`ParseError::Query`] for a `%` that is
    /// not followed by two hexadecimal digits and for text that is not UTF-8.
    pub fn parse(raw: &str) -> Result<Self, ParseError> {
        if raw.len() > MAX_QUERY_LEN {
            return Err(ParseError::QueryTooLong);
        }
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == MAX_QUERY_PAIRS {
                return Err(ParseError::QueryTooLong);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of this name, in order.
    pub fn all<'q>(&'q self, name: &str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Escapes a text so that it can stand in a path segment or as a name or value of a query.
#[must_use]
pub fn encode_component(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// Decodes one name or value.
fn decode(text: &str) -> Result<String, ParseError> {
    if !escapes_are_whole(text.as_bytes()) {
        return Err(ParseError::Query);
    }
    // The plus signs go first: an escaped one (`%2B`) stays a plus sign.
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().map_err(|_| ParseError::Query)?;
    // No name of the protocol has a NUL, and no text column of PostgreSQL takes one.
    if decoded.contains('\0') { Err(ParseError::Query) } else { Ok(decoded.into_owned()) }
}

/// Whether each `%` is followed by two hexadecimal digits.
fn escapes_are_whole(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)))
}
