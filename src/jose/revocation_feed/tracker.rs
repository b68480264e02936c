//! The state of a follower after a series of documents.

use std::sync::Arc;

use super::{Document, MAX_STALE_SECONDS};
use crate::base::clock::Timestamp;

/// How many past epochs are remembered. It exceeds the number of restores while any node still remembers an old
/// epoch.
const MAX_PAST_EPOCHS: usize = 64;

/// How many seconds two clocks may differ.
const MAX_CLOCK_DIFFERENCE: i64 = 30;

/// The current document and the past epochs.
#[derive(Clone, Debug, Default)]
pub struct FeedTracker {
    current: Option<CurrentDocument>,
    past_epochs: Vec<String>,
}

/// The document that applies now, and its age.
#[derive(Clone, Debug)]
pub struct CurrentDocument {
    document: Arc<Document>,
    /// The start of the document's age: its `as_of`, or its arrival if that is earlier by the follower's clock.
    since: Timestamp,
}

/// The effect of a document on its follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedUpdate {
    /// The document is newer and replaces the current one.
    Applied,
    /// The document equals the current one. The age of the current one stays.
    Unchanged,
    /// The document is older or not trustworthy, and has no effect.
    Ignored,
}

impl FeedTracker {
    /// Processes a document that was verified with the key `kid` and arrives at `now`.
    ///
    /// Within an epoch, the higher `seq` wins; between equal ones, the later `as_of`. A document that loses comes
    /// from a node that is behind. A document of another epoch wins if it was confirmed no earlier and its epoch is
    /// not a past one: a restored store never returns to an earlier epoch, whatever a node that is behind says.
    pub fn apply(&mut self, document: Document, kid: &str, now: Timestamp) -> FeedUpdate {
        if document.as_of.since(now) > MAX_CLOCK_DIFFERENCE || document.withdraws_signing_key(kid) {
            return FeedUpdate::Ignored;
        }
        if let Some(CurrentDocument { document: current, .. }) = &self.current {
            if current.withdraws_signing_key(kid) {
                return FeedUpdate::Ignored;
            }
            let order = (document.seq, document.as_of).cmp(&(current.seq, current.as_of));
            match current.epoch == document.epoch {
                true if order.is_eq() => return FeedUpdate::Unchanged,
                true if order.is_lt() => return FeedUpdate::Ignored,
                true => {}
                false if document.as_of < current.as_of || self.past_epochs.contains(&document.epoch) => {
                    return FeedUpdate::Ignored;
                }
                false => self.add_past_epoch(current.epoch.clone()),
            }
        }
        let since = document.as_of.min(now);
        self.current = Some(CurrentDocument { document: Arc::new(document), since });
        FeedUpdate::Applied
    }

    /// The current document; `None` before the first one.
    pub fn current(&self) -> Option<&CurrentDocument> {
        self.current.as_ref()
    }

    fn add_past_epoch(&mut self, epoch: String) {
        self.past_epochs.push(epoch);
        let surplus = self.past_epochs.len().saturating_sub(MAX_PAST_EPOCHS);
        self.past_epochs.drain(..surplus);
    }
}

impl CurrentDocument {
    /// The document.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// The age of the document in seconds, by the follower's clock. `None` if that clock was set back, because the
    /// age is then unknown.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        let age = now.since(self.since);
        (age >= -MAX_CLOCK_DIFFERENCE).then_some(age)
    }

    /// Whether the document may be relied on at this age, in seconds.
    pub fn allows_age(&self, age: i64) -> bool {
        age <= self.document.max_stale.min(MAX_STALE_SECONDS)
    }
}
