//! Clients that hold a private key, and the assertions that they sign.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::{Answer, Client};

/// A private key, and its public half as JSON.
pub struct Holder {
    key: SigningKey,
    pub jwk: Value,
}

impl Holder {
    pub fn new(algorithm: Algorithm) -> Self {
        let (key, _) = SigningKey::generate(algorithm).expect("a key");
        let jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
        Self { key, jwk }
    }

    /// The same with another `kid`.
    #[must_use]
    pub fn called(mut self, kid: &str) -> Self {
        self.jwk["kid"] = kid.into();
        self
    }

    pub fn kid(&self) -> &str {
        self.jwk["kid"].as_str().expect("text")
    }

    /// The header that an ordinary client sends.
    pub fn header(&self) -> Value {
        json!({ "alg": self.key.algorithm().as_str(), "kid": self.kid() })
    }

    /// A compact JWS of these two.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(input.as_bytes()).expect("a signature");
        format!("{input}.{}", BASE64URL.encode(signature))
    }

    /// An assertion as an ordinary client makes it.
    pub fn assertion(&self, client: &str, audience: &str, now: i64) -> String {
        self.sign(&self.header(), &claims(client, audience, now))
    }
}

/// The claims of an ordinary assertion, with a `jti` that no other has.
pub fn claims(client: &str, audience: &str, now: i64) -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = format!("assertion-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    json!({ "iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 60, "jti": id })
}

/// The parameters of a form that has this assertion.
pub fn form(assertion: &str) -> String {
    format!(
        "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={assertion}"
    )
}

impl Client {
    /// Asks for a token with this assertion and more parameters behind it (`&scope=…`).
    pub async fn token_by(&self, assertion: &str, more: &str) -> Answer {
        let form = format!("grant_type=client_credentials&{}{more}", form(assertion));
        self.post_form("/oauth/token", &form).await
    }
}
