//! The secrets of tokens, robots and sessions: recognisable, checkable by a scanner, and long enough never to be guessed.
//!
//! `havre_pat_` (personal), `havre_bot_` (robot), `havre_ref_` (refresh), `havre_lnk_` (a link in a mail) or `havre_ses_`
//! (session), 43 characters of base 62 that hold 256 random
//! bits, and 6 that hold the first 32 bits of the SHA-256 of all that stands before them.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

/// What a secret belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A user's personal access token.
    Personal,
    /// A robot.
    Robot,
    /// A sign-in that a client keeps instead of the password (OAuth2 refresh token).
    Refresh,
    /// A link in a mail, which opens something once.
    Link,
    /// A sign-in of a browser. Opens neither `/v2` nor `/token`.
    Session,
}

impl SecretKind {
    const ALL: [Self; 5] = [Self::Personal, Self::Robot, Self::Refresh, Self::Link, Self::Session];

    /// What every secret of the kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "havre_pat_",
            Self::Robot => "havre_bot_",
            Self::Refresh => "havre_ref_",
            Self::Link => "havre_lnk_",
            Self::Session => "havre_ses_",
        }
    }

    /// The word under which the database keeps it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Robot => "robot",
            Self::Refresh => "refresh",
            Self::Link => "link",
            Self::Session => "session",
        }
    }
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters that hold 256 bits.
const BODY: usize = 43;
/// Characters that hold 32 bits.
const CHECKSUM: usize = 6;

/// A well-formed secret. Not shown by `Debug`, and never kept: the database has its [`Secret::hash`].
#[derive(Clone)]
pub struct Secret {
    kind: SecretKind,
    text: String,
}

impl Secret {
    /// Makes a secret of random bytes.
    #[must_use]
    pub fn new(kind: SecretKind, random: [u8; 32]) -> Self {
        let mut text = format!("{}{}", kind.prefix(), base62(&random, BODY));
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self { kind, text }
    }

    /// Reads a secret; nothing when it is not one, which costs no look-up.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let kind = SecretKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let (head, check) = text.split_at_checked(kind.prefix().len() + BODY)?;
        (check == checksum(head)).then(|| Self { kind, text: text.to_owned() })
    }

    /// What it belongs to.
    #[must_use]
    pub fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Under what the database finds it: a plain SHA-256, for 256 random bits cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.text).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.kind.prefix())
    }
}

/// The text with nothing left of each secret in it but what it begins with: for logs, which keep what stands in URLs.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let begins =
        |rest: &str| SecretKind::ALL.into_iter().map(SecretKind::prefix).find(|prefix| rest.starts_with(prefix));
    let mut shown = String::new();
    let mut rest = text;
    while let Some((at, prefix)) = rest.match_indices("havre_").find_map(|(at, _)| Some((at, begins(rest.get(at..)?)?)))
    {
        let (before, secret) = rest.split_at(at);
        shown.push_str(before);
        shown.push_str(prefix);
        shown.push_str("...");
        rest = secret.trim_start_matches(prefix).trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    }
    if shown.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(shown + rest) }
}

fn checksum(text: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(text).into();
    base62(&hash[..4], CHECKSUM)
}

/// Writes a big-endian number in base 62, padded to `length`.
fn base62(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![ALPHABET[0]; length];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest * 256 + u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = ALPHABET[rest as usize];
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Secret, SecretKind, masked};

    #[test]
    fn nothing_of_a_secret_is_left_in_a_log() {
        let link = Secret::new(SecretKind::Link, [7; 32]);
        let bot = Secret::new(SecretKind::Robot, [8; 32]);
        let text = format!("/-/sign-in?next=%2F-%2Faccount%2Freset%3Ftoken%3D{}&x={}", link.reveal(), bot.reveal());
        assert_eq!(masked(&text), "/-/sign-in?next=%2F-%2Faccount%2Freset%3Ftoken%3Dhavre_lnk_...&x=havre_bot_...");
        for plain in ["", "/havre_app/havre_/tags?n=1", "/v2/havre/pat_/manifests/latest"] {
            assert_eq!(masked(plain), plain);
        }
    }

    #[test]
    fn the_form_is_frozen() {
        let secret = Secret::new(SecretKind::Personal, [0xff; 32]);
        assert_eq!(secret.reveal().len(), 10 + 43 + 6);
        assert!(
            secret.reveal().starts_with("havre_pat_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1"),
            "{}",
            secret.reveal()
        );
        assert!(!format!("{secret:?}").contains("yhjsk"));
    }

    #[test]
    fn what_is_not_a_secret_is_not_read() {
        let text = Secret::new(SecretKind::Robot, [7; 32]).reveal().to_owned();
        assert!(Secret::parse(&text).is_some());
        for wrong in [&text[1..], &text[..text.len() - 1], &format!("{text}0"), "", "havre_pat_", "havre_pat_é"] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
        let mut typo = text.into_bytes();
        typo[20] = if typo[20] == b'x' { b'y' } else { b'x' };
        assert!(Secret::parse(std::str::from_utf8(&typo).unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn a_secret_is_read_as_it_was_made(random in any::<[u8; 32]>()) {
            let secret = Secret::new(SecretKind::Refresh, random);
            let read = Secret::parse(secret.reveal()).unwrap();
            prop_assert_eq!(read.hash(), secret.hash());
            prop_assert_eq!(read.kind(), SecretKind::Refresh);
        }

        #[test]
        fn nothing_that_is_sent_makes_it_panic(text in "(havre_(pat|bot|ref|ses)_)?.{0,80}") {
            let _ = Secret::parse(&text);
        }
    }
}
