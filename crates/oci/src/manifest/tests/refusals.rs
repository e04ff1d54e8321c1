//! What is refused, and with which words.

use super::*;

#[test]
fn a_document_that_is_an_image_and_an_index_is_refused() {
    let child = link(OCI_MANIFEST, "child");
    for body in [
        image(&format!(r#","manifests":[{child}]"#)),
        image(r#","manifests":[]"#),
        image(r#","manifests":null"#),
        image(r#","manifests":5"#),
        image(r#","m\u0061nifests":0"#),
        index(r#","layers":[]"#),
        index(r#","layers":null"#),
        index(r#","config":null"#),
        index(r#","config":"""#),
    ] {
        for header in [None, Some(OCI_MANIFEST), Some(OCI_INDEX), Some(DOCKER_LIST)] {
            assert_eq!(parse(&body, header), Err(ManifestError::TwoShapes), "{body}");
        }
    }
}

#[test]
fn keys_that_parsers_read_differently_are_refused() {
    for (body, place) in [
        (image(r#","layers":[]"#), "layers"),
        (image(r#","config":{}"#), "config"),
        (image(r#","schemaVersion":2"#), "schemaVersion"),
        (image(r#","mediaType":"a/b","mediaType":"c/d""#), "mediaType"),
        (index(r#","manifests":null"#), "manifests"),
        // Go's parser takes each of these for the known key.
        (image(r#","Manifests":[]"#), "manifests"),
        (image(r#","manife\u017fts":[]"#), "manifests"),
        (index(r#","LAYERS":[]"#), "layers"),
        (index(r#","MediaType":"a/b""#), "mediaType"),
    ] {
        let expected = ManifestError::AmbiguousKey { place: place.to_owned() };
        assert_eq!(parse(&body, None), Err(expected), "{body}");
    }
}

#[test]
fn header_and_member_must_agree() {
    let body = image(&media_type(OCI_MANIFEST));
    for header in [DOCKER_MANIFEST, OCI_INDEX, "application/json"] {
        let expected =
            ManifestError::MediaTypeMismatch { content_type: header.to_owned(), media_type: OCI_MANIFEST.to_owned() };
        assert_eq!(parse(&body, Some(header)), Err(expected));
    }
}

#[test]
fn the_shape_must_be_that_of_the_media_type() {
    let neither = r#"{"schemaVersion":2}"#.to_owned();
    for (body, header) in [
        (image(""), OCI_INDEX),
        (image(""), DOCKER_LIST),
        (index(""), OCI_MANIFEST),
        (index(""), DOCKER_MANIFEST),
        (neither.clone(), OCI_MANIFEST),
        (neither, OCI_INDEX),
    ] {
        let error = parse(&body, Some(header)).expect_err(header);
        assert!(matches!(error, ManifestError::WrongShape { media_type, .. } if media_type == header));
    }
}

#[test]
fn schema_1_is_refused_with_a_way_out() {
    let body = r#"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[],"history":[],"signatures":[]}"#;
    let typed = format!(r#"{{"schemaVersion":1{}}}"#, media_type(DOCKER_SCHEMA1));
    for (body, header) in [
        (body, None),
        (body, Some("application/json")),
        (body, Some(DOCKER_SCHEMA1_SIGNED)),
        (body, Some(OCI_MANIFEST)),
        (typed.as_str(), None),
        ("{}", Some(DOCKER_SCHEMA1)),
    ] {
        let error = parse(body, header).expect_err("schema 1");
        assert_eq!(error, ManifestError::Schema1);
        assert!(error.to_string().contains("Docker 1.10"));
    }
}

#[test]
fn other_media_types_are_unsupported() {
    let artifact = "application/vnd.oci.artifact.manifest.v1+json";
    let blobs = format!(r#"{{"blobs":[]{}}}"#, media_type(artifact));
    for (body, header, named) in [
        (blobs, None, Some(artifact)),
        (image(&media_type(artifact)), None, Some(artifact)),
        (image(""), Some(artifact), Some(artifact)),
        (index(""), Some("application/json; charset=utf-8"), Some("application/json")),
        ("{}".to_owned(), None, None),
        (r#"{"schemaVersion":2,"x":1}"#.to_owned(), None, None),
    ] {
        let media_type = named.map(str::to_owned);
        assert_eq!(parse(&body, header), Err(ManifestError::Unsupported { media_type }), "{body}");
    }
}

#[test]
fn schema_version_must_be_the_number_2() {
    for version in ["3", "0", "2.0", "\"2\"", "null", "true", "20"] {
        let body = image("").replace(r#""schemaVersion":2"#, &format!(r#""schemaVersion":{version}"#));
        let error = parse(&body, None).expect_err(version);
        assert_eq!(error.to_string(), "schemaVersion: expected the number 2");
    }
    let body = image("").replace(r#""schemaVersion":2,"#, "");
    assert!(parse(&body, None).is_err());
}

#[test]
fn text_that_is_not_one_json_object_is_refused() {
    for body in
        ["", " ", "{", "nul", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "\u{feff}{}", "{}}", "{} {}", "{\"a\":\"\n\"}"]
    {
        let error = parse(body, None).expect_err(body);
        assert!(matches!(error, ManifestError::Json(_)), "{body:?}: {error}");
    }
    let garbage = format!("{} x", image(""));
    assert!(matches!(parse(&garbage, None), Err(ManifestError::Json(_))));
    for body in ["null", "5", "\"x\"", "[]", "[{}]"] {
        let error = parse(body, None).expect_err(body);
        assert_eq!(error.to_string(), "the document: expected an object");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused_wherever_they_stand() {
    let mut body = image(r#","x":"?""#).into_bytes();
    let at = body.iter().position(|&b| b == b'?').expect("a mark");
    body[at] = 0xff;
    assert_eq!(Manifest::parse(&body, None), Err(ManifestError::NotUtf8));
}

#[test]
fn a_malformed_content_type_is_refused() {
    let error = parse(&image(""), Some("json")).expect_err("a header");
    assert!(error.to_string().starts_with("Content-Type: a media type is"), "{error}");
}

#[test]
fn nesting_is_bounded_also_in_what_is_skipped() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        image(&format!(r#","x":{open}{close}"#))
    };
    assert!(parse(&nested(MAX_DEPTH - 1), None).is_ok());
    assert_eq!(parse(&nested(MAX_DEPTH), None), Err(ManifestError::TooDeep));
    assert_eq!(parse(&"[".repeat(4 << 20), None), Err(ManifestError::TooDeep));
    // Brackets in strings are text.
    let text = format!(r#","x":"\"{}\\""#, "[{".repeat(1000));
    assert!(parse(&image(&text), None).is_ok());
}

#[test]
fn the_number_of_descriptors_is_bounded() {
    let listed = |count: usize| {
        let children = vec![link(OCI_MANIFEST, "child"); count].join(",");
        format!(r#"{{"schemaVersion":2,"manifests":[{children}]}}"#)
    };
    let greatest = parse(&listed(MAX_DESCRIPTORS), None).expect("an index");
    assert_eq!(greatest.manifests.len(), MAX_DESCRIPTORS);
    let too_many = Err(ManifestError::TooManyDescriptors);
    assert_eq!(parse(&listed(MAX_DESCRIPTORS + 1), None), too_many);
    let with_subject =
        listed(MAX_DESCRIPTORS).replacen('{', &format!(r#"{{"subject":{},"#, link(OCI_MANIFEST, "subject")), 1);
    assert_eq!(parse(&with_subject, None), too_many);
}

#[test]
fn the_number_of_annotations_and_urls_is_bounded() {
    let annotated = |count: usize| {
        let pairs: Vec<_> = (0..count).map(|i| format!(r#""{i}":"""#)).collect();
        image(&format!(r#","annotations":{{{}}}"#, pairs.join(",")))
    };
    assert!(parse(&annotated(MAX_ITEMS), None).is_ok());
    assert_eq!(parse(&annotated(MAX_ITEMS + 1), None), Err(ManifestError::TooManyItems));
    let addresses = vec![r#""""#; MAX_ITEMS + 1].join(",");
    let urls = format!(r#""size":7,"urls":[{addresses}]"#);
    let subject = link(OCI_MANIFEST, "subject").replace(r#""size":7"#, &urls);
    let body = image(&format!(r#","subject":{subject}"#));
    assert_eq!(parse(&body, None), Err(ManifestError::TooManyItems));
}

#[test]
fn an_image_needs_a_config() {
    for body in [r#"{"schemaVersion":2,"layers":[]}"#, r#"{"schemaVersion":2,"layers":[],"config":null}"#] {
        let error = parse(body, None).expect_err(body);
        assert_eq!(error.to_string(), "config: expected a descriptor");
    }
}

#[test]
fn an_error_says_where_it_stands() {
    let layer = link("application/vnd.oci.image.layer.v1.tar+gzip", "layer");
    let layers = |last: &str| image("").replace(&format!("[{layer}]"), &format!("[{layer},{layer},{last}]"));
    let bad_digest = layer.replace(&digest("layer").hex(), "XYZ");
    for (body, expected) in [
        (layers(&bad_digest), "layers[2].digest: a digest is `sha256:`"),
        (layers(&bad_digest.replace("sha256", "md5")), "layers[2].digest: the digest algorithm `md5`"),
        (layers("null"), "layers[2]: expected an object"),
        (layers("[]"), "layers[2]: expected an object"),
        (layers("{}"), "layers[2].digest: expected a digest"),
        (layers(&layer.replace(":5}", ":-5}")), "layers[2].size: expected a whole number"),
        (image(r#","subject":{}"#), "subject.digest: expected a digest"),
        (image(r#","subject":[]"#), "subject: expected an object"),
        (image(r#","annotations":[]"#), "annotations: expected an object"),
        (image(r#","annotations":{"a":null}"#), "annotations: expected an object"),
        (image(r#","artifactType":5"#), "artifactType: expected a string"),
        (image(r#","mediaType":{}"#), "mediaType: expected a string"),
        (index("").replace("\"manifests\":[", "\"manifests\":[5,"), "manifests[0]: expected an object"),
        (r#"{"schemaVersion":2,"manifests":{}}"#.to_owned(), "manifests: expected an array"),
    ] {
        let error = parse(&body, None).expect_err(&body).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn an_error_repeats_nothing_long_or_unprintable() {
    let long = "x".repeat(1 << 20);
    for body in [
        format!("\"{long}\""),
        image(&media_type(&long)),
        image(&media_type("a/\\u001b[31m")),
        image(&format!(r#","subject":{{"digest":"{long}:{long}"}}"#)),
        image(&format!(r#","annotations":{{"{long}":5}}"#)),
    ] {
        let error = parse(&body, None).expect_err("a refusal").to_string();
        assert!(error.len() < 300 && !error.contains('\u{1b}'), "{error}");
    }
    assert!(parse(&image(""), Some(&long)).is_err());
}
