//! Tokens that a gateway got in the place of keys, kept and used again while they are fresh.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::{Authenticated, Node};
use crate::api_key::KeyId;
use crate::claims::MAX_LIFETIME;
use crate::clock::Timestamp;
use crate::key::SecretId;

/// A token is handed out again while it has so many seconds to live.
const FRESH_SECONDS: i64 = 300;

/// For which key, by which secret, at which resource server.
type Purpose = (KeyId, SecretId, Box<str>);

/// The tokens that keys were swapped for.
#[derive(Debug)]
pub struct SwappedTokens(Cache<Purpose, Arc<SwappedToken>>);

/// A token in the place of a key, and what it takes to tell whether it is still the one to hand out.
pub struct SwappedToken {
    /// The token itself.
    pub token: Arc<str>,
    /// Its `jti`.
    pub token_id: Box<str>,
    /// Its `exp`.
    pub expires_at: Timestamp,
    generation: u64,
    scope: Box<str>,
    kid: String,
}

impl SwappedTokens {
    /// Keeps so many.
    pub fn new(capacity: u64) -> Self {
        let lifetime = Duration::from_secs(MAX_LIFETIME.unsigned_abs());
        Self(Cache::builder().max_capacity(capacity).time_to_live(lifetime).build())
    }
}

impl Node {
    /// The token that an authenticated key was swapped for at `audience`, if it is fresh and nothing about it would be
    /// another today.
    pub fn swapped_token(&self, by: &Authenticated, audience: &str, now: Timestamp) -> Option<Arc<str>> {
        let purpose = (by.held.key.id, by.secret, audience.into());
        let held = self.swapped_tokens.0.get(&purpose)?;
        let is_good = held.expires_at.since(now) >= FRESH_SECONDS
            && held.generation == by.held.key.generation
            && held.scope == by.held.unreserved.text
            && held.kid == self.signing_kid(now)
            && !self.revoked_tokens.contains(&held.token_id);
        is_good.then(|| Arc::clone(&held.token))
    }

    /// Keeps the token, of this id and end, that an authenticated key was just swapped for.
    pub fn keep_swapped(
        &self,
        by: &Authenticated,
        audience: &str,
        (token, token_id, expires_at): (Arc<str>, Box<str>, Timestamp),
        now: Timestamp,
    ) {
        let held = SwappedToken {
            token,
            token_id,
            expires_at,
            generation: by.held.key.generation,
            scope: by.held.unreserved.text.clone(),
            kid: self.signing_kid(now),
        };
        self.swapped_tokens.0.insert((by.held.key.id, by.secret, audience.into()), Arc::new(held));
    }

    fn signing_kid(&self, now: Timestamp) -> String {
        self.keyring.ring().signing(now).map(|key| key.kid().to_owned()).unwrap_or_default()
    }
}

impl std::fmt::Debug for SwappedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SwappedToken([redacted])")
    }
}
