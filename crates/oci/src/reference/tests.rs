use proptest::prelude::*;

use super::Reference;
use crate::error::ParseError;

#[test]
fn a_colon_makes_a_digest_and_the_rest_are_tags() {
    let digest = format!("sha256:{}", "0".repeat(64));
    assert!(matches!(Reference::parse(&digest), Ok(Reference::Digest(_))));
    assert!(matches!(Reference::parse("latest"), Ok(Reference::Tag(_))));
    // A digest's hex alone is a tag as good as any.
    assert!(matches!(Reference::parse(&digest[7..]), Ok(Reference::Tag(_))));
}

#[test]
fn the_error_is_that_of_what_was_meant() {
    for (text, expected) in [
        ("", ParseError::Tag),
        ("a/b", ParseError::Tag),
        ("sha256:xyz", ParseError::Digest),
        (":", ParseError::Digest),
        ("md5:abc", ParseError::UnsupportedAlgorithm("md5".to_owned())),
    ] {
        assert_eq!(Reference::parse(text), Err(expected), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_parses_prints_back(text in "[a-zA-Z0-9._-]{0,20}|sha256:[0-9a-f]{64}|\\PC{0,80}") {
        if let Ok(reference) = Reference::parse(&text) {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        let _ = Reference::parse(&text);
    }
}
