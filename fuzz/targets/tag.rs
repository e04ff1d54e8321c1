//! Tags: what parses prints back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Tag;

fuzz_target!(|text: &str| {
    if let Ok(tag) = Tag::parse(text) {
        assert_eq!(tag.to_string(), text);
    }
});
