use proptest::prelude::*;

use super::{Algorithm, Digest};
use crate::error::ParseError;

const EMPTY_SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const EMPTY_SHA512: &str = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                            47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

#[test]
fn digests_of_both_algorithms_are_read_and_printed() {
    for (text, algorithm) in [(EMPTY_SHA256, Algorithm::Sha256), (EMPTY_SHA512, Algorithm::Sha512)] {
        let digest = Digest::parse(text).expect("a digest");
        assert_eq!(digest.algorithm(), algorithm);
        assert_eq!(digest.as_bytes().len(), algorithm.hash_len());
        assert_eq!(digest.to_string(), text);
        assert_eq!(format!("{algorithm}:{}", digest.hex()), text);
        assert_eq!(algorithm.digest(b""), digest);
    }
}

#[test]
fn what_is_no_digest_is_refused() {
    let hex = "a".repeat(64);
    let refused = [
        String::new(),
        ":".to_owned(),
        "sha256".to_owned(),
        "sha256:".to_owned(),
        hex.clone(),
        format!(":{hex}"),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}a"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{}g", &hex[1..]),
        format!("sha256:{}é", &hex[2..]),
        format!("sha256: {hex}"),
        format!("sha256:{hex} "),
        format!(" sha256:{hex}"),
        format!("sha256:{hex}\0"),
        format!("sha256:sha256:{hex}"),
        format!("sha512:{hex}"),
        format!("SHA256:{hex}"),
        format!("sha256+:{hex}"),
        format!("md5:{hex}/"),
        "md5:".to_owned(),
    ];
    for text in refused {
        assert_eq!(Digest::parse(&text), Err(ParseError::Digest), "{text:?}");
    }
}

#[test]
fn another_algorithm_is_unsupported_rather_than_malformed() {
    for (text, name) in [
        ("md5:d41d8cd98f00b204e9800998ecf8427e", "md5"),
        ("sha384:abc", "sha384"),
        ("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564", "sha256+b64u"),
        ("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "multihash+base58"),
    ] {
        let expected = ParseError::UnsupportedAlgorithm(name.to_owned());
        assert_eq!(Digest::parse(text), Err(expected));
    }
}

#[test]
fn an_unsupported_algorithm_is_repeated_in_part_only() {
    let error = Algorithm::parse(&"x\r\n<".repeat(10_000)).expect_err("no algorithm");
    assert_eq!(error, ParseError::UnsupportedAlgorithm("x".repeat(32)));
}

#[test]
fn algorithms_have_lasting_codes() {
    assert_eq!(Algorithm::Sha256.code(), 1);
    assert_eq!(Algorithm::Sha512.code(), 2);
    for code in 0..=u8::MAX {
        let back = Algorithm::from_code(code).map(Algorithm::code);
        assert_eq!(back, (1..=2).contains(&code).then_some(code));
    }
}

#[test]
fn a_key_of_another_length_or_code_is_refused() {
    let key = Algorithm::Sha256.digest(b"x").to_key();
    let mut other_code = key.clone();
    other_code[0] = 2;
    let mut longer = key.clone();
    longer.push(0);
    for key in [&[][..], &[1], &key[..32], &longer, &other_code] {
        assert_eq!(Digest::from_key(key), None, "{key:?}");
    }
}

#[test]
fn a_digest_is_a_string_in_json() {
    let digest = Digest::parse(EMPTY_SHA256).expect("a digest");
    let json = serde_json::to_string(&digest).expect("json");
    assert_eq!(json, format!("\"{EMPTY_SHA256}\""));
    assert_eq!(serde_json::from_str::<Digest>(&json).expect("a digest"), digest);
    assert!(serde_json::from_str::<Digest>("\"sha256:1\"").is_err());
    assert!(serde_json::from_str::<Digest>("5").is_err());
}

fn digests() -> impl Strategy<Value = Digest> {
    let content = proptest::collection::vec(any::<u8>(), 0..100);
    (content, any::<bool>()).prop_map(|(content, long)| {
        let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
        algorithm.digest(&content)
    })
}

proptest! {
    #[test]
    fn every_digest_survives_text_and_key(digest in digests()) {
        prop_assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
        prop_assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
    }

    #[test]
    fn digests_order_as_their_text(a in digests(), b in digests()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }

    #[test]
    fn what_parses_prints_back(text in "(sha(256|512|1)|md5)?:?([0-9a-f]{64}|[0-9a-fA-F]{128}|\\PC{0,20})") {
        if let Ok(digest) = Digest::parse(&text) {
            prop_assert_eq!(digest.to_string(), text);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = Digest::parse(&text);
        let _ = Digest::from_key(text.as_bytes());
    }
}
