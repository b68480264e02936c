//! Signature algorithms that are accepted from others.

use std::fmt;
use std::str::FromStr;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};

use crate::jose::jwk;
use crate::jose::jwk::public_key::PublicKey;

/// A signature algorithm that is accepted from others (RFC 7518 §3.1, RFC 8037 §3.1). `none` and symmetric algorithms
/// don't exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// EdDSA on Ed25519. Its other name is `Ed25519` (RFC 9864 §2.2).
    EdDsa,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 7] =
        [Self::Es256, Self::Es384, Self::EdDsa, Self::Ps256, Self::Rs256, Self::Rs384, Self::Rs512];

    /// The algorithms that clients may use, for assertions and for proofs, unless the settings narrow them. Other issuers
    /// may use all.
    pub const OF_CLIENTS: [Self; 5] = [Self::Es256, Self::Es384, Self::EdDsa, Self::Ps256, Self::Rs256];

    /// The name in the `alg` of a header or a key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// Whether an RSA key can be for this algorithm.
    pub(super) const fn is_rsa(self) -> bool {
        matches!(self, Self::Ps256 | Self::Rs256 | Self::Rs384 | Self::Rs512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Case matters (RFC 7515 §4.1.1).
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            "Ed25519" => Ok(Self::EdDsa),
            _ => Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name).ok_or(UnknownAlgorithm),
        }
    }
}

impl From<jwk::Algorithm> for Algorithm {
    fn from(own: jwk::Algorithm) -> Self {
        match own {
            jwk::Algorithm::Es256 => Self::Es256,
            jwk::Algorithm::EdDsa => Self::EdDsa,
            jwk::Algorithm::Rs256 => Self::Rs256,
        }
    }
}

/// The name is not that of an accepted algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm is none of ES256, ES384, EdDSA (Ed25519), PS256, RS256, RS384 and RS512")]
pub struct UnknownAlgorithm;

impl PublicKey {
    /// The algorithms of this kind of key. An RSA key has several, so its owner has to name the one that it is for
    /// (RFC 8725 §3.1).
    pub(in crate::jose) fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::P256(_) => &[Algorithm::Es256],
            Self::P384(_) => &[Algorithm::Es384],
            Self::Ed25519(_) => &[Algorithm::EdDsa],
            Self::Rsa { .. } => &[Algorithm::Ps256, Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
        }
    }

    /// Whether `signature` is this key's signature of `message`, made with `algorithm`. No signature of an algorithm for
    /// another kind of key is.
    ///
    /// ECDSA signatures are r and s in full length (RFC 7518 §3.4). PSS has a salt as long as the hash (§3.5).
    pub(in crate::jose) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verdict = match (self, algorithm) {
            (Self::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            (Self::P384(point), Algorithm::Es384) => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            (Self::Ed25519(x), Algorithm::EdDsa) => {
                UnparsedPublicKey::new(&ED25519, x).verify(message, signature)
            }
            (Self::Rsa { n, e }, algorithm) => match rsa_parameters(algorithm) {
                Some(parameters) => RsaPublicKeyComponents { n, e }.verify(parameters, message, signature),
                None => return false,
            },
            _ => return false,
        };
        verdict.is_ok()
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}
