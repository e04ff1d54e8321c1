use proptest::prelude::*;

use super::Tag;
use crate::error::ParseError;

#[test]
fn tags_of_the_grammar_are_read() {
    let longest = "x".repeat(128);
    for text in ["latest", "1.0.0", "_", "A", "0", "a.-_", "sha256-abc.sig", longest.as_str()] {
        assert_eq!(Tag::parse(text).expect(text).as_str(), text);
    }
}

#[test]
fn tags_outside_the_grammar_are_refused() {
    let too_long = "x".repeat(129);
    for text in ["", ".", "-", ".a", "-a", "a b", "a/b", "a:b", "a+b", "a@b", "é", "a\0", "a\n", &too_long] {
        assert_eq!(Tag::parse(text), Err(ParseError::Tag), "{text:?}");
    }
}

#[test]
fn tags_order_by_their_bytes() {
    let mut tags: Vec<_> = ["b", "a", "B", "_", "1"].iter().map(|text| Tag::parse(text).expect("a tag")).collect();
    tags.sort();
    let texts: Vec<_> = tags.iter().map(Tag::as_str).collect();
    assert_eq!(texts, ["1", "B", "_", "a", "b"]);
}

proptest! {
    #[test]
    fn every_tag_of_the_grammar_parses_and_prints_back(text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
        prop_assert_eq!(Tag::parse(&text).expect("a tag").to_string(), text);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        if let Ok(tag) = Tag::parse(&text) {
            prop_assert_eq!(tag.to_string(), text);
        }
    }
}
