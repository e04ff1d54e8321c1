use proptest::prelude::*;

use super::RangeOutcome::{Part, Unsatisfiable, Whole};
use super::{RangeOutcome, parse_range};

const fn part(start: u64, end_inclusive: u64) -> RangeOutcome {
    Part { start, end_inclusive }
}

#[test]
fn ranges_of_a_content_of_ten_bytes() {
    for (header, expected) in [
        ("bytes=0-0", part(0, 0)),
        ("bytes=0-9", part(0, 9)),
        ("bytes=0-10", part(0, 9)),
        ("bytes=3-5", part(3, 5)),
        ("bytes=9-", part(9, 9)),
        ("bytes=0-", part(0, 9)),
        ("bytes=-1", part(9, 9)),
        ("bytes=-10", part(0, 9)),
        ("bytes=-11", part(0, 9)),
        ("BYTES=1-2", part(1, 2)),
        ("bytes= 1-2 ", part(1, 2)),
        ("bytes=007-008", part(7, 8)),
        ("bytes=0-18446744073709551615", part(0, 9)),
        ("bytes=0-99999999999999999999999999", part(0, 9)),
        ("bytes=-99999999999999999999999999", part(0, 9)),
        ("bytes=10-", Unsatisfiable),
        ("bytes=10-20", Unsatisfiable),
        ("bytes=5-3", Unsatisfiable),
        ("bytes=-0", Unsatisfiable),
        ("bytes=99999999999999999999999999-", Unsatisfiable),
    ] {
        assert_eq!(parse_range(header, 10), expected, "{header}");
    }
}

#[test]
fn what_is_malformed_or_of_another_kind_is_ignored() {
    for header in [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=1-b",
        "bytes=+1-2",
        "bytes=1--2",
        "bytes=--1",
        "bytes=1-2-3",
        "bytes=1",
        "bytes=0-1,3-4",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes:0-1",
        "items=0-1",
        "bytes=0 - 1",
        "bytes=0x1-2",
        "bytes=1-2;",
        "bytes=\u{661}-\u{662}",
        "=0-1",
    ] {
        assert_eq!(parse_range(header, 10), Whole, "{header}");
    }
}

#[test]
fn an_empty_content_is_always_answered_whole() {
    for header in ["bytes=0-", "bytes=0-0", "bytes=5-6", "bytes=-5", "bytes=-0"] {
        assert_eq!(parse_range(header, 0), Whole, "{header}");
    }
}

proptest! {
    #[test]
    fn a_range_inside_the_content_is_taken_as_it_is(start in any::<u64>(), count in any::<u64>(), more in any::<u64>()) {
        let Some(end) = start.checked_add(count) else { return Ok(()) };
        let Some(len) = end.checked_add(1).map(|len| len.saturating_add(more)) else { return Ok(()) };
        prop_assert_eq!(parse_range(&format!("bytes={start}-{end}"), len), part(start, end));
        prop_assert_eq!(parse_range(&format!("bytes={start}-"), len), part(start, len - 1));
        let suffix = len - start;
        prop_assert_eq!(parse_range(&format!("bytes=-{suffix}"), len), part(start, len - 1));
    }

    #[test]
    fn a_part_always_lies_in_the_content(header in "(bytes)?=?[0-9]{0,21}-?[0-9]{0,21}|\\PC{0,40}", len in any::<u64>()) {
        if let Part { start, end_inclusive } = parse_range(&header, len) {
            prop_assert!(start <= end_inclusive && end_inclusive < len);
        }
    }
}
