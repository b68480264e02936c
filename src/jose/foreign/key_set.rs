//! The key sets of trusted issuers.

use jsonwebtoken::DecodingKey;
use serde::{Serialize, Serializer};

use super::{Algorithm, ForeignJwkFault, Header, Jwk, Jws};
use crate::jose::json::{JsonFault, Object, Value};
use crate::jose::jwk::{JwkFault, refuse_secrets};
use crate::jose::jws::JwsFault;

/// The public keys of a trusted issuer (RFC 7517 §5), with distinct ids. The JSON form is a JWK Set of them.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<IssuerKey>,
}

/// One key of a set.
#[derive(Clone)]
pub struct IssuerKey {
    jwk: Jwk,
    decoding: DecodingKey,
}

/// Why a text is refused as the key set of an issuer. The text completes "the key set …". It has nothing of the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetFault {
    /// The text is longer than [`KeySet::MAX_LENGTH`].
    #[error("is longer than {} bytes", KeySet::MAX_LENGTH)]
    TooLong,
    /// The text is not a strict JSON object.
    #[error("is no key set: {0}")]
    Json(#[from] JsonFault),
    /// RFC 7517 §5.1: the array `keys` is missing.
    #[error("has no array `keys`")]
    NoKeys,
    /// There are more than [`KeySet::MAX_KEYS`] keys.
    #[error("has more than {} keys", KeySet::MAX_KEYS)]
    TooManyKeys,
    /// A key is private or symmetric. Whoever publishes that has no secret any more.
    #[error("has a secret key in it: `{0}` has no place in a public key")]
    Secret(&'static str),
    /// RFC 7517 §4.5: two keys have the same id, so readers could differ about which one it names.
    #[error("has two keys with the same `kid`")]
    SameKid,
}

impl KeySet {
    /// The length in bytes beyond which a set is refused.
    pub const MAX_LENGTH: usize = 256 * 1024;

    /// The number of keys beyond which a set is refused.
    pub const MAX_KEYS: usize = 128;

    /// The most keys that are tried for a token that names none.
    const MAX_TRIED: usize = 4;

    /// Reads a set. Keys that are not for signatures, of another kind, or for none of the `accepted` algorithms are left
    /// out, as RFC 7517 §5 asks. An RSA key that doesn't say for which algorithm it is, is for the first accepted one.
    ///
    /// # Errors
    /// [`KeySetFault`].
    pub fn parse(json: &[u8], accepted: &[Algorithm]) -> Result<Self, KeySetFault> {
        if json.len() > Self::MAX_LENGTH {
            return Err(KeySetFault::TooLong);
        }
        let set = Object::parse(json)?;
        let Some(Value::Array(listed)) = set.get("keys") else { return Err(KeySetFault::NoKeys) };
        if listed.len() > Self::MAX_KEYS {
            return Err(KeySetFault::TooManyKeys);
        }
        let mut keys: Vec<IssuerKey> = Vec::with_capacity(listed.len());
        for key in listed {
            let Value::Object(key) = key else { continue };
            if let Err(JwkFault::Secret(member)) = refuse_secrets(key) {
                return Err(KeySetFault::Secret(member));
            }
            let Ok(jwk) = read(key, accepted) else { continue };
            if !accepted.contains(&jwk.algorithm()) {
                continue;
            }
            if keys.iter().any(|other| other.jwk.kid() == jwk.kid()) {
                return Err(KeySetFault::SameKid);
            }
            keys.push(IssuerKey { decoding: jwk.decoding(), jwk });
        }
        Ok(Self { keys })
    }

    /// Whether the set has no key that can be used.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of keys that can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether the set has the key that the header names. A header that names none fits any set.
    pub fn knows(&self, header: &Header) -> bool {
        header.kid().is_none_or(|kid| self.keys.iter().any(|key| key.jwk.kid() == kid))
    }

    /// The keys with which a token may be signed: the one that the header names, or else a few of its algorithm.
    pub fn candidates(&self, header: &Header) -> impl Iterator<Item = &IssuerKey> {
        self.keys.iter().filter(|key| key.jwk.answers_to(header)).take(Self::MAX_TRIED)
    }
}

/// Only an RSA key leaves its algorithm open.
fn read(key: &Object<'_>, accepted: &[Algorithm]) -> Result<Jwk, ForeignJwkFault> {
    let is_rsa = key.get("kty") == Some(&Value::String("RSA".into()));
    let rsa = accepted.iter().copied().find(|algorithm| algorithm.is_rsa());
    Jwk::from_object(key, rsa.filter(|_| is_rsa))
}

impl IssuerKey {
    /// Verifies the signature of a token. Returns the payload.
    ///
    /// # Errors
    /// [`JwsFault::OtherKey`], [`JwsFault::OtherAlgorithm`] or [`JwsFault::Signature`].
    pub fn verify<'j>(&self, token: &'j Jws<'_>) -> Result<&'j [u8], JwsFault> {
        token.verify_by_jsonwebtoken(&self.jwk, &self.decoding)
    }
}

impl std::fmt::Debug for IssuerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.jwk.fmt(f)
    }
}

