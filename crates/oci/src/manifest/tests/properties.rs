//! Properties over generated documents.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A descriptor as JSON, with members that the registry knows and one that it does not.
fn descriptors() -> impl Strategy<Value = Value> {
    let annotations = btree_map(any::<String>(), any::<String>(), 0..3);
    (any::<u64>(), 0..=i64::MAX, annotations, any::<bool>()).prop_map(|(content, size, annotations, long)| {
        let algorithm = if long { Algorithm::Sha512 } else { Algorithm::Sha256 };
        json!({
            "mediaType": "application/vnd.example",
            "digest": algorithm.digest(&content.to_le_bytes()).to_string(),
            "size": size,
            "annotations": annotations,
            "unknown": content,
        })
    })
}

/// Any JSON value of a few levels, some of whose keys are those of manifests.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        descriptors(),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let keys = proptest::sample::select(&MEMBERS[..]).prop_map(str::to_owned);
        let keys = prop_oneof![keys, any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            btree_map(keys, inner, 0..8).prop_map(Value::from_iter),
        ]
    })
}

/// The digests of an array of descriptors.
fn digests(list: &[Value]) -> Vec<&str> {
    list.iter().filter_map(|value| value["digest"].as_str()).collect()
}

proptest! {
    #[test]
    fn an_image_references_exactly_what_it_lists(
        config in descriptors(),
        layers in vec(descriptors(), 0..6),
        subject in proptest::option::of(descriptors()),
    ) {
        let body = json!({ "schemaVersion": 2, "config": config, "layers": layers, "subject": subject });
        let manifest = parse(&body.to_string(), Some(OCI_MANIFEST)).expect("an image");
        let listed: Vec<_> = [config].into_iter().chain(layers).chain(subject).collect();
        let referenced: Vec<_> = manifest.references().map(|(_, d)| d.digest.to_string()).collect();
        prop_assert_eq!(digests(&listed), referenced);
        let annotated = manifest.references().map(|(_, d)| json!(d.annotations));
        prop_assert!(annotated.eq(listed.iter().map(|value| value["annotations"].clone())));
    }

    #[test]
    fn an_index_references_exactly_what_it_lists(children in vec(descriptors(), 0..6)) {
        let body = json!({ "schemaVersion": 2, "manifests": children });
        let manifest = parse(&body.to_string(), None).expect("an index");
        let referenced: Vec<_> = manifest.references().map(|(_, d)| d.digest.to_string()).collect();
        prop_assert_eq!(digests(&children), referenced);
    }

    #[test]
    fn what_is_accepted_agrees_with_another_parser(value in values(), header in proptest::option::of(Just(OCI_MANIFEST))) {
        if let Ok(manifest) = parse(&value.to_string(), header) {
            prop_assert_eq!(&value["schemaVersion"], 2);
            prop_assert!(manifest.kind.is_index() == value.get("manifests").is_some());
            prop_assert!(manifest.kind.is_index() == value.get("config").is_none());
        }
    }

    #[test]
    fn a_damaged_manifest_never_panics(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = image(r#","annotations":{"a":"b"}"#).into_bytes();
        let at = at.index(body.len());
        if cut {
            body.truncate(at);
            prop_assert!(Manifest::parse(&body, None).is_err());
        } else {
            body[at] = byte;
            let _ = Manifest::parse(&body, None);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), header in proptest::option::of(any::<String>())) {
        let _ = Manifest::parse(&bytes, header.as_deref());
    }
}
