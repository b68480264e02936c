//! An issuer whose private keys are those that the RFCs publish.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::base::clock::Timestamp;
use claviger::jose::claims::{
    Audience, Claims, Leeway, Presentation, Rules, TokenFault, verify_access_token,
};
use claviger::jose::jwk::{SigningKey, VerifyingKey};
use serde_json::{Value, json};

pub const ISSUER: &str = "https://claviger.example";
pub const AUDIENCE: &str = "https://api.example.com";
pub const NOW: i64 = 1_700_000_000;

/// ES256, EdDSA, RS256. The last two sign the same bytes in the same way each time.
pub static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
    [
        include_str!("../../tests/vectors/jws/rfc7515-a3.json"),
        include_str!("../../tests/vectors/jws/rfc8037-a.json"),
        include_str!("../../tests/vectors/jws/rfc7515-a2.json"),
    ]
    .map(|vector| {
        let vector: Value = serde_json::from_str(vector).unwrap();
        let pkcs8 = BASE64URL.decode(vector["pkcs8"].as_str().unwrap()).unwrap();
        SigningKey::from_pkcs8(vector["algorithm"].as_str().unwrap().parse().unwrap(), &pkcs8).unwrap()
    })
});

static VERIFYING: LazyLock<Vec<VerifyingKey>> =
    LazyLock::new(|| KEYS.iter().map(|key| VerifyingKey::from(key.public_jwk().clone())).collect());

/// The key with this id.
pub fn key_for(kid: &str) -> Option<&'static VerifyingKey> {
    VERIFYING.iter().find(|key| key.kid() == kid)
}

/// Ed25519: the fastest that signs the same bytes in the same way each time.
pub fn eddsa() -> &'static SigningKey {
    &KEYS[1]
}

/// What a resource server holds tokens against.
pub fn verify(token: &str) -> Result<Claims, TokenFault> {
    let rules = Rules {
        issuer: ISSUER,
        audience: Audience::OneOf(&[AUDIENCE]),
        presentation: Presentation::Bearer,
        now: Timestamp::from_unix(NOW),
        leeway: Leeway::NONE,
    };
    verify_access_token(token, key_for, &rules)
}

/// The header of a token that this key signs.
pub fn header(key: &SigningKey, typ: &str) -> String {
    json!({ "alg": key.algorithm(), "typ": typ, "kid": key.kid() }).to_string()
}

/// The claims of a good token.
pub fn payload() -> Value {
    json!({
        "iss": ISSUER, "sub": "key_Alpha00000000000", "client_id": "key_Alpha00000000000", "aud": AUDIENCE,
        "iat": NOW, "exp": NOW + 600, "jti": "AAECAwQFBgcICQoLDA0ODw", "scope": "read:orders/*",
        "cidrs": ["0.0.0.0/0", "::/0"], "org": "acme", "project": "web", "env": "prd", "gen": 7,
    })
}

/// Signs exactly these bytes as header and payload.
pub fn sign(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL.encode(signature))
}

/// The request that a proof of possession is for: a GET of this URL, with this token.
pub const PROOF_URL: &str = "https://api.example.com/orders/7";
/// See [`PROOF_URL`].
pub const PROOF_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// The SHA-256 of [`PROOF_TOKEN`] (RFC 9449 §7.1).
pub const PROOF_TOKEN_HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

/// The header of a good proof of this key.
pub fn proof_header(key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    let members = jwk.as_object_mut().unwrap();
    members.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    json!({ "alg": key.algorithm(), "typ": "dpop+jwt", "jwk": jwk })
}

/// The claims of a good proof.
pub fn proof_claims() -> Value {
    json!({ "jti": "-BwC3ESc6acc2lTc", "htm": "GET", "htu": PROOF_URL, "iat": NOW, "ath": PROOF_TOKEN_HASH })
}
