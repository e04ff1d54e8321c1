//! What a request shows for itself: its `Authorization` header (RFC 7617, RFC 6750).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Longest name in bytes that is looked at.
pub const MAX_NAME: usize = 255;
/// Longest password in bytes that is hashed: hashing costs time in proportion.
pub const MAX_PASSWORD: usize = 512;
/// Longest bearer token in bytes.
const MAX_BEARER: usize = 16 * 1024;

/// What a request shows for itself. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// A name with a password or the secret of a token.
    Basic {
        /// Who it claims to be.
        name: String,
        /// What shall prove it.
        secret: String,
    },
    /// A token.
    Bearer(String),
}

/// The header cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Authorization header cannot be read: it takes `Basic` with base64 of NAME:PASSWORD, or `Bearer TOKEN`")]
pub struct Malformed;

impl Presented {
    /// Reads the header's value; none means that there is no header.
    pub fn parse(header: Option<&str>) -> Result<Self, Malformed> {
        let Some(header) = header else { return Ok(Self::Nothing) };
        let (scheme, value) = header.trim().split_once(' ').ok_or(Malformed)?;
        let value = value.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            return basic(value);
        }
        let token = value.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=MAX_BEARER).contains(&value.len());
        if scheme.eq_ignore_ascii_case("bearer") && token { Ok(Self::Bearer(value.to_owned())) } else { Err(Malformed) }
    }
}

fn basic(value: &str) -> Result<Presented, Malformed> {
    // Base64 is a third longer than what it holds.
    if value.len() > (MAX_NAME + MAX_PASSWORD) * 4 / 3 + 8 {
        return Err(Malformed);
    }
    let bytes = STANDARD.decode(value).map_err(|_| Malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| Malformed)?;
    let (name, secret) = text.split_once(':').ok_or(Malformed)?;
    // Docker sends an empty pair where it has no credentials.
    if name.is_empty() && secret.is_empty() {
        return Ok(Presented::Nothing);
    }
    let plain = |text: &str| !text.contains('\0');
    if name.len() > MAX_NAME || secret.len() > MAX_PASSWORD || !plain(name) || !plain(secret) {
        return Err(Malformed);
    }
    Ok(Presented::Basic { name: name.to_owned(), secret: secret.to_owned() })
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Basic { name, .. } => write!(f, "Basic({name:?}, …)"),
            Self::Bearer(_) => f.write_str("Bearer(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{MAX_PASSWORD, Malformed, Presented};

    fn basic(text: &str) -> Result<Presented, Malformed> {
        Presented::parse(Some(&format!("Basic {}", STANDARD.encode(text))))
    }

    #[test]
    fn basic_and_bearer_are_read_whatever_the_case_of_their_scheme() {
        let pair = |name: &str, secret: &str| Ok(Presented::Basic { name: name.into(), secret: secret.into() });
        assert_eq!(basic("alice:a:b"), pair("alice", "a:b"));
        assert_eq!(Presented::parse(Some("bAsIc YWxpY2U6cMOpcnNvbg==")), pair("alice", "pérson"));
        assert_eq!(Presented::parse(Some("bearer x.y.z")), Ok(Presented::Bearer("x.y.z".into())));
        assert_eq!(Presented::parse(None), Ok(Presented::Nothing));
        assert_eq!(basic(":"), Ok(Presented::Nothing));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let long = format!("alice:{}", "x".repeat(MAX_PASSWORD + 1));
        for text in ["alice", "", "a\0b:c", &long] {
            assert_eq!(basic(text), Err(Malformed), "{text}");
        }
        for header in ["", "Basic", "Basic !", "Bearer ", "Bearer a b", "Negotiate x", "Basic \u{fffd}"] {
            assert_eq!(Presented::parse(Some(header)), Err(Malformed), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "((?i)basic|(?i)bearer)? ?.{0,64}") {
            let _ = Presented::parse(Some(&header));
        }

        #[test]
        fn a_pair_is_read_as_it_was_written(name in "[^:\0]{1,20}", secret in "[^\0]{1,20}") {
            prop_assert_eq!(basic(&format!("{name}:{secret}")), Ok(Presented::Basic { name, secret }));
        }
    }
}
