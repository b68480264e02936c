//! Public keys of others as JSON Web Keys.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Algorithm, ForeignJwkFault, Header};
use crate::jose::json::Object;
use crate::jose::jwk::public_key::{PublicKey, text};
use crate::jose::jwk::{Thumbprint, check_purpose, refuse_secrets};

/// The longest `kid`, in bytes.
const MAX_KID: usize = 128;

/// A public key of somebody else (RFC 7517), for one algorithm.
///
/// The JSON form has the required members of the key, then `use` (always `sig`), `alg` and `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key: PublicKey,
    algorithm: Algorithm,
    kid: String,
}

impl Jwk {
    /// Reads one key. `alg` may be absent, unless the key is an RSA key. Without `kid`, the id is the RFC 7638
    /// thumbprint. `use` and `key_ops` must allow verification if they are present. Certificates (`x5c`, `x5u`) are
    /// ignored.
    ///
    /// # Errors
    /// [`ForeignJwkFault`] says what is wrong with the key. Private and symmetric keys are
    /// [`JwkFault::Secret`](crate::jose::jwk::JwkFault::Secret).
    pub fn parse(json: &[u8]) -> Result<Self, ForeignJwkFault> {
        Self::from_object(&Object::parse(json)?, None)
    }

    /// Reads one key. `algorithm` is the one that it is for if the key itself doesn't say.
    pub(in crate::jose) fn from_object(
        object: &Object<'_>,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, ForeignJwkFault> {
        refuse_secrets(object)?;
        check_purpose(object)?;
        let key = PublicKey::from_object(object)?;
        let named = match object.has("alg") {
            true => Some(text(object, "alg")?.parse().map_err(ForeignJwkFault::UnknownAlgorithm)?),
            false => algorithm,
        };
        let kid = match object.has("kid") {
            true => Some(text(object, "kid")?.to_owned()),
            false => None,
        };
        Self::new(key, named, kid)
    }

    /// # Errors
    /// [`ForeignJwkFault`], when the algorithm doesn't fit the key or is not clear, or `kid` is malformed.
    pub(super) fn new(
        key: PublicKey,
        algorithm: Option<Algorithm>,
        kid: Option<String>,
    ) -> Result<Self, ForeignJwkFault> {
        let algorithm = match (algorithm, key.algorithms()) {
            (Some(named), fitting) if fitting.contains(&named) => named,
            (Some(named), _) => return Err(ForeignJwkFault::OtherAlgorithm(named)),
            (None, [only]) => *only,
            (None, _) => return Err(ForeignJwkFault::NoAlgorithm),
        };
        let kid = kid.unwrap_or_else(|| key.thumbprint().to_string());
        if !(1..=MAX_KID).contains(&kid.len()) || kid.contains(char::is_control) {
            return Err(ForeignJwkFault::Kid);
        }
        Ok(Self { key, algorithm, kid })
    }

    /// The one algorithm that the key is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The id that the owner chose, or else the thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The RFC 7638 SHA-256 thumbprint. It identifies the key whatever its `kid` and `alg`.
    pub fn thumbprint(&self) -> Thumbprint {
        self.key.thumbprint()
    }

    /// Whether a token with this header may be signed with this key. A header without `kid` may name any key of its
    /// algorithm.
    pub fn answers_to(&self, header: &Header) -> bool {
        header.algorithm() == self.algorithm && header.kid().is_none_or(|kid| kid == self.kid)
    }

    /// The key as jsonwebtoken takes it.
    #[cfg(feature = "server")]
    pub(super) fn decoding(&self) -> jsonwebtoken::DecodingKey {
        self.key.decoding()
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(self.algorithm, message, signature)
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.key.members() {
            map.serialize_entry(name, &value)?;
        }
        map.serialize_entry("use", "sig")?;
        map.serialize_entry("alg", self.algorithm.as_str())?;
        map.serialize_entry("kid", &self.kid)?;
        map.end()
    }
}
