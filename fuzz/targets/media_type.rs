//! Media types: what parses prints back, and a Content-Type never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::MediaType;

fuzz_target!(|text: &str| {
    if let Ok(media_type) = MediaType::parse(text) {
        assert_eq!(media_type.to_string(), text);
    }
    let _ = MediaType::parse_content_type(text);
});
