//! The `Range` header of a download (RFC 9110, section 14.2).

#[cfg(test)]
mod tests;

/// What a `Range` header asks of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeOutcome {
    /// The header is to be ignored: answer 200 with everything.
    Whole,
    /// One part: answer 206. Both ends lie in the content, and `start <= end_inclusive`.
    Part {
        /// Offset of the first byte.
        start: u64,
        /// Offset of the last byte.
        end_inclusive: u64,
    },
    /// Nothing of what is asked exists: answer 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a content of `len` bytes.
///
/// A server may ignore the header (RFC 9110, 14.2), and this one does where it is malformed, has another
/// unit or asks for several parts. So it does for an empty content, of which no part can be told:
/// clients that put `bytes=0-` on every request get their zero bytes. A range that ends before it begins
/// is answered 416, as the conformance suite of the distribution specification expects.
#[must_use]
pub fn parse_range(header: &str, len: u64) -> RangeOutcome {
    let Some(spec) = spec_of_one_range(header) else {
        return RangeOutcome::Whole;
    };
    let outcome = match spec {
        // A suffix longer than the content is the whole content, as a part.
        Spec::Suffix(count) => part(len.saturating_sub(count), u64::MAX, len),
        Spec::From(start) => part(start, u64::MAX, len),
        Spec::Between(start, end) => part(start, end, len),
    };
    if len == 0 { RangeOutcome::Whole } else { outcome }
}

/// One range of the `bytes` unit; numbers beyond 64 bits are the greatest of them.
enum Spec {
    Suffix(u64),
    From(u64),
    Between(u64, u64),
}

/// Reads `bytes=` and one range.
fn spec_of_one_range(header: &str) -> Option<Spec> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim_matches([' ', '\t']).eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A list has a comma, which is no digit, and so falls out as malformed.
    let (first, last) = set.trim_matches([' ', '\t']).split_once('-')?;
    match (first, last) {
        ("", last) => Some(Spec::Suffix(saturating_number(last)?)),
        (first, "") => Some(Spec::From(saturating_number(first)?)),
        (first, last) => Some(Spec::Between(saturating_number(first)?, saturating_number(last)?)),
    }
}

/// Cuts a range to the content.
const fn part(start: u64, end: u64, len: u64) -> RangeOutcome {
    if start >= len || start > end {
        return RangeOutcome::Unsatisfiable;
    }
    let last = len - 1;
    let end_inclusive = if end < last { end } else { last };
    RangeOutcome::Part { start, end_inclusive }
}

/// Reads decimal digits; what does not fit is `u64::MAX`, which lies beyond any content.
fn saturating_number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}
