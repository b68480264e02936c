//! Taking turns at what is shared, so that no organization stands in the way of another.
//!
//! Each organization has a line of its own. A turn that comes free goes to the next organization in rotation, however
//! long the other lines are. Lines are bounded: whoever would make one too long is sent away at once, and only they.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::domain::principal::Principal;

/// How much there is to share, and who may have how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Turns at once.
    pub turns: usize,
    /// Of these, the most for one organization.
    pub of_organization: usize,
    /// The most that may wait in the line of one organization.
    pub waiting: usize,
    /// Of these, the most for one key.
    pub waiting_of_key: usize,
}

/// The line of the caller's organization, or the caller's part of it, is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many requests of this organization are waiting")]
pub struct Crowded;

/// A queue with a line for each organization. Clones share it.
#[derive(Clone)]
pub struct FairQueue {
    state: Arc<Mutex<State>>,
    shares: Shares,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    queue: FairQueue,
    organization: Option<OrganizationId>,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// Of organizations that have a turn or wait for one.
    lines: HashMap<Option<OrganizationId>, Line>,
    /// The organizations that wait, the next one first.
    rotation: VecDeque<Option<OrganizationId>>,
}

#[derive(Default)]
struct Line {
    taken: usize,
    /// Whether the organization is in the rotation.
    rotates: bool,
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    key: Option<KeyId>,
    turn: oneshot::Sender<Turn>,
}

impl FairQueue {
    /// A queue for so much.
    pub fn new(shares: Shares) -> Self {
        Self { state: Arc::default(), shares }
    }

    /// Waits for a turn. Whoever stops waiting leaves the line.
    ///
    /// # Errors
    /// [`Crowded`], at once.
    pub async fn turn(&self, principal: &Principal) -> Result<Turn, Crowded> {
        let turn = self.enter(principal)?;
        // The other end is in the line until it is given a turn.
        turn.await.map_err(|_| Crowded)
    }

    /// A turn, if one is free now.
    ///
    /// # Errors
    /// [`Crowded`].
    pub fn turn_now(&self, principal: &Principal) -> Result<Turn, Crowded> {
        self.enter(principal)?.try_recv().map_err(|_| Crowded)
    }

    fn enter(&self, principal: &Principal) -> Result<oneshot::Receiver<Turn>, Crowded> {
        let organization = &principal.organization;
        let mut state = self.lock();
        let is_free = state.taken < self.shares.turns;
        let line = state.lines.entry(organization.clone()).or_default();
        let is_at_once = is_free && line.waiting.is_empty() && line.taken < self.shares.of_organization;
        if !is_at_once && line.is_full(principal, &self.shares) {
            if line.taken == 0 && !line.rotates {
                state.lines.remove(organization);
            }
            return Err(Crowded);
        }
        let (turn, receiver) = oneshot::channel();
        line.waiting.push_back(Waiting { key: principal.key, turn });
        if !std::mem::replace(&mut line.rotates, true) {
            state.rotation.push_back(organization.clone());
        }
        self.hand_out(state);
        Ok(receiver)
    }

    fn give_back(&self, organization: &Option<OrganizationId>) {
        let mut state = self.lock();
        state.taken = state.taken.saturating_sub(1);
        if let Some(line) = state.lines.get_mut(organization) {
            line.taken = line.taken.saturating_sub(1);
            if line.taken == 0 && !line.rotates {
                state.lines.remove(organization);
            }
        }
        self.hand_out(state);
    }

    /// Gives free turns to those who wait, one organization after the other.
    fn hand_out(&self, mut state: MutexGuard<'_, State>) {
        let mut given = Vec::new();
        let mut passed_over = 0;
        while state.taken < self.shares.turns && passed_over < state.rotation.len() {
            let Some(organization) = state.rotation.pop_front() else { break };
            let Some(line) = state.lines.get_mut(&organization) else { continue };
            if line.taken >= self.shares.of_organization {
                state.rotation.push_back(organization);
                passed_over += 1;
                continue;
            }
            let next = line.next();
            line.rotates = !line.waiting.is_empty();
            let rotates = line.rotates;
            if let Some(next) = next {
                line.taken += 1;
                state.taken += 1;
                passed_over = 0;
                given.push((next.turn, organization.clone()));
            } else if line.taken == 0 {
                state.lines.remove(&organization);
            }
            if rotates {
                state.rotation.push_back(organization);
            }
        }
        drop(state);
        for (turn, organization) in given {
            // Dropped, and so given back, when nobody waits for it any more.
            let _ = turn.send(Turn { queue: self.clone(), organization });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Whether there is no room for one more, those who went away not counted.
    fn is_full(&mut self, principal: &Principal, shares: &Shares) -> bool {
        let is_full = |line: &Self| {
            let of_key = line.waiting.iter().filter(|waiting| waiting.key == principal.key).count();
            line.waiting.len() >= shares.waiting || of_key >= shares.waiting_of_key
        };
        if !is_full(self) {
            return false;
        }
        self.waiting.retain(|waiting| !waiting.turn.is_closed());
        is_full(self)
    }

    /// The first that still waits.
    fn next(&mut self) -> Option<Waiting> {
        std::iter::from_fn(|| self.waiting.pop_front()).find(|waiting| !waiting.turn.is_closed())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.queue.give_back(&self.organization);
    }
}

impl fmt::Debug for FairQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let waiting: usize = state.lines.values().map(|line| line.waiting.len()).sum();
        f.debug_struct("FairQueue").field("taken", &state.taken).field("waiting", &waiting).finish()
    }
}

#[cfg(test)]
mod tests;
