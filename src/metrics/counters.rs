//! Counters by the values of one label.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts events by the values of one label. The values are fixed.
#[derive(Debug)]
pub struct Counters {
    values: &'static [&'static str],
    counts: Box<[AtomicU64]>,
}

impl Counters {
    /// Counts from 0 for each of `values`. The last value stands for all others.
    pub fn new(values: &'static [&'static str]) -> Self {
        Self { values, counts: values.iter().map(|_| AtomicU64::new(0)).collect() }
    }

    /// Counts one event. A value that is not among the fixed ones counts as the last.
    pub fn count(&self, value: &str) {
        let known = self.values.iter().position(|known| *known == value);
        if let Some(count) = known.map_or(self.counts.last(), |index| self.counts.get(index)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Each value and its count.
    pub fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.values.iter().copied().zip(self.counts.iter().map(|count| count.load(Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_nobody_listed_counts_as_the_last() {
        let counters = Counters::new(&["a", "b", "_OTHER"]);
        for value in ["a", "b", "b", "c", "", "_OTHER"] {
            counters.count(value);
        }
        assert_eq!(counters.read().collect::<Vec<_>>(), [("a", 1), ("b", 2), ("_OTHER", 3)]);
    }
}
