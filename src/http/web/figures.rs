//! Numbers, sizes and times as the reader writes them. Times are shown in UTC, which a registry's users share.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::words;
use crate::registry::accounts::Language;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A whole number with its thousands apart: `12,480`, or `12 480` with narrow spaces.
pub(super) fn number(language: Language, n: i64) -> String {
    let separator = match language {
        Language::En => ',',
        Language::Fr => '\u{202f}',
    };
    let digits = n.unsigned_abs().to_string();
    let mut text = if n < 0 { "\u{2212}".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// A size in decimal units with three digits: `38.2 MB`, `38,2 Mo`.
pub(super) fn size(language: Language, bytes: i64) -> String {
    let units = match language {
        Language::En => ["B", "kB", "MB", "GB", "TB", "PB", "EB"],
        Language::Fr => ["o", "ko", "Mo", "Go", "To", "Po", "Eo"],
    };
    let (mut value, mut unit) = (bytes.max(0) as f64, 0);
    // What would be rounded to 1000 is one of the next unit.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let text = if unit == 0 || value >= 99.95 { format!("{value:.0}") } else { format!("{value:.1}") };
    let text = match language {
        Language::En => text,
        Language::Fr => text.replace('.', ","),
    };
    format!("{text}\u{a0}{}", units[unit])
}

/// A moment in microseconds since 1970, relative to another: "3 days ago".
pub(super) fn ago(language: Language, at: i64, now: i64) -> String {
    let seconds = now.saturating_sub(at) / 1_000_000;
    let (past, seconds) = (seconds >= 0, seconds.abs());
    let (key, count) = match seconds {
        0..45 => return words::text(language, "time-now", None),
        45..HOUR => ("minutes", (seconds / MINUTE).max(1)),
        HOUR..DAY => ("hours", seconds / HOUR),
        DAY.. if seconds < 31 * DAY => ("days", seconds / DAY),
        DAY.. if seconds < 365 * DAY => ("months", (seconds / (30 * DAY)).clamp(1, 11)),
        _ => ("years", seconds / (365 * DAY)),
    };
    let key = format!("time-{}-{key}", if past { "past" } else { "future" });
    let arguments = HashMap::from([("n".into(), count.into()), ("count".into(), number(language, count).into())]);
    words::text(language, &key, Some(&arguments))
}

fn zoned(at: i64) -> Option<ZonedDateTime> {
    Timestamp::from_microsecond(at).ok().map(|at| at.to_zoned_datetime(TimeZone::UTC))
}

/// The exact moment: "24 Nov 2026, 19:36 UTC".
pub(super) fn moment(language: Language, at: i64) -> String {
    let Some(time) = zoned(at) else { return String::new() };
    let arguments = HashMap::from([
        ("day".into(), day(language, at).into()),
        ("time".into(), format!("{:02}:{:02}", time.hour(), time.minute()).into()),
    ]);
    words::text(language, "time-moment", Some(&arguments))
}

/// The day alone: "24 Nov 2026".
pub(super) fn day(language: Language, at: i64) -> String {
    let Some(time) = zoned(at) else { return String::new() };
    let month = words::text(language, &format!("month-{}", time.month()), None);
    format!("{}\u{a0}{month}\u{a0}{}", time.day(), time.year())
}

/// The moment as `datetime` of HTML takes it (RFC 3339).
pub(super) fn iso(at: i64) -> String {
    Timestamp::from_microsecond(at).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ago, day, iso, moment, number, size};
    use crate::registry::accounts::Language::{En, Fr};

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (n, english, french) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (12_480, "12,480", "12\u{202f}480"),
            (-1_234_567, "\u{2212}1,234,567", "\u{2212}1\u{202f}234\u{202f}567"),
        ] {
            assert_eq!([number(En, n), number(Fr, n)], [english, french]);
        }
    }

    #[test]
    fn sizes_have_three_digits_and_a_decimal_unit() {
        for (bytes, english, french) in [
            (0, "0 B", "0 o"),
            (212, "212 B", "212 o"),
            (999, "999 B", "999 o"),
            (1_000, "1.0 kB", "1,0 ko"),
            (38_214_112, "38.2 MB", "38,2 Mo"),
            (99_960_000, "100 MB", "100 Mo"),
            (999_600_000, "1.0 GB", "1,0 Go"),
            (i64::MAX, "9.2 EB", "9,2 Eo"),
            (-1, "0 B", "0 o"),
        ] {
            assert_eq!([size(En, bytes), size(Fr, bytes)].map(|text| text.replace('\u{a0}', " ")), [english, french]);
        }
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        const SECOND: i64 = 1_000_000;
        let now = 1_795_541_760 * SECOND;
        for (seconds, english) in [
            (1, "just now"),
            (50, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400, "1 day ago"),
            (40 * 86_400, "1 month ago"),
            (800 * 86_400, "2 years ago"),
            (-3 * 86_400 - 5, "in 3 days"),
        ] {
            assert_eq!(ago(En, now - seconds * SECOND, now), english);
        }
        assert_eq!(ago(Fr, now - 3 * 86_400 * SECOND, now).replace('\u{a0}', " "), "il y a 3 jours");
        assert_eq!(day(En, 0).replace('\u{a0}', " "), "1 Jan 1970");
        assert_eq!(moment(En, now).replace('\u{a0}', " "), "24 Nov 2026, 17:36 UTC");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!([day(En, i64::MAX), moment(Fr, i64::MIN)], ["", ""]);
    }
}
