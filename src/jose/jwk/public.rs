//! Public keys and key sets as JSON.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::public_key::{PublicKey, text};
use super::{Algorithm, JwkFault, JwksFault};
use crate::jose::json::{JsonFault, Object, Value};

/// A public key as a JSON Web Key (RFC 7517). It always has a supported kind and size, and its `kid` is its RFC 7638
/// thumbprint.
///
/// The JSON form has `crv`, `kty`, `x`, `y` for P-256, `crv`, `kty`, `x` for Ed25519, and `e`, `kty`, `n` for RSA;
/// then `use` (always `sig`), `alg` and `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    key: PublicKey,
    algorithm: Algorithm,
    kid: String,
}

impl PublicJwk {
    /// Reads one key.
    ///
    /// `alg`, `use`, `key_ops` and `kid` may be absent. If present, they must allow verification with the only
    /// algorithm that fits the key, and `kid` must be its thumbprint. Certificates and their addresses (`x5c`, `x5u`)
    /// are ignored.
    ///
    /// # Errors
    /// [`JwkFault`] says what is wrong with the key.
    pub fn parse(json: &[u8]) -> Result<Self, JwkFault> {
        Self::from_object(&Object::parse(json)?)
    }

    /// The id of the key: its RFC 7638 SHA-256 thumbprint in base64url, 43 characters.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm of this key.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// # Errors
    /// [`JwkFault::Curve`] for a key of a kind that this issuer never has.
    pub(super) fn new(key: PublicKey) -> Result<Self, JwkFault> {
        let algorithm = key.issuer_algorithm().ok_or(JwkFault::Curve)?;
        Ok(Self { algorithm, kid: key.thumbprint().to_string(), key })
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    fn from_value(value: &Value<'_>) -> Result<Self, JwkFault> {
        match value {
            Value::Object(object) => Self::from_object(object),
            _ => Err(JwkFault::Json(JsonFault::NotAnObject)),
        }
    }

    fn from_object(object: &Object<'_>) -> Result<Self, JwkFault> {
        refuse_secrets(object)?;
        check_purpose(object)?;
        let jwk = Self::new(PublicKey::from_object(object)?)?;
        if object.has("alg") && text(object, "alg")? != jwk.algorithm().as_str() {
            return Err(JwkFault::Algorithm(jwk.algorithm()));
        }
        if object.has("kid") && text(object, "kid")? != jwk.kid {
            return Err(JwkFault::Kid);
        }
        Ok(jwk)
    }
}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.key.members() {
            map.serialize_entry(name, &value)?;
        }
        map.serialize_entry("use", "sig")?;
        map.serialize_entry("alg", &self.algorithm())?;
        map.serialize_entry("kid", &self.kid)?;
        map.end()
    }
}

/// A JWK Set (RFC 7517 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, in the order of publication.
    pub keys: Vec<PublicJwk>,
}

/// The result of reading a JWK Set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedJwks {
    /// The usable keys. Their ids are distinct.
    pub usable: Jwks,
    /// The keys that can't be used.
    pub refused: Vec<RefusedJwk>,
}

/// A key of a set that can't be used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedJwk {
    /// The index in `keys`, from 0.
    pub index: usize,
    /// The reason.
    pub fault: JwkFault,
}

impl Jwks {
    /// The length in bytes beyond which a set is refused.
    pub const MAX_LENGTH: usize = 64 * 1024;

    /// Reads a set. Unusable keys are set aside and the others kept, as RFC 7517 §5 asks. Two keys with the same id
    /// are both set aside, because readers could differ about which one the id names.
    ///
    /// # Errors
    /// [`JwksFault`] when the text is not a JWK Set.
    pub fn parse(json: &[u8]) -> Result<ParsedJwks, JwksFault> {
        if json.len() > Self::MAX_LENGTH {
            return Err(JwksFault::TooLong);
        }
        let set = Object::parse(json)?;
        let Some(Value::Array(keys)) = set.get("keys") else {
            return Err(JwksFault::NoKeys);
        };
        let ids: Vec<Option<String>> = keys.iter().map(id).collect();
        let mut parsed = ParsedJwks::default();
        for (index, key) in keys.iter().enumerate() {
            let is_shared = ids[index].is_some() && ids.iter().filter(|id| **id == ids[index]).count() > 1;
            let read = if is_shared { Err(JwkFault::SameKid) } else { PublicJwk::from_value(key) };
            match read {
                Ok(jwk) => parsed.usable.keys.push(jwk),
                Err(fault) => parsed.refused.push(RefusedJwk { index, fault }),
            }
        }
        Ok(parsed)
    }
}

/// The id that a key claims, even if the key is otherwise unusable. If it claims none, its thumbprint.
fn id(key: &Value<'_>) -> Option<String> {
    let Value::Object(object) = key else { return None };
    match object.get("kid") {
        Some(Value::String(kid)) => Some(kid.clone().into_owned()),
        Some(_) => None,
        None => PublicKey::from_object(object).ok().map(|key| key.thumbprint().to_string()),
    }
}

/// RFC 7518 §6.2.2, §6.3.2, §6.4.1 and RFC 8037 §2: the members of private and symmetric keys.
const SECRETS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A published secret is compromised, so a key that contains one is refused.
pub(in crate::jose) fn refuse_secrets(object: &Object<'_>) -> Result<(), JwkFault> {
    match SECRETS.into_iter().find(|name| object.has(name)) {
        Some(name) => Err(JwkFault::Secret(name)),
        None => Ok(()),
    }
}

/// RFC 7517 §4.2 and §4.3.
pub(in crate::jose) fn check_purpose(object: &Object<'_>) -> Result<(), JwkFault> {
    if object.has("use") && text(object, "use")? != "sig" {
        return Err(JwkFault::Use);
    }
    let verify = Value::String("verify".into());
    match object.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.contains(&verify) => Ok(()),
        Some(_) => Err(JwkFault::KeyOps),
    }
}
