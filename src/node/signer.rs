//! What is signed: the signing keys, and on whose behalf they sign.

use super::GatewayTokens;
use super::keyring::{Keyring, Rotation, RotationPolicy};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::store::Store;

/// Signs tokens and the revocation feed as this issuer.
#[derive(Debug)]
pub struct Signer {
    /// `iss` of all that is signed.
    pub issuer: String,
    /// The resource servers that tokens are for.
    pub audiences: Vec<String>,
    /// The signing keys.
    pub keyring: Keyring,
    /// Tokens that a gateway gets in the place of keys.
    pub gateway_tokens: GatewayTokens,
    /// How signing keys follow each other.
    pub policy: RotationPolicy,
    /// Randomness for the ids of tokens, and for new signing keys.
    pub entropy: Entropy,
}

impl Signer {
    /// All that a rotation of the signing keys needs.
    pub fn rotation<'a>(&'a self, store: &'a Store, now: Timestamp) -> Rotation<'a> {
        Rotation { keyring: &self.keyring, store, policy: &self.policy, entropy: &self.entropy, now }
    }
}
