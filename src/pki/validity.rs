//! The dates of a certificate, read from its DER (RFC 5280, section 4.1). Nothing else of it is looked at.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, in which the version stands.
const VERSION: u8 = 0xa0;

/// From when until when a certificate holds, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when on.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

/// Reads the dates of a certificate; nothing if they are not where they belong.
#[must_use]
pub fn validity(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut rest, _) = expect(certificate, SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = expect(rest, VERSION)?.1;
    }
    let (_serial, rest) = expect(rest, INTEGER)?;
    let (_algorithm, rest) = expect(rest, SEQUENCE)?;
    let (_issuer, rest) = expect(rest, SEQUENCE)?;
    let (dates, _) = expect(rest, SEQUENCE)?;
    let (not_before, dates) = time(dates)?;
    let (not_after, _) = time(dates)?;
    Some(Validity { not_before, not_after })
}

/// Splits an element of that tag into its contents and what follows it.
fn expect(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut len = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        // Longer lengths, and the indefinite one, do not occur.
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(count)?;
        len = bytes.iter().fold(0, |len, byte| (len << 8) | usize::from(*byte));
        rest = after;
    }
    if found == tag { rest.split_at_checked(len) } else { None }
}

fn time(input: &[u8]) -> Option<(i64, &[u8])> {
    let tag = *input.first()?;
    let (text, rest) = expect(input, tag)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, text) = match tag {
        UTC_TIME if text.len() == 12 => {
            let year: i16 = text[..2].parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
        }
        GENERALIZED_TIME if text.len() == 14 => (text[..4].parse().ok()?, &text[4..]),
        _ => return None,
    };
    let part = |at: usize| text[at..at + 2].parse::<i8>().ok();
    let at = DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0).ok()?;
    Some((TimeZone::UTC.to_timestamp(at).ok()?.as_microsecond(), rest))
}
