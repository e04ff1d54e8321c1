//! Secrets at rest: sealed with a key that does not lie in the database (AES-256-GCM).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::hmac;

/// Bytes of a master key.
pub const KEY_LEN: usize = 32;

/// The key under which secrets are sealed. Not shown by `Debug`.
pub struct MasterKey {
    sealing: LessSafeKey,
    /// From which keys for other purposes are derived.
    root: Prk,
}

/// What was sealed cannot be opened: by another key, for another purpose, or altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret cannot be opened with this master key")]
pub struct CannotOpen;

impl MasterKey {
    /// Takes a key of [`KEY_LEN`] bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, bytes).ok()?);
        Some(Self { sealing, root: Salt::new(HKDF_SHA256, b"havre").extract(bytes) })
    }

    /// Derives a key for HMAC-SHA256 (HKDF, RFC 5869): one for each label, from none of which another can be told.
    #[must_use]
    pub fn derive(&self, label: &str) -> hmac::Key {
        let info = [label.as_bytes()];
        let derived = self.root.expand(&info, hmac::HMAC_SHA256);
        let Ok(okm) = derived else { unreachable!("32 bytes are never too many for HKDF-SHA256") };
        hmac::Key::from(okm)
    }

    /// The 32 bytes that belong to a text under a label (HMAC-SHA256): the same ones each time, and nobody else's to tell.
    #[must_use]
    pub fn bytes_of(&self, label: &str, text: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.derive(label), text.as_bytes());
        let Ok(bytes) = tag.as_ref().try_into() else { unreachable!("SHA-256 gives 32 bytes") };
        bytes
    }

    /// Seals `secret`; it can be opened for the same `purpose` only, so that no row stands in for another.
    pub fn seal(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random();
        let mut bytes = secret.to_vec();
        let sealed = self.sealing.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut bytes,
        );
        assert!(sealed.is_ok(), "sealing fails for texts of many gigabytes only");
        [&nonce[..], &bytes].concat()
    }

    /// Opens what [`MasterKey::seal`] sealed for the same purpose.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, CannotOpen> {
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut bytes = bytes.to_vec();
        let opened =
            self.sealing.open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut bytes).map_err(|_| CannotOpen)?;
        Ok(opened.to_vec())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Random bytes for keys and secrets, of the operating system's generator.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    assert!(filled.is_ok(), "the system has no random numbers: nothing secret can be made");
    bytes
}

#[cfg(test)]
mod tests {
    use super::{CannotOpen, MasterKey, random};

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_purpose_only() {
        let [key, other] = [0, 1].map(|_| MasterKey::new(&random::<32>()).unwrap());
        let sealed = key.seal("signing key 1", b"secret");
        assert_eq!(key.open("signing key 1", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("signing key 2", &sealed), Err(CannotOpen));
        assert_eq!(other.open("signing key 1", &sealed), Err(CannotOpen));
        assert_ne!(key.seal("signing key 1", b"secret"), sealed);
        for end in 0..sealed.len() {
            assert_eq!(key.open("signing key 1", &sealed[..end]), Err(CannotOpen));
        }
        assert!(MasterKey::new(&[0; 31]).is_none());
    }
}
