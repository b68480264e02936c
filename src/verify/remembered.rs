//! Credentials that were verified before.

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

/// What was seen, under its digest: the credential itself is kept nowhere.
pub(super) type Digest = [u8; SHA256_OUTPUT_LEN];

/// SHA-256 of a credential. All of it counts: a signature alone identifies nothing.
pub(super) fn digest_of(credential: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, credential.as_bytes()).as_ref());
    bytes
}

/// What was made of credentials, under their digests: of so many at most. Whatever can change about it is for whoever
/// reads it to look at.
#[derive(Debug)]
pub(super) struct Remembered<T>(Cache<Digest, T>);

/// Half of the room is for what is new: how often something old was seen says little, for it is about to end.
const FOR_THE_OLD: f64 = 0.5;

impl<T: Clone> Remembered<T> {
    pub(super) fn new(most: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(most).weight_capacity(most as u64).hot_allocation(FOR_THE_OLD);
        let cache = match options.build() {
            Ok(options) => {
                let (hash, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
                Cache::with_options(options, UnitWeighter, hash, lifecycle)
            }
            // Only where a number is missing.
            Err(_) => Cache::new(most),
        };
        Self(cache)
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<T> {
        self.0.get(digest)
    }

    pub(super) fn keep(&self, digest: Digest, made: T) {
        self.0.insert(digest, made);
    }

    pub(super) fn forget(&self, digest: &Digest) {
        self.0.remove(digest);
    }
}
