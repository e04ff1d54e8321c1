//! Requests by action and status, and how long they took.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::histogram::{self, BUCKETS, REQUEST_BOUNDS, bucket_of, nanoseconds};
use super::metrics::ACTIONS;

/// The statuses that have a label of their own; the server sends hardly any other.
const STATUSES: [u16; 36] = [
    200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413,
    414, 415, 416, 417, 429, 431, 500, 501, 502, 503, 504, 505, 507,
];

/// The labels of all other statuses, by their first digit.
const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// How many statuses are told apart.
const SLOTS: usize = STATUSES.len() + CLASSES.len();

/// The slot of each status below 600. A look-up, because it happens in every request.
const SLOT_OF: [u8; 600] = {
    let mut slots = [0; 600];
    let mut status = 0;
    while status < slots.len() {
        slots[status] = (STATUSES.len() + status / 100) as u8;
        status += 1;
    }
    let mut slot = 0;
    while slot < STATUSES.len() {
        slots[STATUSES[slot] as usize] = slot as u8;
        slot += 1;
    }
    slots
};

/// How often the requests of one action and status fell into each bucket.
type Counts = Box<[AtomicU64; BUCKETS]>;

/// Requests by action and status, and how long they took by action.
///
/// One table of counts serves the counter and the histogram, so that a request costs two atomic additions: how many
/// there were of a status is the sum of its buckets. A row is made when its status is first seen.
#[derive(Debug)]
pub(super) struct Requests {
    actions: Box<[Action; ACTIONS.len()]>,
}

#[derive(Debug)]
struct Action {
    nanoseconds: AtomicU64,
    statuses: [OnceLock<Counts>; SLOTS],
}

impl Requests {
    pub(super) fn new() -> Self {
        let action = |_| Action { nanoseconds: AtomicU64::new(0), statuses: std::array::from_fn(|_| OnceLock::new()) };
        Self { actions: Box::new(std::array::from_fn(action)) }
    }

    /// Counts one request. An action beyond the table counts as the last one, `other`.
    pub(super) fn observe(&self, action: usize, status: u16, duration: Duration) {
        let action = &self.actions[action.min(ACTIONS.len() - 1)];
        let counts = action.statuses[slot_of(status)].get_or_init(Counts::default);
        counts[bucket_of(&REQUEST_BOUNDS, duration)].fetch_add(1, Ordering::Relaxed);
        action.nanoseconds.fetch_add(nanoseconds(duration), Ordering::Relaxed);
    }

    fn encode_counter(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests that were answered, by what they asked for and the status of the answer.";
        let mut metric = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (name, action) in ACTIONS.iter().zip(self.actions.iter()) {
            for (slot, counts) in action.statuses.iter().enumerate() {
                let Some(counts) = counts.get() else { continue };
                let total: u64 = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
                let labels = [("action", *name), ("status", &label_of(slot))];
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&total, None)?;
            }
        }
        Ok(())
    }

    fn encode_histogram(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time from the head of a request to the head of its answer.";
        let unit = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor("request_duration", help, unit, MetricType::Histogram)?;
        for (name, action) in ACTIONS.iter().zip(self.actions.iter()) {
            let sum = action.nanoseconds.load(Ordering::Relaxed);
            histogram::encode(&mut metric, &[("action", *name)], &REQUEST_BOUNDS, &action.totals(), sum)?;
        }
        Ok(())
    }
}

impl Action {
    /// Returns the counts of each bucket over all statuses.
    fn totals(&self) -> [u64; BUCKETS] {
        let mut totals = [0; BUCKETS];
        for counts in self.statuses.iter().filter_map(OnceLock::get) {
            for (total, count) in totals.iter_mut().zip(counts.iter()) {
                *total += count.load(Ordering::Relaxed);
            }
        }
        totals
    }
}

impl Collector for Requests {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_counter(&mut encoder)?;
        self.encode_histogram(&mut encoder)
    }
}

fn slot_of(status: u16) -> usize {
    SLOT_OF.get(usize::from(status)).map_or(STATUSES.len(), |slot| usize::from(*slot))
}

fn label_of(slot: usize) -> String {
    match STATUSES.get(slot) {
        Some(status) => status.to_string(),
        None => CLASSES[slot - STATUSES.len()].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_label() {
        assert!(STATUSES.is_sorted());
        let cases = [(200, "200"), (416, "416"), (507, "507"), (418, "4xx"), (299, "2xx"), (101, "1xx")];
        for (status, label) in cases.into_iter().chain([(0, "other"), (999, "other"), (u16::MAX, "other")]) {
            assert_eq!(label_of(slot_of(status)), label, "{status}");
        }
    }
}
