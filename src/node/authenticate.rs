//! The one path that judges every presented API key, at every endpoint. `assertions` judges what clients sign instead.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::assertions::{Assertions, PresentedAssertion, Signed};
use super::authentication_error::AuthenticationError;
use super::secrets::{Busy, CachedSecret};
use super::{
    CachedKey, Federation, Freshness, KeyCache, LogSampler, MasterKeys, PresentedFor, ProofJudge,
    Revocations, SecretKeeper, Signer, Throttle, UseLedger, VerifiedTokens,
};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::api_key::{self, KeyId, PlainKey};
use crate::domain::key::{CredentialId, KeyStatus, SecretId};
use crate::domain::principal::Principal;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::usage::UseKind;
use crate::metrics::Events;
use crate::store::Store;

/// An API key as a client presents it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The client id that came with the key, if the protocol has one.
    pub client_id: Option<&'a str>,
    /// The text that should be a whole API key.
    pub key: &'a str,
}

/// How a client authenticates at an OAuth endpoint.
#[derive(Clone, Copy)]
pub enum PresentedClient<'a> {
    /// With its API key, as its secret (RFC 6749 §2.3.1).
    Secret(Presented<'a>),
    /// With a signed assertion (RFC 7523 §2.2).
    Assertion(PresentedAssertion<'a>),
}

/// A key that works now and from this address, whose caller has proven to be its holder.
#[derive(Debug)]
pub struct Authenticated {
    /// The key as the cache holds it.
    pub cached: Arc<CachedKey>,
    /// The credential that was presented.
    pub by: CredentialId,
    /// When that credential expires.
    pub credential_expires_at: Option<Timestamp>,
}

/// Judges API keys and our own tokens.
#[derive(Debug)]
pub struct Authenticator {
    /// The cache of API keys.
    pub keys: Arc<KeyCache>,
    /// Verifies and hashes the secrets of keys.
    pub secrets: Arc<SecretKeeper>,
    /// Recognizes the API keys that this deployment issued.
    pub master_keys: Arc<MasterKeys>,
    /// Judges the assertions of clients.
    pub assertions: Assertions,
    /// Judges proofs of possession.
    pub proofs: ProofJudge,
    /// Judges the tokens of trusted issuers.
    pub federation: Federation,
    /// Limits wrong secrets.
    pub throttle: Throttle,
    /// The tokens whose signature does not need to be verified again.
    pub verified_tokens: VerifiedTokens,
    /// Samples the log lines that anybody can cause.
    pub log_sampler: LogSampler,
    /// The issuer and the signing keys that our tokens must have.
    pub signer: Arc<Signer>,
    /// The tokens and generations that are revoked.
    pub revocations: Arc<Revocations>,
    /// Counts use and refusals.
    pub usage: Arc<UseLedger>,
    /// Counts the refusals that concern no key.
    pub(super) events: Arc<Events>,
    /// Whether memory may still be relied on.
    pub(super) freshness: Arc<Freshness>,
    /// The keys that are not in memory.
    pub(super) store: Store,
    pub(super) entropy: Entropy,
    /// Bounds the secrets that wait for a hash of the configured cost.
    pub(super) rehashing: Arc<Semaphore>,
    /// Bounds the lookups of keys for clients that have proven nothing yet.
    pub unproven_lookups: Semaphore,
}

/// The secrets that may wait for a hash of the configured cost. Each waits for one write of one row.
pub(super) const REHASHING: usize = 256;

/// The lookups that clients who have proven nothing yet may cause at once. A key's id has no tag, as an API key has, so
/// anybody can make up ids, and have the store asked for them. Clients with an API key are looked up beside them.
pub(super) const UNPROVEN_LOOKUPS: usize = 4;

/// The longest wait for such a lookup.
const LOOKUP_WITHIN: Duration = Duration::from_secs(1);

impl Authenticator {
    /// Judges a presented key. The order of the checks is part of the contract: tag, record, secret, state, address, what
    /// it is for.
    ///
    /// # Errors
    /// [`AuthenticationError`].
    pub async fn authenticate(
        self: &Arc<Self>,
        presented: Presented<'_>,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let judged = self.judge(presented, presented_for, origin, now).await;
        if let Err(refusal) = &judged {
            self.log(refusal, || presented.claimed_id()?.parse().ok(), origin);
        }
        judged
    }

    /// Judges a client by whatever it authenticates with.
    ///
    /// # Errors
    /// [`AuthenticationError`].
    pub async fn authenticate_client(
        self: &Arc<Self>,
        client: PresentedClient<'_>,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        match client {
            PresentedClient::Secret(presented) => {
                self.authenticate(presented, presented_for, origin, now).await
            }
            PresentedClient::Assertion(presented) => {
                let client_id = presented.client_id;
                let judged = match presented.read() {
                    Ok(Signed::ByClient(jws)) => {
                        self.judge_assertion(jws, client_id, presented_for, origin, now).await
                    }
                    Ok(Signed::ByIssuer(token)) => {
                        self.judge_foreign(&token, presented_for, origin, now).await
                    }
                    Err(fault) => Err(fault.into()),
                };
                if let Err(refusal) = &judged {
                    self.log(refusal, || presented.claimed_id()?.parse().ok(), origin);
                }
                judged
            }
        }
    }

    /// Logs a refusal with the key that the caller claims to be. Text that is not a key id could be a secret in the wrong
    /// place.
    pub(super) fn log(
        &self,
        refusal: &AuthenticationError,
        claimed: impl FnOnce() -> Option<KeyId>,
        origin: Origin<'_>,
    ) {
        if refusal.anonymous().is_none_or(|cause| self.log_sampler.admits(cause)) {
            let key = claimed().map(|id| id.to_string()).unwrap_or_default();
            tracing::info!(key, address = %origin.address, %refusal, "a key was not accepted");
        }
    }

    async fn judge(
        self: &Arc<Self>,
        presented: Presented<'_>,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let authenticated = self.recognize(presented, origin.address, now).await?;
        self.admit(authenticated, presented_for, origin, now)
    }

    /// Judges a key that was presented before, without its secret, and acts again. The key is accepted for no longer than
    /// that secret is live.
    ///
    /// # Errors
    /// [`AuthenticationError`].
    pub async fn authenticate_again(
        &self,
        id: &KeyId,
        secret: SecretId,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let cached = self.key(id).await?.ok_or_else(|| self.unknown())?;
        let presented = cached.secrets.iter().find(|cached| cached.id == secret && cached.is_live(now));
        let credential_expires_at = presented.ok_or_else(|| self.unknown())?.expires_at;
        let authenticated = Authenticated { cached, by: secret.into(), credential_expires_at };
        self.admit(authenticated, PresentedFor::Acting, origin, now)
    }

    /// Checks whether a key whose credential is right works now, from that address, and for this.
    pub(super) fn admit(
        &self,
        authenticated: Authenticated,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        match authenticated.refused_for(presented_for, origin.address, now) {
            None => Ok(authenticated),
            Some(reason) => {
                self.refuse(&authenticated.cached, reason, origin, now);
                Err(AuthenticationError::of(reason, origin.address))
            }
        }
    }

    /// Counts a refusal of a key, or of a token of that key, and notes it for the audit trail.
    pub(crate) fn refuse(
        &self,
        key: &Arc<CachedKey>,
        reason: RefusalReason,
        origin: Origin<'_>,
        now: Timestamp,
    ) {
        self.usage.count(key, None, UseKind::Refused(reason), now);
        self.usage.refusals.refused(&key.key, reason, origin, now);
    }

    /// Finds the key whose secret the caller presents. Counts a wrong secret against the caller's client id and
    /// address.
    async fn recognize(
        self: &Arc<Self>,
        presented: Presented<'_>,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        // Malformed input never counts as a guess, and costs neither a query nor a slow hash.
        let Some(claimed) = presented.claimed_id() else { return Err(self.unknown()) };
        self.require_patience(&claimed, caller, now)?;
        let recognized = self.open(presented, now).await;
        if matches!(recognized, Err(AuthenticationError::Unknown)) {
            self.throttle.failed(&claimed, caller.known(), now);
        }
        recognized
    }

    /// Refuses a client that has to wait after too many wrong credentials from this address.
    pub(super) fn require_patience(
        &self,
        claimed: &str,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Result<(), AuthenticationError> {
        let Some(seconds) = self.throttle.wait(claimed, caller.known(), now) else { return Ok(()) };
        self.events.refusal("throttled");
        Err(AuthenticationError::Throttled(seconds))
    }

    /// Judges the secret of a presented key, and ignores the key's state and the caller's address. Introspection needs
    /// this: its caller is not the key's holder, and is already authenticated. [`Authenticated::useless_for`] says the
    /// rest.
    ///
    /// # Errors
    /// [`AuthenticationError`], but never one about the state, the address or the number of wrong secrets.
    pub async fn open(
        self: &Arc<Self>,
        presented: Presented<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let key = self.master_keys.parse(presented.key).map_err(|_| self.unknown())?;
        if presented.client_id.is_some_and(|claimed| claimed.parse() != Ok(key.id())) {
            return Err(self.unknown());
        }
        let cached = self.key(&key.id()).await?.ok_or_else(|| self.unknown())?;
        let recognized = self.secrets.recognize(&cached.key, &cached.secrets, key.secret(), now).await;
        let Some(found) = recognized.inspect_err(|Busy| self.events.refusal("busy"))? else {
            self.usage.count(&cached, None, UseKind::Refused(RefusalReason::Secret), now);
            return Err(AuthenticationError::Unknown);
        };
        if found.outdated {
            self.hash_anew(&key, found.secret);
        }
        let (by, credential_expires_at) = (found.secret.id.into(), found.secret.expires_at);
        Ok(Authenticated { cached, by, credential_expires_at })
    }

    /// Loads the key with this id, from memory as long as memory may be relied on.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] and [`AuthenticationError::Stale`].
    pub async fn key(&self, id: &KeyId) -> Result<Option<Arc<CachedKey>>, AuthenticationError> {
        if !self.freshness.holds() {
            self.events.refusal("stale");
            return Err(AuthenticationError::Stale(self.freshness.age().as_secs()));
        }
        Ok(self.keys.find(id, &self.store).await.inspect_err(|_| self.events.refusal("store"))?)
    }

    /// Loads the key that a client claims to be, and has not proven anything about. A key in memory costs nothing more.
    ///
    /// # Errors
    /// [`AuthenticationError::Busy`] when too many such keys are looked up already; those of [`Authenticator::key`].
    pub(super) async fn unproven_key(
        &self,
        id: &KeyId,
    ) -> Result<Option<Arc<CachedKey>>, AuthenticationError> {
        if self.keys.cached(id).is_some() {
            return self.key(id).await;
        }
        let permit = tokio::time::timeout(LOOKUP_WITHIN, self.unproven_lookups.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            self.events.refusal("busy");
            return Err(Busy.into());
        };
        self.key(id).await
    }

    /// The error for a presented key that is not one of ours, which is counted.
    pub(super) fn unknown(&self) -> AuthenticationError {
        self.events.refusal("unknown");
        AuthenticationError::Unknown
    }

    /// Counts one use of an authenticated key.
    pub fn count(&self, by: &Authenticated, kind: UseKind, now: Timestamp) {
        self.usage.count(&by.cached, Some(by.by), kind, now);
    }

    /// Counts one use of an authenticated key by its client, which calls from `address`.
    pub fn count_from(&self, by: &Authenticated, kind: UseKind, address: CallerAddress, now: Timestamp) {
        self.usage.note_address(&by.cached, address, now);
        self.count(by, kind, now);
    }

    /// Replaces a hash of another cost in the background, so that no request waits for it. If that fails, or too many
    /// others wait, the old hash stays, and the next process that sees the secret tries again.
    fn hash_anew(self: &Arc<Self>, key: &PlainKey, cached: &CachedSecret) {
        let Ok(place) = Arc::clone(&self.rehashing).try_acquire_owned() else { return };
        let (authenticator, id, old) = (Arc::clone(self), cached.id, cached.hash().to_owned());
        let plain = zeroize::Zeroizing::new(key.secret().to_owned());
        tokio::spawn(async move {
            let _place = place;
            match authenticator.secrets.hash(&plain, &Principal::default(), &authenticator.entropy).await {
                Ok(new) => match authenticator.store.replace_hash(id, &old, &new).await {
                    Ok(true) => tracing::info!(secret = %id, "rehashed a secret at the configured cost"),
                    Ok(false) => {
                        tracing::debug!(secret = %id, "a secret was replaced or retired before it was rehashed");
                    }
                    Err(error) => tracing::warn!(secret = %id, %error, "a secret could not be rehashed"),
                },
                Err(error) => tracing::warn!(secret = %id, %error, "a secret could not be rehashed"),
            }
        });
    }
}

impl<'a> Presented<'a> {
    /// The id under which wrong secrets are counted, if the presented key claims one.
    fn claimed_id(&self) -> Option<Cow<'a, str>> {
        match self.client_id {
            Some(id) => Some(id.into()),
            None => api_key::claimed_id(self.key).map(|id| id.to_string().into()),
        }
    }
}

