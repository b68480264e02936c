//! Tokens that a gateway received in exchange for keys, cached for further requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::key::CredentialId;
use crate::jose::claims::MAX_LIFETIME;

/// The key, its credential, and the resource server that a token is for.
pub type Purpose = (KeyId, CredentialId, Box<str>);

/// The cache of tokens for which gateways exchanged keys.
#[derive(Debug)]
pub struct GatewayTokens(Cache<Purpose, Arc<GatewayToken>>);

/// A cached token, and what decides whether a new token would differ from it.
pub struct GatewayToken {
    /// The token as a compact JWS.
    pub token: Arc<str>,
    /// The token's `jti`.
    pub token_id: Box<str>,
    /// The token's `exp`.
    pub expires_at: Timestamp,
    /// The generation of the key when the token was issued.
    pub generation: u64,
    /// The scopes of the token, in canonical form.
    pub scope: Box<str>,
    /// The signing key of the token.
    pub kid: Box<str>,
}

impl GatewayTokens {
    /// Caches at most `capacity` tokens.
    pub fn new(capacity: u64) -> Self {
        let lifetime = Duration::from_secs(MAX_LIFETIME.unsigned_abs());
        Self(Cache::builder().max_capacity(capacity).time_to_live(lifetime).build())
    }

    /// The token that was cached last for this purpose.
    pub fn get(&self, purpose: &Purpose) -> Option<Arc<GatewayToken>> {
        self.0.get(purpose)
    }

    /// Caches a token.
    pub fn keep(&self, purpose: Purpose, token: GatewayToken) {
        self.0.insert(purpose, Arc::new(token));
    }
}

impl fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayToken([redacted])")
    }
}
