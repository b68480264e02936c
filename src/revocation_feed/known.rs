//! What a follower knows after some documents.

use std::sync::Arc;

use super::Document;

/// So many histories that are over are remembered: enough for restores during any node's memory of an old one.
const MOST_LEFT: usize = 64;

/// What was heard, and which histories are over.
#[derive(Clone, Debug, Default)]
pub struct Known {
    held: Option<Arc<Document>>,
    left: Vec<String>,
}

/// What a document was to its follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is what is held now.
    Newer,
    /// It is older than what is held, and changes nothing.
    Older,
}

impl Known {
    /// Takes in a document that was verified.
    ///
    /// Within an epoch, one with a lower `seq` is older, or with the same and an earlier `as_of`: it comes from a node
    /// that is behind. A store that was restored begins a new epoch, and what was held is over; an epoch that was
    /// left never comes back, whichever node still says so.
    pub fn take(&mut self, document: Document) -> Taken {
        if let Some(held) = &self.held {
            if held.epoch == document.epoch {
                if (document.seq, document.as_of) < (held.seq, held.as_of) {
                    return Taken::Older;
                }
            } else {
                if self.left.contains(&document.epoch) {
                    return Taken::Older;
                }
                self.left.push(held.epoch.clone());
                let surplus = self.left.len().saturating_sub(MOST_LEFT);
                self.left.drain(..surplus);
            }
        }
        self.held = Some(Arc::new(document));
        Taken::Newer
    }

    /// The document that counts, if there was one.
    pub fn document(&self) -> Option<&Arc<Document>> {
        self.held.as_ref()
    }
}
