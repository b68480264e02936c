//! `private_key_jwt` (RFC 7523 §2.2): clients that sign an assertion instead of sending a secret.

use claviger::jose::foreign;
use claviger::jose::jwk::Algorithm;
use claviger::node::{AcceptedAudience, AssertionPolicy};
use serde_json::{Value, json};

use crate::support::assertion::{Holder, claims, form};
use crate::support::{Answer, Backend, Options, Server, on_both};
use crate::token::claims as claims_of;

on_both!(
    an_assertion_gets_the_token_that_the_secret_gets,
    every_oauth_endpoint_takes_assertions,
    a_good_form_at_a_wrong_claim_is_explained_to_the_holder,
    a_malformed_assertion_is_explained_to_anybody,
    whoever_lacks_the_private_key_learns_nothing,
    an_assertion_without_kid_is_tried_against_keys_of_its_algorithm,
    an_assertion_is_accepted_once,
    a_replay_after_a_restart_passes_unless_it_is_stored,
    an_assertion_that_could_not_be_stored_is_not_used_up,
    a_flood_of_assertions_stops_its_key_alone,
    lookups_of_made_up_clients_keep_nobody_else_waiting,
    the_settings_narrow_the_algorithms,
    older_clients_may_name_the_token_endpoint,
    a_strict_server_takes_the_audience_as_a_string_only,
    a_key_that_ended_ends_this_way_in,
    guesses_are_throttled_for_their_network,
    use_is_counted_for_the_public_key,
    the_metadata_names_method_and_algorithms,
);

/// PostgreSQL alone has several nodes.
mod across_nodes {
    use super::*;
    use crate::support::on_postgres;

    on_postgres!(a_replay_at_another_node_passes_unless_nodes_share);

    async fn a_replay_at_another_node_passes_unless_nodes_share(backend: Backend) {
        for (policy, second_time) in [(AssertionPolicy::default(), 200), (shared(), 401)] {
            let scene = Scene::with_policy(backend, policy).await;
            let other = scene.server.second_node().await;
            let assertion = scene.assertion();
            scene.ask(&assertion).await.done(200);
            let replayed = other.client().token_by(&assertion, "").await;
            assert_eq!(replayed.status, second_time, "{}", replayed.text);
            assert_eq!(other.client().token_by(&assertion, "").await.status, 401);
        }
    }
}

const KEYS: &str = "/v1/orgs/default/keys";

/// A server, a key without a secret, and the holder of its private key.
struct Scene {
    server: Server,
    issuer: String,
    id: String,
    public_key: String,
    holder: Holder,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        Self::with(Server::start(backend).await, json!({})).await
    }

    async fn with_policy(backend: Backend, assertions: AssertionPolicy) -> Self {
        let options = Options { assertions, ..Options::default() };
        Self::with(Server::start_with(backend, options).await, json!({})).await
    }

    /// A key with these members, besides those that it needs.
    async fn with(server: Server, members: Value) -> Self {
        let holder = Holder::new(Algorithm::Es256);
        let mut new = json!({ "name": "signer", "project": "default", "environment": "prd",
            "scopes": [{ "action": "read", "resource": "projects/*" }],
            "secret": false, "public_keys": [{ "jwk": holder.jwk }] });
        for (name, value) in members.as_object().unwrap() {
            new[name] = value.clone();
        }
        let created = server.admin().post_json(KEYS, &new).await.done(201);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, public_key) = (text(&created["id"]), text(&created["public_keys"][0]["id"]));
        Self { issuer: server.issuer(), server, id, public_key, holder }
    }

    fn now(&self) -> i64 {
        self.server.clock.now().unix()
    }

    fn claims(&self) -> Value {
        claims(&self.id, &self.issuer, self.now())
    }

    fn assertion(&self) -> String {
        self.sign(&self.claims())
    }

    fn sign(&self, claims: &Value) -> String {
        self.holder.sign(&self.holder.header(), claims)
    }

    async fn ask(&self, assertion: &str) -> Answer {
        self.server.client().token_by(assertion, "").await
    }
}

/// The claims with this one changed, or without it.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

