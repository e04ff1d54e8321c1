use super::Descriptor;
use crate::digest::Algorithm;
use crate::json::{Budget, Place};
use crate::manifest::ManifestError;

fn read(text: &str) -> Result<Descriptor, ManifestError> {
    Descriptor::read(text, &Place::ROOT.member("config"), &mut Budget::new())
}

/// A descriptor of the digest of nothing, with more members after it.
fn descriptor(more: &str) -> String {
    let digest = Algorithm::Sha256.digest(b"");
    format!(r#"{{"mediaType":"a/b","digest":"{digest}","size":0{more}}}"#)
}

#[test]
fn every_member_is_read() {
    let more = r#","artifactType":"c/d","urls":["https://example.org/x"],"annotations":{"k":"v"},
        "platform":{"os":"linux","architecture":"arm64","variant":"v8","os.version":"1","features":[]},
        "data":"","unknown":[{}]"#;
    let read = read(&descriptor(more)).expect("a descriptor");
    assert_eq!(read.media_type, "a/b");
    assert_eq!(read.digest, Algorithm::Sha256.digest(b""));
    assert_eq!(read.size, 0);
    assert_eq!(read.artifact_type.as_deref(), Some("c/d"));
    assert_eq!(read.urls, ["https://example.org/x"]);
    assert_eq!(read.annotations["k"], "v");
    let platform = read.platform.expect("a platform");
    assert_eq!(platform.os.as_deref(), Some("linux"));
    assert_eq!(platform.architecture.as_deref(), Some("arm64"));
    assert_eq!(platform.variant.as_deref(), Some("v8"));
    assert!(read.has_data);
}

#[test]
fn optional_members_may_be_absent_or_null() {
    let plain = read(&descriptor("")).expect("a descriptor");
    let nulls = r#","artifactType":null,"urls":null,"annotations":null,"platform":null,"data":null"#;
    assert_eq!(read(&descriptor(nulls)), Ok(plain.clone()));
    assert!(!plain.has_data);
    let untyped = descriptor("").replace(r#""mediaType":"a/b","#, "");
    assert_eq!(read(&untyped).expect("a descriptor").media_type, "");
}

#[test]
fn a_descriptor_prints_as_the_specification_has_it() {
    let text = descriptor(r#","artifactType":"c/d","platform":{"os":"linux"}"#);
    let read = read(&text).expect("a descriptor");
    assert_eq!(serde_json::to_string(&read).expect("json"), text);
}

#[test]
fn sizes_are_whole_numbers_of_63_bits() {
    let sized = |size: &str| descriptor("").replace(r#""size":0"#, &format!(r#""size":{size}"#));
    let greatest = read(&sized("9223372036854775807")).expect("a descriptor");
    assert_eq!(greatest.size, i64::MAX as u64);
    for size in [
        "-1",
        "-0",
        "1.0",
        "1e3",
        "9223372036854775808",
        "1e999",
        "\"1\"",
        "null",
        "true",
        "[]",
        "99999999999999999999999999999999999999",
    ] {
        let error = read(&sized(size)).expect_err(size);
        assert!(error.to_string().starts_with("config.size: "), "{error}");
    }
}

#[test]
fn an_error_names_the_member() {
    let digest = Algorithm::Sha256.digest(b"").to_string();
    for (text, expected) in [
        ("5".to_owned(), "config: expected an object"),
        ("[]".to_owned(), "config: expected an object"),
        ("{}".to_owned(), "config.digest: expected a digest"),
        (descriptor("").replace(&digest, "sha256:0"), "config.digest: a digest is"),
        (descriptor("").replace(&digest, "md5:0"), "config.digest: the digest algorithm `md5`"),
        (descriptor("").replace("\"a/b\"", "5"), "config.mediaType: expected a string"),
        (descriptor("").replace("a/b", "\\u0000"), "config.mediaType: expected a media type"),
        (descriptor("").replace("a/b", &"a".repeat(256)), "config.mediaType: expected a media type"),
        (descriptor(r#","urls":["",5]"#), "config.urls[1]: expected a string"),
        (descriptor(r#","urls":{}"#), "config.urls: expected an array"),
        (descriptor(r#","annotations":{"k":5}"#), "config.annotations: expected an object"),
        (descriptor(r#","annotations":{"k":"","k":""}"#), "config.annotations.*: the key"),
        (descriptor(r#","platform":{"os":[]}"#), "config.platform.os: expected a string"),
        (descriptor(r#","platform":"linux""#), "config.platform: expected an object"),
        (descriptor(r#","size":1"#), "config.size: the key stands more than once"),
        (descriptor(r#","Digest":"""#), "config.digest: the key stands more than once"),
    ] {
        let error = read(&text).expect_err(&text).to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
