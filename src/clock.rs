//! The one place that asks what time it is; everything below is told.

/// Microseconds since 1970 (UTC).
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
