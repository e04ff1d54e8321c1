//! Repository names: what parses prints back, and its canonical form parses as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::RepositoryName;

fuzz_target!(|text: &str| {
    if let Ok(name) = RepositoryName::parse(text) {
        assert_eq!(name.to_string(), text);
        assert_eq!(name.components().collect::<Vec<_>>().join("/"), text);
        let canonical = name.canonical();
        assert_eq!(RepositoryName::parse(canonical.as_str()), Ok(canonical.clone()));
        assert_eq!(canonical.canonical(), canonical);
    }
});
