//! The stored records, and how a change to them is committed. Most of the management API needs nothing else.

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

/// How many invalidations run before other requests on the same thread get their turn.
const INVALIDATED_AT_ONCE: usize = 256;

/// The records of all organizations.
#[derive(Debug)]
pub struct Records {
    /// The database that keeps them.
    pub store: Store,
    /// The source of the times of changes.
    pub clock: Clock,
    /// Randomness for new ids.
    pub entropy: Entropy,
    /// The resource servers that organizations and projects choose from.
    pub audiences: Vec<String>,
    /// Writes and reads the cursors of lists.
    pub cursors: CursorKeeper,
    /// Limits the large answers that each organization may download at once.
    pub exports: FairQueue,
    /// The requests in flight that must be unique.
    pub in_flight: InFlightRequests,
    /// The cached keys that a change makes stale.
    pub(super) keys: Arc<KeyCache>,
    /// Wakes the follower before its next poll.
    pub(super) changed: Arc<Notify>,
}

impl Records {
    /// Commits a mutation, and invalidates the copies that it made stale before anybody learns of the change.
    ///
    /// # Errors
    /// When the store fails. Then nothing has changed, unless only the answer to the commit was lost.
    pub async fn commit(&self, write: Write) -> Result<(), StoreError> {
        let touched = write.touched().to_vec();
        let committed = write.commit().await;
        // This also happens after an error, because the transaction may have been committed all the same.
        for some in touched.chunks(INVALIDATED_AT_ONCE) {
            for (kind, subject) in some {
                self.keys.invalidate_changed(*kind, subject);
            }
            if some.len() == INVALIDATED_AT_ONCE {
                // A bulk change affects thousands of keys, and other requests wait for this thread.
                tokio::task::yield_now().await;
            }
        }
        self.wake_follower();
        committed
    }

    /// Wakes the follower.
    pub fn wake_follower(&self) {
        self.changed.notify_one();
    }
}

/// Runs a mutation to its end even if the client disconnects, because memory must apply what was committed. `None` when
/// the mutation panicked.
pub async fn run_to_completion<T: Send + 'static>(
    mutation: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    // The mutation's log lines belong to the same request.
    tokio::spawn(mutation.in_current_span()).await.ok()
}

impl KeyCache {
    /// Invalidates the copies that a change of this kind makes stale.
    pub(super) fn invalidate_changed(&self, kind: ChangeKind, subject: &str) {
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
            // Whatever trusts the issuer is a key of its organization.
            ChangeKind::TrustedIssuer => match subject.split_once('/').map(|(id, _)| id.parse()) {
                Some(Ok(id)) => self.invalidate_organization(&id),
                _ => self.invalidate_all(),
            },
            ChangeKind::Token
            | ChangeKind::SigningKey
            | ChangeKind::Bootstrap
            | ChangeKind::Restore
            | ChangeKind::Refusal
            | ChangeKind::ConsoleSession
            | ChangeKind::PortalSession
            | ChangeKind::MasterKey
            | ChangeKind::Deployment
            | ChangeKind::NamedScope
            | ChangeKind::Member => {}
        }
    }
}

/// Parses a project as changes name it: `organization/project`.
fn project(subject: &str) -> Option<(OrganizationId, ProjectId)> {
    let (organization, id) = subject.split_once('/')?;
    Some((organization.parse().ok()?, id.parse().ok()?))
}
