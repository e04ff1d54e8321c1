//! Queries: encoding the decoded pairs and decoding them again gives the same pairs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Query, encode_component};

fuzz_target!(|text: &str| {
    let Ok(query) = Query::parse(text) else {
        return;
    };
    let pairs: Vec<_> =
        query.pairs().map(|(name, value)| format!("{}={}", encode_component(name), encode_component(value))).collect();
    let raw = pairs.join("&");
    // Escapes are longer than what they stand for, and may go beyond the limit.
    if raw.len() <= oci::query::MAX_QUERY_LEN {
        assert_eq!(Query::parse(&raw), Ok(query));
    }
});
