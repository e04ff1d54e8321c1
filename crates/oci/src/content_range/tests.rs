use proptest::prelude::*;

use super::{ContentRange, MAX_OFFSET};
use crate::error::ParseError;

#[test]
fn the_three_forms_are_read() {
    for text in ["3-7", "bytes 3-7/8", "bytes 3-7/*", "bytes 3-7/100", "bytes 3-7", "bytes=3-7", " 3-7 ", "03-007"] {
        let range = ContentRange::parse(text).expect(text);
        assert_eq!((range.start, range.end, range.len()), (3, 7, 5), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for text in [
        "",
        "-",
        "3",
        "3-",
        "-7",
        "7-3",
        "a-b",
        "3-7-9",
        "3--7",
        "+3-7",
        "3-+7",
        "3 - 7",
        "0x3-7",
        "3-7/8",
        "bytes",
        "bytes=",
        "bytes 3-7/",
        "bytes 3-7/7",
        "bytes 3-7/x",
        "bytes */8",
        "bytes3-7",
        "Bytes 3-7",
        "items 3-7/8",
        "bytes=3-7,9-10",
        "0-9223372036854775807",
        "0-18446744073709551616",
        "\u{663}-7",
    ] {
        assert_eq!(ContentRange::parse(text), Err(ParseError::ContentRange), "{text:?}");
    }
}

#[test]
fn the_length_never_overflows() {
    let longest = ContentRange::parse(&format!("0-{MAX_OFFSET}")).expect("a range");
    assert_eq!(longest.len(), MAX_OFFSET + 1);
    let beyond = ContentRange { start: 0, end: u64::MAX };
    assert_eq!(beyond.len(), u64::MAX);
    let inverted = ContentRange { start: 5, end: 0 };
    assert_eq!(inverted.len(), 1);
}

proptest! {
    #[test]
    fn every_range_parses_and_prints_back(a in 0..=MAX_OFFSET, b in 0..=MAX_OFFSET) {
        let range = ContentRange { start: a.min(b), end: a.max(b) };
        let text = range.to_string();
        for form in [text.clone(), format!("bytes {text}/*"), format!("bytes={text}")] {
            prop_assert_eq!(ContentRange::parse(&form), Ok(range));
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "(bytes[ =])?[0-9]{0,20}-[0-9]{0,20}(/[0-9]{0,20})?|\\PC{0,40}") {
        if let Ok(range) = ContentRange::parse(&text) {
            prop_assert!(range.start <= range.end);
            prop_assert_eq!(ContentRange::parse(&range.to_string()), Ok(range));
        }
    }
}
