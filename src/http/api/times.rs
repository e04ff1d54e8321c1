//! Times as the API writes and reads them: RFC 3339, UTC.

use super::problem::Refused;

/// Writes microseconds since 1970.
pub(super) fn time(microseconds: i64) -> String {
    jiff::Timestamp::from_microsecond(microseconds).map(|at| at.to_string()).unwrap_or_default()
}

/// Reads when something expires, which must lie ahead.
pub(super) fn expiry(text: Option<&str>, now: i64) -> Result<Option<i64>, Refused> {
    let at = moment(text)?;
    match at {
        Some(at) if at <= now => Err(Refused::invalid(format!("{} lies in the past", time(at)))),
        at => Ok(at),
    }
}

/// Reads a moment.
pub(super) fn moment(text: Option<&str>) -> Result<Option<i64>, Refused> {
    let Some(text) = text else { return Ok(None) };
    let at: jiff::Timestamp =
        text.parse().map_err(|_| Refused::invalid(format!("{text:?} is no time; write 2027-01-31T00:00:00Z")))?;
    Ok(Some(at.as_microsecond()))
}
