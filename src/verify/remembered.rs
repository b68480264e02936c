//! Credentials that were verified before.

use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use super::access::Access;
use crate::claims::{Leeway, MAX_LIFETIME};

/// What was seen, under its digest: the credential itself is kept nowhere.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// SHA-256 of a credential. All of it counts: a signature alone identifies nothing.
pub(super) fn digest_of(credential: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, credential.as_bytes()).as_ref());
    bytes
}

/// Tokens that were verified before. What can change is held against them at every use: times, revocations, addresses.
#[derive(Debug)]
pub(super) struct RememberedTokens(Cache<Digest, Access>);

impl RememberedTokens {
    pub(super) fn new(most: u64) -> Self {
        let longest = MAX_LIFETIME + Leeway::MAX.seconds();
        let longest = Duration::from_secs(longest.unsigned_abs());
        // The new push out the old: how often an old one was seen says nothing, for it is about to end.
        let cache = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru());
        Self(cache.time_to_live(longest).build())
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Access> {
        self.0.get(digest)
    }

    pub(super) fn keep(&self, digest: Digest, access: Access) {
        self.0.insert(digest, access);
    }

    pub(super) fn forget(&self, digest: &Digest) {
        self.0.invalidate(digest);
    }
}
