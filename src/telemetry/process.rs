//! What the process uses, read when somebody asks.

use std::fmt;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// Where Linux tells about this process.
const STATUS_FILE: &str = "/proc/self/status";

/// When the process started, and the memory it holds now.
#[derive(Debug)]
pub(super) struct Process {
    /// Seconds since 1970.
    started: f64,
}

impl Process {
    /// Takes the present as the start: it is made when the server starts.
    pub(super) fn starting_now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: since.as_secs_f64() }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "When the process started, in seconds since 1970.";
        encoder
            .encode_descriptor("process_start_time", help, Some(&Unit::Seconds), MetricType::Gauge)?
            .encode_gauge(&self.started)?;
        let Some(bytes) = resident_bytes() else { return Ok(()) };
        let help = "Memory of the process that is in RAM.";
        encoder
            .encode_descriptor("process_resident_memory", help, Some(&Unit::Bytes), MetricType::Gauge)?
            .encode_gauge(&bytes)
    }
}

/// Returns the resident memory; `None` where the system does not tell.
fn resident_bytes() -> Option<u64> {
    parse_resident(&fs::read_to_string(STATUS_FILE).ok()?)
}

fn parse_resident(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_found_among_the_other_lines() {
        assert_eq!(parse_resident("Name:\thavre\nVmRSS:\t   1234 kB\nThreads:\t3\n"), Some(1_263_616));
        assert_eq!(parse_resident("Name:\thavre\n"), None);
        assert_eq!(parse_resident("VmRSS:\tmany kB\n"), None);
        assert_eq!(parse_resident("VmRSS:\t18446744073709551615 kB\n"), None);
    }
}
