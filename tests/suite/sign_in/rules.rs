//! What the settings of a provider say: how this server is known there, and whose invitations are accepted.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claviger::jose::foreign::Jwk;
use claviger::jose::jwk::{Algorithm, SigningKey};
use claviger::node::{ClientCredential, ProviderSettings};
use serde_json::{Value, json};

use super::{Scene, begun, refused, session};
use crate::support::{Answer, Backend, Options, on_both};

on_both!(
    a_server_with_a_private_key_sends_an_assertion_and_no_secret,
    a_secret_is_sent_where_the_provider_takes_it,
    invitations_are_for_the_domains_of_the_settings,
    invitations_are_for_the_tenants_of_the_settings,
    another_claim_can_say_that_an_address_is_verified,
);

const OUTSIDE: &str = "Accounts of this domain cannot accept invitations here.";

async fn set(backend: Backend, change: impl FnOnce(&mut ProviderSettings)) -> Scene {
    Scene::set_with(backend, Options::default(), change).await
}

async fn a_server_with_a_private_key_sends_an_assertion_and_no_secret(backend: Backend) {
    let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
    let public = Jwk::parse(&serde_json::to_vec(&key.public_jwk()).unwrap()).unwrap();
    let scene = set(backend, |settings| settings.credential = ClientCredential::Key(Arc::new(key))).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let stranger = scene.answer(&scene.begin("sso").await, &json!({})).await;
        refused(&stranger, "you are not a member here");
        let request = scene.sso.last().await;
        assert!(!request.to_lowercase().contains("authorization:"), "{request}");
        let (_, form) = request.split_once("\r\n\r\n").unwrap();
        let field = |name: &str| {
            let found = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("no {name} in {form}")).to_owned()
        };
        assert!(!form.contains("client_secret"), "{form}");
        assert_eq!(field("client_id"), "console");
        assert_eq!(
            field("client_assertion_type"),
            "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let assertion = field("client_assertion");
        let assertion = claviger::jose::foreign::Jws::parse(&assertion).unwrap();
        let claims: Value = serde_json::from_slice(assertion.verify(&public).unwrap()).unwrap();
        let now = scene.now();
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["iat"]),
            (&json!("console"), &json!("console"), &json!(now))
        );
        assert_eq!(
            (&claims["aud"], &claims["exp"]),
            (&json!(format!("{}/token", scene.sso.url)), &json!(now + 60))
        );
        ids.push(claims["jti"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}

async fn a_secret_is_sent_where_the_provider_takes_it(backend: Backend) {
    let scene = set(backend, |settings| {
        settings.credential = ClientCredential::Secret("a:b &%+é".to_owned().into());
    })
    .await;
    scene.answer(&scene.begin("sso").await, &json!({})).await;
    let request = scene.sso.last().await;
    let sent = request.lines().find(|line| line.to_lowercase().starts_with("authorization: basic "));
    let pair = sent.unwrap().rsplit_once(' ').unwrap().1;
    let pair = BASE64_STANDARD.decode(pair).unwrap();
    // RFC 6749 §2.3.1: both are encoded as a form is.
    assert_eq!(String::from_utf8(pair).unwrap(), "console:a%3Ab+%26%25%2B%C3%A9");
    assert!(!request.contains("client_secret"), "{request}");
}

/// What becomes of somebody with these claims who accepts an invitation for `ada@example.com`.
async fn accepts(scene: &Scene, code: &str, claims: &Value) -> Answer {
    scene.server.clock.advance(7);
    scene.answer(&begun(&scene.redeem(code).await), claims).await
}

async fn invitations_are_for_the_domains_of_the_settings(backend: Backend) {
    let scene = set(backend, |settings| settings.allowed_domains = vec!["example.org".into()]).await;
    let code = scene.invite("ada@example.com").await;
    for claims in [json!({}), json!({ "hd": "example.org" })] {
        refused(&accepts(&scene, &code, &claims).await, OUTSIDE);
    }
    let scene = set(backend, |settings| settings.allowed_domains = vec!["example.com".into()]).await;
    let code = scene.invite("ada@example.com").await;
    for domain in ["example.org", "com", "sub.example.com", "example.com.evil.example"] {
        refused(&accepts(&scene, &code, &json!({ "hd": domain })).await, OUTSIDE);
    }
    assert!(session(&accepts(&scene, &code, &json!({ "hd": "Example.com" })).await).is_some());
    // The domain counts when an invitation is accepted. From then on, the member is `iss` and `sub`.
    let moved = scene.answer(&scene.begin("sso").await, &json!({ "hd": "example.org" })).await;
    assert!(session(&moved).is_some(), "{}", moved.text);
}

async fn invitations_are_for_the_tenants_of_the_settings(backend: Backend) {
    let tenant = "11111111-2222-3333-4444-555555555555";
    let scene = set(backend, |settings| settings.allowed_tenants = vec![tenant.into()]).await;
    let code = scene.invite("ada@example.com").await;
    for claims in [
        json!({}),
        json!({ "tid": "" }),
        json!({ "tid": [tenant] }),
        json!({ "tid": "99999999-2222-3333-4444-555555555555" }),
        json!({ "hd": tenant }),
    ] {
        refused(&accepts(&scene, &code, &claims).await, OUTSIDE);
    }
    assert!(session(&accepts(&scene, &code, &json!({ "tid": tenant })).await).is_some());
}

async fn another_claim_can_say_that_an_address_is_verified(backend: Backend) {
    let scene = set(backend, |settings| settings.email_verified_claim = "xms_edov".into()).await;
    let code = scene.invite("ada@example.com").await;
    for claims in
        [json!({}), json!({ "xms_edov": "1" }), json!({ "xms_edov": 1 }), json!({ "xms_edov": false })]
    {
        refused(&accepts(&scene, &code, &claims).await, "is verified");
    }
    let claims = json!({ "xms_edov": true, "email_verified": null });
    assert!(session(&accepts(&scene, &code, &claims).await).is_some());
}
