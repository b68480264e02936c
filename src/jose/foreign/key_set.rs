//! The key sets of trusted issuers, whose tokens jsonwebtoken verifies.

use jsonwebtoken::DecodingKey;

use super::{Algorithm, Header, Jwk, JwkSet, JwkSetFault, Jws};
use crate::jose::jws::JwsFault;

/// The public keys of a trusted issuer, which have distinct ids.
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

impl KeySet {
    /// The most keys that are tried for a token that names none.
    const MAX_TRIED: usize = 4;

    /// Reads a set as [`JwkSet::parse`] does.
    ///
    /// # Errors
    /// [`JwkSetFault`].
    pub fn parse(json: &[u8], accepted: &[Algorithm]) -> Result<Self, JwkSetFault> {
        let set = JwkSet::parse(json, accepted)?;
        let key = |jwk: &Jwk| IssuerKey { decoding: jwk.decoding(), jwk: jwk.clone() };
        Ok(Self { keys: set.keys().iter().map(key).collect() })
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &[IssuerKey] {
        &self.keys
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

    fn parse(keys: Json) -> KeySet {
        KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &[Algorithm::Es256]).unwrap()
    }

    #[test]
    fn a_token_is_verified_with_the_key_that_it_names() {
        let ((signing, jwk), (_, other)) = (key(), key());
        let token = sign_compact(&signing, "JWT", b"{}").unwrap();
        let token = Jws::parse(&token).unwrap();
        let set = parse(json!([other, jwk]));
        assert!(set.knows(token.header()));
        let verified: Vec<_> = set.candidates(token.header()).map(|key| key.verify(&token)).collect();
        assert_eq!(verified, [Ok(&b"{}"[..])]);

        let mut posing = other.clone();
        posing["kid"] = json!(signing.kid());
        let set = parse(json!([posing]));
        let verified: Vec<_> = set.candidates(token.header()).map(|key| key.verify(&token)).collect();
        assert_eq!(verified, [Err(JwsFault::Signature)]);
        let set = parse(json!([other]));
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
}
