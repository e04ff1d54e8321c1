//! The chain of the audit, as keyed hashes: each covers an event and the hash before it.
//!
//! What is covered is written without ambiguity: a version, then every field with its length before it.

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::seal::MasterKey;

/// Bytes of a hash.
pub const LEN: usize = 32;
/// What the first event's hash covers in place of a hash before it.
pub const GENESIS: [u8; LEN] = [0; LEN];
/// Counts the ways in which an event was ever written down for its hash.
const VERSION: u8 = 1;

/// The keys of the chain; they do not lie in the database. Not shown by `Debug`.
pub struct ChainKey {
    link: hmac::Key,
    seal: hmac::Key,
}

/// An event as the chain covers it.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// Its place, from 1 on.
    pub seq: i64,
    /// Its key.
    pub id: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// Its texts and bytes, always in the same order.
    pub fields: [Option<&'a [u8]>; 10],
}

impl ChainKey {
    /// Derives the keys from the master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self { link: master.derive("havre audit chain 1"), seal: master.derive("havre audit seal 1") }
    }

    /// The hash of the chain up to an event.
    #[must_use]
    pub fn link(&self, previous: &[u8; LEN], link: &Link<'_>) -> [u8; LEN] {
        let mut text = vec![VERSION];
        text.extend_from_slice(previous);
        for number in [link.seq, link.id, link.at] {
            text.extend_from_slice(&number.to_be_bytes());
        }
        write(&mut text, &link.fields);
        bytes(&hmac::sign(&self.link, &text))
    }

    /// The seal of a place in the chain. `what` keeps an end from being taken for a beginning.
    #[must_use]
    pub fn seal(&self, what: &str, seq: i64, hash: &[u8; LEN]) -> [u8; LEN] {
        bytes(&hmac::sign(&self.seal, &place(what, seq, hash)))
    }

    /// Whether a seal is the one of a place.
    #[must_use]
    pub fn is_sealed(&self, what: &str, seq: i64, hash: &[u8; LEN], mac: &[u8]) -> bool {
        hmac::verify(&self.seal, &place(what, seq, hash), mac).is_ok()
    }
}

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainKey(…)")
    }
}

/// Commits to fields without telling them: who does not know the salt cannot try them out.
#[must_use]
pub fn commit(salt: &[u8], fields: &[Option<&[u8]>]) -> [u8; LEN] {
    let mut text = vec![VERSION];
    write(&mut text, fields);
    bytes(&hmac::sign(&hmac::Key::new(HMAC_SHA256, salt), &text))
}

fn place(what: &str, seq: i64, hash: &[u8; LEN]) -> Vec<u8> {
    let mut text = vec![VERSION];
    write(&mut text, &[Some(what.as_bytes())]);
    text.extend_from_slice(&seq.to_be_bytes());
    text.extend_from_slice(hash);
    text
}

fn write(text: &mut Vec<u8>, fields: &[Option<&[u8]>]) {
    for field in fields {
        match field {
            None => text.push(0),
            Some(field) => {
                text.push(1);
                text.extend_from_slice(&(field.len() as u64).to_be_bytes());
                text.extend_from_slice(field);
            }
        }
    }
}

fn bytes(tag: &hmac::Tag) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes.copy_from_slice(tag.as_ref());
    bytes
}

/// Writes an end of the chain as it is kept elsewhere: `SEQ:HASH`.
#[must_use]
pub fn head_text(seq: i64, hash: &[u8; LEN]) -> String {
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{seq}:{hash}")
}

/// Reads what [`head_text`] writes.
#[must_use]
pub fn parse_head(text: &str) -> Option<(i64, [u8; LEN])> {
    let (seq, hash) = text.trim().split_once(':')?;
    if hash.len() != 2 * LEN || !hash.is_ascii() {
        return None;
    }
    let mut bytes = [0; LEN];
    for (n, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hash.get(2 * n..2 * n + 2)?, 16).ok()?;
    }
    Some((seq.parse().ok()?, bytes))
}

#[cfg(test)]
mod tests {
    use super::{ChainKey, GENESIS, Link, commit};
    use crate::auth::seal::MasterKey;

    #[test]
    fn a_hash_covers_every_field_the_place_and_the_hash_before() {
        let [key, other] = [1, 2].map(|n| ChainKey::new(&MasterKey::new(&[n; 32]).unwrap()));
        let mut fields = [Some(&b"x"[..]); 10];
        fields[3] = None;
        let link = Link { seq: 1, id: 2, at: 3, fields };
        let hash = key.link(&GENESIS, &link);
        assert_eq!(key.link(&GENESIS, &link), hash);
        assert_ne!(other.link(&GENESIS, &link), hash);
        assert_ne!(key.link(&[1; 32], &link), hash);
        for changed in [Link { seq: 2, ..link }, Link { id: 3, ..link }, Link { at: 4, ..link }] {
            assert_ne!(key.link(&GENESIS, &changed), hash);
        }
        for n in 0..10 {
            for field in [Some(&b"y"[..]), Some(&b""[..]), Some(&b"xx"[..])] {
                let mut changed = link;
                changed.fields[n] = field;
                assert_ne!(key.link(&GENESIS, &changed), hash, "{n}");
            }
        }
        assert!(key.is_sealed("head", 1, &hash, &key.seal("head", 1, &hash)));
        assert!(!key.is_sealed("checkpoint", 1, &hash, &key.seal("head", 1, &hash)));
        assert!(!key.is_sealed("head", 2, &hash, &key.seal("head", 1, &hash)));
    }

    #[test]
    fn fields_that_are_joined_in_another_way_are_other_fields() {
        let texts: [[Option<&[u8]>; 2]; 4] =
            [[Some(b"ab"), Some(b"c")], [Some(b"a"), Some(b"bc")], [Some(b"abc"), None], [None, Some(b"abc")]];
        let all: std::collections::BTreeSet<_> = texts.iter().map(|fields| commit(b"salt", fields)).collect();
        assert_eq!(all.len(), 4);
        assert_ne!(commit(b"other", &texts[0]), commit(b"salt", &texts[0]));
    }
}
