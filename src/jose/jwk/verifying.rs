//! Keys that verify.

use super::{Algorithm, PublicJwk};

/// A public key that verifies signatures of its one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey(PublicJwk);

impl VerifyingKey {
    /// The only algorithm that this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// The id of the key: its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.0.kid()
    }

    /// Whether `signature` is this key's signature of `message`.
    ///
    /// ES256 signatures are r and s, 32 bytes each (RFC 7518 §3.4). Zeros and values beyond the curve's order are
    /// refused, but (r, n−s) verifies whenever (r, s) does. Signatures therefore don't identify tokens, and deny
    /// lists use the `jti`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.key().verify(self.algorithm().into(), message, signature)
    }
}

impl From<PublicJwk> for VerifyingKey {
    fn from(jwk: PublicJwk) -> Self {
        Self(jwk)
    }
}