/// What a refused client is told.
#[track_caller]
fn told(answer: &Answer) -> String {
    assert_eq!((answer.status, answer.oauth_error().as_str()), (401, "invalid_client"), "{}", answer.text);
    assert!(answer.header("www-authenticate").starts_with("Basic "), "{:?}", answer.headers);
    answer.json()["error_description"].as_str().unwrap().to_owned()
}

const NOTHING: &str = "client authentication failed";

async fn an_assertion_gets_the_token_that_the_secret_gets(backend: Backend) {
    let server = Server::start(backend).await;
    let scene =
        Scene::with(server, json!({ "secret": true, "expires_in": 400, "cidrs": ["127.0.0.0/8"] })).await;
    let rotate = format!("{KEYS}/{}/rotate", scene.id);
    let rotated = scene.server.admin().post_json(&rotate, &json!({ "overlap_seconds": 0 })).await.done(201);
    let by_secret = scene.server.client().token(rotated["key"].as_str().unwrap(), "").await.done(200);
    let by_assertion = scene.ask(&scene.assertion()).await.done(200);
    let mut claims = [&by_secret, &by_assertion].map(|answer| {
        let mut claims = claims_of(answer["access_token"].as_str().unwrap());
        claims.as_object_mut().unwrap().remove("jti");
        claims
    });
    assert_eq!(claims[0], claims[1]);
    assert_eq!((claims[1]["sub"].take(), &by_assertion["expires_in"]), (json!(scene.id), &json!(400)));
    assert_eq!(by_assertion["scope"], "read:projects/*");
    let narrowed = scene.server.client().token_by(&scene.assertion(), "&scope=read:projects/web").await;
    assert_eq!(narrowed.done(200)["scope"], "read:projects/web");
    let beyond = scene.server.client().token_by(&scene.assertion(), "&scope=write:projects/web").await;
    assert_eq!(beyond.oauth_error(), "invalid_scope");
    let named = format!("&client_id={}", scene.id);
    scene.server.client().token_by(&scene.assertion(), &named).await.done(200);
}

async fn every_oauth_endpoint_takes_assertions(backend: Backend) {
    let server = Server::start(backend).await;
    let introspection = json!({ "scopes": [
        { "action": "read", "resource": "claviger/orgs/default/introspection" },
        { "action": "write", "resource": "claviger/orgs/default/projects/default/token-exchange" },
        { "action": "read", "resource": "projects/*" },
    ] });
    let scene = Scene::with(server, introspection).await;
    let client = scene.server.client();
    let (_, subject) = scene.server.key(&["read:projects/*"]).await;
    let subject = client.access_token(&subject, "").await;
    let introspect = format!("token={subject}&{}", form(&scene.assertion()));
    assert_eq!(client.post_form("/oauth/introspect", &introspect).await.done(200)["active"], true);
    let exchange = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={subject}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token&{}",
        form(&scene.assertion())
    );
    let exchanged = client.post_form("/oauth/token", &exchange).await.done(200);
    let exchanged = claims_of(exchanged["access_token"].as_str().unwrap());
    assert_eq!(exchanged["client_id"], scene.id);
    let own = client.token_by(&scene.assertion(), "&scope=read:projects/*").await.done(200);
    let own = own["access_token"].as_str().unwrap();
    let revoke = format!("token={own}&{}", form(&scene.assertion()));
    client.post_form("/oauth/revoke", &revoke).await.done(200);
    let introspect = format!("token={own}&{}", form(&scene.assertion()));
    assert_eq!(client.post_form("/oauth/introspect", &introspect).await.done(200)["active"], false);
    let beside = client.bearer(&scene.server.admin_key).post_form("/oauth/introspect", &introspect).await;
    assert_eq!((beside.status, beside.oauth_error().as_str()), (400, "invalid_request"));
}

