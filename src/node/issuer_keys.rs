//! The key sets of trusted issuers, in memory.
//!
//! A set belongs to one record of one organization, and to one state of that record: two records with the same URL have
//! two sets, and a record whose URL, keys or algorithms change gets a new one. Nobody can put keys into the set of
//! somebody else.
//!
//! A set that is in use is fetched again every hour, in the background. A token with an unknown `kid` causes a fetch at
//! most once in 30 seconds, for which only that request waits, and others of the same issuer. While an issuer is away, its
//! keys serve on for at most a day. Fetches share permits fairly between organizations, so an issuer that hangs holds up
//! nobody else.

mod held;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::watch;

use self::held::{HeldSet, Wanted};
use super::run_to_completion;
use crate::base::clock::Clock;
use crate::client::{FetchSettings, Fetcher};
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::principal::Principal;
use crate::domain::trusted_issuer::{KeySource, TrustedIssuer};
use crate::jose::foreign::{Header, KeySet};
use crate::sharing::fair_queue::{FairQueue, Quota};

pub use source::KeysFault;

/// How often the background task looks for sets that are due.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The most issuers whose sets are in memory.
const MOST_ISSUERS: u64 = 4_096;

/// The fetches at once. An organization can't have more than its issuers.
const FETCHES: Quota =
    Quota { permits: 256, per_organization: TrustedIssuer::MAX_COUNT, waiting: 64, waiting_per_caller: 64 };

/// The key sets of trusted issuers.
#[derive(Debug)]
pub struct IssuerKeys {
    fetcher: Fetcher,
    clock: Clock,
    sets: Cache<(OrganizationId, TrustedIssuerId), Arc<HeldSet>>,
    permits: FairQueue,
}

impl IssuerKeys {
    /// Fetches sets as `settings` say.
    pub fn new(settings: FetchSettings, clock: Clock) -> Self {
        Self {
            fetcher: Fetcher::new(settings),
            clock,
            sets: Cache::new(MOST_ISSUERS),
            permits: FairQueue::new(FETCHES),
        }
    }

    /// Whether issuers may be at plain http URLs of this machine.
    pub fn allows_http(&self) -> bool {
        self.fetcher.allows_http()
    }

    /// The keys of `issuer`, for a token with this header. Usually they are in memory. If the set there lacks the key,
    /// and was not fetched lately, this waits for a new one.
    ///
    /// # Errors
    /// [`KeysFault`] when there is no set. A set may still lack the key.
    pub async fn keys_for(
        self: &Arc<Self>,
        issuer: &TrustedIssuer,
        header: &Header,
    ) -> Result<Arc<KeySet>, KeysFault> {
        if let KeySource::Inline(_) = issuer.keys {
            return self.inline(issuer);
        }
        let held = self.held(issuer);
        if let Some(set) = held.usable(self.clock.monotonic()).filter(|set| set.knows(header)) {
            return Ok(set);
        }
        self.renew(issuer, &held, Wanted::UnknownKey).await
    }

    /// Fetches the keys of `issuer`, unless that was done a moment ago.
    ///
    /// # Errors
    /// [`KeysFault`].
    pub async fn look(self: &Arc<Self>, issuer: &TrustedIssuer) -> Result<Arc<KeySet>, KeysFault> {
        if let KeySource::Inline(_) = issuer.keys {
            return self.inline(issuer);
        }
        let held = self.held(issuer);
        let renewed = self.renew(issuer, &held, Wanted::UnknownKey).await?;
        // A set that serves on although the last fetch failed is no success.
        held.last_fault().map_or(Ok(renewed), Err)
    }

    /// Fetches sets in use again, until `stop` changes.
    pub async fn refresh(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            tokio::select! {
                _ = stop.changed() => return,
                () = self.refresh_due() => {}
            }
        }
    }

    /// Fetches every set that is in use and an hour old. Sets that nobody uses any more are dropped.
    pub async fn refresh_due(self: &Arc<Self>) {
        let now = self.clock.monotonic();
        let mut renewals = tokio::task::JoinSet::new();
        for (id, held) in &self.sets {
            if held.is_unused(now) {
                self.sets.invalidate(&*id);
            } else if held.is_due(now) {
                let keys = Arc::clone(self);
                renewals.spawn(async move {
                    let renewed = keys.renew(&held.issuer, &held, Wanted::Fresh).await;
                    if let Err(fault) = renewed.and_then(|_| held.last_fault().map_or(Ok(()), Err)) {
                        let issuer = held.issuer.path();
                        tracing::warn!(issuer, %fault, "the keys of a trusted issuer could not be fetched");
                    }
                });
            }
        }
        while renewals.join_next().await.is_some() {}
    }

    /// A set that is in the record itself. It is parsed once.
    fn inline(&self, issuer: &TrustedIssuer) -> Result<Arc<KeySet>, KeysFault> {
        let held = self.held(issuer);
        let now = self.clock.monotonic();
        match held.usable(now) {
            Some(set) => Ok(set),
            None => {
                held.fetched(source::inline(issuer), now);
                held.usable(now).ok_or_else(|| held.last_fault().unwrap_or(KeysFault::Resting))
            }
        }
    }

    /// What is in memory about this state of the record.
    fn held(&self, issuer: &TrustedIssuer) -> Arc<HeldSet> {
        let id = (issuer.organization.clone(), issuer.id.clone());
        let found = self.sets.get(&id).filter(|held| held.is_of(issuer));
        found.unwrap_or_else(|| {
            let held = Arc::new(HeldSet::of(issuer.clone(), self.clock.monotonic()));
            self.sets.insert(id, Arc::clone(&held));
            held
        })
    }

    /// Fetches a set, one request for all that wait for the same issuer. A fetch runs to its end although whoever waits
    /// gives up: otherwise those who come and go could prevent that there ever is a set.
    async fn renew(
        self: &Arc<Self>,
        issuer: &TrustedIssuer,
        held: &Arc<HeldSet>,
        wanted: Wanted,
    ) -> Result<Arc<KeySet>, KeysFault> {
        let _place = held.wait().ok_or(KeysFault::Crowded)?;
        let asked = self.clock.monotonic();
        let (keys, held, issuer) = (Arc::clone(self), Arc::clone(held), issuer.clone());
        let fetched = run_to_completion(async move {
            let _turn = held.turn().await;
            if held.begin(wanted, asked, keys.clock.monotonic()) {
                let principal = Principal { organization: Some(issuer.organization.clone()), caller: None };
                let fetched = match keys.permits.acquire(&principal).await {
                    Ok(_permit) => source::fetch(&keys.fetcher, &issuer).await,
                    Err(_) => Err(KeysFault::Crowded),
                };
                held.fetched(fetched, keys.clock.monotonic());
            }
            let now = keys.clock.monotonic();
            held.usable(now).ok_or_else(|| held.last_fault().unwrap_or(KeysFault::Resting))
        });
        fetched.await.unwrap_or(Err(KeysFault::Resting))
    }
}
