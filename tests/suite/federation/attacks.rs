//! Attacks by name, on a key that trusts an issuer.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::domain::address::AddressPolicy;
use serde_json::{Value, json};

use super::{ISSUERS, KEYS, Scene, merged, present, present_as_grant, record, told_nothing, trusting};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Backend, Options, Server, on_both};

on_both!(
    whatever_is_wrong_is_told_nobody,
    guesses_are_throttled_for_their_network,
    another_key_under_the_same_kid_is_no_issuer,
    audiences_are_not_confused,
    our_own_documents_open_nothing,
    a_header_supplies_no_key,
    a_key_set_that_misleads_is_refused,
    an_organization_is_not_opened_by_anothers_rule,
    a_description_of_somebody_else_leads_nowhere,
    nobody_is_sent_into_the_operators_network,
);

/// Both doors give one answer each, whatever fails.
async fn whatever_is_wrong_is_told_nobody(backend: Backend) {
    // Each token comes from a network of its own, because so many guesses from one have to wait.
    let addresses = AddressPolicy { proxies: "127.0.0.0/8".parse().unwrap(), ..AddressPolicy::default() };
    let server = Server::start_with(backend, Options { addresses, ..Options::default() }).await;
    let scene = Scene::on(server, json!({})).await;
    let now = scene.now();
    let stranger = ForeignIssuer::start().await;
    let claims = |claims: Value| scene.foreign.claims(&scene.server.issuer(), now, &claims);
    let (holder, header) = (&scene.foreign.holder, scene.foreign.holder.header());
    let typed = |typ: &str| holder.sign(&merged(header.clone(), &json!({ "typ": typ })), &claims(json!({})));
    let good = scene.token(&json!({}));
    let cut = &good[..good.len() - 4];
    let tokens = [
        ("expired by a second", scene.token(&json!({ "iat": now - 100, "exp": now - 1 }))),
        ("expired now", scene.token(&json!({ "iat": now - 100, "exp": now }))),
        ("far future", scene.token(&json!({ "iat": now + 3_600, "exp": now + 3_700 }))),
        ("not yet valid", scene.token(&json!({ "nbf": now + 60 }))),
        ("too long a life", scene.token(&json!({ "exp": now + 3_601 }))),
        ("no end", scene.token(&json!({ "exp": null }))),
        ("no beginning", scene.token(&json!({ "iat": null }))),
        ("an end as text", scene.token(&json!({ "exp": (now + 60).to_string() }))),
        ("another subject", scene.token(&json!({ "sub": "workload2" }))),
        ("a subject in another case", scene.token(&json!({ "sub": "Workload" }))),
        ("subjects in an array", scene.token(&json!({ "sub": ["workload"] }))),
        ("no subject", scene.token(&json!({ "sub": null }))),
        ("a slash more", scene.token(&json!({ "iss": format!("{}/", scene.foreign.url) }))),
        ("another issuer", scene.token(&json!({ "iss": stranger.url }))),
        ("no issuer", scene.token(&json!({ "iss": null }))),
        ("bound to a key", scene.token(&json!({ "cnf": { "jkt": "x" } }))),
        ("a stranger's token", stranger.token(&scene.server.issuer(), now, &json!({}))),
        ("an unknown kid", holder.sign(&json!({ "alg": "ES256", "kid": "x" }), &claims(json!({})))),
        (
            "another algorithm",
            holder.sign(&json!({ "alg": "ES384", "kid": holder.kid() }), &claims(json!({}))),
        ),
        (
            "a symmetric algorithm",
            holder.sign(&json!({ "alg": "HS256", "kid": holder.kid() }), &claims(json!({}))),
        ),
        ("no algorithm", holder.sign(&json!({ "alg": "none" }), &claims(json!({})))),
        ("an access token", typed("at+jwt")),
        ("a proof", typed("dpop+jwt")),
        ("a logout token", typed("logout+jwt")),
        (
            "an extension",
            holder.sign(&merged(header.clone(), &json!({ "crit": ["x"], "x": 1 })), &claims(json!({}))),
        ),
        ("half a signature", cut.to_owned()),
        ("no signature", format!("{}.", good.rsplit_once('.').unwrap().0)),
        ("no token", "x".to_owned()),
    ];
    let mut answers = std::collections::BTreeSet::new();
    for (at, (why, token)) in tokens.into_iter().enumerate() {
        let client = scene.server.client().with("x-forwarded-for", &format!("192.0.2.{at}"));
        let by_client = present(&client, &scene.id, &token).await;
        let is_form = by_client.text.contains("the assertion is refused");
        if !is_form {
            told_nothing(&by_client, why);
        }
        let by_grant = present_as_grant(&client, &scene.id, &token).await;
        assert_eq!((by_grant.status, by_grant.oauth_error().as_str()), (400, "invalid_grant"), "{why}");
        answers.insert(by_grant.text);
    }
    answers.insert(present_as_grant(&scene.server.client(), "key_0000000000000000", &good).await.text);
    assert_eq!(answers.len(), 1, "{answers:?}");
    scene.present(&good).await.done(200);
}

