//! What a follower knows after some documents.

use std::sync::Arc;

use super::{Document, MAX_STALE_SECONDS};
use crate::base::clock::Timestamp;

/// So many histories that are over are remembered: more than stores are restored while a node remembers the old one.
const MOST_LEFT: usize = 64;

/// Clocks may be so many seconds apart.
const APART: i64 = 30;

/// The document that counts, and which histories are over.
#[derive(Clone, Debug, Default)]
pub struct Known {
    held: Option<Held>,
    left: Vec<String>,
}

/// The document that counts.
#[derive(Clone, Debug)]
pub struct Held {
    document: Arc<Document>,
    /// From when on it ages: its `as_of`, or its arrival, where that is earlier by the follower's clock.
    since: Timestamp,
}

/// What a document was to its follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts from now on, and the one before no longer.
    Counts,
    /// It is the one that counts already, and makes that no younger.
    Same,
    /// It is older than that, or not to be believed, and changes nothing.
    Ignored,
}

impl Known {
    /// Takes in a document that was verified with the key `kid` and arrives at `now`.
    ///
    /// Within an epoch, the higher `seq` counts, or with the same a later `as_of`: others come from nodes that are
    /// behind. Another epoch counts when it was confirmed no earlier, and is not one that was left: a store that was
    /// restored never goes back, whichever node still says so.
    pub fn take(&mut self, document: Document, kid: &str, now: Timestamp) -> Taken {
        if document.as_of.since(now) > APART || document.withdraws_signing_key(kid) {
            return Taken::Ignored;
        }
        if let Some(Held { document: held, .. }) = &self.held {
            if held.withdraws_signing_key(kid) {
                return Taken::Ignored;
            }
            let order = (document.seq, document.as_of).cmp(&(held.seq, held.as_of));
            match held.epoch == document.epoch {
                true if order.is_eq() => return Taken::Same,
                true if order.is_lt() => return Taken::Ignored,
                true => {}
                false if document.as_of < held.as_of || self.left.contains(&document.epoch) => {
                    return Taken::Ignored;
                }
                false => self.leave(held.epoch.clone()),
            }
        }
        let since = document.as_of.min(now);
        self.held = Some(Held { document: Arc::new(document), since });
        Taken::Counts
    }

    /// The document that counts, if there was one.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    fn leave(&mut self, epoch: String) {
        self.left.push(epoch);
        let surplus = self.left.len().saturating_sub(MOST_LEFT);
        self.left.drain(..surplus);
    }
}

impl Held {
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
