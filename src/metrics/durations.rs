//! A histogram of durations.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// The upper bounds of the buckets, in nanoseconds. A warm token takes about 30 µs, a slow hash 15 ms, and a long poll
/// of the feed 10 s.
const BOUNDS: [u64; 16] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

const NANOS_PER_SECOND: f64 = 1e9;

/// A histogram of durations. Recording one adds to two atomics. The crate's own histogram takes a lock.
#[derive(Debug, Default)]
pub struct Durations {
    /// The durations in each bucket. The last bucket has no bound.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Their sum, in nanoseconds.
    sum: AtomicU64,
}

impl Durations {
    /// Adds a duration.
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound < nanos);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum.fetch_add(nanos, Relaxed);
    }
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bounds = BOUNDS.iter().map(|nanos| *nanos as f64 / NANOS_PER_SECOND).chain([f64::INFINITY]);
        let counts = self.buckets.iter().map(|count| count.load(Relaxed));
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = self.sum.load(Relaxed) as f64 / NANOS_PER_SECOND;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        for (nanos, bucket) in
            [(0, 0), (100_000, 0), (100_001, 1), (10_000_000_000, 15), (10_000_000_001, 16), (u64::MAX, 16)]
        {
            let durations = Durations::default();
            durations.record(Duration::from_nanos(nanos));
            let counted = durations.buckets.iter().position(|count| count.load(Relaxed) == 1);
            assert_eq!(counted, Some(bucket), "{nanos}");
            assert_eq!(durations.sum.load(Relaxed), nanos);
        }
    }
}
