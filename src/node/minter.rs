//! Makes the secrets of API keys.

use std::sync::Arc;

use super::{HashError, MasterKeys, SecretKeeper};
use crate::base::clock::Timestamp;
use crate::base::entropy::{Entropy, EntropyError};
use crate::domain::api_key::{Brand, KeyId, PlainKey};
use crate::domain::key::{ApiKey, KeySecret};
use crate::domain::principal::Principal;

/// Makes secrets that this deployment recognizes as its own.
#[derive(Debug)]
pub struct KeyMinter {
    /// The prefix of new keys.
    pub brand: Brand,
    pub(super) master_keys: Arc<MasterKeys>,
    pub(super) secrets: Arc<SecretKeeper>,
    pub(super) entropy: Entropy,
}

impl KeyMinter {
    /// Generates the id of a new key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new_id(&self) -> Result<KeyId, EntropyError> {
        KeyId::generate(&self.entropy)
    }

    /// Generates a secret for a key, in its stored and its shown form.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn secret(&self, key: &ApiKey, now: Timestamp) -> Result<(KeySecret, PlainKey), HashError> {
        let tagger = self.master_keys.tagger();
        let plain = PlainKey::with_id(&key.brand, &key.environment, key.id, &tagger, &self.entropy)?;
        let secret = self.secrets.new_secret(&plain, &Principal::of(key), &self.entropy, now).await?;
        Ok((secret, plain))
    }
}
