//! What is in memory about the keys of one issuer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::MutexGuard as TurnGuard;

use super::KeysFault;
use crate::base::lock::Mutex;
use crate::domain::trusted_issuer::{KeySource, TrustedIssuer};
use crate::jose::foreign::KeySet;

/// A set that is in use is fetched again after this time.
const FRESH: Duration = Duration::from_secs(3_600);

/// A set serves for so long while the issuer is away, or while nobody uses it.
const SERVES: Duration = Duration::from_secs(24 * 3_600);

/// The pause after a fetch, however it ended.
const PAUSE: Duration = Duration::from_secs(30);

/// The requests that may wait for the keys of one issuer.
const MOST_WAITING: usize = 64;

/// Why a set is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The set in memory lacks a key, or there is none.
    UnknownKey,
    /// The set in memory is an hour old.
    Fresh,
}

/// The set of one state of an issuer's record.
#[derive(Debug)]
pub(super) struct HeldSet {
    pub(super) issuer: TrustedIssuer,
    state: Mutex<State>,
    /// Whoever fetches has it.
    turn: tokio::sync::Mutex<()>,
    waiting: AtomicUsize,
}

/// Times are by the monotonic clock.
#[derive(Debug)]
struct State {
    set: Option<Arc<KeySet>>,
    fetched_at: Duration,
    attempted_at: Option<Duration>,
    used_at: Duration,
    fault: Option<KeysFault>,
}

/// A place among those who wait.
pub(super) struct Place<'h>(&'h HeldSet);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl HeldSet {
    pub(super) fn of(issuer: TrustedIssuer, now: Duration) -> Self {
        let state = State { set: None, fetched_at: now, attempted_at: None, used_at: now, fault: None };
        let (state, turn) = (Mutex::new(state), tokio::sync::Mutex::default());
        Self { issuer, state, turn, waiting: AtomicUsize::new(0) }
    }

    /// Whether this is the set of the record in this state.
    pub(super) fn is_of(&self, issuer: &TrustedIssuer) -> bool {
        self.issuer.keys_version == issuer.keys_version && !self.issuer.has_other_keys_than(issuer)
    }

    /// The set, as long as it may be used.
    pub(super) fn usable(&self, now: Duration) -> Option<Arc<KeySet>> {
        let mut state = self.state.lock();
        state.used_at = now;
        let serves = self.is_inline() || now.saturating_sub(state.fetched_at) < SERVES;
        state.set.clone().filter(|_| serves)
    }

    /// Why the last fetch failed, if it did.
    pub(super) fn last_fault(&self) -> Option<KeysFault> {
        self.state.lock().fault
    }

    /// Whether nobody has used the set for a day.
    pub(super) fn is_unused(&self, now: Duration) -> bool {
        now.saturating_sub(self.state.lock().used_at) >= SERVES
    }

    /// Whether the set is to be fetched again.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        let state = self.state.lock();
        !self.is_inline() && state.set.is_some() && now.saturating_sub(state.fetched_at) >= FRESH
    }

    /// A place among those who wait. `None` if too many do.
    pub(super) fn wait(&self) -> Option<Place<'_>> {
        let place = Place(self);
        // The place returns itself when it is dropped.
        (self.waiting.fetch_add(1, Ordering::SeqCst) < MOST_WAITING).then_some(place)
    }

    /// Waits until nobody else fetches.
    pub(super) async fn turn(&self) -> TurnGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether to fetch now, for somebody who `asked` at that time. A fetch that was begun since, or a moment before, has
    /// the answer.
    pub(super) fn begin(&self, wanted: Wanted, asked: Duration, now: Duration) -> bool {
        let mut state = self.state.lock();
        let is_done = match (state.attempted_at, wanted) {
            (None, _) => false,
            (Some(attempted), Wanted::UnknownKey) => {
                attempted >= asked || now.saturating_sub(attempted) < PAUSE
            }
            (Some(_), Wanted::Fresh) => now.saturating_sub(state.fetched_at) < FRESH,
        };
        if !is_done {
            state.attempted_at = Some(now);
        }
        !is_done
    }

    /// Keeps what a fetch had as its result. After a failure, the earlier set serves on.
    pub(super) fn fetched(&self, result: Result<KeySet, KeysFault>, now: Duration) {
        let mut state = self.state.lock();
        match result {
            Ok(set) => {
                state.set = Some(Arc::new(set));
                state.fetched_at = now;
                state.fault = None;
            }
            Err(fault) => state.fault = Some(fault),
        }
    }

    fn is_inline(&self) -> bool {
        matches!(self.issuer.keys, KeySource::Inline(_))
    }
}
