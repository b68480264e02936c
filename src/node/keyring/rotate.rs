//! Putting a new signing key in line: ahead of its use, by hand or on a schedule, or at once when the old
//! one can't be trusted any more.

use zeroize::Zeroizing;

use super::ring::RingKey;
use super::{Keyring, KeyringError, seal};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::audit::{Actor, Who};
use crate::jose::jwk::{Algorithm, KeyFault, Pkcs8, SigningKey};
use crate::jose::pem::PemFault;
use crate::store::{Store, StoreError, Succession};

/// When keys are rotated, and where new ones come from.
#[derive(Clone, Debug)]
pub struct RotationPolicy {
    /// How long a key signs, in seconds.
    pub every: i64,
    /// How long a key is published before it signs, in seconds: longer than any verifier caches a JWKS.
    pub lead: i64,
    /// Where new keys come from.
    pub source: SigningKeySource,
}

/// Where new signing keys come from.
#[derive(Clone, Debug)]
pub enum SigningKeySource {
    /// The settings say nothing: made here, for the algorithm of the key that it follows; the first one for ES256.
    Unset,
    /// Made here.
    Generate(Algorithm),
    /// A PEM file of the operator's, as it was read at the start.
    Pem(Zeroizing<String>),
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// One is waiting for its time already.
    #[error("a next signing key is already published; it takes over automatically")]
    NextIsWaiting,
    /// The key to withdraw is not there, or was withdrawn before.
    #[error("no such signing key is in use")]
    NoSuchKey,
    /// The operator's file holds the key that is in use.
    #[error(
        "the configured signing key file contains a key that was already used; put a new key into it and restart"
    )]
    SameKey,
    /// The active key was imported, and the settings do not say what follows it.
    #[error(
        "the active signing key is for {0}, which is not made here: set CLAVIGER_SIGNING_KEY_FILE to a new key, or \
         CLAVIGER_SIGNING_ALGORITHM"
    )]
    NotMadeHere(Algorithm),
    /// The configured file is not a signing key.
    #[error("the configured signing key file: {0}")]
    Pem(#[from] PemFault),
    /// A key could not be made.
    #[error("a signing key could not be made: {0}")]
    Key(#[from] KeyFault),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is in the store cannot be taken in.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

impl SigningKeySource {
    /// A key from here, to follow one of the algorithm `after`, where there is one.
    ///
    /// # Errors
    /// When none can be made, or the file does not hold one.
    pub fn key(&self, after: Option<Algorithm>) -> Result<(SigningKey, Pkcs8), RotateError> {
        match self {
            Self::Unset => match after.unwrap_or(Algorithm::Es256) {
                Algorithm::Rs256 => Err(RotateError::NotMadeHere(Algorithm::Rs256)),
                algorithm => Ok(SigningKey::generate(algorithm)?),
            },
            Self::Generate(algorithm) => Ok(SigningKey::generate(*algorithm)?),
            Self::Pem(text) => Ok(crate::jose::pem::import(text)?),
        }
    }
}

/// All that a rotation needs, whoever asks for it.
#[derive(Debug)]
pub struct Rotation<'a> {
    /// The signing keys as they are.
    pub keyring: &'a Keyring,
    /// Where the new one is kept.
    pub store: &'a Store,
    /// When, and from where.
    pub policy: &'a RotationPolicy,
    /// For sealing.
    pub entropy: &'a Entropy,
    /// The time.
    pub now: Timestamp,
}

impl Rotation<'_> {
    /// Publishes a next key, to sign after the lead. A waiting key that a clock ahead has dated becomes that key.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn ahead(&self, actor: &Actor) -> Result<(), RotateError> {
        self.correct_dates(actor).await?;
        let ring = self.keyring.ring();
        if let Some(next) = ring.next(self.now).filter(|next| next.is_from_the_future(self.now)) {
            return self.reschedule(next, self.now.plus(self.policy.lead), actor).await;
        }
        self.add(Succession::Next, self.policy.lead, actor).await
    }

    /// Withdraws a key at once. When it is the one that signs, a new one signs at once; withdrawing any other changes
    /// nothing about who signs.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn withdraw(&self, compromised: &str, actor: &Actor) -> Result<(), RotateError> {
        // Another node may have replaced keys a moment ago.
        self.keyring.reload(self.store).await?;
        if self.keyring.ring().signs(compromised, self.now) {
            return self.add(Succession::InsteadOf(compromised.to_owned()), 0, actor).await;
        }
        let is_withdrawn = self.store.withdraw_signing_key(compromised, self.now, actor).await?;
        is_withdrawn.then_some(()).ok_or(RotateError::NoSuchKey)
    }

    /// What the schedule does when it looks: publishes a next key in time for it to take over when the
    /// active one's time is up. `false` when nothing was due.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn if_due(&self) -> Result<bool, RotateError> {
        let actor = Actor::server(Who::Schedule);
        if self.correct_dates(&actor).await? {
            return Ok(true);
        }
        let ring = self.keyring.ring();
        // With nothing to sign with, the new key signs at once.
        let Some(active) = ring.signing(self.now) else { return self.scheduled(self.now).await };
        if self.now < active.activates_at.plus(self.policy.every - self.policy.lead) {
            return Ok(false);
        }
        match ring.next(self.now) {
            None => self.scheduled(active.activates_at).await,
            Some(next) if next.is_from_the_future(self.now) => {
                self.reschedule(next, self.now.plus(self.policy.lead), &actor).await?;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    /// When the key that signs is not active yet, by more than nodes may differ, a clock that was ahead has dated it:
    /// it is active from now on, so that the next rotation comes in time. `false` when the dates are right.
    async fn correct_dates(&self, actor: &Actor) -> Result<bool, RotateError> {
        let ring = self.keyring.ring();
        let Some(early) = ring.signing(self.now).filter(|key| !key.is_about_to_sign(self.now)) else {
            return Ok(false);
        };
        tracing::warn!(
            kid = early.kid(),
            activates_at = %early.activates_at.rfc3339(),
            "no signing key is active yet by this clock; the earliest next key signs from now on"
        );
        self.reschedule(early, self.now, actor).await?;
        Ok(true)
    }

    /// Another node may have been faster, or have seen other dates: then there is nothing to do.
    async fn reschedule(&self, key: &RingKey, to: Timestamp, actor: &Actor) -> Result<(), RotateError> {
        self.store.reschedule_signing_key(key.kid(), key.activates_at, to, self.now, actor).await?;
        Ok(self.keyring.reload(self.store).await?)
    }

    /// Adds a key unless one activated after `than`: another node, on the same schedule, was first then, and
    /// its key arrives with its change.
    pub(super) async fn scheduled(&self, than: Timestamp) -> Result<bool, RotateError> {
        let actor = Actor::server(Who::Schedule);
        match self.add(Succession::NextIfOlder(than), self.policy.lead, &actor).await {
            Err(RotateError::NextIsWaiting) => Ok(false),
            added => added.map(|()| true),
        }
    }

    pub(super) async fn add(
        &self,
        succession: Succession,
        lead: i64,
        actor: &Actor,
    ) -> Result<(), RotateError> {
        let ring = self.keyring.ring();
        let newest = ring.signing(self.now).or(ring.keys().last());
        let (key, pkcs8) = self.policy.source.key(newest.map(|key| key.public_jwk().algorithm()))?;
        if ring.key(key.kid()).is_some() {
            return Err(RotateError::SameKey);
        }
        let activates_at = self.now.plus(lead);
        let sealed = seal(&key, &pkcs8, &self.keyring.sealing, self.entropy, self.now, activates_at)?;
        if self.store.add_signing_key(&sealed, &succession, self.now, actor).await? {
            return Ok(());
        }
        Err(match succession {
            Succession::InsteadOf(_) | Succession::InPlaceOf(..) => RotateError::NoSuchKey,
            Succession::Next | Succession::NextIfOlder(_) => RotateError::NextIsWaiting,
        })
    }
}