async fn a_good_form_at_a_wrong_claim_is_explained_to_the_holder(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (now, issuer) = (scene.now(), scene.issuer.clone());
    for (name, value, reason) in [
        ("aud", json!("https://other.example"), "`aud`"),
        ("aud", json!(format!("{issuer}/")), "`aud`"),
        ("aud", json!([issuer, "https://other.example"]), "`aud`"),
        ("aud", json!(format!("{issuer}/oauth/token")), "`aud`"),
        ("aud", json!(format!("{issuer}/api")), "`aud`"),
        ("exp", json!(now - 30), "expired"),
        ("exp", json!(now + 331), "`exp` is more than 300 seconds"),
        ("exp", json!(253_402_300_799_i64), "`exp` is more than 300 seconds"),
        ("iat", json!(now + 31), "in the future"),
        ("nbf", json!(now + 31), "in the future"),
    ] {
        let refused = scene.ask(&scene.sign(&with(scene.claims(), name, value.clone()))).await;
        assert!(told(&refused).contains(reason), "{name} {value}: {}", refused.text);
    }
    for (name, value) in [
        ("aud", json!([issuer])),
        ("exp", json!(now - 29)),
        ("exp", json!(now + 330)),
        ("iat", Value::Null),
        ("iat", json!(now + 30)),
        ("iat", json!(now - 86_400)),
        ("nbf", json!(now + 30)),
        ("more", json!({ "of": ["everything", null, 1.5] })),
    ] {
        let answer = scene.ask(&scene.sign(&with(scene.claims(), name, value.clone()))).await;
        assert_eq!(answer.status, 200, "{name} {value}: {}", answer.text);
    }
}

async fn a_malformed_assertion_is_explained_to_anybody(backend: Backend) {
    let scene = Scene::set(backend).await;
    let header = scene.holder.header();
    let signed = |header: Value, claims: Value| scene.holder.sign(&header, &claims);
    let good = || scene.claims();
    let own_token = scene.ask(&scene.assertion()).await.done(200);
    for (assertion, reason) in [
        ("x".to_owned(), "three parts"),
        (own_token["access_token"].as_str().unwrap().to_owned(), "`typ`"),
        (signed(with(header.clone(), "typ", json!("at+jwt")), good()), "`typ`"),
        (signed(with(header.clone(), "typ", json!("dpop+jwt")), good()), "`typ`"),
        (signed(with(header.clone(), "alg", json!("none")), good()), "`alg`"),
        (signed(with(header.clone(), "alg", json!("HS256")), good()), "`alg`"),
        (signed(with(header.clone(), "alg", json!("RS512")), good()), "`alg` is not accepted here"),
        (signed(with(header.clone(), "crit", json!(["x"])), good()), "`crit`"),
        (signed(with(header.clone(), "jwk", scene.holder.jwk.clone()), good()), "`jwk`"),
        (signed(header.clone(), with(good(), "jti", Value::Null)), "`jti` is missing"),
        (signed(header.clone(), with(good(), "jti", json!(""))), "`jti`"),
        (signed(header.clone(), with(good(), "jti", json!("j".repeat(257)))), "`jti`"),
        (signed(header.clone(), with(good(), "exp", Value::Null)), "`exp` is missing"),
        (signed(header.clone(), with(good(), "exp", json!("soon"))), "`exp`"),
        (signed(header.clone(), with(good(), "aud", Value::Null)), "`aud` is missing"),
        (signed(header.clone(), with(good(), "aud", json!([]))), "`aud`"),
        (signed(header.clone(), with(good(), "iss", Value::Null)), "`iss` is missing"),
        (signed(header.clone(), with(good(), "iss", json!("https://issuer.example"))), "`iss` and `sub`"),
        (signed(header.clone(), with(good(), "sub", json!("somebody"))), "`iss` and `sub`"),
    ] {
        let refused = scene.ask(&assertion).await;
        assert!(told(&refused).contains(reason), "{reason}: {}", refused.text);
    }
    let other = scene.server.client().token_by(&scene.assertion(), "&client_id=key_0123456789abcdef").await;
    assert!(told(&other).contains("`client_id`"), "{}", other.text);
    for typ in ["JWT", "jwt", "application/jwt", "client-authentication+jwt"] {
        let answer = scene.ask(&signed(with(header.clone(), "typ", json!(typ)), good())).await;
        assert_eq!(answer.status, 200, "{typ}: {}", answer.text);
    }
}

