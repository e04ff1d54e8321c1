//! Ranges: a part lies in the content, and asking for it by both ends gives it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{RangeOutcome, parse_range};

fuzz_target!(|input: (u64, &str)| {
    let (len, header) = input;
    let outcome = parse_range(header, len);
    if let RangeOutcome::Part { start, end_inclusive } = outcome {
        assert!(start <= end_inclusive && end_inclusive < len);
        let again = format!("bytes={start}-{end_inclusive}");
        assert_eq!(parse_range(&again, len), outcome);
    }
});
