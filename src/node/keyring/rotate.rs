//! Adds signing keys: ahead of their use, by hand or on a schedule, or at once when the active one is compromised.

use zeroize::Zeroizing;

use super::ring::RingKey;
use super::{Keyring, KeyringError, seal};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::master_key::DerivedKeys;
use crate::domain::audit::{Actor, Who};
use crate::jose::foreign::{Disagreement, second_opinion};
use crate::jose::jwk::{Algorithm, KeyFault, Pkcs8, SigningKey};
use crate::jose::pem::PemFault;
use crate::store::{SealedSigningKey, Store, StoreError, Succession};

/// When signing keys rotate, and where new ones come from.
#[derive(Clone, Debug)]
pub struct RotationPolicy {
    /// How long a key signs, in seconds.
    pub every: i64,
    /// How long a key is published before it signs, in seconds. This is longer than any verifier caches a JWKS.
    pub lead: i64,
    /// The origin of new keys.
    pub source: SigningKeySource,
}

/// The origin of new signing keys.
#[derive(Clone, Debug)]
pub enum SigningKeySource {
    /// The settings name none: the server makes keys for the algorithm of the predecessor, and the first one for ES256.
    Unset,
    /// The server makes keys for this algorithm.
    Generate(Algorithm),
    /// The operator's PEM file, as it was read at startup.
    Pem(Zeroizing<String>),
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// A next key is already waiting.
    #[error("a next signing key is already published; it takes over automatically")]
    NextIsWaiting,
    /// The key to withdraw does not exist, or is already withdrawn.
    #[error("no such signing key is in use")]
    NoSuchKey,
    /// The operator's file holds a key that was already used.
    #[error(
        "the configured signing key file contains a key that was already used; put a new key into it and restart"
    )]
    SameKey,
    /// The active key was imported, and the settings do not name its successor.
    #[error(
        "the active signing key is for {0}, which is not made here: set CLAVIGER_SIGNING_KEY_FILE to a new key, or \
         CLAVIGER_SIGNING_ALGORITHM"
    )]
    NotMadeHere(Algorithm),
    /// The configured file does not contain a signing key.
    #[error("the configured signing key file: {0}")]
    Pem(#[from] PemFault),
    /// The key can't be generated.
    #[error("a signing key could not be made: {0}")]
    Key(#[from] KeyFault),
    /// A verifier that is not ours refuses what the key signs.
    #[error("the new signing key {0}")]
    Disagreement(#[from] Disagreement),
    /// The system has no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys can't be loaded from the store.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
}

impl RotationPolicy {
    /// When the successor of a key with this activation has to be published.
    pub fn successor_due(&self, activates_at: Timestamp) -> Timestamp {
        activates_at.plus(self.every - self.lead)
    }
}

impl SigningKeySource {
    /// A new key from this source, on which there is a second opinion. `after` is the algorithm of the predecessor, if
    /// there is one.
    ///
    /// # Errors
    /// When no key can be generated, or the file does not hold one, or others would refuse what it signs.
    pub fn key(&self, after: Option<Algorithm>) -> Result<(SigningKey, Pkcs8), RotateError> {
        let (key, pkcs8) = match self {
            Self::Unset => match after.unwrap_or(Algorithm::Es256) {
                Algorithm::Rs256 => return Err(RotateError::NotMadeHere(Algorithm::Rs256)),
                algorithm => SigningKey::generate(algorithm)?,
            },
            Self::Generate(algorithm) => SigningKey::generate(*algorithm)?,
            Self::Pem(text) => crate::jose::pem::import(text)?,
        };
        second_opinion(&key)?;
        Ok((key, pkcs8))
    }
}

/// What a rotation needs, whether an operator or the schedule starts it.
#[derive(Debug)]
pub struct Rotation<'a> {
    /// The present signing keys.
    pub keyring: &'a Keyring,
    /// The store that receives the new key.
    pub store: &'a Store,
    /// When keys rotate, and where new ones come from.
    pub policy: &'a RotationPolicy,
    /// Randomness to seal the private key.
    pub entropy: &'a Entropy,
    /// The time of the rotation.
    pub now: Timestamp,
}

impl Rotation<'_> {
    /// Publishes a next key that signs after the lead. If a waiting key was dated by a clock that ran ahead, that key
    /// gets new dates instead.
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

    /// Withdraws a key at once. If it is the key that signs, a new one signs at once. Otherwise, the withdrawal does
    /// not change which key signs.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn withdraw(&self, compromised: &str, actor: &Actor) -> Result<(), RotateError> {
        // Another node may have just replaced keys.
        self.keyring.reload(self.store).await?;
        if self.keyring.ring().signs(compromised, self.now) {
            return self.add(Succession::InsteadOf(compromised.to_owned()), 0, actor).await;
        }
        let is_withdrawn = self.store.withdraw_signing_key(compromised, self.now, actor).await?;
        is_withdrawn.then_some(()).ok_or(RotateError::NoSuchKey)
    }

    /// Runs the schedule: publishes a next key in time to take over when the active one's period ends. `false` when
    /// nothing was due.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn if_due(&self) -> Result<bool, RotateError> {
        let actor = Actor::server(Who::Schedule);
        if self.correct_dates(&actor).await? {
            return Ok(true);
        }
        let ring = self.keyring.ring();
        // If no key signs, the new one signs at once.
        let Some(active) = ring.signing(self.now) else { return self.scheduled(self.now).await };
        if self.now < self.policy.successor_due(active.activates_at) {
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

    /// Corrects the dates if a clock that ran ahead made the keys. If the key that signs is not active yet, by more
    /// than nodes may differ, it becomes active now, so that the next rotation comes in time. `false` when the dates
    /// are right.
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

    /// If another node was faster, or sees other dates, the store changes nothing.
    async fn reschedule(&self, key: &RingKey, to: Timestamp, actor: &Actor) -> Result<(), RotateError> {
        self.store.reschedule_signing_key(key.kid(), key.activates_at, to, self.now, actor).await?;
        Ok(self.keyring.reload(self.store).await?)
    }

    /// Adds a key unless one activated after `than`. In that case another node on the same schedule was first, and its
    /// key arrives as a change.
    pub(super) async fn scheduled(&self, than: Timestamp) -> Result<bool, RotateError> {
        let actor = Actor::server(Who::Schedule);
        match self.add(Succession::NextIfOlder(than), self.policy.lead, &actor).await {
            Err(RotateError::NextIsWaiting) => Ok(false),
            added => added.map(|()| true),
        }
    }

    /// A new key from the configured source, sealed under this master key, which signs after `lead` seconds. It is not
    /// stored yet.
    ///
    /// # Errors
    /// [`RotateError`] when there is no key, or the source has one that was already used.
    pub fn new_key(&self, lead: i64, under: &DerivedKeys) -> Result<SealedSigningKey, RotateError> {
        let ring = self.keyring.ring();
        let newest = ring.signing(self.now).or(ring.keys().last());
        let (key, pkcs8) = self.policy.source.key(newest.map(|key| key.public_jwk().algorithm()))?;
        if ring.key(key.kid()).is_some() {
            return Err(RotateError::SameKey);
        }
        Ok(seal(&key, &pkcs8, under, self.entropy, self.now, self.now.plus(lead))?)
    }

    pub(super) async fn add(
        &self,
        succession: Succession,
        lead: i64,
        actor: &Actor,
    ) -> Result<(), RotateError> {
        let sealed = self.new_key(lead, &self.keyring.master_keys.active())?;
        if self.store.add_signing_key(&sealed, &succession, self.now, actor).await? {
            return Ok(());
        }
        Err(match succession {
            Succession::InsteadOf(_) | Succession::InPlaceOf(..) => RotateError::NoSuchKey,
            Succession::Next | Succession::NextIfOlder(_) => RotateError::NextIsWaiting,
        })
    }
}