async fn whoever_lacks_the_private_key_learns_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    let stranger = Holder::new(Algorithm::Es256).called(scene.holder.kid());
    let (other_id, _) = scene.server.key(&["read:*"]).await;
    let nobody = "key_0123456789abcdef";
    let as_other = with(with(scene.claims(), "iss", json!(other_id)), "sub", json!(other_id));
    let as_nobody = with(with(scene.claims(), "iss", json!(nobody)), "sub", json!(nobody));
    let other_kid = with(scene.holder.header(), "kid", json!("another"));
    let mut broken = scene.assertion();
    let first = broken.len() - 86;
    let other = if broken[first..].starts_with('A') { "Q" } else { "A" };
    broken.replace_range(first..=first, other);
    let expired = with(scene.claims(), "exp", json!(scene.now() - 86_400));
    for assertion in [
        stranger.sign(&stranger.header(), &scene.claims()),
        // The times and the audience of what is not signed say nothing either.
        stranger.sign(&stranger.header(), &expired),
        scene.sign(&as_other),
        scene.sign(&as_nobody),
        scene.holder.sign(&other_kid, &scene.claims()),
        broken,
    ] {
        assert_eq!(told(&scene.ask(&assertion).await), NOTHING);
    }
}

async fn an_assertion_without_kid_is_tried_against_keys_of_its_algorithm(backend: Backend) {
    let scene = Scene::set(backend).await;
    let second = Holder::new(Algorithm::Es256);
    let path = format!("{KEYS}/{}/public-keys", scene.id);
    for jwk in [&Holder::new(Algorithm::EdDsa).jwk, &second.jwk] {
        scene.server.admin().post_json(&path, &json!({ "jwk": jwk })).await.done(201);
    }
    let bare = json!({ "alg": "ES256" });
    for holder in [&scene.holder, &second] {
        scene.ask(&holder.sign(&bare, &scene.claims())).await.done(200);
    }
    let stranger = Holder::new(Algorithm::Es256);
    assert_eq!(told(&scene.ask(&stranger.sign(&bare, &scene.claims())).await), NOTHING);
}

async fn an_assertion_is_accepted_once(backend: Backend) {
    let scene = Scene::set(backend).await;
    let assertion = scene.assertion();
    let replayed = "`jti` was used before";
    scene.ask(&assertion).await.done(200);
    assert!(told(&scene.ask(&assertion).await).contains(replayed));
    // At the other endpoints, too, and to the end of its life and the leeway.
    let introspect = format!("token=x&{}", form(&assertion));
    let refused = scene.server.client().post_form("/oauth/introspect", &introspect).await;
    assert!(told(&refused).contains(replayed));
    scene.server.advance(89).await;
    assert!(told(&scene.ask(&assertion).await).contains(replayed));
    scene.server.advance(1).await;
    assert!(told(&scene.ask(&assertion).await).contains("expired"));
    // A refused one is not used up: neither by its scope's fault nor by whoever only knows its jti.
    let claims = scene.claims();
    let stranger = Holder::new(Algorithm::Es256);
    assert_eq!(told(&scene.ask(&stranger.sign(&scene.holder.header(), &claims)).await), NOTHING);
    scene.ask(&scene.sign(&claims)).await.done(200);
    // The same jti in another assertion is the same jti.
    let again = with(claims, "exp", json!(scene.now() + 200));
    assert!(told(&scene.ask(&scene.sign(&again)).await).contains(replayed));
}

fn shared() -> AssertionPolicy {
    AssertionPolicy { shares_used_ids: true, ..AssertionPolicy::default() }
}

async fn a_replay_after_a_restart_passes_unless_it_is_stored(backend: Backend) {
    for (policy, second_time) in [(AssertionPolicy::default(), 200), (shared(), 401)] {
        let scene = Scene::with_policy(backend, policy).await;
        let assertion = scene.assertion();
        scene.ask(&assertion).await.done(200);
        let rows = "SELECT COUNT(*) FROM used_assertions";
        let stored = scene.server.database.number(rows).await;
        assert_eq!(stored, i64::from(second_time == 401));
        let restarted = scene.server.restarted().await;
        let replayed = restarted.client().token_by(&assertion, "").await;
        assert_eq!(replayed.status, second_time, "{}", replayed.text);
        scene.server.clock.advance(1_000);
        restarted.node.catch_up().await.unwrap();
        restarted.node.tidy_once().await;
        assert_eq!(scene.server.database.number(rows).await, 0, "what has expired is deleted");
    }
}

