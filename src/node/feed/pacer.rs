//! How soon one document may follow another.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time that a change waits for its document. The contract promises verifiers a revocation within 2 s.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The pause after a document lasts this many times as long as the work on the document.
const REST: u32 = 9;

/// A follower that reads slowly holds its document for up to 30 s. The pause limits the bytes of new documents for each
/// second to this number, unless [`LONGEST_PAUSE`] cuts the pause short.
const BYTES_A_SECOND: u32 = 2_000_000;

/// The right to compose or sign the feed, and the time at which it may be used again.
#[derive(Debug)]
pub(super) struct Pacer {
    next: Instant,
}

impl Pacer {
    pub(super) fn starting(now: Instant) -> Self {
        Self { next: now }
    }

    /// When work on the next document may begin.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// Sets the pause after work on a document, or a part of one, of this length that took from `begun` to `now`.
    pub(super) fn pause_after(&mut self, begun: Instant, now: Instant, length: usize) {
        self.next = now + pause(now.saturating_duration_since(begun), length);
    }
}

fn pause(work: Duration, length: usize) -> Duration {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let for_readers = Duration::from_secs(length.into()) / BYTES_A_SECOND;
    work.saturating_mul(REST).max(for_readers).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_a_document_grows_with_its_cost_and_has_an_end() {
        let (no_work, some) = (Duration::ZERO, Duration::from_millis(3));
        assert_eq!(pause(no_work, 0), Duration::ZERO);
        assert_eq!(pause(some, 2_000), Duration::from_millis(27), "a tenth of the time is work");
        assert_eq!(pause(some, 200_000), Duration::from_millis(100), "two megabytes a second");
        assert_eq!(pause(some, usize::MAX), LONGEST_PAUSE);
        assert_eq!(pause(Duration::MAX, 0), LONGEST_PAUSE);
    }
}
