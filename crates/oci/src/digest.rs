//! Content digests: `algorithm:encoded` (image-spec, descriptor, "Digests").

use std::fmt;

use crate::error::ParseError;
use crate::hasher::Hasher;
use crate::serde_text::text_impls;

#[cfg(test)]
mod tests;

/// Length in bytes of the longest hash.
const MAX_HASH_LEN: usize = 64;

/// How much of an unsupported algorithm's name is repeated in an error, in characters.
const SHOWN_ALGORITHM_LEN: usize = 32;

/// A hash function that names content: the two that the image specification registers for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256, which every client can read.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Reads `sha256` or `sha512`.
    ///
    /// # Errors
    ///
    /// [`ParseError::UnsupportedAlgorithm`] for any other text.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(unsupported(text)),
        }
    }

    /// The name that stands before the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The byte that stands for the algorithm in stored keys; it never changes.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The algorithm of a stored code, if there is one.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Sha256),
            2 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Length of the hash in bytes.
    #[must_use]
    pub const fn hash_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Hashes bytes that are in memory as a whole.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

text_impls!(Algorithm, "a digest algorithm");

/// The digest of a content: its algorithm and its raw hash.
///
/// Digests order as their text does: by algorithm, then by hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    /// The hash, followed by zeros when it is shorter than the longest.
    hash: [u8; MAX_HASH_LEN],
}

impl Digest {
    /// Reads `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits.
    ///
    /// # Errors
    ///
    /// [`ParseError::UnsupportedAlgorithm`] for a digest of the specification's grammar under another
    /// algorithm, [`ParseError::Digest`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let (name, encoded) = text.split_once(':').ok_or(ParseError::Digest)?;
        let Ok(algorithm) = Algorithm::parse(name) else {
            return Err(refuse_unknown(name, encoded));
        };
        let mut hash = [0; MAX_HASH_LEN];
        decode_hex(encoded.as_bytes(), &mut hash[..algorithm.hash_len()]).ok_or(ParseError::Digest)?;
        Ok(Self { algorithm, hash })
    }

    /// Builds a digest from the hash that a hash function gave.
    pub(crate) fn from_array<const N: usize>(algorithm: Algorithm, raw: [u8; N]) -> Self {
        const { assert!(N <= MAX_HASH_LEN) };
        debug_assert_eq!(N, algorithm.hash_len());
        let mut hash = [0; MAX_HASH_LEN];
        hash[..N].copy_from_slice(&raw);
        Self { algorithm, hash }
    }

    /// The hash function.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw hash: 32 bytes of sha256, 64 of sha512.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.hash[..self.algorithm.hash_len()]
    }

    /// The hash in lower-case hexadecimal, without the algorithm.
    #[must_use]
    pub fn hex(&self) -> String {
        let mut buffer = [0; 2 * MAX_HASH_LEN];
        self.write_hex(&mut buffer).to_owned()
    }

    /// The key under which the digest is stored: the algorithm's code, then the raw hash.
    #[must_use]
    pub fn to_key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(1 + self.algorithm.hash_len());
        key.push(self.algorithm.code());
        key.extend_from_slice(self.as_bytes());
        key
    }

    /// Reads a stored key; `None` unless [`Digest::to_key`] could have written it.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (&code, raw) = key.split_first()?;
        let algorithm = Algorithm::from_code(code)?;
        match algorithm {
            Algorithm::Sha256 => Some(Self::from_array::<32>(algorithm, raw.try_into().ok()?)),
            Algorithm::Sha512 => Some(Self::from_array::<64>(algorithm, raw.try_into().ok()?)),
        }
    }

    /// Writes the hash in hexadecimal to a buffer and returns the text in it.
    fn write_hex<'b>(&self, buffer: &'b mut [u8; 2 * MAX_HASH_LEN]) -> &'b str {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for (pair, byte) in buffer.chunks_exact_mut(2).zip(self.as_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        // Only ASCII digits were written, so this never falls back.
        std::str::from_utf8(&buffer[..2 * self.algorithm.hash_len()]).unwrap_or_default()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.as_str())?;
        f.write_str(":")?;
        f.write_str(self.write_hex(&mut [0; 2 * MAX_HASH_LEN]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

text_impls!(Digest, "a digest");

/// Decodes lower-case hexadecimal that fills `out` exactly.
fn decode_hex(text: &[u8], out: &mut [u8]) -> Option<()> {
    if text.len() != 2 * out.len() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
    }
    Some(())
}

/// The value of one lower-case hexadecimal digit.
const fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Tells a well-formed digest of another algorithm from what is no digest at all.
fn refuse_unknown(name: &str, encoded: &str) -> ParseError {
    let encoded_ok =
        !encoded.is_empty() && encoded.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'_' | b'-'));
    if encoded_ok && is_algorithm_name(name) { unsupported(name) } else { ParseError::Digest }
}

/// Whether the text is `component (separator component)*` of the digest grammar.
fn is_algorithm_name(name: &str) -> bool {
    name.split(['+', '.', '_', '-']).all(|component| {
        !component.is_empty() && component.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The refusal of an algorithm, repeating no more of its name than is safe to print.
fn unsupported(name: &str) -> ParseError {
    let shown = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_' | '-'))
        .take(SHOWN_ALGORITHM_LEN)
        .collect();
    ParseError::UnsupportedAlgorithm(shown)
}