/// Keys that exist are counted like others, or the count would tell which exist.
async fn guesses_are_throttled_for_their_network(backend: Backend) {
    let scene = Scene::set(backend).await;
    let client = scene.server.client();
    let stranger = ForeignIssuer::start().await.holder.called(scene.foreign.holder.kid());
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    let forged = stranger.sign(&stranger.header(), &claims);
    for id in [&*scene.id, "key_0000000000000000"] {
        for _ in 0..10 {
            told_nothing(&present(&client, id, &forged).await, id);
        }
        for throttled in [
            present(&client, id, &forged).await,
            present_as_grant(&client, id, &scene.token(&json!({}))).await,
        ] {
            assert_eq!(throttled.status, 429, "{id}: {}", throttled.text);
            assert!(!throttled.header("retry-after").is_empty());
        }
    }
    scene.server.advance(60).await;
    for _ in 0..20 {
        // The issuer signed it, so it is no guess.
        told_nothing(&scene.present(&scene.token(&json!({ "sub": "other" }))).await, "another subject");
    }
    scene.good().await.done(200);
}

async fn another_key_under_the_same_kid_is_no_issuer(backend: Backend) {
    let scene = Scene::set(backend).await;
    let other = ForeignIssuer::start().await;
    scene.admin().post_json(ISSUERS, &record("other", &other)).await.done(201);
    trusting(&scene.server, &json!({ "issuer": "other", "subject": "workload" })).await;
    let header = json!({ "alg": "ES256", "kid": scene.foreign.holder.kid() });
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    told_nothing(&scene.present(&other.holder.sign(&header, &claims)).await, "its kid");
    let nameless = other.holder.sign(&json!({ "alg": "ES256" }), &claims);
    told_nothing(&scene.present(&nameless).await, "no kid");
    let posing = merged(other.holder.jwk.clone(), &json!({ "kid": scene.foreign.holder.kid() }));
    other.publish(&json!({ "keys": [posing] }).to_string()).await;
    scene.server.advance(60).await;
    told_nothing(&scene.present(&other.holder.sign(&header, &claims)).await, "another set");
    scene.good().await.done(200);
}

async fn audiences_are_not_confused(backend: Backend) {
    let scene = Scene::set(backend).await;
    let own = scene.server.issuer();
    let elsewhere =
        json!({ "issuer": "idp", "subject": "workload", "audience": "https://elsewhere.example" });
    let (other, _) = trusting(&scene.server, &elsewhere).await;
    for audience in [
        json!("https://elsewhere.example"),
        json!(format!("{own}/oauth/token")),
        json!(format!("{own}/")),
        json!([own, "https://elsewhere.example"]),
        json!([]),
        json!({ "x": own }),
        Value::Null,
    ] {
        told_nothing(&scene.present(&scene.token(&json!({ "aud": audience }))).await, &audience.to_string());
    }
    let client = scene.server.client();
    told_nothing(&present(&client, &other, &scene.token(&json!({}))).await, "ours where another is named");
    let named = scene.token(&json!({ "aud": "https://elsewhere.example" }));
    present(&client, &other, &named).await.done(200);
    scene.present(&scene.token(&json!({ "aud": [own] }))).await.done(200);
}

async fn our_own_documents_open_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    let issued = scene.good().await.done(200);
    let token = issued["access_token"].as_str().unwrap();
    let client = scene.server.client();
    assert_eq!(scene.present(token).await.status, 401);
    assert_eq!(present_as_grant(&client, &scene.id, token).await.oauth_error(), "invalid_grant");
    let feed = client.get("/oauth/revocations").await.text;
    assert_eq!(present_as_grant(&client, &scene.id, &feed).await.oauth_error(), "invalid_grant");
    for own in
        [scene.server.issuer(), format!("{}/", scene.server.issuer()).to_uppercase().replace("HTTP", "http")]
    {
        let issuer = json!({ "id": "own", "issuer": own, "keys": { "discovery": true } });
        let message = scene.admin().post_json(ISSUERS, &issuer).await.refused(400, "invalid_request");
        assert!(message.contains("this server"), "{message}");
    }
}

async fn a_header_supplies_no_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    let stranger = ForeignIssuer::start().await;
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    for supplied in [
        json!({ "jwk": stranger.holder.jwk }),
        json!({ "jku": format!("{}/keys", stranger.url) }),
        json!({ "x5u": format!("{}/keys", stranger.url) }),
        json!({ "x5c": [BASE64URL.encode("x")] }),
    ] {
        let header = merged(json!({ "alg": "ES256", "kid": stranger.holder.kid() }), &supplied);
        let answer = scene.present(&stranger.holder.sign(&header, &claims)).await;
        assert_eq!(answer.status, 401, "{supplied}: {}", answer.text);
    }
    assert_eq!(stranger.asked(), 0);
}

