//! Samples the log lines that anybody can cause without a credential: one for each cause and second, with a count of
//! the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;

use crate::base::lock::Mutex;

/// After a line, further lines of its cause are only counted for this long.
const WINDOW: Duration = Duration::from_secs(1);

/// What happened, and why. Both are literals of the program, so their number is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// What happened. It is the message of the line.
    pub what: &'static str,
    /// Why it happened.
    pub code: &'static str,
    /// Whether the lines are warnings. Otherwise they have the level `info`.
    pub warns: bool,
}

/// Decides which of many similar lines are written. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct LogSampler {
    /// The causes with a line within the last second, and how often each has recurred since.
    recent: Arc<Mutex<BTreeMap<Cause, u64>>>,
}

impl LogSampler {
    /// Whether this occurrence gets a line of its own. If not, a line that follows within a second counts it.
    ///
    /// Call it within a tokio runtime.
    pub fn admits(&self, cause: Cause) -> bool {
        // At level `debug`, the log shows every request.
        if tracing::enabled!(Level::DEBUG) {
            return true;
        }
        {
            let mut recent = self.recent.lock();
            if let Some(more) = recent.get_mut(&cause) {
                *more += 1;
                return false;
            }
            recent.insert(cause, 0);
        }
        let sampler = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WINDOW).await;
                match (sampler.end_window(cause), cause) {
                    (0, _) => return,
                    (count, Cause { what, code, warns: true }) => {
                        tracing::warn!(code, count, "{what} {count} more times");
                    }
                    (count, Cause { what, code, warns: false }) => {
                        tracing::info!(code, count, "{what} {count} more times");
                    }
                }
            }
        });
        true
    }

    /// How often the cause recurred in this window. After a window without it, the cause may have a line of its own
    /// again.
    fn end_window(&self, cause: Cause) -> u64 {
        let mut recent = self.recent.lock();
        let more = recent.get_mut(&cause).map(std::mem::take).unwrap_or_default();
        if more == 0 {
            recent.remove(&cause);
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cause_has_one_line_in_a_window_and_the_rest_is_counted() {
        let sampler = LogSampler::default();
        let cause = Cause { what: "refused", code: "not_found", warns: false };
        assert!(sampler.admits(cause));
        assert!(!sampler.admits(cause) && !sampler.admits(cause));
        assert!(sampler.admits(Cause { code: "unauthenticated", ..cause }), "another cause has its own");
        assert_eq!(sampler.end_window(cause), 2);
        assert!(!sampler.admits(cause), "the line with the count was this window's");
        assert_eq!((sampler.end_window(cause), sampler.end_window(cause)), (1, 0));
        assert!(sampler.admits(cause), "after a window without it");
    }
}
