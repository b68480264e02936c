//! What a follower of the feed knows after some documents.

use std::sync::Arc;

use super::{Document, MAX_STALE_SECONDS};
use crate::base::clock::Timestamp;

/// So many histories that are over are remembered: more than stores are restored while a node remembers the old one.
const MAX_PAST_EPOCHS: usize = 64;

/// Clocks may be so many seconds apart.
const APART: i64 = 30;

/// The document that counts, and the epochs that are over.
#[derive(Clone, Debug, Default)]
pub struct FeedTracker {
    current: Option<CurrentDocument>,
    past_epochs: Vec<String>,
}

/// The document that counts.
#[derive(Clone, Debug)]
pub struct CurrentDocument {
    document: Arc<Document>,
    /// From when on it ages: its `as_of`, or its arrival, where that is earlier by the follower's clock.
    since: Timestamp,
}

/// What a document changed for its follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedUpdate {
    /// It counts from now on, and the one before no longer.
    Applied,
    /// It is the one that counts already, and makes that no younger.
    Unchanged,
    /// It is older than that, or not to be believed, and changes nothing.
    Ignored,
}

impl FeedTracker {
    /// Takes in a document that was verified with the key `kid` and arrives at `now`.
    ///
    /// Within an epoch, the higher `seq` counts, or with the same a later `as_of`: others come from nodes that are
    /// behind. Another epoch counts when it was confirmed no earlier, and is not one that was past_epochs: a store that was
    /// restored never goes back, whichever node still says so.
    pub fn apply(&mut self, document: Document, kid: &str, now: Timestamp) -> FeedUpdate {
        if document.as_of.since(now) > APART || document.withdraws_signing_key(kid) {
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
                false => self.leave(current.epoch.clone()),
            }
        }
        let since = document.as_of.min(now);
        self.current = Some(CurrentDocument { document: Arc::new(document), since });
        FeedUpdate::Applied
    }

    /// The document that counts, if there was one.
    pub fn current(&self) -> Option<&CurrentDocument> {
        self.current.as_ref()
    }

    fn leave(&mut self, epoch: String) {
        self.past_epochs.push(epoch);
        let surplus = self.past_epochs.len().saturating_sub(MAX_PAST_EPOCHS);
        self.past_epochs.drain(..surplus);
    }
}

impl CurrentDocument {
    /// What it says.
    pub fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// How many seconds ago it was true, by the follower's clock; nothing when that clock was put back, so that it
    /// can't tell.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        let age = now.since(self.since);
        (age >= -APART).then_some(age)
    }

    /// Whether a document of this age may be relied on.
    pub fn may_be(&self, age: i64) -> bool {
        age <= self.document.max_stale.min(MAX_STALE_SECONDS)
    }
}
