use proptest::prelude::*;

use super::RepositoryName;
use crate::error::ParseError;

#[test]
fn names_of_the_grammar_are_read() {
    for text in [
        "a",
        "0",
        "library/alpine",
        "johndoe/mon-app",
        "a.b/c_d/e__f/g-h/i--j/k---l",
        "a/b/c/d/e/f/g/h",
        "v2/manifests/blobs",
    ] {
        let name = RepositoryName::parse(text).expect(text);
        assert_eq!(name.as_str(), text);
        assert_eq!(name.to_string(), text);
    }
}

#[test]
fn names_outside_the_grammar_are_refused() {
    for text in [
        "", "/", "a/", "/a", "a//b", "A", "a/B", "-", "-a", "a-", ".a", "a.", "a..b", "_a", "a_", "a___b", "a._b",
        "a.-b", "a-_b", "a-.b", "a_.b", "a b", "a:b", "a@b", "a\0", "é", "a/é", "..", "a/../b", "a/-/b", "a%2fb",
        "a\n",
    ] {
        assert_eq!(RepositoryName::parse(text), Err(ParseError::Name), "{text:?}");
    }
}

#[test]
fn a_name_has_at_most_255_bytes_also_when_canonical() {
    let long = |len: usize| "a".repeat(len);
    let two = |len: usize| format!("a/{}", long(len - 2));
    assert!(RepositoryName::parse(&two(255)).is_ok());
    assert_eq!(RepositoryName::parse(&two(256)), Err(ParseError::NameTooLong));
    let name = RepositoryName::parse(&long(247)).expect("a name");
    assert_eq!(name.canonical().as_str().len(), 255);
    assert_eq!(RepositoryName::parse(&long(248)), Err(ParseError::NameTooLong));
}

#[test]
fn a_name_of_one_component_is_an_alias_in_library() {
    for (text, canonical, namespace) in [
        ("alpine", "library/alpine", "library"),
        ("library", "library/library", "library"),
        ("library/alpine", "library/alpine", "library"),
        ("johndoe/app/web", "johndoe/app/web", "johndoe"),
    ] {
        let name = RepositoryName::parse(text).expect("a name").canonical();
        assert_eq!(name.as_str(), canonical);
        assert_eq!(name.namespace(), namespace);
        assert_eq!(name.components().next(), Some(namespace));
        assert_eq!(name.canonical(), name);
        assert!(RepositoryName::parse(canonical).is_ok());
    }
}

/// The grammar told another way: letters and digits at both ends, and between them no run of
/// separators but the four kinds.
fn is_component_by_runs(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let mut runs = component.split(is_word);
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && runs.all(|run| matches!(run, "" | "." | "_" | "__") || run.chars().all(|c| c == '-'))
}

proptest! {
    #[test]
    fn every_name_of_the_grammar_parses_and_prints_back(
        text in "[a-z0-9]{1,9}((\\.|_|__|-{1,3})[a-z0-9]{1,9}){0,3}(/[a-z0-9]{1,9}((\\.|_|__|-{1,3})[a-z0-9]{1,9}){0,3}){0,3}"
    ) {
        let name = RepositoryName::parse(&text).expect("a name of the grammar");
        prop_assert_eq!(name.to_string(), text.clone());
        prop_assert_eq!(name.components().collect::<Vec<_>>().join("/"), text);
    }

    #[test]
    fn the_scanner_agrees_with_the_grammar(text in "[a0._/A-]{0,12}") {
        let expected = text.split('/').all(is_component_by_runs);
        prop_assert_eq!(RepositoryName::parse(&text).is_ok(), expected);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        if let Ok(name) = RepositoryName::parse(&text) {
            prop_assert_eq!(name.to_string(), text);
        }
    }
}
