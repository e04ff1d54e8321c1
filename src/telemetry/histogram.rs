//! A histogram of durations that many threads fill without a lock.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, MetricEncoder, NoLabelSet};

/// Upper bounds, in microseconds, for what a client waits for: half a millisecond to a minute.
pub(super) const REQUEST_BOUNDS: [u64; 16] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000, 60_000_000,
];

/// Upper bounds, in microseconds, for one step of a request: ten microseconds, a look-up in the embedded database, to
/// ten seconds.
pub(super) const STEP_BOUNDS: [u64; 16] =
    [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// The bounds of both and what lies beyond the last.
pub(super) const BUCKETS: usize = 17;

/// How often durations fell into each bucket, and their sum. Observing one is two atomic additions.
///
/// The histogram of prometheus-client takes a lock, which all requests of an action would share.
#[derive(Debug)]
pub(super) struct Histogram {
    bounds: &'static [u64; BUCKETS - 1],
    counts: [AtomicU64; BUCKETS],
    nanoseconds: AtomicU64,
}

impl Histogram {
    pub(super) fn new(bounds: &'static [u64; BUCKETS - 1]) -> Self {
        Self { bounds, counts: Default::default(), nanoseconds: AtomicU64::new(0) }
    }

    pub(super) fn observe(&self, duration: Duration) {
        self.counts[bucket_of(self.bounds, duration)].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds(duration), Ordering::Relaxed);
    }

    /// Encodes it under the labels.
    pub(super) fn encode(&self, encoder: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet) -> fmt::Result {
        let counts = std::array::from_fn(|index| self.counts[index].load(Ordering::Relaxed));
        encode(encoder, labels, self.bounds, &counts, self.nanoseconds.load(Ordering::Relaxed))
    }
}

/// Returns the bucket a duration falls into; bounds belong to the bucket below them.
pub(super) fn bucket_of(bounds: &[u64; BUCKETS - 1], duration: Duration) -> usize {
    let nanoseconds = nanoseconds(duration);
    bounds.partition_point(|bound| bound.saturating_mul(1_000) < nanoseconds)
}

/// Returns a duration in nanoseconds, enough for 584 years.
pub(super) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Encodes counts per bucket, in seconds.
pub(super) fn encode(
    encoder: &mut MetricEncoder<'_>,
    labels: &impl EncodeLabelSet,
    bounds: &[u64; BUCKETS - 1],
    counts: &[u64; BUCKETS],
    nanoseconds: u64,
) -> fmt::Result {
    let seconds = bounds.iter().map(|microseconds| *microseconds as f64 / 1e6);
    let buckets: Vec<(f64, u64)> = seconds.chain([f64::INFINITY]).zip(counts.iter().copied()).collect();
    let mut family = encoder.encode_family(labels)?;
    family.encode_histogram::<NoLabelSet>(nanoseconds as f64 / 1e9, counts.iter().sum(), &buckets, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let bucket = |nanoseconds| bucket_of(&REQUEST_BOUNDS, Duration::from_nanos(nanoseconds));
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(500_000), 0);
        assert_eq!(bucket(500_001), 1);
        assert_eq!(bucket(60_000_000_000), BUCKETS - 2);
        assert_eq!(bucket(60_000_000_001), BUCKETS - 1);
        assert_eq!(bucket_of(&STEP_BOUNDS, Duration::MAX), BUCKETS - 1);
    }

    #[test]
    fn bounds_ascend() {
        assert!(REQUEST_BOUNDS.is_sorted() && STEP_BOUNDS.is_sorted());
    }
}
