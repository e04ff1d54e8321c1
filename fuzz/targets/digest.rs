//! Digests: text and key of what parses lead back to it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Algorithm, Digest, Hasher};

fuzz_target!(|bytes: &[u8]| {
    if let Some(digest) = Digest::from_key(bytes) {
        assert_eq!(digest.to_key(), bytes);
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
    }
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        if let Some(mut hasher) = Hasher::restore(algorithm, bytes) {
            hasher.update(bytes);
            let _ = hasher.finish();
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(digest.to_string(), text);
        assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
    }
});
