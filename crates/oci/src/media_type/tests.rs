use proptest::prelude::*;

use super::*;

#[test]
fn media_types_of_the_grammar_are_read() {
    let longest = format!("{}/{}", "a".repeat(127), "b".repeat(127));
    assert_eq!(longest.len(), MAX_MEDIA_TYPE_LEN);
    for text in [OCI_MANIFEST, DOCKER_LIST, "a/b", "text/x!#$&-^_.+", "Text/Plain", &longest] {
        assert_eq!(MediaType::parse(text).expect(text).as_str(), text);
    }
}

#[test]
fn media_types_outside_the_grammar_are_refused() {
    let long_type = format!("{}/b", "a".repeat(128));
    let long_subtype = format!("a/{}", "b".repeat(128));
    for text in [
        "",
        "/",
        "a",
        "a/",
        "/b",
        "a/b/c",
        "a /b",
        "a/b ",
        "a/b;c=d",
        "+a/b",
        "a/.b",
        "*/*",
        "é/b",
        "a/b\0",
        &long_type,
        &long_subtype,
    ] {
        assert_eq!(MediaType::parse(text), Err(ParseError::MediaType), "{text:?}");
    }
}

#[test]
fn a_content_type_loses_its_parameters_and_its_case() {
    for (header, expected) in [
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/json;charset=\"a;b\"", "application/json"),
        (" \tapplication/json \t;", "application/json"),
        ("Application/JSON", "application/json"),
    ] {
        let read = MediaType::parse_content_type(header).expect(header);
        assert_eq!(read.as_str(), expected);
    }
    for header in ["", ";", "; charset=utf-8", "json", "a/b, c/d"] {
        assert!(MediaType::parse_content_type(header).is_err(), "{header:?}");
    }
}

#[test]
fn only_foreign_and_nondistributable_layers_may_be_absent() {
    for text in [
        DOCKER_FOREIGN_LAYER,
        OCI_LAYER_NON_DISTRIBUTABLE,
        OCI_LAYER_NON_DISTRIBUTABLE_GZIP,
        OCI_LAYER_NON_DISTRIBUTABLE_ZSTD,
    ] {
        assert!(MediaType::parse(text).expect(text).is_non_distributable(), "{text}");
    }
    for text in [
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tarball",
        "application/vnd.oci.image.layer.nondistributable.v1",
        "",
    ] {
        assert!(!is_non_distributable(text), "{text}");
    }
}

proptest! {
    #[test]
    fn every_media_type_parses_and_prints_back(
        text in "[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}/[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,126}"
    ) {
        prop_assert_eq!(MediaType::parse(&text).expect("a media type").to_string(), text.clone());
        let header = format!("{text}; charset=utf-8");
        let read = MediaType::parse_content_type(&header).expect("a media type");
        prop_assert_eq!(read.to_string(), text.to_ascii_lowercase());
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        if let Ok(read) = MediaType::parse(&text) {
            prop_assert_eq!(read.to_string(), text.clone());
        }
        let _ = MediaType::parse_content_type(&text);
    }
}
