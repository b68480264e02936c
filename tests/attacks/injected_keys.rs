//! Tokens that bring their own key, or say where to get it.

use std::io::ErrorKind;
use std::net::TcpListener;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claviger::jose::claims::TokenFault;
use claviger::jose::jwk::{Algorithm, SigningKey};
use claviger::jose::jws::JwsFault;
use serde_json::{Value, json};

use crate::forge::{Forgery, Good, sign, with};
use crate::key_info::{spki, spki_pem};
use crate::support::{Backend, on_both};
use crate::token_readers::TokenReaders;

on_both!(
    a_key_in_the_header_is_refused,
    a_url_in_the_header_is_never_fetched,
    a_kid_is_only_ever_compared,
    the_kid_of_the_next_key_on_a_signature_of_the_active_one_is_refused,
);

fn forger() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap().0
}

/// A good token with this in its header, signed by the issuer; and the forger's, under either kid.
fn with_parameter(good: &Good, forger: &SigningKey, name: &'static str, value: &Value) -> Vec<Forgery> {
    let header = with(&good.header, name, value.clone());
    let own = with(&header, "kid", json!(forger.kid()));
    let by_forger = |header: &Value| sign(forger, &header.to_string(), &good.payload.to_string());
    [
        ("signed by the issuer", good.sign_header(&header.to_string())),
        ("signed by the forger", by_forger(&header)),
        ("signed by the forger, with its kid", by_forger(&own)),
    ]
    .map(|(how, token)| Forgery::new(format!("{name} {value}, {how}"), token, JwsFault::Parameter(name)))
    .into()
}

async fn a_key_in_the_header_is_refused(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let forger = forger();
    let jwk = serde_json::to_value(forger.public_jwk()).unwrap();
    let certificate = BASE64_STANDARD.encode(spki(forger.public_jwk()));
    let parameters = [
        ("jwk", jwk.clone()),
        ("jwk", jwk.to_string().into()),
        ("jwk", json!({ "keys": [jwk] })),
        ("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })),
        ("jwk", json!({})),
        ("x5c", json!([certificate])),
        ("x5c", json!(certificate)),
        ("x5c", json!([])),
        ("x5u", json!(spki_pem(forger.public_jwk()))),
    ];
    readers
        .refuse_all(|good| {
            let own = serde_json::to_value(good.key().public_jwk()).unwrap();
            let mut forgeries = with_parameter(good, &forger, "jwk", &own);
            for (name, value) in &parameters {
                forgeries.extend(with_parameter(good, &forger, name, value));
            }
            let null = good.header.to_string().replacen('{', r#"{"jwk":null,"#, 1);
            let null = good.sign_header(&null);
            forgeries.push(Forgery::new("jwk is null", null, JwsFault::Parameter("jwk")));
            forgeries
        })
        .await;
}

async fn a_url_in_the_header_is_never_fetched(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let address = format!("http://{}", trap.local_addr().unwrap());
    let forger = forger();
    readers
        .refuse_all(|good| {
            let mut forgeries = Vec::new();
            for name in ["jku", "x5u"] {
                for url in [format!("{address}/keys"), address.replace("http:", "https:")] {
                    forgeries.extend(with_parameter(good, &forger, name, &json!(url)));
                }
            }
            let url = json!(format!("{address}/keys"));
            forgeries.push(Forgery::new(
                "an address as kid",
                good.with_header("kid", url.clone()),
                TokenFault::UnknownKey,
            ));
            forgeries.push(Forgery::new(
                "another issuer, signed by the issuer",
                good.with_claim("iss", url.clone()),
                TokenFault::Issuer,
            ));
            let header = with(&good.header, "kid", json!(forger.kid()));
            let payload = with(&good.payload, "iss", url);
            forgeries.push(Forgery::new(
                "another issuer, signed by that one",
                sign(&forger, &header.to_string(), &payload.to_string()),
                TokenFault::UnknownKey,
            ));
            forgeries
        })
        .await;
    // Whoever had connected would be waiting here.
    assert_eq!(trap.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody connected");
}

async fn a_kid_is_only_ever_compared(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    readers
        .refuse_all(|good| {
            let kid = good.key().kid();
            let unknown = [
                "../../../../etc/passwd".into(),
                "/dev/null".into(),
                "file:///dev/null".into(),
                "keys/master.key".into(),
                "' OR '1'='1".into(),
                format!("{kid}' --"),
                format!("{kid}'; DROP TABLE signing_keys; --"),
                "%".into(),
                "*".into(),
                format!("{kid}\0"),
                format!("\0{kid}"),
                format!("{kid} "),
                format!("{kid}="),
                format!("{kid}\n"),
                kid.to_uppercase(),
                kid[..42].to_owned(),
                "$(id)".into(),
                "${jndi:ldap://127.0.0.1/a}".into(),
                "k".repeat(128),
            ];
            let unknown = unknown.map(|kid: String| {
                let token = good.with_header("kid", json!(kid));
                Forgery::new(format!("kid {kid:?}"), token, TokenFault::UnknownKey)
            });
            let odd = [
                Value::Null,
                json!([kid]),
                json!({ "kid": kid }),
                json!(1),
                json!(true),
                json!(""),
                json!("k".repeat(129)),
            ]
            .map(|value| {
                Forgery::new(format!("kid is {value}"), good.with_header("kid", value.clone()), JwsFault::Kid)
            });
            unknown.into_iter().chain(odd).collect()
        })
        .await;
}

/// It is published ahead of its use, so every verifier has it.
async fn the_kid_of_the_next_key_on_a_signature_of_the_active_one_is_refused(backend: Backend) {
    let mut readers = TokenReaders::new(backend).await;
    let rotated = readers.world.server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let (ring, now) = (readers.world.server.node.signer.keyring.ring(), readers.world.server.clock.now());
    let next = ring.next(now).unwrap().kid();
    // A verifier that has read it by itself.
    readers.verifier = readers.world.verifier().await;
    readers
        .refuse_all(|good| {
            let token = good.with_header("kid", json!(next));
            vec![Forgery::unsigned("the kid of the next key, signed with today's", token)]
        })
        .await;
}
