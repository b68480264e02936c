//! Public keys that are registered for a key: whoever holds the private half may act as the key (RFC 7523 §2.2).

use serde::Deserialize;

use super::PublicKeyId;
use crate::base::clock::Timestamp;

/// A registered public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    /// The id of the registration.
    pub id: PublicKeyId,
    /// The key as a JWK (RFC 7517) with `alg` and `kid`.
    pub jwk: Box<str>,
    /// The id under which assertions name the key. It is unique among the public keys of one API key.
    pub kid: String,
    /// The one algorithm that the key is for, such as `ES256`.
    pub algorithm: String,
    /// When the key was registered.
    pub created_at: Timestamp,
    /// When it was last used, to within the flush interval.
    pub last_used_at: Option<Timestamp>,
}

/// The members of a JWK that name it.
#[derive(Deserialize)]
struct Named {
    kid: String,
    alg: String,
}

impl RegisteredKey {
    /// A key that is not used yet, from its JWK, which has `alg` and `kid`.
    ///
    /// # Errors
    /// When the text is not JSON, or lacks one of the two.
    pub fn new(id: PublicKeyId, jwk: Box<str>, created_at: Timestamp) -> Result<Self, serde_json::Error> {
        let Named { kid, alg } = serde_json::from_str(&jwk)?;
        Ok(Self { id, jwk, kid, algorithm: alg, created_at, last_used_at: None })
    }
}
