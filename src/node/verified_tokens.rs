//! Tokens whose signature this node has already verified.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::lock::Mutex;
use crate::jose::claims::{Claims, Leeway, Rules, TokenFault, authentic_claims};
use crate::jose::jwk::VerifyingKey;
use crate::jose::jws::{JwsFault, UnverifiedJws};
use crate::sharing::fair_cache::{Digest, FairCache, Life, digest_of};

#[cfg(test)]
mod tests;

/// Remembers, by the digest of a token's text, the signing key under which the token was verified, and nothing else.
/// Each use parses the claims again and checks everything that can change: whether the signing key is still valid, the
/// times, the audience, and whatever else the caller compares the claims with.
#[derive(Debug)]
pub struct VerifiedTokens {
    /// The `kid`, by the digest of the token's whole text.
    kids: FairCache<Arc<str>>,
    /// Each `kid` once, however many tokens it signed.
    known: Mutex<Vec<Arc<str>>>,
}

impl VerifiedTokens {
    /// Remembers `capacity` tokens. Organizations share the space fairly.
    pub fn new(capacity: u64) -> Self {
        let most = usize::try_from(capacity).unwrap_or(usize::MAX);
        Self { kids: FairCache::new(most), known: Mutex::default() }
    }

    /// Does the same as [`verify_access_token`](crate::jose::claims::verify_access_token), for the same keys and rules.
    ///
    /// # Errors
    /// [`TokenFault`] names the first rule that the token breaks.
    pub fn verify<K: Borrow<VerifyingKey>>(
        &self,
        token: &str,
        key_for: impl Fn(&str) -> Option<K>,
        rules: &Rules<'_>,
    ) -> Result<Claims, TokenFault> {
        // A token that is too long to be read needs no digest.
        if token.len() > UnverifiedJws::MAX_LENGTH {
            return Err(JwsFault::TooLong.into());
        }
        let digest = digest_of(token);
        let claims = match self.kids.get(&digest) {
            Some(kid) => {
                // A key that was withdrawn or retired since verifies no tokens.
                key_for(&kid).ok_or(TokenFault::UnknownKey)?;
                Claims::parse(&UnverifiedJws::payload_of_verified(token)?)?
            }
            None => self.verify_signature(token, digest, key_for, rules.now)?,
        };
        rules.check(&claims)?;
        Ok(claims)
    }

    fn verify_signature<K: Borrow<VerifyingKey>>(
        &self,
        token: &str,
        digest: Digest,
        key_for: impl Fn(&str) -> Option<K>,
        now: Timestamp,
    ) -> Result<Claims, TokenFault> {
        let mut verified_under = None;
        let claims = authentic_claims(token, |kid| {
            let key = key_for(kid);
            verified_under = key.as_ref().map(|key| self.interned(key.borrow().kid()));
            key
        })?;
        // The signature is valid, so the organization in the claims is authentic.
        if let Some(kid) = verified_under {
            let life = Life { now: now.unix(), until: claims.expires_at.plus(Leeway::MAX.seconds()).unix() };
            self.kids.insert(digest, &claims.organization, kid, life);
        }
        Ok(claims)
    }

    fn interned(&self, kid: &str) -> Arc<str> {
        let mut known = self.known.lock();
        if let Some(same) = known.iter().find(|known| ***known == *kid) {
            return Arc::clone(same);
        }
        // This drops the `kid` of keys that have retired.
        known.retain(|kid| Arc::strong_count(kid) > 1);
        let new: Arc<str> = kid.into();
        known.push(Arc::clone(&new));
        new
    }
}
