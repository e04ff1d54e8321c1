use proptest::prelude::*;

use super::{MAX_QUERY_LEN, MAX_QUERY_PAIRS, Query, encode_component};
use crate::error::ParseError;

#[test]
fn pairs_are_decoded_in_order() {
    let query = Query::parse("n=10&last=a%2Fb&tag=1&tag=2&flag&=x&&e=a=b&p=%2B+%c3%A9").expect("a query");
    assert_eq!(query.get("n"), Some("10"));
    assert_eq!(query.get("last"), Some("a/b"));
    assert_eq!(query.get("tag"), Some("1"));
    assert_eq!(query.all("tag").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(query.get("flag"), Some(""));
    assert_eq!(query.get(""), Some("x"));
    assert_eq!(query.get("e"), Some("a=b"));
    assert_eq!(query.get("p"), Some("+ é"));
    assert_eq!(query.get("none"), None);
    assert_eq!(query.all("none").count(), 0);
    assert_eq!(query.pairs().count(), 8);
}

#[test]
fn an_empty_query_has_no_pairs() {
    for raw in ["", "&", "&&&"] {
        assert_eq!(Query::parse(raw), Ok(Query::default()));
    }
}

#[test]
fn names_are_decoded_and_keep_their_case() {
    let query = Query::parse("%74ag=1&Tag=2").expect("a query");
    assert_eq!(query.get("tag"), Some("1"));
    assert_eq!(query.get("Tag"), Some("2"));
}

#[test]
fn broken_escapes_and_other_encodings_are_refused() {
    for raw in ["a=%", "a=%2", "a=%zz", "%=1", "a=%2g", "a=%+1", "a=%ff", "a=%C3", "a=%ed%a0%80", "a=%é"] {
        assert_eq!(Query::parse(raw), Err(ParseError::Query), "{raw:?}");
    }
}

#[test]
fn a_query_has_at_most_100_pairs_and_16_kib() {
    let pairs = |count: usize| vec!["a=1"; count].join("&");
    assert!(Query::parse(&pairs(MAX_QUERY_PAIRS)).is_ok());
    assert_eq!(Query::parse(&pairs(MAX_QUERY_PAIRS + 1)), Err(ParseError::QueryTooLong));
    assert!(Query::parse(&"a".repeat(MAX_QUERY_LEN)).is_ok());
    assert_eq!(Query::parse(&"a".repeat(MAX_QUERY_LEN + 1)), Err(ParseError::QueryTooLong));
}

#[test]
fn a_component_keeps_only_unreserved_characters() {
    assert_eq!(encode_component("aZ09-._~"), "aZ09-._~");
    assert_eq!(encode_component("sha256:a/b c+d&e=f%é"), "sha256%3Aa%2Fb%20c%2Bd%26e%3Df%25%C3%A9");
}

proptest! {
    #[test]
    fn encoded_pairs_decode_to_themselves(pairs in proptest::collection::vec((any::<String>(), any::<String>()), 0..10)) {
        let raw: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encode_component(name), encode_component(value)))
            .collect();
        let query = Query::parse(&raw.join("&")).expect("a query");
        let read: Vec<_> = query.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn arbitrary_text_never_panics(raw in "([a-z+&=%0-9]{0,40}|\\PC{0,40})") {
        if let Ok(query) = Query::parse(&raw) {
            for (name, _) in query.pairs() {
                prop_assert!(query.get(name).is_some());
            }
        }
    }
}
