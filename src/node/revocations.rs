//! Tokens revoked one by one, complete in memory: what is not here is not revoked, as far as this node has
//! heard of the store.

use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache;

use crate::clock::Timestamp;
use crate::store::RevokedToken;

/// Whatever kills tokens is remembered, and told to resource servers, for so many seconds: longer than any token
/// lives, and room for clocks that disagree.
pub const REMEMBERED_SECONDS: i64 = 900;

/// The tokens that were revoked lately, and so every one that could still be alive.
#[derive(Debug)]
pub struct RevokedTokens {
    // Without a capacity nothing is evicted: an entry goes when its time is over, and not before.
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
        let left = token.revoked_at.plus(REMEMBERED_SECONDS).since(now);
        if let Ok(left) = u64::try_from(left) {
            self.ends.insert(token.jti.as_str().into(), Lifetime(Duration::from_secs(left)));
        }
    }

    /// The ids of all of them.
    pub fn ids(&self) -> Vec<Box<str>> {
        self.ends.iter().map(|(jti, _)| Box::clone(&jti)).collect()
    }
}