async fn an_assertion_that_could_not_be_stored_is_not_used_up(backend: Backend) {
    let scene = Scene::with_policy(backend, shared()).await;
    let assertion = scene.assertion();
    scene.server.database.execute("ALTER TABLE used_assertions RENAME TO elsewhere").await;
    let failed = scene.ask(&assertion).await;
    assert!(failed.status >= 500, "{} {}", failed.status, failed.text);
    scene.server.database.execute("ALTER TABLE elsewhere RENAME TO used_assertions").await;
    scene.ask(&assertion).await.done(200);
    assert!(told(&scene.ask(&assertion).await).contains("`jti` was used before"));
}

async fn a_flood_of_assertions_stops_its_key_alone(backend: Backend) {
    let scene = Scene::set(backend).await;
    let holder = Holder::new(Algorithm::EdDsa);
    let path = format!("{KEYS}/{}/public-keys", scene.id);
    scene.server.admin().post_json(&path, &json!({ "jwk": holder.jwk })).await.done(201);
    let (second, _) = scene.server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{second}/public-keys");
    scene.server.admin().post_json(&path, &json!({ "jwk": holder.jwk })).await.done(201);
    let flood = |client: &str| holder.assertion(client, &scene.issuer, scene.now());
    let full = loop {
        let answer = scene.ask(&flood(&scene.id)).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(scene.server.node.authenticator.assertions.remembered() <= 10_000);
    };
    assert_eq!((full.status, full.oauth_error().as_str()), (429, "temporarily_unavailable"), "{}", full.text);
    assert_eq!(full.header("retry-after"), "30");
    assert_eq!(scene.server.node.authenticator.assertions.remembered(), 10_000);
    scene.ask(&flood(&second)).await.done(200);
    scene.server.advance(120).await;
    scene.ask(&flood(&scene.id)).await.done(200);
}

/// A client id has no tag, so anybody can have made-up ones looked up in the store.
async fn lookups_of_made_up_clients_keep_nobody_else_waiting(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (_, cold) = scene.server.key(&["read:*"]).await;
    scene.ask(&scene.assertion()).await.done(200);
    let all = scene.server.node.authenticator.unproven_lookups.acquire_many(4).await.unwrap();
    let nobody = scene.holder.assertion("key_0123456789abcdef", &scene.issuer, scene.now());
    let refused = scene.ask(&nobody).await;
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (503, false), "{}", refused.text);
    // A key in memory, and one whose secret has a tag, are served meanwhile.
    scene.ask(&scene.assertion()).await.done(200);
    scene.server.client().access_token(&cold, "").await;
    drop(all);
    assert_eq!(told(&scene.ask(&nobody).await), NOTHING);
}

async fn the_settings_narrow_the_algorithms(backend: Backend) {
    let policy =
        AssertionPolicy { algorithms: vec![foreign::Algorithm::EdDsa], ..AssertionPolicy::default() };
    let server = Server::start_with(backend, Options { assertions: policy, ..Options::default() }).await;
    let (id, _) = server.key(&["read:*"]).await;
    let path = format!("{KEYS}/{id}/public-keys");
    let p256 = json!({ "jwk": Holder::new(Algorithm::Es256).jwk });
    let message = server.admin().post_json(&path, &p256).await.refused(400, "invalid_request");
    assert!(message.contains("ES256"), "{message}");
    let holder = Holder::new(Algorithm::EdDsa);
    server.admin().post_json(&path, &json!({ "jwk": holder.jwk })).await.done(201);
    let now = server.clock.now().unix();
    for alg in ["EdDSA", "Ed25519"] {
        let signed = holder.sign(&json!({ "alg": alg }), &claims(&id, &server.issuer(), now));
        server.client().token_by(&signed, "").await.done(200);
    }
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.done(200);
    assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"], json!(["EdDSA", "Ed25519"]));
}

