//! The state that the clones of a verifier share, and the decisions on credentials.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::access::Access;
use super::feed_state::{FeedState, ReceivedFeed};
use super::issuer_keys::{IssuerKeys, LookupReason};
use super::metrics::Counters;
use super::proofs::Proven;
use super::refusal::{Refusal, Unavailable};
use super::settings::{Settings, WhenStale};
use crate::base::clock::{Timestamp, timer_now};
use crate::client::{BaseUrl, Client};
use crate::domain::address::CallerAddress;
use crate::jose::claims::{Audience, Leeway, Presentation, Rules, TokenFault, verify_access_token};
use crate::jose::jws::{JwsFault, UnverifiedJws};
use crate::sharing::fair_cache::{FairCache, Life, digest_of};

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) client: Client,
    pub(super) keys: Arc<IssuerKeys>,
    pub(super) feed_state: FeedState,
    pub(super) metrics: Counters,
    /// Verified tokens. Each use checks again whatever can change: times, revocations, addresses.
    remembered: FairCache<Access>,
    pub(super) is_ready: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(settings: Settings, server: BaseUrl, client: Client) -> Self {
        let keys = IssuerKeys::new(client.clone(), settings.issuer.clone(), server);
        Self {
            remembered: FairCache::new(settings.remembered_tokens),
            settings,
            client,
            keys: Arc::new(keys),
            feed_state: FeedState::default(),
            metrics: Counters::default(),
            is_ready: watch::Sender::new(false),
        }
    }

    pub(super) fn announce_ready(&self) {
        self.is_ready.send_if_modified(|is_ready| !std::mem::replace(is_ready, true));
    }

    /// The age of what is known about revocations, in seconds.
    pub(super) fn age(&self, instant: Instant) -> Option<i64> {
        let Settings { clock, leeway, .. } = &self.settings;
        self.feed_state.received()?.age(clock.now(), *leeway, instant)
    }

    /// Whether the received document is too old.
    pub(super) fn is_stale(&self, instant: Instant) -> bool {
        let received = self.feed_state.received();
        received.is_some_and(|received| !self.holds(&received, self.settings.clock.now(), instant))
    }

    pub(super) fn log_staleness(&self, is_stale: bool, age: Option<i64>) {
        let Settings { issuer, when_stale, .. } = &self.settings;
        match (is_stale, when_stale) {
            (false, _) => tracing::info!(issuer, "the issuer responds again"),
            (true, WhenStale::Refuse) => {
                tracing::error!(issuer, age, "the issuer does not respond: every credential is refused");
            }
            (true, WhenStale::Accept) => {
                tracing::error!(
                    issuer,
                    age,
                    "the issuer does not respond: revoked tokens are accepted, as configured"
                );
            }
        }
    }

    /// Verifies a token that `caller` presents in this way.
    pub(super) async fn verify(
        &self,
        token: &str,
        presentation: Presentation,
        caller: CallerAddress,
    ) -> Result<Access, Refusal> {
        // A token that is too long to be read needs no digest.
        if token.len() > UnverifiedJws::MAX_LENGTH {
            return Err(TokenFault::from(JwsFault::TooLong).into());
        }
        let now = self.settings.clock.now();
        let digest = digest_of(token);
        if let Some(access) = self.remembered.get(&digest) {
            self.metrics.was_remembered();
            return self.admit(access, presentation, caller, now).inspect_err(|refusal| {
                if is_over(refusal) {
                    self.remembered.invalidate(&digest);
                }
            });
        }
        let access = match self.read(token, presentation, now) {
            Err(TokenFault::UnknownKey) => self.read_with_new_key(token, presentation, now).await?,
            verdict => verdict?,
        };
        let access = self.admit(access, presentation, caller, now)?;
        let life = Life { now: now.unix(), until: access.expires_at().plus(Leeway::MAX.seconds()).unix() };
        self.remembered.insert(digest, access.organization(), access.clone(), life);
        Ok(access)
    }

    /// Verifies a token that `caller` presents with a proof of the key that it is bound to.
    pub(super) async fn verify_proven(
        &self,
        proven: Proven<'_>,
        caller: CallerAddress,
    ) -> Result<Access, Refusal> {
        let proofs = self.settings.proofs.as_ref().ok_or(Refusal::NoBoundTokens)?;
        let now = self.settings.clock.now();
        let proof = proofs.check(proven, now).map_err(Refusal::Proof)?;
        let access = self.verify(proven.token, Presentation::Proven(proof.thumbprint()), caller).await?;
        proofs.use_up(&proof, &access, now)?;
        Ok(access)
    }

    /// Checks everything about a token with a valid signature that can change between two uses.
    pub(super) fn admit(
        &self,
        access: Access,
        presentation: Presentation,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Result<Access, Refusal> {
        let claims = access.claims();
        self.rules(now, presentation, &[&self.settings.audience]).check(claims)?;
        let received = self.feed_state.received().ok_or(Refusal::Unavailable(Unavailable::NotReady))?;
        if received.document().revokes(claims, access.kid()) {
            return Err(Refusal::Revoked);
        }
        let is_accepted = self.settings.organizations.has(&claims.organization)
            && self.settings.environments.has(&claims.environment);
        if !is_accepted {
            return Err(Refusal::Tenant);
        }
        if !access.cidrs().admits(caller.known()) {
            return Err(Refusal::Address(caller));
        }
        self.check_staleness(&received, now)?;
        Ok(access)
    }

    /// This check comes last, so the metrics count how often it alone decided.
    fn check_staleness(&self, received: &ReceivedFeed, now: Timestamp) -> Result<(), Refusal> {
        if self.holds(received, now, timer_now()) {
            return Ok(());
        }
        let is_accepted = self.settings.when_stale == WhenStale::Accept;
        self.metrics.stale(is_accepted);
        if is_accepted { Ok(()) } else { Err(Refusal::Unavailable(Unavailable::Stale)) }
    }

    fn holds(&self, received: &ReceivedFeed, now: Timestamp, instant: Instant) -> bool {
        received.holds(now, self.settings.leeway, instant, self.settings.max_stale)
    }

    /// Verifies the signature and the claims of a token.
    fn read(&self, token: &str, presentation: Presentation, now: Timestamp) -> Result<Access, TokenFault> {
        let mut kid = None;
        let key_for = |named: &str| {
            let key = self.keys.get(named)?;
            kid = Some(key.kid().to_owned());
            Some(key)
        };
        let audience = [self.settings.audience.as_str()];
        let rules = self.rules(now, presentation, &audience);
        let claims = verify_access_token(token, key_for, &rules)?;
        let (scopes, cidrs) = claims.rights()?;
        let challenge = Arc::clone(&self.settings.challenge);
        Ok(Access::new(claims, scopes, cidrs, kid.unwrap_or_default(), challenge))
    }

    async fn read_with_new_key(
        &self,
        token: &str,
        presentation: Presentation,
        now: Timestamp,
    ) -> Result<Access, Refusal> {
        if !self.keys.are_known() {
            return Err(Refusal::Unavailable(Unavailable::NotReady));
        }
        let unverified = UnverifiedJws::parse(token).map_err(TokenFault::from)?;
        self.keys.look_up(unverified.header().kid(), LookupReason::Token).await;
        Ok(self.read(token, presentation, now)?)
    }

    fn rules<'a>(&'a self, now: Timestamp, presentation: Presentation, audience: &'a [&'a str]) -> Rules<'a> {
        let Settings { issuer, leeway, .. } = &self.settings;
        Rules { issuer, audience: Audience::OneOf(audience), presentation, now, leeway: *leeway }
    }
}

/// Whether a remembered token is of no use any more. One that was presented in the wrong way still is, to its holder.
fn is_over(refusal: &Refusal) -> bool {
    use TokenFault::{Bound, BoundToOther, NotBound};
    match refusal {
        Refusal::Token(fault) => !matches!(fault, Bound | BoundToOther | NotBound),
        refusal => *refusal == Refusal::Revoked,
    }
}