impl Authenticated {
    /// The id of the secret that was presented; `None` if it was another kind of credential.
    pub fn secret(&self) -> Option<SecretId> {
        match self.by {
            CredentialId::Secret(id) => Some(id),
            CredentialId::PublicKey(_) | CredentialId::TrustRule(_) => None,
        }
    }

    /// Why the key does not work at `now` for this, from whatever address. `None` if it works.
    pub fn useless_for(&self, presented_for: PresentedFor, now: Timestamp) -> Option<RefusalReason> {
        self.ended(now).or(self.unfit_for(presented_for))
    }

    fn refused_for(
        &self,
        presented_for: PresentedFor,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Option<RefusalReason> {
        let is_admitted = self.cached.key.cidrs.admits(caller.known());
        let elsewhere = (!is_admitted).then_some(RefusalReason::Address);
        self.ended(now).or(elsewhere).or(self.unfit_for(presented_for))
    }

    fn ended(&self, now: Timestamp) -> Option<RefusalReason> {
        match self.cached.key.status(now) {
            KeyStatus::Revoked => Some(RefusalReason::Revoked),
            KeyStatus::Expired => Some(RefusalReason::Expired),
            KeyStatus::Disabled => Some(RefusalReason::Disabled),
            KeyStatus::Active => None,
        }
    }
}