impl Serialize for KeySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(1))?;
        let keys: Vec<&Jwk> = self.keys.iter().map(|key| &key.jwk).collect();
        map.serialize_entry("keys", &keys)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::jose::jwk::{self, SigningKey};
    use crate::jose::jws::sign_compact;

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

    fn parse(keys: Json) -> Result<KeySet, KeySetFault> {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &[Algorithm::Es256, Algorithm::Rs256])
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
            (json!([named("b"), private]), KeySetFault::Secret("d")),
            (json!([{"kty": "oct", "k": "AA"}]), KeySetFault::Secret("k")),
            (json!([named("a"), named("a")]), KeySetFault::SameKid),
            (json!(many), KeySetFault::TooManyKeys),
            (json!({"a": {}}), KeySetFault::NoKeys),
        ] {
            assert_eq!(parse(keys).unwrap_err(), fault);
        }
        let html = KeySet::parse(b"<!doctype html><title>Sign in</title>", &[]).unwrap_err();
        assert_eq!(html, KeySetFault::Json(JsonFault::Syntax));
        let twice = KeySet::parse(br#"{"keys":[],"keys":[]}"#, &[]).unwrap_err();
        assert_eq!(twice, KeySetFault::Json(JsonFault::DuplicateMember));
        let long = KeySet::parse(&vec![b' '; KeySet::MAX_LENGTH + 1], &[]).unwrap_err();
        assert_eq!(long, KeySetFault::TooLong);
    }

    #[test]
    fn keys_for_other_purposes_are_left_out() {
        let mut encrypting = named("e");
        encrypting["use"] = json!("enc");
        let keys =
            json!([named("a"), encrypting, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, 7, rsa()]);
        assert_eq!(parse(keys).unwrap().len(), 2);
        let both = json!({"keys": [named("a"), rsa()]}).to_string();
        let elliptic = KeySet::parse(both.as_bytes(), &[Algorithm::Es256]);
        assert_eq!(elliptic.unwrap().len(), 1, "nothing says for which algorithm the RSA key is");
    }

    #[test]
    fn a_token_is_verified_with_the_key_that_it_names() {
        let ((signing, jwk), (_, other)) = (key(), key());
        let token = sign_compact(&signing, "JWT", b"{}").unwrap();
        let token = Jws::parse(&token).unwrap();
        let set = parse(json!([other, jwk])).unwrap();
        assert!(set.knows(token.header()));
        let verified: Vec<_> = set.candidates(token.header()).map(|key| key.verify(&token)).collect();
        assert_eq!(verified, [Ok(&b"{}"[..])]);

        let mut posing = other.clone();
        posing["kid"] = json!(signing.kid());
        let set = parse(json!([posing])).unwrap();
        let verified: Vec<_> = set.candidates(token.header()).map(|key| key.verify(&token)).collect();
        assert_eq!(verified, [Err(JwsFault::Signature)]);
        let set = parse(json!([other])).unwrap();
        assert!(!set.knows(token.header()) && set.candidates(token.header()).next().is_none());
    }

    proptest! {
        #[test]
        fn hostile_documents_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\PC]{0,60}") {
            let member = format!(r#"{{"keys":[{{"kty":"{text}","crv":"P-256","x":"{text}"}}],"iss":"{text}","exp":1}}"#);
            for document in [&bytes[..], text.as_bytes(), member.as_bytes()] {
                let _ = KeySet::parse(document, &Algorithm::ALL);
                let _ = super::super::claimed_issuer(document);
                let _ = super::super::IssuerClaims::parse(document).map(|claims| claims.presented);
                let _ = super::super::key_set_url(document, &"https://a.example".parse().unwrap());
            }
        }
    }

    #[test]
    fn a_set_reads_back_as_it_is_kept() {
        let set = parse(json!([named("a"), rsa()])).unwrap();
        let kept = serde_json::to_vec(&set).unwrap();
        let read = KeySet::parse(&kept, &[Algorithm::Rs256, Algorithm::Es256]).unwrap();
        assert_eq!(serde_json::to_vec(&read).unwrap(), kept);
    }
}
