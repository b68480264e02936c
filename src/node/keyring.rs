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

use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::base::lock::RwLock;
use crate::base::master_key::{SealError, SealingKey};
use crate::jose::jwk::{Algorithm, KeyFault, Pkcs8, PublicJwk, SigningKey};
use crate::store::{ChangeReader, SealedSigningKey, Store, StoreError};

/// The signing keys, and the key that seals them in the store.
#[derive(Debug)]
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// Held from the query to the store until its answer is applied. Otherwise the older of two concurrent answers
    /// could arrive last and stay, with a key that has been withdrawn since.
    reloading: Mutex<()>,
    sealing: SealingKey,
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
    /// The store has no signing key.
    #[error("the store holds no signing key")]
    Empty,
}

impl Keyring {
    /// Opens all signing keys of the store.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn load(reader: &mut ChangeReader, sealing: SealingKey) -> Result<Self, KeyringError> {
        let ring = open_all(&reader.signing_keys().await?, &sealing)?;
        // A store whose keys are all over is accepted: the schedule makes a new key.
        if ring.keys().is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { ring: RwLock::new(Arc::new(ring)), reloading: Mutex::new(()), sealing })
    }

    /// Applies what the store holds now.
    ///
    /// # Errors
    /// [`KeyringError`]. The keys in memory then stay as they were.
    pub async fn reload(&self, store: &Store) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.take_in(&store.signing_keys().await?)
    }

    /// The same as [`Keyring::reload`], over the connection that reads changes.
    ///
    /// # Errors
    /// [`KeyringError`]. The keys in memory then stay as they were.
    pub async fn reload_from(&self, reader: &mut ChangeReader) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.take_in(&reader.signing_keys().await?)
    }

    fn take_in(&self, stored: &[SealedSigningKey]) -> Result<(), KeyringError> {
        let ring = Arc::new(open_all(stored, &self.sealing)?);
        *self.ring.write() = ring;
        Ok(())
    }

    /// The signing keys as they are now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }
}

/// Seals the private part of a new signing key for the store.
///
/// # Errors
/// When the system has no randomness.
pub fn seal(
    key: &SigningKey,
    pkcs8: &Pkcs8,
    sealing: &SealingKey,
    entropy: &Entropy,
    created_at: Timestamp,
    activates_at: Timestamp,
) -> Result<SealedSigningKey, EntropyError> {
    let place = place(key.kid(), key.algorithm());
    Ok(SealedSigningKey {
        kid: key.kid().to_owned(),
        algorithm: key.algorithm().to_string(),
        public_jwk: serde_json::to_string(key.public_jwk()).unwrap_or_default(),
        sealed_private: sealing.seal(pkcs8.as_bytes(), &place, entropy)?,
        created_at,
        activates_at,
        withdrawn_at: None,
    })
}

fn open_all(stored: &[SealedSigningKey], sealing: &SealingKey) -> Result<Ring, KeyringError> {
    Ok(Ring::new(stored.iter().map(|row| open(row, sealing)).collect::<Result<_, _>>()?))
}

fn open(row: &SealedSigningKey, sealing: &SealingKey) -> Result<RingKey, KeyringError> {
    let corrupt = || KeyringError::Corrupt(row.kid.clone());
    let algorithm: Algorithm = row.algorithm.parse().map_err(|_| corrupt())?;
    let private = sealing
        .open(&row.sealed_private, &place(&row.kid, algorithm))
        .map_err(|source| KeyringError::Sealed { kid: row.kid.clone(), source })?;
    let key = SigningKey::from_pkcs8(algorithm, &private).map_err(|_: KeyFault| corrupt())?;
    let published = PublicJwk::parse(row.public_jwk.as_bytes()).map_err(|_| corrupt())?;
    if key.kid() != row.kid || published.kid() != row.kid {
        return Err(corrupt());
    }
    Ok(RingKey::new(key, row.created_at, row.activates_at, row.withdrawn_at))
}

/// The context that a sealed private key is bound to. It does not open in another row or for another algorithm.
fn place(kid: &str, algorithm: Algorithm) -> Vec<u8> {
    format!("signing_keys/{algorithm}/{kid}").into_bytes()
}
