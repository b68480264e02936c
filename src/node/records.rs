//! What is stored, and how a change to it is committed: all that most of the management API needs.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Notify;
use tracing::Instrument as _;

use super::cursor::CursorKeeper;
use super::{InFlightRequests, KeyCache};
use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::sharing::fair_queue::FairQueue;
use crate::store::{ChangeKind, Store, StoreError, Write};

/// How many changes memory takes in before other requests on the same thread have their turn.
const INVALIDATED_AT_ONCE: usize = 256;

/// The records of all organizations.
#[derive(Debug)]
pub struct Records {
    /// Where they are kept.
    pub store: Store,
    /// The time of changes.
    pub clock: Clock,
    /// Randomness for new ids.
    pub entropy: Entropy,
    /// The resource servers that organizations and projects choose from.
    pub audiences: Vec<String>,
    /// Makes and reads the cursors of lists.
    pub cursors: CursorKeeper,
    /// Large answers, each organization's up to a fixed number at guard.
    pub exports: FairQueue,
    /// Requests of which there must not be two at guard.
    pub in_flight: InFlightRequests,
    /// The copies in memory that a change makes stale.
    pub(super) keys: Arc<KeyCache>,
    /// Wakes the follower before its time.
    pub(super) changed: Arc<Notify>,
}

impl Records {
    /// Commits a mutation and invalidates the copies that it made stale, before anybody can be told of it.
    ///
    /// # Errors
    /// When the store fails. Nothing has happened then, unless only the answer to the commit was lost.
    pub async fn commit(&self, write: Write) -> Result<(), StoreError> {
        let touched = write.touched().to_vec();
        let committed = write.commit().await;
        // Also after an error: the transaction may have been committed all the same.
        for some in touched.chunks(INVALIDATED_AT_ONCE) {
            for (kind, subject) in some {
                self.keys.take_in(*kind, subject);
            }
            if some.len() == INVALIDATED_AT_ONCE {
                // A bulk change touches thousands of keys; other requests wait for this thread.
                tokio::task::yield_now().await;
            }
        }
        self.wake_follower();
        committed
    }

    /// Lets the follower know that there is something to take in.
    pub fn wake_follower(&self) {
        self.changed.notify_one();
    }
}

/// Runs a mutation to its end even when the client that asked for it goes away: memory must also take in what was
/// committed. `None` when the mutation panicked.
pub async fn run_to_completion<T: Send + 'static>(
    mutation: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    // What it logs is about the same request.
    tokio::spawn(mutation.in_current_span()).await.ok()
}

impl KeyCache {
    /// Invalidates the copies that a change of this kind makes stale.
    pub(super) fn take_in(&self, kind: ChangeKind, subject: &str) {
        match kind {
            ChangeKind::Key => match subject.parse() {
                Ok(id) => self.invalidate(&id),
                Err(_) => self.invalidate_all(),
            },
            ChangeKind::Organization => match subject.parse() {
                Ok(id) => self.invalidate_organization(&id),
                Err(_) => self.invalidate_all(),
            },
            ChangeKind::Project => match project(subject) {
                Some((organization, id)) => self.invalidate_project(&organization, &id),
                None => self.invalidate_all(),
            },
            ChangeKind::Token
            | ChangeKind::SigningKey
            | ChangeKind::Bootstrap
            | ChangeKind::Restore
            | ChangeKind::Refusal
            | ChangeKind::ConsoleSession
            | ChangeKind::Deployment => {}
        }
    }
}

/// A project as changes name it: `organization/project`.
fn project(subject: &str) -> Option<(OrganizationId, ProjectId)> {
    let (organization, id) = subject.split_once('/')?;
    Some((organization.parse().ok()?, id.parse().ok()?))
}
