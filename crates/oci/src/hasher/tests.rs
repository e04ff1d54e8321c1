use proptest::prelude::*;

use super::{Hasher, checksum};
use crate::digest::Algorithm;

const BOTH: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

/// The digests of `abc` in FIPS 180-4's examples.
const ABC: [&str; 2] = [
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
     2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
];

#[test]
fn pieces_hash_as_the_whole() {
    for (algorithm, expected) in BOTH.into_iter().zip(ABC) {
        let mut hasher = Hasher::new(algorithm);
        for piece in [&b"a"[..], b"", b"bc"] {
            hasher.update(piece);
        }
        assert_eq!(hasher.finish().to_string(), expected);
    }
}

#[test]
fn a_state_of_another_algorithm_is_refused() {
    let saved = Hasher::new(Algorithm::Sha256).save();
    assert!(Hasher::restore(Algorithm::Sha512, &saved).is_none());
    assert!(Hasher::restore(Algorithm::Sha256, &saved).is_some());
}

#[test]
fn a_state_of_another_version_is_refused() {
    let mut saved = Hasher::new(Algorithm::Sha256).save();
    let content = saved.len() - 8;
    saved[0] = 2;
    let sum = checksum(&saved[..content]);
    saved[content..].copy_from_slice(&sum);
    assert!(Hasher::restore(Algorithm::Sha256, &saved).is_none());
}

#[test]
fn a_state_with_any_flipped_bit_is_refused() {
    for algorithm in BOTH {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(&[7; 1000]);
        let saved = hasher.save();
        assert!(saved.len() <= 256);
        for bit in 0..8 * saved.len() {
            let mut damaged = saved.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Hasher::restore(algorithm, &damaged).is_none(), "bit {bit}");
        }
    }
}

/// What this version saved of `ab`, in pieces.
const SAVED_AB: [&str; 4] = [
    "0101",
    "67e6096a85ae67bb72f36e3c3af54fa57f520e518c68059babd9831f19cde05b0000000000000000",
    "02616200000000000000000000000000000000000000000000000000000000000000000000000000000000000000\
     000000000000000000000000000000000000",
    "b34f1aa918101ed6",
];

/// Fails when an upgrade of the hash crate changes the layout: then the version has to be raised.
#[test]
fn a_state_saved_by_an_earlier_build_is_still_read() {
    let hex = SAVED_AB.concat();
    let saved: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")).collect();
    let mut hasher = Hasher::restore(Algorithm::Sha256, &saved).expect("a state");
    assert_eq!(hasher.save(), saved);
    hasher.update(b"c");
    assert_eq!(hasher.finish().to_string(), ABC[0]);
}

proptest! {
    #[test]
    fn hashing_goes_on_after_a_restore(
        before in proptest::collection::vec(any::<u8>(), 0..600),
        after in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        for algorithm in BOTH {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&before);
            let mut restored = Hasher::restore(algorithm, &hasher.save()).expect("a state");
            restored.update(&after);
            prop_assert_eq!(restored.finish(), algorithm.digest(&[&before[..], &after].concat()));
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_state(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for algorithm in BOTH {
            prop_assert!(Hasher::restore(algorithm, &bytes).is_none());
        }
    }
}
