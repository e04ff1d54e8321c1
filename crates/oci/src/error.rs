//! What is wrong with a piece of protocol text.

use thiserror::Error;

/// Says why a text is not the word it was read as. Every message says what was expected.
///
/// The text itself is not repeated (it is hostile and of any length), except for the name of an
/// unsupported algorithm, which is cut to its first 32 grammatical characters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The text is not a digest.
    #[error("a digest is `sha256:` and 64 lower-case hexadecimal digits, or `sha512:` and 128 of them")]
    Digest,
    /// The text names a digest algorithm other than sha256 and sha512.
    #[error("the digest algorithm `{0}` is not supported: use sha256 or sha512")]
    UnsupportedAlgorithm(String),
    /// The text is not a repository name.
    #[error(
        "a repository name is made of components joined by `/`; a component is lower-case letters and \
         digits, with a single `.`, one or two `_`, or any number of `-` between them"
    )]
    Name,
    /// The repository name is too long.
    #[error("a repository name is at most 255 bytes long, counting `library/` before a name of one component")]
    NameTooLong,
    /// The text is not a tag.
    #[error("a tag is 1 to 128 letters, digits, `_`, `.` or `-`, and begins with a letter, a digit or `_`")]
    Tag,
    /// The text is not a media type.
    #[error("a media type is `type/subtype`, each of 1 to 127 of the characters of RFC 6838")]
    MediaType,
    /// The text is not the byte range of a chunk.
    #[error(
        "a Content-Range of an upload is `start-end`, both inclusive, with start not above end and end \
         below 2^63"
    )]
    ContentRange,
    /// The query does not decode.
    #[error("a query is `name=value` pairs joined by `&`, in UTF-8, with `%` before two hexadecimal digits")]
    Query,
    /// The query is too long or has too many pairs.
    #[error("a query has at most 100 pairs and 16 KiB")]
    QueryTooLong,
}
