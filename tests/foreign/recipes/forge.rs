//! Tokens that the issuer's key has signed, and that the issuer would not have.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::jwk::{Algorithm, SigningKey};
use serde_json::{Value, json};

/// The issuer's signing key, as PEM.
pub(crate) const PEM: &str = include_str!("../../vectors/pem/p256.pem");

/// A good token's header and claims, to change.
pub(crate) struct Forge {
    key: SigningKey,
    header: Value,
    claims: Value,
}

impl Forge {
    pub(crate) fn of(token: &str) -> Self {
        let (key, _) = claviger::jose::pem::import(PEM).expect("a key");
        let parts: Vec<&str> = token.split('.').collect();
        Self { key, header: json_of(parts[0]), claims: json_of(parts[1]) }
    }

    /// The same again, with another signature.
    pub(crate) fn unchanged(&self) -> String {
        self.sign(&json!({}), &json!({}))
    }

    /// Tokens that have to be refused, and why.
    pub(crate) fn refused(&self) -> Vec<(String, String)> {
        let headers = self.headers().into_iter();
        let headers = headers.map(|header| (header.to_string(), self.sign(&header, &json!({}))));
        let claims = self.claims().into_iter();
        let claims = claims.map(|claims| (claims.to_string(), self.sign(&json!({}), &claims)));
        headers.chain(claims).chain(self.broken()).collect()
    }

    fn headers(&self) -> Vec<Value> {
        vec![
            json!({"typ": "JWT"}),
            json!({"typ": "revocations+jwt"}),
            json!({"typ": null}),
            json!({"alg": "none"}),
            json!({"alg": "EdDSA"}),
            json!({"alg": "HS256"}),
            json!({"kid": null}),
            json!({"kid": "nobody"}),
            json!({"crit": ["exp"]}),
            json!({"crit": ["b64"], "b64": true}),
        ]
    }

    fn claims(&self) -> Vec<Value> {
        let issued = self.claims["iat"].as_i64().expect("a time");
        let actors = (0..5)
            .fold(json!({"sub": "key_a", "gen": 1}), |act, _| json!({"sub": "key_a", "gen": 1, "act": act}));
        let mut changed = vec![
            json!({"iss": "https://other.example"}),
            json!({"aud": "https://other.example"}),
            json!({"aud": null}),
            json!({"iat": issued - 500, "exp": issued - 100}),
            json!({"exp": issued + 601}),
            json!({"exp": issued}),
            json!({"iat": issued + 300}),
            json!({"nbf": issued + 300}),
            json!({"gen": "1"}),
            json!({"gen": -1}),
            json!({"cidrs": []}),
            json!({"cidrs": "0.0.0.0/0"}),
            json!({"cidrs": ["everywhere"]}),
            json!({"env": "stg"}),
            json!({"act": "key_a"}),
            json!({"act": {"sub": "key_a"}}),
            json!({"act": actors}),
            json!({"origin": "token"}),
            json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
        ];
        let required = [
            "iss",
            "sub",
            "client_id",
            "iat",
            "exp",
            "jti",
            "scope",
            "cidrs",
            "org",
            "project",
            "env",
            "gen",
        ];
        changed.extend(required.map(|claim| json!({ claim: null })));
        changed
    }

    /// What is not signed by the issuer's key, or is no token at all.
    fn broken(&self) -> Vec<(String, String)> {
        let good = self.unchanged();
        let (input, signature) = good.rsplit_once('.').expect("a token");
        let (header, payload) = input.split_once('.').expect("a token");
        let unsigned = encode(&merged(&self.header, &json!({"alg": "none"})));
        let wide = encode(&merged(&self.claims, &json!({"scope": "*:*"})));
        let (other, _) = SigningKey::generate(Algorithm::Es256).expect("a key");
        let forged = BASE64URL.encode(other.sign(input.as_bytes()).expect("a signature"));
        let named = [
            ("alg none", format!("{unsigned}.{payload}.")),
            ("a widened scope", format!("{header}.{wide}.{signature}")),
            ("another key", format!("{input}.{forged}")),
            ("no signature", format!("{input}.")),
            ("four parts", format!("{good}.{signature}")),
            ("half of it", good[..good.len() / 2].to_owned()),
            ("nonsense", "nonsense".to_owned()),
        ];
        named.map(|(why, token)| (why.to_owned(), token)).into()
    }

    /// Signs with these members changed, or removed by `null`.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let input =
            format!("{}.{}", encode(&merged(&self.header, header)), encode(&merged(&self.claims, claims)));
        let signature = self.key.sign(input.as_bytes()).expect("a signature");
        format!("{input}.{}", BASE64URL.encode(signature))
    }
}

fn merged(base: &Value, changes: &Value) -> Value {
    let mut merged = base.clone();
    for (member, value) in changes.as_object().expect("an object") {
        merged[member] = value.clone();
    }
    merged.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    merged
}

fn json_of(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL.decode(part).expect("base64url")).expect("JSON")
}

fn encode(value: &Value) -> String {
    BASE64URL.encode(value.to_string())
}
