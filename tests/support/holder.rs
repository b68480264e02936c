//! Clients that prove to have a key (DPoP, RFC 9449).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::foreign::Jwk;
use claviger::jose::jwk::{Algorithm, SigningKey};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::Client;

/// Somebody with a private key.
#[derive(Clone)]
pub struct Holder(Arc<SigningKey>);

/// A proof before it is signed. A good one, unless a test changes it.
#[derive(Clone)]
pub struct Proof {
    holder: Holder,
    header: Value,
    claims: Value,
}

impl Holder {
    pub fn new() -> Self {
        Self(Arc::new(SigningKey::generate(Algorithm::Es256).expect("a key").0))
    }

    /// The public key as a proof has it.
    pub fn jwk(&self) -> Value {
        let jwk = serde_json::to_value(self.0.public_jwk()).expect("JSON");
        json!({ "kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"] })
    }

    pub fn thumbprint(&self) -> String {
        Jwk::parse(self.jwk().to_string().as_bytes()).expect("a key").thumbprint().to_string()
    }

    /// A proof for a request without a token.
    pub fn proof(&self, method: &str, url: &str, now: Timestamp) -> Proof {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let claims = json!({
            "jti": format!("proof-{}", COUNT.fetch_add(1, Relaxed)), "htm": method, "htu": url, "iat": now.unix(),
        });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        Proof { holder: self.clone(), header, claims }
    }

    fn sign(&self, message: &str) -> Vec<u8> {
        self.0.sign(message.as_bytes()).expect("a signature").as_ref().to_vec()
    }
}

impl Proof {
    /// The same for a request with this token.
    pub fn of(self, token: &str) -> Self {
        self.claim("ath", BASE64URL.encode(digest(&SHA256, token.as_bytes())))
    }

    /// The same with this claim; without it if it is `null`.
    pub fn claim(self, name: &str, value: impl Into<Value>) -> Self {
        Self { claims: with(self.claims, name, value.into()), ..self }
    }

    /// The same with this member in its header; without it if it is `null`.
    pub fn header(self, name: &str, value: impl Into<Value>) -> Self {
        Self { header: with(self.header, name, value.into()), ..self }
    }

    /// The bytes under the signature.
    pub fn unsigned(&self) -> String {
        let encode = |part: &Value| BASE64URL.encode(part.to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    pub fn signed(&self) -> String {
        self.signed_by(&self.holder)
    }

    /// The same, signed by somebody else.
    pub fn signed_by(&self, signer: &Holder) -> String {
        let unsigned = self.unsigned();
        let signature = signer.sign(&unsigned);
        format!("{unsigned}.{}", BASE64URL.encode(signature))
    }
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().expect("an object");
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.to_owned(), value)),
    }
    object
}

impl Client {
    /// The same client with this header `DPoP`.
    pub fn proving(&self, proof: &str) -> Self {
        self.with("dpop", proof)
    }

    /// The same client with `Authorization: DPoP`.
    pub fn dpop(&self, token: &str) -> Self {
        self.with("authorization", &format!("DPoP {token}"))
    }
}