async fn a_key_set_that_misleads_is_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    let jwk = &scene.foreign.holder.jwk;
    let many: Vec<Value> =
        (0..10_000).map(|at| merged(jwk.clone(), &json!({ "kid": at.to_string() }))).collect();
    let private = merged(jwk.clone(), &json!({ "d": "c2VjcmV0" }));
    let check = format!("{ISSUERS}/idp/check");
    for (set, reason) in [
        (json!({ "keys": [jwk, private] }).to_string(), "`d` has no place in a public key"),
        (json!({ "keys": many[..200] }).to_string(), "more than 128 keys"),
        (json!({ "keys": many }).to_string(), "longer than"),
        (json!({ "keys": [jwk, jwk] }).to_string(), "two keys with the same `kid`"),
        ("<!doctype html><title>c2VjcmV0</title>".to_owned(), "not well-formed JSON"),
        (format!(r#"{{"keys":[],"keys":[{jwk}]}}"#), "a member occurs twice"),
        (r#"{"jwks":[]}"#.to_owned(), "no array `keys`"),
    ] {
        scene.foreign.publish(&set).await;
        scene.server.advance(60).await;
        told_nothing(&scene.good().await, reason);
        let found = scene.admin().post_json(&check, &json!({})).await.done(200);
        let said = found["keys"]["reason"].as_str().unwrap();
        assert!(said.contains(reason) && !said.contains("c2VjcmV0"), "{said}");
    }
    scene.foreign.publish(&json!({ "keys": [jwk] }).to_string()).await;
    scene.server.advance(60).await;
    scene.good().await.done(200);
}

/// A rule of another organization, for an issuer that it controls, opens only its own keys.
async fn an_organization_is_not_opened_by_anothers_rule(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.admin();
    admin.post_json("/v1/orgs", &json!({ "id": "evil" })).await.done(201);
    admin.post_json("/v1/orgs/evil/projects", &json!({ "id": "web" })).await.done(201);
    let evil = ForeignIssuer::start().await;
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    let posing = json!({ "id": "idp", "issuer": scene.foreign.url, "keys": { "jwks": { "keys": [evil.holder.jwk] } } });
    admin.post_json("/v1/orgs/evil/issuers", &posing).await.done(201);
    let forged = evil.holder.sign(&evil.holder.header(), &claims);
    told_nothing(&scene.present(&forged).await, "a record of the same id and URL elsewhere");
    let rule = json!({ "issuer": "elsewhere", "subject": "workload" });
    let path = format!("{KEYS}/{}/trust-rules", scene.id);
    let message = admin.post_json(&path, &rule).await.refused(400, "invalid_request");
    assert!(message.contains("names no trusted issuer"), "{message}");
    let (_, stranger) = scene.server.key(&["admin:claviger/orgs/default/**"]).await;
    let stranger = scene.server.client().bearer(&stranger);
    stranger.get("/v1/orgs/evil/issuers/idp").await.refused(404, "not_found");
    stranger.get("/v1/orgs/evil/issuers").await.refused(404, "not_found");
}

async fn a_description_of_somebody_else_leads_nowhere(backend: Backend) {
    let scene = Scene::set(backend).await;
    let described = json!({ "id": "d", "issuer": scene.foreign.url, "keys": { "discovery": true } });
    scene.admin().post_json(ISSUERS, &described).await.done(201);
    let (id, _) = trusting(&scene.server, &json!({ "issuer": "d", "subject": "workload" })).await;
    let client = scene.server.client();
    present(&client, &id, &scene.token(&json!({}))).await.done(200);
    let posing =
        json!({ "id": "p", "issuer": format!("{}/", scene.foreign.url), "keys": { "discovery": true } });
    scene.admin().post_json(ISSUERS, &posing).await.done(201);
    let (id, _) = trusting(&scene.server, &json!({ "issuer": "p", "subject": "workload" })).await;
    let token = scene.token(&json!({ "iss": format!("{}/", scene.foreign.url) }));
    told_nothing(&present(&client, &id, &token).await, "another's description");
    let found = scene.admin().post_json(&format!("{ISSUERS}/p/check"), &json!({})).await.done(200);
    assert_eq!(found["keys"]["reason"], "the issuer's description is that of another `issuer`");
}

async fn nobody_is_sent_into_the_operators_network(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (at, (url, reason)) in [
        ("https://10.0.0.1/keys", "no public address"),
        ("https://169.254.169.254/keys", "no public address"),
        ("https://[::1]/keys", "no public address"),
        ("https://[64:ff9b::7f00:1]/keys", "no public address"),
        ("https://100.64.0.1/keys", "no public address"),
    ]
    .into_iter()
    .enumerate()
    {
        let (id, issuer) = (format!("i{at}"), "https://issuer.example");
        let body = json!({ "id": id, "issuer": issuer, "keys": { "jwks_uri": url } });
        scene.admin().post_json(ISSUERS, &body).await.done(201);
        let found = scene.admin().post_json(&format!("{ISSUERS}/{id}/check"), &json!({})).await.done(200);
        let said = found["keys"]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{url}: {said}");
    }
    for url in ["http://10.0.0.1/keys", "ftp://x.example", "https://u:p@x.example", "file:///etc/passwd"] {
        let body = json!({ "id": "x", "issuer": "https://issuer.example", "keys": { "jwks_uri": url } });
        scene.admin().post_json(ISSUERS, &body).await.refused(400, "invalid_request");
    }
}
