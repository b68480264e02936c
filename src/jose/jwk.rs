//! Keys that sign and verify, and their public form in a key set (RFC 7517, RFC 7518, RFC 8037).
//!
//! A key is parsed once and then only used. Its id is its RFC 7638 thumbprint, so that an id can belong to no
//! other key; and it has one algorithm, so that no token can ask for another one (RFC 8725 §3.1).

mod fault;
mod public;
mod public_key;
mod signing;
mod verifying;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::jose::json::JsonFault;
pub use fault::{JwkFault, JwksFault, KeyFault, SigningFailed};
pub use public::{Jwks, ParsedJwks, PublicJwk, RefusedJwk};
pub use signing::{Pkcs8, Signature, SigningKey};
pub use verifying::VerifyingKey;

/// The signature algorithms in use: RFC 7518 §3.1 and RFC 8037 §3.1. There is no `none`, and nothing with a
/// shared secret, to be talked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: what signing keys are unless configured otherwise.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The name in a header's and a key's `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Names are compared with regard to case (RFC 7515 §4.1.1).
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            "ES256" => Ok(Self::Es256),
            "EdDSA" => Ok(Self::EdDsa),
            "RS256" => Ok(Self::Rs256),
            _ => Err(UnknownAlgorithm),
        }
    }
}

impl Serialize for Algorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A name that is none of the three algorithms in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm is none of ES256, EdDSA and RS256")]
pub struct UnknownAlgorithm;
