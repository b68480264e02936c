//! Nonces for proofs of possession (RFC 9449 §8).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::base::clock::Timestamp;
use crate::base::master_key::DerivedKeys;
use crate::node::MasterKeys;

/// For so many seconds, every proof may have the same nonce.
const STEP: i64 = 300;

/// Nobody stores a nonce: it is a tag of the time under a key that every node derives from the master key. So every node
/// takes every node's.
#[derive(Debug)]
pub(super) struct Nonces {
    master_keys: Arc<MasterKeys>,
}

impl Nonces {
    pub(super) fn new(master_keys: Arc<MasterKeys>) -> Self {
        Self { master_keys }
    }

    /// The nonce for the next proof.
    pub(super) fn current(&self, now: Timestamp) -> String {
        nonce(&self.master_keys.active(), step(now))
    }

    /// The nonces that a proof may have: those of this step and the one before, and of the next, because the clock of
    /// another node may be ahead. During a rotation of the master key, nodes may differ in which one is active.
    pub(super) fn accepted(&self, now: Timestamp) -> Vec<String> {
        let keys: Vec<_> =
            std::iter::once(self.master_keys.active()).chain(self.master_keys.next()).collect();
        let step = step(now);
        let of_key = |key: &Arc<DerivedKeys>| [step, step - 1, step + 1].map(|step| nonce(key, step));
        keys.iter().flat_map(of_key).collect()
    }
}

fn step(now: Timestamp) -> i64 {
    now.unix().div_euclid(STEP)
}

fn nonce(keys: &DerivedKeys, step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &keys.proof_nonces[..]);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::Entropy;
    use crate::base::master_key::MasterKey;

    #[test]
    fn every_node_takes_every_nodes_nonces_for_a_while() {
        let (key, other) = (
            MasterKey::generate(&Entropy::system()).unwrap(),
            MasterKey::generate(&Entropy::system()).unwrap(),
        );
        let node = |key: &MasterKey| Nonces::new(Arc::new(MasterKeys::only(key.derived())));
        let (one, two, stranger) = (node(&key), node(&key), node(&other));
        let now = Timestamp::from_unix(1_800_000_000);
        let nonce = one.current(now);
        for (later, is_accepted) in
            [(0, true), (299, true), (599, true), (600, false), (-5, true), (-301, false)]
        {
            assert_eq!(two.accepted(now.plus(later)).contains(&nonce), is_accepted, "{later}");
        }
        assert!(!stranger.accepted(now).contains(&nonce));
        assert_ne!(one.current(now.plus(300)), nonce);
        // While the other key is about to take over, its nonces are taken too.
        two.master_keys.hold_next(Some(&other));
        assert!(two.accepted(now).contains(&stranger.current(now)));
    }
}
