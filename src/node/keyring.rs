//! The signing keys in memory, and which of them signs, is published, or verifies at a given moment.
//!
//! A key's whole life follows from when it activates and when the next one does: it is published from the
//! start, signs from its activation on until its successor's, and stays published until the last token that
//! it signed is dead. Nothing has to happen at any of those moments, so no node can miss one. The rules are a table in
//! `ring.rs`.

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

/// The signing keys.
#[derive(Debug)]
pub struct Keyring {
    ring: RwLock<Arc<Ring>>,
    /// Held from the question to the store until its answer is taken in: of two that are under way, the
    /// older one would otherwise stay when it comes in last, with a key in it that has been withdrawn.
    reloading: Mutex<()>,
    sealing: SealingKey,
}

/// Signing keys could not be taken from the store.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A private key does not open under this master key.
    #[error("signing key {kid}: {source}")]
    Sealed {
        /// Which.
        kid: String,
        /// Why.
        source: SealError,
    },
    /// What was opened is not the key that its row says.
    #[error("signing key {0} does not read back as what was stored")]
    Corrupt(String),
    /// There is no key to sign with.
    #[error("the store holds no signing key")]
    Empty,
}

impl Keyring {
    /// Opens all the store's signing keys.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn load(reader: &mut ChangeReader, sealing: SealingKey) -> Result<Self, KeyringError> {
        let ring = open_all(&reader.signing_keys().await?, &sealing)?;
        // Keys that all are over leave the server without a signer until the schedule has made one.
        if ring.keys().is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { ring: RwLock::new(Arc::new(ring)), reloading: Mutex::new(()), sealing })
    }

    /// Takes in what the store holds now.
    ///
    /// # Errors
    /// [`KeyringError`]; the keys in memory are then as they were.
    pub async fn reload(&self, store: &Store) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.take_in(&store.signing_keys().await?)
    }

    /// The same, over the connection that changes are read on.
    ///
    /// # Errors
    /// [`KeyringError`]; the keys in memory are then as they were.
    pub async fn reload_from(&self, reader: &mut ChangeReader) -> Result<(), KeyringError> {
        let _turn = self.reloading.lock().await;
        self.take_in(&reader.signing_keys().await?)
    }

    fn take_in(&self, stored: &[SealedSigningKey]) -> Result<(), KeyringError> {
        let ring = Arc::new(open_all(stored, &self.sealing)?);
        *self.ring.write() = ring;
        Ok(())
    }

    /// The keys as they are now.
    pub fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read())
    }
}

/// A new signing key, its private part sealed for the store.
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

/// What a sealed private key is bound to: another row's, or another algorithm's, does not open.
fn place(kid: &str, algorithm: Algorithm) -> Vec<u8> {
    format!("signing_keys/{algorithm}/{kid}").into_bytes()
}
