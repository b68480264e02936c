//! What is signed: the signing keys, and the issuer in whose name they sign.

use super::GatewayTokens;
use super::keyring::{Keyring, Rotation, RotationPolicy};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::store::Store;

/// Signs tokens and the revocation feed as this issuer.
#[derive(Debug)]
pub struct Signer {
    /// The `iss` of everything that is signed.
    pub issuer: String,
    /// The resource servers that tokens are for.
    pub audiences: Vec<String>,
    /// The signing keys in memory.
    pub keyring: Keyring,
    /// The tokens for which gateways exchanged keys.
    pub gateway_tokens: GatewayTokens,
    /// When signing keys rotate, and where new ones come from.
    pub policy: RotationPolicy,
    /// Randomness for the ids of tokens, and for new signing keys.
    pub entropy: Entropy,
}

impl Signer {
    /// What a rotation of the signing keys needs.
    pub fn rotation<'a>(&'a self, store: &'a Store, now: Timestamp) -> Rotation<'a> {
        Rotation { keyring: &self.keyring, store, policy: &self.policy, entropy: &self.entropy, now }
    }
}