async fn older_clients_may_name_the_token_endpoint(backend: Backend) {
    let policy =
        AssertionPolicy { audience: AcceptedAudience::TokenEndpointToo, ..AssertionPolicy::default() };
    let scene = Scene::with_policy(backend, policy).await;
    let endpoint = format!("{}/oauth/token", scene.issuer);
    for aud in [json!(endpoint), json!(scene.issuer), json!([scene.issuer, endpoint])] {
        let answer = scene.ask(&scene.sign(&with(scene.claims(), "aud", aud.clone()))).await;
        assert_eq!(answer.status, 200, "{aud}: {}", answer.text);
    }
    let introspection = json!(format!("{}/oauth/introspect", scene.issuer));
    for aud in [introspection, json!([scene.issuer, "https://other.example"])] {
        let refused = scene.ask(&scene.sign(&with(scene.claims(), "aud", aud))).await;
        assert!(told(&refused).contains("`aud`"), "{}", refused.text);
    }
}

async fn a_strict_server_takes_the_audience_as_a_string_only(backend: Backend) {
    let policy = AssertionPolicy { audience: AcceptedAudience::IssuerAsString, ..AssertionPolicy::default() };
    let scene = Scene::with_policy(backend, policy).await;
    scene.ask(&scene.sign(&with(scene.claims(), "aud", json!(scene.issuer)))).await.done(200);
    let refused = scene.ask(&scene.sign(&with(scene.claims(), "aud", json!([scene.issuer])))).await;
    assert!(told(&refused).contains("`aud` is an array"), "{}", refused.text);
    let elsewhere = json!(format!("{}/oauth/token", scene.issuer));
    assert_eq!(scene.ask(&scene.sign(&with(scene.claims(), "aud", elsewhere))).await.status, 401);
    // Others take both forms.
    let lenient = Scene::set(backend).await;
    lenient.ask(&lenient.sign(&with(lenient.claims(), "aud", json!([lenient.issuer])))).await.done(200);
}

async fn a_key_that_ended_ends_this_way_in(backend: Backend) {
    let scene = Scene::with(Server::start(backend).await, json!({ "expires_in": 100 })).await;
    let path = format!("{KEYS}/{}", scene.id);
    let admin = scene.server.admin();
    admin.patch(&path, &json!({ "disabled": true })).await.done(200);
    assert_eq!(told(&scene.ask(&scene.assertion()).await), "the key is disabled");
    admin.patch(&path, &json!({ "disabled": false, "cidrs": ["10.0.0.0/8"] })).await.done(200);
    assert_eq!(told(&scene.ask(&scene.assertion()).await), "the key is not allowed from address 127.0.0.1");
    admin.patch(&path, &json!({ "cidrs": null })).await.done(200);
    scene.ask(&scene.assertion()).await.done(200);
    scene.server.advance(100).await;
    assert_eq!(told(&scene.ask(&scene.assertion()).await), "the key has expired");
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    assert_eq!(told(&scene.ask(&scene.assertion()).await), "the key is revoked");
    admin.delete(&path).await.done(204);
    assert_eq!(told(&scene.ask(&scene.assertion()).await), NOTHING);
}

async fn guesses_are_throttled_for_their_network(backend: Backend) {
    let scene = Scene::set(backend).await;
    let stranger = Holder::new(Algorithm::Es256);
    let forged = stranger.sign(&json!({ "alg": "ES256" }), &scene.claims());
    for _ in 0..10 {
        assert_eq!(told(&scene.ask(&forged).await), NOTHING);
    }
    let throttled = scene.ask(&scene.assertion()).await;
    assert_eq!(throttled.status, 429, "{}", throttled.text);
    assert!(!throttled.header("retry-after").is_empty());
}

async fn use_is_counted_for_the_public_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.server.advance(5).await;
    scene.ask(&scene.assertion()).await.done(200);
    scene.server.flush().await;
    let shown = scene.server.admin().get(&format!("{KEYS}/{}", scene.id)).await.done(200);
    let used = json!("2026-01-01T00:00:05Z");
    assert_eq!((&shown["public_keys"][0]["last_used_at"], &shown["last_used_at"]), (&used, &used));
    assert_eq!(shown["public_keys"][0]["id"], scene.public_key);
}

async fn the_metadata_names_method_and_algorithms(backend: Backend) {
    let server = Server::start(backend).await;
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.done(200);
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = metadata[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
        assert!(methods.contains(&json!("private_key_jwt")), "{endpoint}: {methods:?}");
        assert_eq!(
            metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")],
            json!(["ES256", "ES384", "EdDSA", "PS256", "RS256", "Ed25519"])
        );
    }
}
