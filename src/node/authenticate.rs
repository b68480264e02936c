//! Whose key is this? The one path by which every presented API key is judged, at every endpoint.

use std::borrow::Cow;
use std::sync::Arc;

use super::secrets::{Busy, CachedSecret};
use super::{
    CachedKey, Cause, Freshness, KeyCache, LogSampler, Revocations, SecretKeeper, Signer, Throttle,
    UseLedger, VerifiedTokens,
};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::api_key::{self, KeyId, PlainKey, Tagger};
use crate::domain::key::{KeyStatus, SecretId};
use crate::domain::principal::Principal;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::usage::UseKind;
use crate::store::{Store, StoreError};

/// A key as a client presents it.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The client id beside it, where the protocol has one.
    pub client_id: Option<&'a str>,
    /// What should be the whole API key.
    pub key: &'a str,
}

/// A key whose secret is right, that works now, from here.
#[derive(Debug)]
pub struct Authenticated {
    /// The key.
    pub cached: Arc<CachedKey>,
    /// The secret that was presented.
    pub secret: SecretId,
    /// When that secret ends.
    pub secret_expires_at: Option<Timestamp>,
}

/// Why a presented key is not accepted. What a client learns of it is each endpoint's affair; that an
/// unknown id, a bad tag and a wrong secret are one and the same is settled here.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Not one of our keys, or not its secret.
    #[error("unknown key or wrong secret")]
    Unknown,
    /// Too many wrong secrets for this client from this address.
    #[error("too many wrong secrets; wait {0} s")]
    Throttled(i64),
    /// The secret is right; the key was revoked.
    #[error("the key is revoked")]
    Revoked,
    /// The secret is right; the key has expired.
    #[error("the key has expired")]
    Expired,
    /// The secret is right; the key is disabled.
    #[error("the key is disabled")]
    Disabled,
    /// The secret is right; the key may not be used from here.
    #[error("the key is not allowed from address {0}")]
    Address(CallerAddress),
    /// The key is not in memory and the store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has not been heard from for too long to rely on memory.
    #[error("the store was last confirmed {0} s ago")]
    Stale(u64),
    /// No turn at the slow hash in time.
    #[error(transparent)]
    Busy(#[from] Busy),
}

/// Judges who may come in: by an API key, or by a token of ours.
#[derive(Debug)]
pub struct Authenticator {
    /// API keys in memory.
    pub keys: Arc<KeyCache>,
    /// Verifies and hashes their secrets.
    pub secrets: Arc<SecretKeeper>,
    /// Recognizes the API keys that were issued here.
    pub tagger: Tagger,
    /// Slows guessers down.
    pub throttle: Throttle,
    /// Tokens whose signature need not be verified again.
    pub verified_tokens: VerifiedTokens,
    /// Thins out the log lines that anybody can cause.
    pub log_sampler: LogSampler,
    /// Whose tokens are ours.
    pub signer: Arc<Signer>,
    /// Which of them are revoked.
    pub revocations: Arc<Revocations>,
    /// Counts use and refusals.
    pub usage: Arc<UseLedger>,
    /// How far memory may be relied on.
    pub(super) freshness: Arc<Freshness>,
    /// Where keys are that are not in memory.
    pub(super) store: Store,
    pub(super) entropy: Entropy,
}

impl Authenticator {
    /// Judges a presented key. The order is part of the contract: tag, record, secret, state, address.
    ///
    /// # Errors
    /// [`AuthenticationError`].
    pub async fn authenticate(
        self: &Arc<Self>,
        presented: Presented<'_>,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let judged = self.judge(presented, origin, now).await;
        if let Err(refusal) = &judged
            && refusal.anonymous().is_none_or(|cause| self.log_sampler.admits(cause))
        {
            // An id that is none could be a secret in the wrong place.
            let claimed = presented.claimed_id().and_then(|claimed| claimed.parse::<KeyId>().ok());
            let key = claimed.map(|id| id.to_string()).unwrap_or_default();
            tracing::info!(key, address = %origin.address, %refusal, "a key was not accepted");
        }
        judged
    }

    async fn judge(
        self: &Arc<Self>,
        presented: Presented<'_>,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let authenticated = self.recognize(presented, origin.address, now).await?;
        self.admit(authenticated, origin, now)
    }

