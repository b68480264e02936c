//! jsonwebtoken with ring for its cryptography, configured to check as much as it can.

use std::hint::black_box;

use claviger::jose::jwk::Algorithm;
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{DecodingKey, Validation, decode};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::issuer::Issuer;

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// The claims of an access token.
#[derive(Deserialize)]
#[allow(dead_code, reason = "they are read, and that is all")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    aud: String,
    iat: u64,
    exp: u64,
    jti: String,
    scope: String,
    cidrs: Vec<String>,
    org: String,
    project: String,
    env: String,
    r#gen: u64,
}

pub(crate) struct Decoder {
    key: DecodingKey,
    validation: Validation,
}

impl Decoder {
    pub(crate) fn new(jwks: &str, issuer: &Issuer) -> Self {
        // Fails on the second call, when the provider is already installed.
        let _ = PROVIDER.install_default();
        let keys: JwkSet = serde_json::from_str(jwks).expect("a key set");
        let mut validation = Validation::new(match issuer.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Rs256 => unreachable!("not measured"),
        });
        validation.set_audience(&[issuer.audience()]);
        validation.set_issuer(&[&issuer.url]);
        Self { key: DecodingKey::from_jwk(&keys.keys[0]).expect("a key"), validation }
    }

    pub(crate) fn decode(&self, token: &str) {
        black_box(decode::<Claims>(token, &self.key, &self.validation).expect("a good token"));
    }
}

/// A key for ring, constructed for every signature, because jsonwebtoken's interface asks for one each time.
struct OnRing(UnparsedPublicKey<Vec<u8>>, jsonwebtoken::Algorithm);

impl Verifier<Vec<u8>> for OnRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        self.0.verify(message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for OnRing {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.1
    }
}

fn verifier(algorithm: &jsonwebtoken::Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
    let bytes = key.try_get_as_bytes()?.to_vec();
    let key = match algorithm {
        jsonwebtoken::Algorithm::ES256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED as _, bytes),
        _ => UnparsedPublicKey::new(&ED25519 as _, bytes),
    };
    Ok(Box::new(OnRing(key, *algorithm)))
}
