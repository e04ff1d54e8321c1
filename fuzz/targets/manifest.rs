//! Manifests: with any header, what is accepted keeps the promises of its kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::manifest::MAX_DESCRIPTORS;
use oci::{Kind, Manifest, media_type};

fuzz_target!(|bytes: &[u8]| {
    check(bytes, None);
    for header in
        [media_type::OCI_MANIFEST, media_type::OCI_INDEX, media_type::DOCKER_MANIFEST, media_type::DOCKER_LIST]
    {
        check(bytes, Some(header));
    }
});

fn check(bytes: &[u8], header: Option<&str>) {
    let manifest = match Manifest::parse(bytes, header) {
        Ok(manifest) => manifest,
        Err(error) => {
            // Messages are shown to people: short and printable.
            let message = error.to_string();
            assert!(message.len() < 1000 && !message.contains(char::is_control), "{message}");
            return;
        }
    };
    assert_eq!(Kind::from_media_type(&manifest.media_type), Some(manifest.kind));
    assert!(header.is_none_or(|header| header == manifest.media_type));
    assert_eq!(manifest.kind.is_index(), manifest.config.is_none());
    assert!(manifest.layers.is_empty() || manifest.manifests.is_empty());
    assert!(manifest.references().count() <= MAX_DESCRIPTORS);
    assert!(manifest.references().all(|(_, link)| i64::try_from(link.size).is_ok()));
    // Naming the type it was given changes nothing.
    assert_eq!(Manifest::parse(bytes, Some(&manifest.media_type)), Ok(manifest));
}
