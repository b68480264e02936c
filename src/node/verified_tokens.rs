//! Tokens whose signature was verified here before.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::base::lock::Mutex;
use crate::jose::claims::{Claims, Rules, TokenFault, authentic_claims};
use crate::jose::jwk::VerifyingKey;
use crate::jose::jws::{JwsFault, UnverifiedJws};
use crate::sharing::fair_cache::{Digest, FairCache, digest_of};

#[cfg(test)]
mod tests;

/// Remembers of a token's text under which signing key it was verified, and nothing else. What it says is read again
/// each time, and everything that can change is asked again: whether that key is still good, the times, the audience,
/// and whatever the caller holds the claims against.
#[derive(Debug)]
pub struct VerifiedTokens {
    /// The `kid`, under the digest of the whole text.
    kids: FairCache<Arc<str>>,
    /// Each `kid` once, however many tokens it signed.
    known: Mutex<Vec<Arc<str>>>,
}

impl VerifiedTokens {
    /// Remembers so many tokens, in room that organizations share fairly.
    pub fn new(capacity: u64) -> Self {
        let most = usize::try_from(capacity).unwrap_or(usize::MAX);
        Self { kids: FairCache::new(most), known: Mutex::default() }
    }

    /// The same as [`verify_access_token`](crate::jose::claims::verify_access_token), for the same keys and rules.
    ///
    /// # Errors
    /// [`TokenFault`] names the first rule that the token breaks.
    pub fn verify<K: Borrow<VerifyingKey>>(
        &self,
        token: &str,
        key_for: impl Fn(&str) -> Option<K>,
        rules: &Rules<'_>,
    ) -> Result<Claims, TokenFault> {
        // What is never read needs no digest.
        if token.len() > UnverifiedJws::MAX_LENGTH {
            return Err(JwsFault::TooLong.into());
        }
        let digest = digest_of(token);
        let claims = match self.kids.get(&digest) {
            Some(kid) => {
                // Withdrawn or retired since, it verifies nothing any more.
                key_for(&kid).ok_or(TokenFault::UnknownKey)?;
                Claims::parse(&UnverifiedJws::payload_of_verified(token)?)?
            }
            None => self.verify_signature(token, digest, key_for)?,
        };
        rules.check(&claims)?;
        Ok(claims)
    }

    fn verify_signature<K: Borrow<VerifyingKey>>(
        &self,
        token: &str,
        digest: Digest,
        key_for: impl Fn(&str) -> Option<K>,
    ) -> Result<Claims, TokenFault> {
        let mut verified_under = None;
        let claims = authentic_claims(token, |kid| {
            let key = key_for(kid);
            verified_under = key.as_ref().map(|key| self.interned(key.borrow().kid()));
            key
        })?;
        // The signature is good, so the organization is really its own.
        if let Some(kid) = verified_under {
            self.kids.insert(digest, &claims.organization, kid);
        }
        Ok(claims)
    }

    fn interned(&self, kid: &str) -> Arc<str> {
        let mut known = self.known.lock();
        if let Some(same) = known.iter().find(|known| ***known == *kid) {
            return Arc::clone(same);
        }
        // Those of keys that are long over.
        known.retain(|kid| Arc::strong_count(kid) > 1);
        let new: Arc<str> = kid.into();
        known.push(Arc::clone(&new));
        new
    }
}
