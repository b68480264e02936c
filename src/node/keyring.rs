//! The signing keys in memory, and which of them signs, is published or verifies at a given moment.
//!
//! A key's whole life follows from its own activation and the next key's. The key is published from its creation, signs
//! from its activation until its successor's, and stays published until the last token that it signed has expired.
//! Nothing has to happen at any of those moments, so no node can miss one. `ring.rs` has the rules as a table.

mod reconcile;
mod ring;
mod rotate;

use std::sync::Arc;

pub use reconcile::Reconciled;
pub use ring::{Ring, RingKey, SigningKeyStatus};
pub use rotate::{RotateError, Rotation, RotationPolicy, SigningKeySource};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::MasterKeys;

use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::lock::RwLock;
use crate::base::master_key::{DerivedKeys, SealError, place_of_signing_key};
use crate::jose::foreign::{Disagreement, second_opinion};
use crate::jose::jwk::{Algorithm, KeyFault, Pkcs8, PublicJwk, SigningKey};
use crate::store::{ChangeReader, SealedSigningKey, Store, StoreError};

/// The signing keys, and the master keys that open them.
#[derive(Debug)]
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// Held from the query to the store until its answer is applied. Otherwise the older of two concurrent answers
    /// could arrive last and stay, with a key that has been withdrawn since.
    reloading: Mutex<()>,
    pub(super) master_keys: Arc<MasterKeys>,
}

/// Why the signing keys can't be loaded from the store.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This master key does not open a private key.
    #[error("signing key {kid}: {source}")]
    Sealed {
        /// The signing key.
        kid: String,
        /// The reason.
        source: SealError,
    },
    /// An opened private key does not match its row.
    #[error("signing key {0} does not match its record in the store")]
    Corrupt(String),
    /// A verifier that is not ours refuses what this key signs.
    #[error("signing key {kid} {source}")]
    Disagreement {
        /// The signing key.
        kid: String,
        /// The reason.
        source: Disagreement,
    },
    /// The store has no signing key.
    #[error("the store holds no signing key")]
    Empty,
    /// The system has no randomness to seal a key.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl Keyring {
    /// Opens all signing keys of the store.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn load(reader: &mut ChangeReader, master_keys: Arc<MasterKeys>) -> Result<Self, KeyringError> {
        let ring = open_all(&reader.signing_keys().await?, &master_keys)?;
        // A store whose keys are all over is accepted: the schedule makes a new key.
        if ring.keys().is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { ring: RwLock::new(Arc::new(ring)), reloading: Mutex::new(()), master_keys })
    }

    /// Applies what the store holds now.
    ///
    /// # Errors
    /// [`KeyringError`]. The keys in memory then stay as they were.
    pub async fn reload(&self, store: &Store) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.replace(&store.signing_keys().await?)
    }

    /// The same as [`Keyring::reload`], over the connection that reads changes.
    ///
    /// # Errors
    /// [`KeyringError`]. The keys in memory then stay as they were.
    pub async fn reload_from(&self, reader: &mut ChangeReader) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.replace(&reader.signing_keys().await?)
    }

    fn replace(&self, stored: &[SealedSigningKey]) -> Result<(), KeyringError> {
        let ring = Arc::new(open_all(stored, &self.master_keys)?);
        *self.ring.write() = ring;
        Ok(())
    }

    /// The signing keys as they are now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }
}

/// Seals the private part of a new signing key under this master key.
///
/// # Errors
/// When the system has no randomness.
pub fn seal(
    key: &SigningKey,
    pkcs8: &Pkcs8,
    under: &DerivedKeys,
    entropy: &Entropy,
    created_at: Timestamp,
    activates_at: Timestamp,
) -> Result<SealedSigningKey, EntropyError> {
    let place = place_of_signing_key(key.algorithm().as_str(), key.kid());
    Ok(SealedSigningKey {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().to_string(),
        public_jwk: serde_json::to_string(key.public_jwk()).unwrap_or_default(),
        sealed_private: under.signing_keys.seal(pkcs8.as_bytes(), &place, entropy)?,
        sealed_by: Some(under.check),
        created_at,
        activates_at,
        withdrawn_at: None,
    })
}

/// Seals the private part of a stored signing key again, under the master key that takes over.
///
/// # Errors
/// [`KeyringError`] when `master_keys` do not open it, or when the system has no randomness.
pub fn seal_again(
    row: &SealedSigningKey,
    master_keys: &MasterKeys,
    under: &DerivedKeys,
    entropy: &Entropy,
) -> Result<Vec<u8>, KeyringError> {
    let algorithm: Algorithm = row.algorithm.parse().map_err(|_| KeyringError::Corrupt(row.kid.clone()))?;
    let private = open_private(row, algorithm, master_keys)?;
    let place = place_of_signing_key(&row.algorithm, &row.kid);
    Ok(under.signing_keys.seal(&private, &place, entropy)?)
}

fn open_all(stored: &[SealedSigningKey], master_keys: &MasterKeys) -> Result<Ring, KeyringError> {
    Ok(Ring::new(stored.iter().map(|row| open(row, master_keys)).collect::<Result<_, _>>()?))
}

fn open_private(
    row: &SealedSigningKey,
    algorithm: Algorithm,
    master_keys: &MasterKeys,
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    master_keys
        .open_signing_key(&row.sealed_private, &place_of_signing_key(algorithm.as_str(), &row.kid))
        .map_err(|source| KeyringError::Sealed { kid: row.kid.clone(), source })
}

fn open(row: &SealedSigningKey, master_keys: &MasterKeys) -> Result<RingKey, KeyringError> {
    let corrupt = || KeyringError::Corrupt(row.kid.clone());
    let algorithm: Algorithm = row.algorithm.parse().map_err(|_| corrupt())?;
    let private = open_private(row, algorithm, master_keys)?;
    let key = SigningKey::from_pkcs8(algorithm, &private).map_err(|_: KeyFault| corrupt())?;
    let published = PublicJwk::parse(row.public_jwk.as_bytes()).map_err(|_| corrupt())?;
    if key.kid() != row.kid || published.kid() != row.kid {
        return Err(corrupt());
    }
    if row.withdrawn_at.is_none() {
        second_opinion(&key).map_err(|source| KeyringError::Disagreement { kid: row.kid.clone(), source })?;
    }
    Ok(RingKey::new(key, row.created_at, row.activates_at, row.withdrawn_at))
}
