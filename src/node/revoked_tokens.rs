//! Tokens that were revoked individually. The list is complete: a token that is not in it is not revoked, as far as
//! this node has applied the store's changes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::revocations::REMEMBERED_SECONDS;
use crate::base::clock::{Timestamp, monotonic_now};
use crate::base::lock::RwLock;
use crate::store::RevokedToken;

/// All revoked tokens that may not have expired yet, and when each may be dropped.
#[derive(Debug, Default)]
pub struct RevokedTokens(RwLock<BTreeMap<Box<str>, Instant>>);

impl RevokedTokens {
    /// Whether the token with this `jti` was revoked.
    pub fn contains(&self, jti: &str) -> bool {
        self.0.read().contains_key(jti)
    }

    /// Adds a revoked token.
    pub fn insert(&self, token: &RevokedToken, now: Timestamp) {
        let left = token.revoked_at.plus(REMEMBERED_SECONDS).since(now);
        if let Ok(left) = u64::try_from(left) {
            // By a clock far behind the one that dated the revocation, this would be very long, and an `Instant` has a
            // maximum.
            let end = monotonic_now() + Duration::from_secs(left.min(u32::MAX.into()));
            self.0.write().insert(token.jti.as_str().into(), end);
        }
    }

    /// The `jti` of all of them, sorted.
    pub fn ids(&self) -> Vec<Box<str>> {
        let now = monotonic_now();
        let ends = self.0.read();
        ends.iter().filter(|(_, end)| **end > now).map(|(jti, _)| Box::clone(jti)).collect()
    }

    /// Drops the tokens that may be dropped by now.
    pub fn prune(&self) {
        let now = monotonic_now();
        self.0.write().retain(|_, end| *end > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::api_key::KeyId;
    use crate::jose::claims::{Leeway, MAX_LIFETIME};

    /// A node that starts late reads the revocation from the store.
    #[test]
    fn a_revoked_token_is_remembered_for_as_long_as_anybody_may_accept_it() {
        let issued = Timestamp::from_unix(1_767_225_600);
        let key: KeyId = "key_0123456789abcdef".parse().unwrap();
        let token =
            RevokedToken { jti: "a".into(), key, expires_at: issued.plus(MAX_LIFETIME), revoked_at: issued };
        let last = MAX_LIFETIME + Leeway::MAX.seconds();
        for (after, is_known) in [(0, true), (last, true), (REMEMBERED_SECONDS + 1, false)] {
            let tokens = RevokedTokens::default();
            tokens.insert(&token, issued.plus(after));
            tokens.prune();
            assert_eq!((tokens.contains("a"), tokens.ids().len()), (is_known, is_known.into()), "{after}");
        }
    }
}
