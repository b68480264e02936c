//! Permits for shared capacity, so that no organization blocks another.
//!
//! Each organization has its own queue. A free permit goes to the next organization in rotation, however long the
//! other queues are. Queues are bounded: a caller who would exceed the bound is refused at once, and only that
//! caller.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::base::lock::{Mutex, MutexGuard};
use crate::domain::names::OrganizationId;
use crate::domain::principal::{CallerId, Principal};

/// How many permits there are, and how they are shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Permits at once.
    pub permits: usize,
    /// Permits at once for one organization.
    pub per_organization: usize,
    /// The most waiters of one organization.
    pub waiting: usize,
    /// The most waiters of one key.
    pub waiting_per_caller: usize,
}

/// How busy a [`FairQueue`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLoad {
    /// The permits that are taken.
    pub taken: usize,
    /// All permits. `None` if only those of each organization are limited.
    pub permits: Option<usize>,
    /// The callers who wait for a permit.
    pub waiting: usize,
    /// The callers who were refused because a queue was full.
    pub refused: u64,
}

/// The queue of the caller's organization, or the caller's part of it, is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this organization are waiting")]
pub struct QueueFull;

/// The queues of all organizations. Clones share them.
#[derive(Clone)]
pub struct FairQueue {
    state: Arc<Mutex<State>>,
    quota: Quota,
}

/// A permit. Dropping it returns it.
#[derive(Debug)]
pub struct Permit {
    queue: FairQueue,
    organization: Option<OrganizationId>,
}

#[derive(Default)]
struct State {
    taken: usize,
    refused: u64,
    /// The organizations that have a permit or wait for one.
    queues: HashMap<Option<OrganizationId>, OrganizationQueue>,
    /// The organizations that wait, next one first.
    rotation: VecDeque<Option<OrganizationId>>,
}

#[derive(Default)]
struct OrganizationQueue {
    taken: usize,
    /// Whether the organization is in the rotation.
    rotates: bool,
    waiting: VecDeque<Waiter>,
}

struct Waiter {
    caller: Option<CallerId>,
    permit: oneshot::Sender<Permit>,
}

impl FairQueue {
    /// Creates the queues with this quota.
    pub fn new(quota: Quota) -> Self {
        Self { state: Arc::default(), quota }
    }

    /// Waits for a permit. Dropping the future leaves the queue.
    ///
    /// # Errors
    /// [`QueueFull`], without waiting.
    pub async fn acquire(&self, principal: &Principal) -> Result<Permit, QueueFull> {
        let permit = self.enter(principal)?;
        // The sender stays in the queue until it sends the permit.
        permit.await.map_err(|_| QueueFull)
    }

    /// A permit, if one is free now.
    ///
    /// # Errors
    /// [`QueueFull`] when none is free, or when others of the organization are waiting.
    pub fn try_acquire(&self, principal: &Principal) -> Result<Permit, QueueFull> {
        self.enter(principal)?.try_recv().map_err(|_| {
            self.state.lock().refused += 1;
            QueueFull
        })
    }

    /// How busy the queue is.
    pub fn load(&self) -> QueueLoad {
        let state = self.state.lock();
        let is_there = |waiter: &&Waiter| !waiter.permit.is_closed();
        QueueLoad {
            taken: state.taken,
            permits: Some(self.quota.permits).filter(|permits| *permits < usize::MAX),
            waiting: state.queues.values().map(|queue| queue.waiting.iter().filter(is_there).count()).sum(),
            refused: state.refused,
        }
    }

    fn enter(&self, principal: &Principal) -> Result<oneshot::Receiver<Permit>, QueueFull> {
        let organization = &principal.organization;
        let mut state = self.state.lock();
        let is_free = state.taken < self.quota.permits;
        let queue = state.queues.entry(organization.clone()).or_default();
        let is_at_once = is_free && queue.waiting.is_empty() && queue.taken < self.quota.per_organization;
        if !is_at_once && queue.is_full(principal, &self.quota) {
            if queue.taken == 0 && !queue.rotates {
                state.queues.remove(organization);
            }
            state.refused += 1;
            return Err(QueueFull);
        }
        let (permit, receiver) = oneshot::channel();
        queue.waiting.push_back(Waiter { caller: principal.caller.clone(), permit });
        if !std::mem::replace(&mut queue.rotates, true) {
            state.rotation.push_back(organization.clone());
        }
        self.dispatch(state);
        Ok(receiver)
    }

    fn release(&self, organization: &Option<OrganizationId>) {
        let mut state = self.state.lock();
        state.taken = state.taken.saturating_sub(1);
        if let Some(queue) = state.queues.get_mut(organization) {
            queue.taken = queue.taken.saturating_sub(1);
            if queue.taken == 0 && !queue.rotates {
                state.queues.remove(organization);
            }
        }
        self.dispatch(state);
    }

    /// Gives free permits to waiters, one organization after the other.
    fn dispatch(&self, mut state: MutexGuard<'_, State>) {
        let mut given = Vec::new();
        let mut passed_over = 0;
        while state.taken < self.quota.permits && passed_over < state.rotation.len() {
            let Some(organization) = state.rotation.pop_front() else { break };
            let Some(queue) = state.queues.get_mut(&organization) else { continue };
            if queue.taken >= self.quota.per_organization {
                state.rotation.push_back(organization);
                passed_over += 1;
                continue;
            }
            let next = queue.next();
            queue.rotates = !queue.waiting.is_empty();
            let rotates = queue.rotates;
            if let Some(next) = next {
                queue.taken += 1;
                state.taken += 1;
                passed_over = 0;
                given.push((next.permit, organization.clone()));
            } else if queue.taken == 0 {
                state.queues.remove(&organization);
            }
            if rotates {
                state.rotation.push_back(organization);
            }
        }
        drop(state);
        for (permit, organization) in given {
            // If the waiter has left, the send fails, and dropping the permit returns it.
            let _ = permit.send(Permit { queue: self.clone(), organization });
        }
    }
}

impl OrganizationQueue {
    /// Whether the queue has no room for one more. Waiters that have left don't count.
    fn is_full(&mut self, principal: &Principal, quota: &Quota) -> bool {
        let is_full = |queue: &Self| {
            let of_caller = queue.waiting.iter().filter(|waiting| waiting.caller == principal.caller).count();
            queue.waiting.len() >= quota.waiting || of_caller >= quota.waiting_per_caller
        };
        if !is_full(self) {
            return false;
        }
        self.waiting.retain(|waiting| !waiting.permit.is_closed());
        is_full(self)
    }

    /// The first waiter that hasn't left.
    fn next(&mut self) -> Option<Waiter> {
        std::iter::from_fn(|| self.waiting.pop_front()).find(|waiting| !waiting.permit.is_closed())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.release(&self.organization);
    }
}

impl fmt::Debug for FairQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        let waiting: usize = state.queues.values().map(|queue| queue.waiting.len()).sum();
        f.debug_struct("FairQueue").field("taken", &state.taken).field("waiting", &waiting).finish()
    }
}

#[cfg(test)]
mod tests;
