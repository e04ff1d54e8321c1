//! Content ranges: what parses has a length and reads the same when printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::ContentRange;

fuzz_target!(|text: &str| {
    if let Ok(range) = ContentRange::parse(text) {
        assert!(range.start <= range.end && range.len() > 0);
        assert_eq!(range.start + (range.len() - 1), range.end);
        assert_eq!(ContentRange::parse(&range.to_string()), Ok(range));
    }
});
