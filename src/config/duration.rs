//! Durations as people write them: `24h`, `30s`, `1h 30m`.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// A part does not begin with a whole number.
    #[error("expected whole numbers with their units, such as 1h 30m")]
    Number,
    /// A number has no unit, or one that is not known.
    #[error("every number needs a unit: ms, s, m, h, d or w")]
    Unit,
    /// The units do not come in order, largest first, each once.
    #[error("units come once each, the largest first, such as 1h 30m")]
    Order,
    /// It is longer than a thousand years.
    #[error("too long")]
    TooLong,
}

/// The units, largest first, with their spellings and milliseconds.
const UNITS: [(&[&str], u64); 6] = [
    (&["w", "week", "weeks"], 7 * DAY),
    (&["d", "day", "days"], DAY),
    (&["h", "hour", "hours"], 60 * MINUTE),
    (&["m", "min", "minute", "minutes"], MINUTE),
    (&["s", "sec", "second", "seconds"], 1_000),
    (&["ms", "millisecond", "milliseconds"], 1),
];

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// Anything longer is a mistake, and could overflow when it is added to a time.
const LONGEST: u64 = 365_000 * DAY;

/// Reads a duration: one or more whole numbers, each with its unit (`ms`, `s`, `m`, `h`, `d`, `w` or their names), the
/// largest unit first. A number without a unit is refused, because it could be seconds as well as milliseconds.
///
/// # Errors
///
/// Says which rule the text breaks.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(InvalidDuration::Number);
    }
    let mut total: u64 = 0;
    let mut smallest_allowed = 0;
    while !rest.is_empty() {
        let (number, behind) = split_while(rest, |c| c.is_ascii_digit());
        let (unit, behind) = split_while(behind.trim_start(), |c| c.is_ascii_alphabetic());
        rest = behind.trim_start();
        if number.is_empty() {
            return Err(InvalidDuration::Number);
        }
        let (index, scale) = find_unit(unit)?;
        if index < smallest_allowed {
            return Err(InvalidDuration::Order);
        }
        smallest_allowed = index + 1;
        let number: u64 = number.parse().map_err(|_| InvalidDuration::TooLong)?;
        let part = number.checked_mul(scale).ok_or(InvalidDuration::TooLong)?;
        total = total.checked_add(part).filter(|sum| *sum <= LONGEST).ok_or(InvalidDuration::TooLong)?;
    }
    Ok(Duration::from_millis(total))
}

/// Prints a duration so that reading it again gives the same, to the millisecond. Below two days in hours, as people
/// say `24h` and `36h`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    let in_days = rest >= 2 * DAY;
    let mut parts = Vec::new();
    for (names, scale) in &UNITS[1..] {
        if *scale == DAY && !in_days {
            continue;
        }
        let count = rest / scale;
        rest %= scale;
        if count > 0 {
            parts.push(format!("{count}{}", names[0]));
        }
    }
    parts.join(" ")
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// Returns the unit's place in [`UNITS`] and its milliseconds.
fn find_unit(unit: &str) -> Result<(usize, u64), InvalidDuration> {
    let known = |(names, _): &(&[&str], u64)| names.iter().any(|name| name.eq_ignore_ascii_case(unit));
    let index = UNITS.iter().position(known).ok_or(InvalidDuration::Unit)?;
    Ok((index, UNITS[index].1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_in_every_spelling() {
        let cases = [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("2 hours 5 minutes", 7_500_000),
            (" 7d ", 604_800_000),
            ("1w 1ms", 604_800_001),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let cases = [
            ("", InvalidDuration::Number),
            ("h", InvalidDuration::Number),
            ("-1s", InvalidDuration::Number),
            ("30", InvalidDuration::Unit),
            ("1.5h", InvalidDuration::Unit),
            ("3 fortnights", InvalidDuration::Unit),
            ("30m 1h", InvalidDuration::Order),
            ("1h 1h", InvalidDuration::Order),
            ("1h,30m", InvalidDuration::Number),
            ("365001d", InvalidDuration::TooLong),
            ("99999999999999999999s", InvalidDuration::TooLong),
            ("18446744073709551615w", InvalidDuration::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(parse_duration(text), Err(error), "{text}");
        }
    }

    #[test]
    fn durations_are_printed_as_people_write_them() {
        let cases = [
            (0, "0s"),
            (1, "1ms"),
            (60_000, "1m"),
            (5_400_000, "1h 30m"),
            (86_400_000, "24h"),
            (129_600_000, "36h"),
            (2 * DAY, "2d"),
            (7 * DAY + 1_500, "7d 1s 500ms"),
        ];
        for (milliseconds, text) in cases {
            assert_eq!(format_duration(Duration::from_millis(milliseconds)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(milliseconds in 0..=LONGEST) {
            let duration = Duration::from_millis(milliseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9 mshdw.,-]{0,40}|.{0,40}") {
            let _ = parse_duration(&text);
        }
    }
}
