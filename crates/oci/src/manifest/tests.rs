use super::*;
use crate::digest::{Algorithm, Digest};
use crate::media_type::{DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED, OCI_EMPTY};

mod properties;
mod refusals;

/// A digest that differs for each content.
fn digest(content: &str) -> Digest {
    Algorithm::Sha256.digest(content.as_bytes())
}

/// The text of a descriptor.
fn link(media_type: &str, content: &str) -> String {
    let (digest, size) = (digest(content), content.len());
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

/// An image with one layer, and more members after it.
fn image(more: &str) -> String {
    let config = link("application/vnd.oci.image.config.v1+json", "config");
    let layer = link("application/vnd.oci.image.layer.v1.tar+gzip", "layer");
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]{more}}}"#)
}

/// An index with one child, and more members after it.
fn index(more: &str) -> String {
    let child = link(OCI_MANIFEST, "child");
    format!(r#"{{"schemaVersion":2,"manifests":[{child}]{more}}}"#)
}

fn media_type(name: &str) -> String {
    format!(r#","mediaType":"{name}""#)
}

fn parse(text: &str, content_type: Option<&str>) -> Result<Manifest, ManifestError> {
    Manifest::parse(text.as_bytes(), content_type)
}

fn parts(manifest: &Manifest) -> Vec<(ReferenceKind, Digest)> {
    manifest.references().map(|(kind, d)| (kind, d.digest)).collect()
}

#[test]
fn each_kind_is_read_by_header_and_by_member() {
    for (name, kind, body) in [
        (OCI_MANIFEST, Kind::Image, image("")),
        (DOCKER_MANIFEST, Kind::DockerManifest, image("")),
        (OCI_INDEX, Kind::Index, index("")),
        (DOCKER_LIST, Kind::DockerList, index("")),
    ] {
        let typed = body.replacen(r#""schemaVersion":2"#, &format!(r#""schemaVersion":2{}"#, media_type(name)), 1);
        let parameters = format!("{name}; charset=utf-8");
        for (text, header) in [
            (&body, Some(name)),
            (&typed, Some(name)),
            (&typed, None),
            (&typed, Some("")),
            (&typed, Some(parameters.as_str())),
            (&typed, Some(name.to_uppercase().as_str())),
        ] {
            let manifest = parse(text, header).expect(name);
            assert_eq!(manifest.kind, kind);
            assert_eq!(manifest.media_type, name);
            assert_eq!(manifest.kind.is_index(), manifest.config.is_none());
        }
    }
}

#[test]
fn without_a_media_type_the_shape_decides() {
    assert_eq!(parse(&image(""), None).map(|m| m.kind), Ok(Kind::Image));
    assert_eq!(parse(&index(""), None).map(|m| m.kind), Ok(Kind::Index));
    // An empty member is the same as none.
    assert_eq!(parse(&index(&media_type("")), None).map(|m| m.kind), Ok(Kind::Index));
}

#[test]
fn references_tell_the_part_each_content_plays() {
    let subject = format!(r#","subject":{}"#, link(OCI_MANIFEST, "subject"));
    let read = parse(&image(&subject), None).expect("an image");
    assert_eq!(
        parts(&read),
        [
            (ReferenceKind::Config, digest("config")),
            (ReferenceKind::Layer, digest("layer")),
            (ReferenceKind::Subject, digest("subject")),
        ]
    );
    let read = parse(&index(&subject), None).expect("an index");
    assert_eq!(parts(&read), [(ReferenceKind::Child, digest("child")), (ReferenceKind::Subject, digest("subject")),]);
}

#[test]
fn lists_may_be_empty_or_null() {
    for body in [r#"{"schemaVersion":2,"manifests":[]}"#, r#"{"schemaVersion":2,"manifests":null}"#] {
        assert_eq!(parse(body, None).expect(body).references().count(), 0);
    }
    let config = link(OCI_EMPTY, "{}");
    for layers in ["", r#","layers":[]"#, r#","layers":null"#] {
        let body = format!(r#"{{"schemaVersion":2,"config":{config}{layers}}}"#);
        assert_eq!(parse(&body, None).expect(&body).references().count(), 1);
    }
}

#[test]
fn the_artifact_type_is_the_one_of_the_referrers_api() {
    let typed = r#","artifactType":"application/vnd.example.sbom""#;
    let config = "application/vnd.oci.image.config.v1+json";
    for (body, expected) in [
        (image(typed), Some("application/vnd.example.sbom")),
        (image(""), Some(config)),
        (image(r#","artifactType":"""#), Some(config)),
        (image("").replace(config, ""), None),
        (index(typed), Some("application/vnd.example.sbom")),
        (index(""), None),
        (index(r#","artifactType":"""#), None),
    ] {
        let manifest = parse(&body, None).expect(&body);
        assert_eq!(manifest.artifact_type.as_deref(), expected, "{body}");
    }
}

#[test]
fn annotations_are_those_of_the_manifest_itself() {
    let more = r#","annotations":{"org.opencontainers.image.title":"Été \u00e9 \u0000","empty":""}"#;
    let manifest = parse(&image(more), None).expect("an image");
    assert_eq!(manifest.annotations["org.opencontainers.image.title"], "Été é \0");
    assert_eq!(manifest.annotations.len(), 2);
    assert!(manifest.layers[0].annotations.is_empty());
}

#[test]
fn unknown_members_and_white_space_are_nothing() {
    let more = r#","x":{"layers":[],"deep":[[[{}]]]},"":0,"history":[1e999,-0.5,"\ud834\udd1e"]"#;
    let spaced = format!("\r\n\t {} \n", image(more));
    assert_eq!(parse(&spaced, None), parse(&image(""), None));
}

#[test]
fn keys_are_read_through_their_escapes() {
    let escaped = image("").replace("\"layers\"", r#""l\u0061yers""#);
    assert_eq!(parse(&escaped, None), parse(&image(""), None));
}
