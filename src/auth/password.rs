//! Passwords: which are taken, how they are kept (Argon2id, RFC 9106), and the memory of those just verified.

use std::collections::HashMap;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;

use super::presented::MAX_PASSWORD;
use super::seal::random;

/// Fewest characters of a password.
pub const MIN_LEN: usize = 10;

/// Memory in KiB, passes and lanes: OWASP's first recommendation for Argon2id. About 20 ms of one core.
const PARAMS: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How long a verified password is remembered, in microseconds.
const REMEMBERED: i64 = 5 * 60 * 1_000_000;
/// At most this many are remembered.
const MOST_REMEMBERED: usize = 10_000;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// It has too few characters.
    #[error("a password has at least {MIN_LEN} characters")]
    Short,
    /// It is longer than what is hashed.
    #[error("a password has at most {MAX_PASSWORD} bytes")]
    Long,
    /// It is among the first that anyone tries, or made of the account's own name.
    #[error("this password is easily guessed; several random words make a good one")]
    Guessable,
}

/// Tells whether a password is taken for an account of that name and address.
pub fn check(password: &str, name: &str, email: Option<&str>) -> Result<(), Weak> {
    if password.chars().count() < MIN_LEN {
        return Err(Weak::Short);
    }
    if password.len() > MAX_PASSWORD || password.contains('\0') {
        return Err(Weak::Long);
    }
    let own: Vec<&str> = [Some(name), email, email.and_then(|email| email.split('@').next()), Some("havre")]
        .into_iter()
        .flatten()
        .collect();
    // Its time grows with the square of the length; what is guessable shows at the beginning.
    let head: String = password.chars().take(64).collect();
    if zxcvbn::zxcvbn(&head, &own).score() < zxcvbn::Score::Three { Err(Weak::Guessable) } else { Ok(()) }
}

fn argon2() -> Argon2<'static> {
    let (memory, passes, lanes) = PARAMS;
    let params = Params::new(memory, passes, lanes, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// Hashes a password for keeping, as a PHC string. Takes a while: not on an async worker.
pub fn hash(password: &str) -> Result<String, HashError> {
    let hash = argon2().hash_password(password.as_bytes()).map_err(|error| HashError(error.to_string()))?;
    Ok(hash.to_string())
}

/// Compares a password with what was kept; without a hash, it takes the same time and says no, so that the time does not
/// tell whether the account exists. Takes a while: not on an async worker.
#[must_use]
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    match hash {
        Some(hash) => argon2().verify_password(password.as_bytes(), hash).is_ok(),
        None => {
            // The work of a comparison; its outcome means nothing.
            let mut out = [0; 32];
            let _ = argon2().hash_password_into(password.as_bytes(), b"no such account.", &mut out);
            false
        }
    }
}

/// Makes a password that nobody has to remember: 20 characters that no two of which look alike, about 100 bits.
#[must_use]
pub fn generate() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 20] = random();
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(byte % 32)]);
    let letters: Vec<char> = random.iter().map(letter).collect();
    letters.chunks(5).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Remembers passwords that were just verified, so that a client that sends one with every request does not cost a hash
/// each time. It knows them only under a key of this process, and with the version of the credential: a password that was
/// changed is forgotten with it.
pub struct Memory {
    key: hmac::Key,
    until: HashMap<[u8; 32], i64>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()), until: HashMap::new() }
    }
}

impl Memory {
    fn tag(&self, account: &str, version: i64, password: &str) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [account.as_bytes(), &version.to_be_bytes(), password.as_bytes()] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Tells whether the password was verified within the last five minutes.
    #[must_use]
    pub fn knows(&self, account: &str, version: i64, password: &str, now: i64) -> bool {
        self.until.get(&self.tag(account, version, password)).is_some_and(|until| now < *until)
    }

    /// Remembers a password that was verified.
    pub fn remember(&mut self, account: &str, version: i64, password: &str, now: i64) {
        if self.until.len() >= MOST_REMEMBERED {
            self.until.retain(|_, until| now < *until);
        }
        if self.until.len() < MOST_REMEMBERED {
            let tag = self.tag(account, version, password);
            self.until.insert(tag, now.saturating_add(REMEMBERED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, REMEMBERED, Weak, check, generate, hash, verify};

    #[test]
    fn a_password_is_verified_against_its_hash_only() {
        let kept = hash("correct horse battery").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(verify("correct horse battery", Some(&kept)));
        assert!(!verify("correct horse batterz", Some(&kept)));
        assert!(!verify("correct horse battery", None));
        assert!(!verify("correct horse battery", Some("not a hash")));
        assert_ne!(hash("correct horse battery").unwrap(), kept);
    }

    #[test]
    fn guessable_passwords_are_not_taken() {
        assert_eq!(check("short", "alice", None), Err(Weak::Short));
        assert_eq!(check(&"ab1!".repeat(200), "alice", None), Err(Weak::Long));
        for bad in
            ["password123", "1234567890", "qwertyuiop", "alicealice", "alice2026!", "aaaaaaaaaaaa", "alice.example"]
        {
            assert_eq!(check(bad, "alice", Some("alice.example@example.org")), Err(Weak::Guessable), "{bad}");
        }
        for good in ["correct horse battery", "mpWq4-vubbl3", &generate()] {
            assert_eq!(check(good, "alice", None), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_verified_password_is_remembered_for_its_version_and_a_while() {
        let mut memory = Memory::default();
        memory.remember("1", 3, "secret", 100);
        assert!(memory.knows("1", 3, "secret", 100 + REMEMBERED - 1));
        assert!(!memory.knows("1", 3, "secret", 100 + REMEMBERED));
        assert!(!memory.knows("1", 4, "secret", 101));
        assert!(!memory.knows("2", 3, "secret", 101));
        assert!(!memory.knows("1", 3, "secret2", 101));
    }
}