    /// Judges a key that was presented before, without its secret. It is good for no longer than that secret.
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
        let cached = self.key(id).await?.ok_or(AuthenticationError::Unknown)?;
        let presented = cached.secrets.iter().find(|cached| cached.id == secret && cached.is_live(now));
        let secret_expires_at = presented.ok_or(AuthenticationError::Unknown)?.expires_at;
        self.admit(Authenticated { cached, secret, secret_expires_at }, origin, now)
    }

    /// Whether a key whose secret is right works now, from there.
    fn admit(
        &self,
        authenticated: Authenticated,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        match authenticated.refused_for(origin.address, now) {
            None => Ok(authenticated),
            Some(reason) => {
                self.refuse(&authenticated.cached, reason, origin, now);
                Err(AuthenticationError::of(reason, origin.address))
            }
        }
    }

    /// Counts that a key, or a token of it, was refused to whoever came with it, and notes it for the audit
    /// trail.
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

    /// Finds the key that somebody from `caller` holds the secret of, and counts it where there is none.
    async fn recognize(
        self: &Arc<Self>,
        presented: Presented<'_>,
        caller: CallerAddress,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        // What is no key at all guesses at nobody's secret, and costs neither a query nor a slow hash.
        let Some(claimed) = presented.claimed_id() else { return Err(AuthenticationError::Unknown) };
        if let Some(seconds) = self.throttle.wait(&claimed, caller.known(), now) {
            return Err(AuthenticationError::Throttled(seconds));
        }
        let recognized = self.open(presented, now).await;
        if matches!(recognized, Err(AuthenticationError::Unknown)) {
            self.throttle.failed(&claimed, caller.known(), now);
        }
        recognized
    }

    /// Judges a presented key without regard to where it stands and who presents it: for introspection, where
    /// that is not its holder but somebody who was authenticated already.
    ///
    /// # Errors
    /// [`AuthenticationError`], but never for the state, the address or the number of wrong secrets.
    pub async fn open(
        self: &Arc<Self>,
        presented: Presented<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let key = PlainKey::parse(presented.key, &self.tagger).map_err(|_| AuthenticationError::Unknown)?;
        if presented.client_id.is_some_and(|claimed| claimed.parse() != Ok(key.id())) {
            return Err(AuthenticationError::Unknown);
        }
        let cached = self.key(&key.id()).await?.ok_or(AuthenticationError::Unknown)?;
        let Some(found) = self.secrets.recognize(&cached.key, &cached.secrets, key.secret(), now).await?
        else {
            self.usage.count(&cached, None, UseKind::Refused(RefusalReason::Secret), now);
            return Err(AuthenticationError::Unknown);
        };
        if found.outdated {
            self.hash_anew(&key, found.secret);
        }
        let (secret, secret_expires_at) = (found.secret.id, found.secret.expires_at);
        Ok(Authenticated { cached, secret, secret_expires_at })
    }

    /// The key of this id, from memory as long as memory may be relied on.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] and [`AuthenticationError::Stale`].
    pub async fn key(&self, id: &KeyId) -> Result<Option<Arc<CachedKey>>, AuthenticationError> {
        if !self.freshness.holds() {
            return Err(AuthenticationError::Stale(self.freshness.age().as_secs()));
        }
        Ok(self.keys.find(id, &self.store).await?)
    }

    /// Counts one use of an authenticated key.
    pub fn count(&self, by: &Authenticated, kind: UseKind, now: Timestamp) {
        self.count_use(&by.cached, Some(by.secret), kind, now);
    }

    /// Counts one use of a key, by this secret of it or by a token.
    pub fn count_use(&self, key: &Arc<CachedKey>, secret: Option<SecretId>, kind: UseKind, now: Timestamp) {
        let secret = secret.and_then(|id| key.secrets.iter().find(|cached| cached.id == id));
        self.usage.count(key, secret, kind, now);
    }

    /// Replaces a hash that was made at another cost, behind the request's back: nobody waits for it, and
    /// if it fails the next process to see the secret tries again.
    fn hash_anew(self: &Arc<Self>, key: &PlainKey, cached: &CachedSecret) {
        let (authenticator, id, old) = (Arc::clone(self), cached.id, cached.hash().to_owned());
        let plain = zeroize::Zeroizing::new(key.secret().to_owned());
        tokio::spawn(async move {
            match authenticator.secrets.hash(&plain, &Principal::default(), &authenticator.entropy).await {
                Ok(new) => match authenticator.store.replace_hash(id, &old, &new).await {
                    Ok(()) => tracing::info!(secret = %id, "hashed anew at the configured cost"),
                    Err(error) => tracing::warn!(secret = %id, %error, "a secret was not hashed anew"),
                },
                Err(error) => tracing::warn!(secret = %id, %error, "a secret was not hashed anew"),
            }
        });
    }
}

impl<'a> Presented<'a> {
    /// The id under which wrong secrets are counted, if it claims one.
    fn claimed_id(&self) -> Option<Cow<'a, str>> {
        match self.client_id {
            Some(id) => Some(id.into()),
            None => api_key::claimed_id(self.key).map(|id| id.to_string().into()),
        }
    }
}

impl Authenticated {
    /// Why the key is not good at `now` from anywhere, if it is not.
    pub fn ended(&self, now: Timestamp) -> Option<RefusalReason> {
        match self.cached.key.status(now) {
            KeyStatus::Revoked => Some(RefusalReason::Revoked),
            KeyStatus::Expired => Some(RefusalReason::Expired),
            KeyStatus::Disabled => Some(RefusalReason::Disabled),
            KeyStatus::Active => None,
        }
    }

    fn refused_for(&self, caller: CallerAddress, now: Timestamp) -> Option<RefusalReason> {
        let is_admitted = self.cached.key.cidrs.admits(caller.known());
        self.ended(now).or((!is_admitted).then_some(RefusalReason::Address))
    }
}

impl AuthenticationError {
    /// What the log counts it under, if it says nothing of who presented the key: then anybody can cause it, as often
    /// as they like.
    fn anonymous(&self) -> Option<Cause> {
        let code = match self {
            Self::Revoked | Self::Expired | Self::Disabled | Self::Address(_) => return None,
            Self::Unknown => "unknown",
            Self::Throttled(_) => "throttled",
            Self::Store(_) | Self::Stale(_) => "store",
            Self::Busy(_) => "busy",
        };
        Some(Cause { what: "a key was not accepted", code, warns: false })
    }

    fn of(reason: RefusalReason, caller: CallerAddress) -> Self {
        match reason {
            RefusalReason::Revoked => Self::Revoked,
            RefusalReason::Expired => Self::Expired,
            RefusalReason::Disabled => Self::Disabled,
            RefusalReason::Address => Self::Address(caller),
            RefusalReason::Secret => Self::Unknown,
        }
    }
}
