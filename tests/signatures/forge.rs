//! A workshop for tokens: good ones, and well-signed ones that say anything.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::claims::{
    Audience, Claims, Leeway, Presentation, Rules, TokenFault, verify_access_token,
};
use claviger::jose::jwk::{Algorithm, SigningKey, VerifyingKey};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
pub(crate) const NOW: i64 = 1_800_000_000;

/// The issuer's key. One for all tests: making keys is slow in them.
pub(crate) static KEY: LazyLock<Arc<SigningKey>> = LazyLock::new(|| Arc::new(generate(Algorithm::Es256)));

/// Another key of the same issuer, of another algorithm.
pub(crate) static OTHER_KEY: LazyLock<Arc<SigningKey>> =
    LazyLock::new(|| Arc::new(generate(Algorithm::EdDsa)));

pub(crate) fn generate(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap().0
}

pub(crate) fn verifying(key: &SigningKey) -> VerifyingKey {
    VerifyingKey::from(key.public_jwk().clone())
}

/// The header that a good token has.
pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid()})
}

/// The claims that a good token has.
pub(crate) fn payload() -> Value {
    json!({
        "iss": ISSUER, "sub": "key_0123456789abcdef", "client_id": "key_0123456789abcdef", "aud": AUDIENCE,
        "iat": NOW, "exp": NOW + 600, "jti": "AAECAwQFBgcICQoLDA0ODw", "scope": "read:projects/web",
        "cidrs": ["0.0.0.0/0", "::/0"], "org": "acme", "project": "web", "env": "prd", "gen": 1,
    })
}

/// `base` with one member set, or removed by `null`.
pub(crate) fn with(mut base: Value, member: &str, value: Value) -> Value {
    if value.is_null() {
        base.as_object_mut().unwrap().remove(member);
    } else {
        base[member] = value;
    }
    base
}

/// Signs exactly these texts as header and payload with [`KEY`].
pub(crate) fn sign(header: &str, payload: &str) -> String {
    sign_with(&KEY, header, payload)
}

pub(crate) fn sign_with(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL.encode(signature))
}

pub(crate) fn good_token() -> String {
    sign(&header().to_string(), &payload().to_string())
}

/// Verifies with the rules that a good token meets.
pub(crate) fn verify(token: &str) -> Result<Claims, TokenFault> {
    verify_at(token, NOW, Leeway::NONE)
}

pub(crate) fn verify_at(token: &str, now: i64, leeway: Leeway) -> Result<Claims, TokenFault> {
    let rules = Rules {
        issuer: ISSUER,
        audience: Audience::OneOf(&[AUDIENCE]),
        presentation: Presentation::Bearer,
        now: Timestamp::from_unix(now),
        leeway,
    };
    let keys = [verifying(&KEY), verifying(&OTHER_KEY)];
    verify_access_token(token, |kid| keys.iter().find(|key| key.kid() == kid), &rules)
}

/// A good token but for one member of its header.
pub(crate) fn verify_header(member: &str, value: Value) -> Result<Claims, TokenFault> {
    verify(&sign(&with(header(), member, value).to_string(), &payload().to_string()))
}

/// A good token but for one claim.
pub(crate) fn verify_claim(claim: &str, value: Value) -> Result<Claims, TokenFault> {
    verify(&sign(&header().to_string(), &with(payload(), claim, value).to_string()))
}
