//! Keys that verify.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::public_key::PublicKey;
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
        let verdict = match self.0.key() {
            PublicKey::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            PublicKey::Ed25519(x) => UnparsedPublicKey::new(&ED25519, x).verify(message, signature),
            PublicKey::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        };
        verdict.is_ok()
    }
}

impl From<PublicJwk> for VerifyingKey {
    fn from(jwk: PublicJwk) -> Self {
        Self(jwk)
    }
}
