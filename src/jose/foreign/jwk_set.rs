//! JWK Sets of other issuers.

use serde::{Serialize, Serializer};

use super::{Algorithm, ForeignJwkFault, Jwk};
use crate::jose::json::{JsonFault, Object, Value};
use crate::jose::jwk::{JwkFault, refuse_secrets};

/// The public keys of another issuer (RFC 7517 §5), with distinct ids. The JSON form is a JWK Set of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

/// Why a text is refused as the key set of an issuer. The text completes "the key set …". It has nothing of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetFault {
    /// The text is longer than [`JwkSet::MAX_LENGTH`].
    #[error("is longer than {} bytes", JwkSet::MAX_LENGTH)]
    TooLong,
    /// The text is not a strict JSON object.
    #[error("is no key set: {0}")]
    Json(#[from] JsonFault),
    /// RFC 7517 §5.1: the array `keys` is missing.
    #[error("has no array `keys`")]
    NoKeys,
    /// There are more than [`JwkSet::MAX_KEYS`] keys.
    #[error("has more than {} keys", JwkSet::MAX_KEYS)]
    TooManyKeys,
    /// A key is private or symmetric. Whoever publishes that has no secret any more.
    #[error("has a secret key in it: `{0}` has no place in a public key")]
    Secret(&'static str),
    /// RFC 7517 §4.5: two keys have the same id, so readers could differ about which one it names.
    #[error("has two keys with the same `kid`")]
    SameKid,
}

impl JwkSet {
    /// The length in bytes beyond which a set is refused.
    pub const MAX_LENGTH: usize = 256 * 1024;

    /// The number of keys beyond which a set is refused.
    pub const MAX_KEYS: usize = 128;

    /// Reads a set. Keys that are not for signatures, of another kind, or for none of the `accepted` algorithms are left
    /// out, as RFC 7517 §5 asks. An RSA key that doesn't say for which algorithm it is, is for the first accepted one.
    ///
    /// # Errors
    /// [`JwkSetFault`].
    pub fn parse(json: &[u8], accepted: &[Algorithm]) -> Result<Self, JwkSetFault> {
        if json.len() > Self::MAX_LENGTH {
            return Err(JwkSetFault::TooLong);
        }
        let set = Object::parse(json)?;
        let Some(Value::Array(listed)) = set.get("keys") else { return Err(JwkSetFault::NoKeys) };
        if listed.len() > Self::MAX_KEYS {
            return Err(JwkSetFault::TooManyKeys);
        }
        let mut keys: Vec<Jwk> = Vec::with_capacity(listed.len());
        for key in listed {
            let Value::Object(key) = key else { continue };
            if let Err(JwkFault::Secret(member)) = refuse_secrets(key) {
                return Err(JwkSetFault::Secret(member));
            }
            let Ok(jwk) = read(key, accepted) else { continue };
            if !accepted.contains(&jwk.algorithm()) {
                continue;
            }
            if keys.iter().any(|other| other.kid() == jwk.kid()) {
                return Err(JwkSetFault::SameKid);
            }
            keys.push(jwk);
        }
        Ok(Self { keys })
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

/// Only an RSA key leaves its algorithm open.
fn read(key: &Object<'_>, accepted: &[Algorithm]) -> Result<Jwk, ForeignJwkFault> {
    let is_rsa = key.get("kty") == Some(&Value::String("RSA".into()));
    let rsa = accepted.iter().copied().find(|algorithm| algorithm.is_rsa());
    Jwk::from_object(key, rsa.filter(|_| is_rsa))
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("keys", &self.keys)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::jose::jwk::{self, SigningKey};

    fn key() -> (SigningKey, Json) {
        let (key, _) = SigningKey::generate(jwk::Algorithm::Es256).unwrap();
        let jwk = serde_json::to_value(key.public_jwk()).unwrap();
        (key, jwk)
    }

    fn named(kid: &str) -> Json {
        let (_, mut jwk) = key();
        jwk["kid"] = json!(kid);
        jwk
    }

    fn parse(keys: Json) -> Result<JwkSet, JwkSetFault> {
        JwkSet::parse(json!({"keys": keys}).to_string().as_bytes(), &[Algorithm::Es256, Algorithm::Rs256])
    }

    /// A 2,048-bit modulus. Its factors don't matter.
    fn rsa() -> Json {
        let modulus = format!("{}w", "_".repeat(341));
        json!({"kty": "RSA", "n": modulus, "e": "AQAB", "kid": "r"})
    }

    #[test]
    fn a_set_that_could_mislead_is_refused_whole() {
        let mut private = named("a");
        private["d"] = json!("AA");
        let many: Vec<Json> = (0..10_000).map(|at| json!({"kid": at.to_string()})).collect();
        for (keys, fault) in [
            (json!([named("b"), private]), JwkSetFault::Secret("d")),
            (json!([{"kty": "oct", "k": "AA"}]), JwkSetFault::Secret("k")),
            (json!([named("a"), named("a")]), JwkSetFault::SameKid),
            (json!(many), JwkSetFault::TooManyKeys),
            (json!({"a": {}}), JwkSetFault::NoKeys),
        ] {
            assert_eq!(parse(keys).unwrap_err(), fault);
        }
        let html = JwkSet::parse(b"<!doctype html><title>Sign in</title>", &[]).unwrap_err();
        assert_eq!(html, JwkSetFault::Json(JsonFault::Syntax));
        let twice = JwkSet::parse(br#"{"keys":[],"keys":[]}"#, &[]).unwrap_err();
        assert_eq!(twice, JwkSetFault::Json(JsonFault::DuplicateMember));
        let long = JwkSet::parse(&vec![b' '; JwkSet::MAX_LENGTH + 1], &[]).unwrap_err();
        assert_eq!(long, JwkSetFault::TooLong);
    }

    #[test]
    fn keys_for_other_purposes_are_left_out() {
        let mut encrypting = named("e");
        encrypting["use"] = json!("enc");
        let keys =
            json!([named("a"), encrypting, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, 7, rsa()]);
        assert_eq!(parse(keys).unwrap().keys().len(), 2);
        let both = json!({"keys": [named("a"), rsa()]}).to_string();
        let elliptic = JwkSet::parse(both.as_bytes(), &[Algorithm::Es256]);
        assert_eq!(elliptic.unwrap().keys().len(), 1, "nothing says for which algorithm the RSA key is");
    }

    #[test]
    fn a_set_reads_back_as_it_is_kept() {
        let set = parse(json!([named("a"), rsa()])).unwrap();
        let kept = serde_json::to_vec(&set).unwrap();
        let read = JwkSet::parse(&kept, &[Algorithm::Rs256, Algorithm::Es256]).unwrap();
        assert_eq!(serde_json::to_vec(&read).unwrap(), kept);
    }
}
