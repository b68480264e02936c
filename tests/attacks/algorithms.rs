//! Tokens that would have their reader choose the algorithm.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::{Algorithm, SigningKey};
use claviger::jose::jws::JwsFault;
use claviger::jose::pem;
use claviger::node::keyring::SigningKeySource;
use ring::hmac;
use serde_json::{Value, json};

use crate::forge::{Forgery, Good, sign, with};
use crate::key_info::{public_bytes, spki, spki_pem};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    a_token_without_a_signature_is_refused,
    an_hmac_keyed_with_the_public_key_is_refused,
    another_algorithm_than_that_of_the_key_is_refused,
    a_signature_of_another_key_is_refused,
);

const RSA: &str = include_str!("../vectors/pem/rsa-2048.pem");

/// Issuers with a key of each algorithm.
async fn all(backend: Backend) -> [TokenReaders; 3] {
    [
        TokenReaders::signing_with(backend, SigningKeySource::Generate(Algorithm::Es256)).await,
        TokenReaders::signing_with(backend, SigningKeySource::Generate(Algorithm::EdDsa)).await,
        TokenReaders::signing_with(backend, SigningKeySource::Pem(RSA.to_owned().into())).await,
    ]
}

fn refused(name: impl Into<String>, token: String) -> Forgery {
    Forgery::new(name, token, JwsFault::Algorithm)
}

async fn a_token_without_a_signature_is_refused(backend: Backend) {
    let spellings =
        ["none", "None", "NONE", "nOnE", "NonE", "", " none", "none ", "none\0", "n\u{43e}ne", "null"];
    for readers in all(backend).await {
        readers
            .refuse_all(|good| {
                let mut forgeries = Vec::new();
                for alg in spellings {
                    let signed = good.with_header("alg", json!(alg));
                    let unsigned = without_signature(&signed);
                    forgeries.push(refused(format!("alg {alg:?}, signed all the same"), signed));
                    forgeries.push(refused(format!("alg {alg:?}, not signed"), unsigned));
                }
                let no_alg = without_signature(&good.with_header("alg", Value::Null));
                forgeries.push(refused("no alg, not signed", no_alg));
                forgeries.push(Forgery::unsigned("a good alg, not signed", without_signature(&good.token)));
                forgeries
            })
            .await;
    }
}

fn without_signature(token: &str) -> String {
    format!("{}.", token.rsplit_once('.').unwrap().0)
}

async fn an_hmac_keyed_with_the_public_key_is_refused(backend: Backend) {
    for readers in all(backend).await {
        let jwks = readers.world.server.client().get("/.well-known/jwks.json").await.text;
        readers
            .refuse_all(|good| {
                let mut forgeries = Vec::new();
                for (what, secret) in shared_secrets(good, &jwks) {
                    for (alg, algorithm) in [
                        ("HS256", hmac::HMAC_SHA256),
                        ("HS384", hmac::HMAC_SHA384),
                        ("HS512", hmac::HMAC_SHA512),
                    ] {
                        let token = with_tag(good, alg, algorithm, &secret);
                        forgeries.push(refused(format!("{alg} keyed with {what}"), token));
                    }
                    // The same tag under the name of the key's own algorithm.
                    let own = good.key().algorithm().as_str();
                    let token = with_tag(good, own, hmac::HMAC_SHA256, &secret);
                    forgeries.push(Forgery::unsigned(format!("a tag keyed with {what} for {own}"), token));
                }
                forgeries
            })
            .await;
    }
}

/// What an unwary library would take for a shared secret.
fn shared_secrets(good: &Good, jwks: &str) -> Vec<(&'static str, Vec<u8>)> {
    let jwk = good.key().public_jwk();
    let pem = spki_pem(jwk);
    vec![
        ("the JWK", serde_json::to_vec(jwk).unwrap()),
        ("the key set", jwks.as_bytes().to_vec()),
        ("the raw key", public_bytes(jwk)),
        ("the SPKI in DER", spki(jwk)),
        ("the SPKI in PEM", pem.clone().into_bytes()),
        ("the SPKI in PEM without its last newline", pem.trim_end().as_bytes().to_vec()),
        ("the kid", jwk.kid().as_bytes().to_vec()),
        ("nothing", Vec::new()),
    ]
}

fn with_tag(good: &Good, alg: &str, algorithm: hmac::Algorithm, secret: &[u8]) -> String {
    let header = with(&good.header, "alg", json!(alg)).to_string();
    let input = format!("{}.{}", BASE64URL.encode(header), good.parts()[1]);
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret), input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(tag))
}

async fn another_algorithm_than_that_of_the_key_is_refused(backend: Backend) {
    let unknown = [
        "HS256",
        "HS384",
        "HS512",
        "ES384",
        "ES512",
        "ES256K",
        "RS384",
        "RS512",
        "RS1",
        "PS256",
        "PS384",
        "PS512",
        "Ed25519",
        "Ed448",
        "ML-DSA-44",
        "dir",
        "es256",
        "Es256",
        "ES256 ",
        "ES256\0",
        "eddsa",
        "EDDSA",
        "rs256",
        "EC",
        "RSA",
    ];
    for readers in all(backend).await {
        readers
            .refuse_all(|good| {
                let own = good.key().algorithm().as_str();
                let named = |alg: &str| refused(format!("alg {alg:?}"), good.with_header("alg", json!(alg)));
                let mut forgeries: Vec<Forgery> = unknown.into_iter().map(named).collect();
                for value in [Value::Null, json!([own]), json!({ own: 1 }), json!(256), json!(true)] {
                    let token = good.with_header("alg", value.clone());
                    forgeries.push(refused(format!("alg is {value}"), token));
                }
                let null = good.header.to_string().replace(&format!("{own:?}"), "null");
                forgeries.push(refused("alg is null", good.sign_header(&null)));
                for other in others(good) {
                    let alg = other.algorithm().as_str();
                    let header = with(&good.header, "alg", json!(alg)).to_string();
                    for (whose, key) in [("the issuer's key", good.key()), ("a key of its own", &other)] {
                        forgeries.push(Forgery::new(
                            format!("alg {alg} and the kid of an {own} key, signed with {whose}"),
                            sign(key, &header, &good.payload.to_string()),
                            JwsFault::OtherAlgorithm,
                        ));
                    }
                    let own_alg = sign(&other, &good.header.to_string(), &good.payload.to_string());
                    forgeries.push(Forgery::unsigned(format!("alg {own}, signed as {alg}"), own_alg));
                }
                forgeries
            })
            .await;
    }
}

/// Keys of the forger's, of the algorithms that are not the issuer's.
fn others(good: &Good) -> Vec<SigningKey> {
    let keys = [generate(Algorithm::Es256), generate(Algorithm::EdDsa), pem::import(RSA).unwrap().0];
    keys.into_iter().filter(|key| key.algorithm() != good.key().algorithm()).collect()
}

fn generate(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap().0
}

async fn a_signature_of_another_key_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let forger = generate(Algorithm::Es256);
    readers
        .refuse_all(|good| {
            let by_forger = |header: &Value| sign(&forger, &header.to_string(), &good.payload.to_string());
            vec![
                Forgery::unsigned("the issuer's kid, signed with another key", by_forger(&good.header)),
                Forgery::new(
                    "another key and its kid",
                    by_forger(&with(&good.header, "kid", json!(forger.kid()))),
                    TokenFault::UnknownKey,
                ),
                Forgery::new(
                    "the kid of another key, signed with the issuer's",
                    good.with_header("kid", json!(forger.kid())),
                    TokenFault::UnknownKey,
                ),
            ]
        })
        .await;
}
