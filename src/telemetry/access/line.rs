//! The two forms of a line.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use super::Access;
use crate::telemetry::escape;

/// The most bytes of a path that are written.
pub(super) const MAX_PATH: usize = 512;

/// The most bytes of a user agent that are written.
pub(super) const MAX_USER_AGENT: usize = 256;

/// The most bytes of a method or a request id that are written; ours are shorter.
const MAX_WORD: usize = 64;

/// How a time is written, up to its second. It changes once in many lines, so each thread keeps the last one.
struct Second {
    unix: u64,
    text: String,
    json: String,
}

thread_local! {
    static SECOND: RefCell<Second> = const {
        RefCell::new(Second { unix: u64::MAX, text: String::new(), json: String::new() })
    };
}

/// Appends a line close to the "combined" format of web servers, with the duration in seconds and the request's id
/// behind it.
pub(super) fn write_text(line: &mut Vec<u8>, access: &Access<'_>) {
    // Writing to a vector cannot fail, here and below.
    let _ = write!(line, "{} - - [", access.client);
    with_second(access.at, |second, _| line.extend_from_slice(second.text.as_bytes()));
    line.extend_from_slice(b"] \"");
    escape::word(line, access.method.as_bytes(), MAX_WORD);
    line.push(b' ');
    escape::word(line, access.path.as_bytes(), MAX_PATH);
    let _ = write!(line, "\" {} {} \"-\" \"", access.status, access.bytes_sent);
    if access.user_agent.is_empty() {
        line.push(b'-');
    }
    escape::quoted(line, access.user_agent, MAX_USER_AGENT);
    line.extend_from_slice(b"\" ");
    write_seconds(line, access.duration);
    line.push(b' ');
    escape::word(line, access.request_id.as_bytes(), MAX_WORD);
    line.push(b'\n');
}

/// Appends a JSON object. The duration is in seconds, the time in UTC.
pub(super) fn write_json(line: &mut Vec<u8>, access: &Access<'_>) {
    line.extend_from_slice(b"{\"time\":\"");
    with_second(access.at, |second, milliseconds| {
        line.extend_from_slice(second.json.as_bytes());
        let _ = write!(line, ".{milliseconds:03}Z");
    });
    let _ = write!(line, "\",\"client\":\"{}\",\"method\":", access.client);
    escape::json(line, access.method.as_bytes(), MAX_WORD);
    line.extend_from_slice(b",\"path\":");
    escape::json(line, access.path.as_bytes(), MAX_PATH);
    let _ = write!(line, ",\"status\":{},\"bytes_sent\":{},\"duration\":", access.status, access.bytes_sent);
    write_seconds(line, access.duration);
    line.extend_from_slice(b",\"request_id\":");
    escape::json(line, access.request_id.as_bytes(), MAX_WORD);
    line.extend_from_slice(b",\"user_agent\":");
    escape::json(line, access.user_agent, MAX_USER_AGENT);
    line.extend_from_slice(b"}\n");
}

fn write_seconds(line: &mut Vec<u8>, duration: Duration) {
    let _ = write!(line, "{}.{:06}", duration.as_secs(), duration.subsec_micros());
}

/// Calls `write` with the second of `at` and the milliseconds within it.
fn with_second(at: SystemTime, write: impl FnOnce(&Second, u32)) {
    // A clock before 1970 is a clock that was never set.
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    SECOND.with_borrow_mut(|second| {
        if second.unix != since.as_secs() {
            *second = Second::of(since.as_secs());
        }
        write(second, since.subsec_millis());
    });
}

impl Second {
    fn of(unix: u64) -> Self {
        let at = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok()).unwrap_or_default();
        Self {
            unix,
            text: at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            json: at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        }
    }
}
