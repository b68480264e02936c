//! Tokens revoked one by one, complete in memory: what is not here is not revoked, as far as this node has
//! heard of the store.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use crate::clock::Timestamp;
use crate::store::{RevokedToken, Store, StoreError};

/// How much longer than the token an entry is kept, for clocks that disagree.
const MARGIN_SECONDS: i64 = 60;

/// The revoked tokens that could still be alive.
#[derive(Debug)]
pub struct RevokedTokens {
    // Without a capacity nothing is evicted: an entry goes when its token has ended, and not before.
    ends: Cache<Box<str>, Lifetime>,
}

#[derive(Clone, Copy, Debug)]
struct Lifetime(Duration);

struct UntilItsEnd;

impl Expiry<Box<str>, Lifetime> for UntilItsEnd {
    fn expire_after_create(&self, _: &Box<str>, lifetime: &Lifetime, _: Instant) -> Option<Duration> {
        Some(lifetime.0)
    }
}

impl Default for RevokedTokens {
    fn default() -> Self {
        Self { ends: Cache::builder().expire_after(UntilItsEnd).build() }
    }
}

impl RevokedTokens {
    /// Whether the token of this id was revoked.
    pub fn contains(&self, jti: &str) -> bool {
        self.ends.contains_key(jti)
    }

    /// Takes in a revoked token.
    pub fn insert(&self, token: &RevokedToken, now: Timestamp) {
        let left = token.expires_at.plus(MARGIN_SECONDS).since(now);
        if let Ok(left) = u64::try_from(left) {
            self.ends.insert(token.jti.as_str().into(), Lifetime(Duration::from_secs(left)));
        }
    }

    /// Takes in every revoked token that the store knows to be alive.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn load(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        for token in store.live_revoked_tokens(now.plus(-MARGIN_SECONDS)).await? {
            self.insert(&token, now);
        }
        Ok(())
    }
}
