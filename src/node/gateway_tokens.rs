//! Tokens that a gateway got in the place of keys, kept to be used again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::SecretId;
use crate::jose::claims::MAX_LIFETIME;

/// For which key, by which secret, at which resource server.
pub type Purpose = (KeyId, SecretId, Box<str>);

/// The tokens that keys were swapped for.
#[derive(Debug)]
pub struct GatewayTokens(Cache<Purpose, Arc<GatewayToken>>);

/// A token in the place of a key, and what it takes to tell whether it would be another today.
pub struct GatewayToken {
    /// The token itself.
    pub token: Arc<str>,
    /// Its `jti`.
    pub token_id: Box<str>,
    /// Its `exp`.
    pub expires_at: Timestamp,
    /// The key's generation.
    pub generation: u64,
    /// What it allows, in canonical form.
    pub scope: Box<str>,
    /// What it is signed with.
    pub kid: Box<str>,
}

impl GatewayTokens {
    /// Keeps so many.
    pub fn new(capacity: u64) -> Self {
        let lifetime = Duration::from_secs(MAX_LIFETIME.unsigned_abs());
        Self(Cache::builder().max_capacity(capacity).time_to_live(lifetime).build())
    }

    /// The token that was kept last for this purpose.
    pub fn get(&self, purpose: &Purpose) -> Option<Arc<GatewayToken>> {
        self.0.get(purpose)
    }

    /// Keeps a token.
    pub fn keep(&self, purpose: Purpose, token: GatewayToken) {
        self.0.insert(purpose, Arc::new(token));
    }
}

impl fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayToken([redacted])")
    }
}
