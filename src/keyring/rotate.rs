//! Putting a new signing key in line: ahead of its use, by hand or on a schedule, or at once when the old
//! one can't be trusted any more.

use zeroize::Zeroizing;

use super::{Keyring, seal};
use crate::audit::{Actor, Who};
use crate::clock::Timestamp;
use crate::entropy::{Entropy, EntropyError};
use crate::jwk::{Algorithm, KeyFault, Pkcs8, SigningKey};
use crate::pem::PemFault;
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
    /// Made here.
    Generate(Algorithm),
    /// A PEM file of the operator's, as it was read at the start.
    Pem(Zeroizing<String>),
}

/// Why there is no new key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// One is waiting for its time already.
    #[error("a next signing key is published already; it takes over by itself")]
    NextIsWaiting,
    /// The key to withdraw is not there, or was withdrawn before.
    #[error("there is no such signing key in use")]
    NoSuchKey,
    /// The operator's file holds the key that is in use.
    #[error(
        "the configured signing key file holds a key that was used already; put a new key in it and restart"
    )]
    SameKey,
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
}

impl SigningKeySource {
    /// A key from here.
    ///
    /// # Errors
    /// When none can be made, or the file does not hold one.
    pub fn key(&self) -> Result<(SigningKey, Pkcs8), RotateError> {
        match self {
            Self::Generate(algorithm) => Ok(SigningKey::generate(*algorithm)?),
            Self::Pem(text) => Ok(crate::pem::import(text)?),
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
    /// Publishes a next key, to sign after the lead.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn ahead(&self, actor: &Actor) -> Result<(), RotateError> {
        self.add(Succession::Next, self.policy.lead, actor).await
    }

    /// Withdraws a key at once; a new one signs at once.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn instead_of(&self, compromised: &str, actor: &Actor) -> Result<(), RotateError> {
        self.add(Succession::InsteadOf(compromised.to_owned()), 0, actor).await
    }

    /// What the schedule does when it looks: publishes a next key in time for it to take over when the
    /// active one's time is up. `false` when nothing was due.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn if_due(&self) -> Result<bool, RotateError> {
        let ring = self.keyring.ring();
        let Some(active) = ring.signing(self.now) else { return Ok(false) };
        let due = active.activates_at.plus(self.policy.every - self.policy.lead);
        if self.now < due || ring.next(self.now).is_some() {
            return Ok(false);
        }
        self.scheduled(active.activates_at).await
    }

    /// What a start does: publishes a next key when the settings ask for another algorithm, or name a file
    /// with a key that was never used. `false` when the keys fit the settings.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn if_settings_changed(&self) -> Result<bool, RotateError> {
        let ring = self.keyring.ring();
        let Some(newest) = ring.next(self.now).or_else(|| ring.signing(self.now)) else { return Ok(false) };
        let fits = match &self.policy.source {
            SigningKeySource::Generate(algorithm) => newest.public_jwk().algorithm() == *algorithm,
            SigningKeySource::Pem(_) => {
                let (key, _) = self.policy.source.key()?;
                ring.keys().iter().any(|held| held.kid() == key.kid())
            }
        };
        if fits {
            return Ok(false);
        }
        self.scheduled(self.now).await
    }

    /// Adds a key unless one activated after `than`: another node, on the same schedule, was first then, and
    /// its key arrives with its change.
    async fn scheduled(&self, than: Timestamp) -> Result<bool, RotateError> {
        let actor = Actor::server(Who::Schedule);
        match self.add(Succession::NextIfOlder(than), self.policy.lead, &actor).await {
            Err(RotateError::NextIsWaiting) => Ok(false),
            added => added.map(|()| true),
        }
    }

    async fn add(&self, succession: Succession, lead: i64, actor: &Actor) -> Result<(), RotateError> {
        let (key, pkcs8) = self.policy.source.key()?;
        if self.keyring.ring().keys().iter().any(|held| held.kid() == key.kid()) {
            return Err(RotateError::SameKey);
        }
        let activates_at = self.now.plus(lead);
        let sealed = seal(&key, &pkcs8, &self.keyring.sealing, self.entropy, self.now, activates_at)?;
        if self.store.add_signing_key(&sealed, &succession, self.now, actor).await? {
            return Ok(());
        }
        Err(match succession {
            Succession::InsteadOf(_) => RotateError::NoSuchKey,
            Succession::Next | Succession::NextIfOlder(_) => RotateError::NextIsWaiting,
        })
    }
}
