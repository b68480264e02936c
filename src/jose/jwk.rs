//! Keys that sign and verify, and their public form in a key set (RFC 7517, RFC 7518, RFC 8037).
//!
//! A key is parsed once. Its id is its RFC 7638 thumbprint, so no other key can have the same id. Each key has one
//! algorithm, so a token can't choose another (RFC 8725 §3.1).
//!
//! ```
//! use claviger::jose::jwk::{Algorithm, Jwks, SigningKey, VerifyingKey};
//!
//! let (key, pkcs8) = SigningKey::generate(Algorithm::Es256)?;
//! assert_eq!(SigningKey::from_pkcs8(Algorithm::Es256, pkcs8.as_bytes())?.kid(), key.kid());
//!
//! let set = Jwks { keys: vec![key.public_jwk().clone()] };
//! let json = serde_json::to_vec(&set)?;
//! let published = Jwks::parse(&json)?.usable.keys.remove(0);
//! let verifying = VerifyingKey::from(published);
//! let signature = key.sign(b"message")?;
//! assert!(verifying.verify(b"message", signature.as_ref()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod public;
pub(in crate::jose) mod public_key;
mod signing;
mod thumbprint;
mod verifying;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use crate::jose::json::JsonFault;
pub use fault::{JwkFault, JwksFault, KeyFault, SigningFailed};
pub use public::{Jwks, ParsedJwks, PublicJwk, RefusedJwk};
pub(in crate::jose) use public::{check_purpose, refuse_secrets};
pub use signing::{Pkcs8, Signature, SigningKey};
pub use thumbprint::{NotAThumbprint, Thumbprint};
pub use verifying::VerifyingKey;

/// The supported signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1). `none` and symmetric algorithms don't exist
/// here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256. This is the default for signing keys.
    Es256,
    /// EdDSA on Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The name in the `alg` of a header or a key.
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

    /// Case matters (RFC 7515 §4.1.1).
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

/// The name is not that of a supported algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the algorithm is none of ES256, EdDSA and RS256")]
pub struct UnknownAlgorithm;
