//! Recovery codes: what stands in for a one-time password when the device that shows them is lost.

use sha2::{Digest as _, Sha256};

use super::seal::random;

/// How many a user is given at once.
pub const COUNT: usize = 10;
/// Characters of a code, of five bits each: 80 bits, which nobody guesses.
const LEN: usize = 16;
/// Without those that look like others.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Makes codes, to be shown once: `abcd-efgh-ijkm-npqr`.
#[must_use]
pub fn generate() -> Vec<String> {
    (0..COUNT).map(|_| one()).collect()
}

fn one() -> String {
    let random: [u8; LEN] = random();
    let letters: Vec<char> = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Under what the database finds a code, however its parts are divided; nothing when a text is none. A plain SHA-256, for
/// 80 random bits cannot be guessed.
#[must_use]
pub fn hash(text: &str) -> Option<[u8; 32]> {
    if text.len() > 2 * LEN {
        return None;
    }
    let letters: String =
        text.chars().filter(|c| *c != '-' && !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    let plain = letters.len() == LEN && letters.bytes().all(|byte| ALPHABET.contains(&byte));
    plain.then(|| Sha256::digest(letters).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{COUNT, generate, hash};

    #[test]
    fn codes_differ_and_are_read_however_they_are_written() {
        let codes = generate();
        let hashes: HashSet<_> = codes.iter().map(|code| hash(code).unwrap()).collect();
        assert_eq!(hashes.len(), COUNT);
        let code = &codes[0];
        for written in [code.replace('-', ""), code.replace('-', " "), code.to_uppercase(), format!(" {code} ")] {
            assert_eq!(hash(&written), hash(code), "{written}");
        }
        for wrong in ["", "123456", &code[1..], &format!("{code}a"), &"é".repeat(8), &"a".repeat(1000)] {
            assert_eq!(hash(wrong), None, "{wrong}");
        }
    }
}
