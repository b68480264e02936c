//! Trusted issuers: workloads that present a token of their platform instead of a secret (RFC 7523).

mod attacks;
mod ends;
mod issuers;
mod platforms;
mod rules;
mod trail;

use serde_json::{Value, json};

use crate::support::assertion::form;
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Answer, Backend, Client, Server, on_both};
use crate::token::claims as claims_of;

on_both!(
    a_token_of_a_trusted_issuer_opens_the_key_by_two_doors,
    what_is_issued_ends_no_later_than_what_was_presented,
    a_token_takes_only_what_the_key_has,
    both_doors_need_the_client_id_and_nothing_else,
    use_is_counted_for_the_rule,
    each_token_of_a_strict_issuer_counts_once,
    one_of_two_records_with_the_same_url_is_meant,
    an_issuer_that_hangs_holds_up_neither_known_keys_nor_others,
    the_metadata_names_the_grant,
);

const KEYS: &str = "/v1/orgs/default/keys";
const ISSUERS: &str = "/v1/orgs/default/issuers";

/// A server, an issuer that it trusts as `idp`, and a key that has nothing but a rule for the subject `workload`.
struct Scene {
    server: Server,
    foreign: ForeignIssuer,
    id: String,
    rule: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        Self::with(backend, json!({})).await
    }

    /// A trusted issuer with these members, besides those that it needs.
    async fn with(backend: Backend, members: Value) -> Self {
        Self::on(Server::start(backend).await, members).await
    }

    async fn on(server: Server, members: Value) -> Self {
        let foreign = ForeignIssuer::start().await;
        let issuer = merged(record("idp", &foreign), &members);
        server.admin().post_json(ISSUERS, &issuer).await.done(201);
        let (id, rule) = trusting(&server, &json!({ "issuer": "idp", "subject": "workload" })).await;
        Self { server, foreign, id, rule }
    }

    fn admin(&self) -> Client {
        self.server.admin()
    }

    fn now(&self) -> i64 {
        self.server.clock.now().unix()
    }

    fn token(&self, claims: &Value) -> String {
        self.foreign.token(&self.server.issuer(), self.now(), claims)
    }

    async fn good(&self) -> Answer {
        self.present(&self.token(&json!({}))).await
    }

    async fn present(&self, token: &str) -> Answer {
        present(&self.server.client(), &self.id, token).await
    }
}

/// Presents a token at the first door, as the assertion of a client.
async fn present(client: &Client, id: &str, token: &str) -> Answer {
    client.token_by(token, &format!("&client_id={id}")).await
}

/// Presents a token at the second door, as a grant.
async fn present_as_grant(client: &Client, id: &str, token: &str) -> Answer {
    let grant = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer";
    client.post_form("/oauth/token", &format!("{grant}&client_id={id}&assertion={token}")).await
}

/// The record of an issuer whose key set is at its own address.
fn record(id: &str, foreign: &ForeignIssuer) -> Value {
    json!({ "id": id, "issuer": foreign.url, "keys": { "jwks_uri": format!("{}/keys", foreign.url) } })
}

/// A key without a secret that has this rule, and the id of the rule.
async fn trusting(server: &Server, rule: &Value) -> (String, String) {
    let new = json!({ "name": "workload", "project": "default", "environment": "prd", "secret": false,
        "scopes": [{ "action": "read", "resource": "projects/*" }], "trust_rules": [rule] });
    let made = server.admin().post_json(KEYS, &new).await.done(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["id"]), text(&made["trust_rules"][0]["id"]))
}

fn merged(mut whole: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

/// Checks that a refused workload is told nothing.
#[track_caller]
fn told_nothing(answer: &Answer, why: &str) {
    let told = (answer.status, answer.oauth_error());
    assert_eq!(told, (401, "invalid_client".to_owned()), "{why}: {}", answer.text);
    assert_eq!(answer.json()["error_description"], "client authentication failed", "{why}");
}

async fn a_token_of_a_trusted_issuer_opens_the_key_by_two_doors(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.token(&json!({}));
    let client = scene.server.client();
    for answer in [scene.present(&token).await, present_as_grant(&client, &scene.id, &token).await] {
        let issued = answer.done(200);
        assert_eq!((&issued["token_type"], &issued["scope"]), (&json!("Bearer"), &json!("read:projects/*")));
        let claims = claims_of(issued["access_token"].as_str().unwrap());
        assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(scene.id), &json!(scene.id)));
        assert_eq!((&claims["iss"], &claims["org"]), (&json!(scene.server.issuer()), &json!("default")));
        assert!(claims.get("act").is_none());
    }
    let form = format!("{}&client_id={}&token=x", form(&scene.token(&json!({}))), scene.id);
    assert_eq!(client.post_form("/oauth/introspect", &form).await.done(200), json!({ "active": false }));
}

async fn what_is_issued_ends_no_later_than_what_was_presented(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (left, expires_in) in [(1, 1), (100, 100), (3_000, 600)] {
        let token = scene.token(&json!({ "exp": scene.now() + left }));
        assert_eq!(scene.present(&token).await.done(200)["expires_in"], expires_in);
    }
    let path = format!("{KEYS}/{}", scene.id);
    scene.admin().patch(&path, &json!({ "expires_in": 40 })).await.done(200);
    assert_eq!(scene.good().await.done(200)["expires_in"], 40);
}

async fn a_token_takes_only_what_the_key_has(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.token(&json!({ "scope": "write:projects/*", "cidrs": ["0.0.0.0/0"] }));
    let more = |more: &str| format!("&client_id={}{more}", scene.id);
    let client = scene.server.client();
    let narrowed = client.token_by(&token, &more("&scope=read:projects/web")).await.done(200);
    assert_eq!(narrowed["scope"], "read:projects/web");
    for (asked, error) in [
        ("&scope=write:projects/web", "invalid_scope"),
        ("&resource=https://other.example", "invalid_target"),
    ] {
        let answer = client.token_by(&token, &more(asked)).await;
        assert_eq!((answer.status, answer.oauth_error().as_str()), (400, error), "{}", answer.text);
    }
}

async fn both_doors_need_the_client_id_and_nothing_else(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (client, token) = (scene.server.client(), scene.token(&json!({})));
    assert_eq!(client.token_by(&token, "").await.status, 401);
    let grant = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={token}");
    let id = format!("&client_id={}", scene.id);
    for (form, error) in [
        (grant.clone(), "invalid_request"),
        (format!("{grant}{id}&client_secret=x"), "invalid_request"),
        (format!("{grant}{id}&client_assertion=x"), "invalid_request"),
        (format!("{grant}{id}&assertion={token}"), "invalid_request"),
        (grant.replace("&assertion", "&subject_token") + &id, "invalid_request"),
        (format!("{grant}&client_id=key_0000000000000000"), "invalid_grant"),
        (format!("{grant}&client_id=x"), "invalid_grant"),
    ] {
        let answer = client.post_form("/oauth/token", &form).await;
        assert_eq!((answer.status, answer.oauth_error().as_str()), (400, error), "{}", answer.text);
    }
    let basic = client.basic("x", "y").post_form("/oauth/token", &(grant + &id)).await;
    assert_eq!((basic.status, basic.oauth_error().as_str()), (400, "invalid_request"));
}

async fn use_is_counted_for_the_rule(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.server.advance(5).await;
    scene.good().await.done(200);
    scene.server.flush().await;
    let shown = scene.admin().get(&format!("{KEYS}/{}", scene.id)).await.done(200);
    let used = json!("2026-01-01T00:00:05Z");
    let rule = &shown["trust_rules"][0];
    assert_eq!(
        (&rule["last_used_at"], &shown["last_used_at"], &rule["id"]),
        (&used, &used, &json!(scene.rule))
    );
}

async fn each_token_of_a_strict_issuer_counts_once(backend: Backend) {
    let scene = Scene::with(backend, json!({ "single_use": true })).await;
    let token = scene.token(&json!({ "jti": "1" }));
    scene.present(&token).await.done(200);
    told_nothing(&scene.present(&token).await, "a replay");
    told_nothing(&scene.present(&scene.token(&json!({ "jti": "1", "x": 1 }))).await, "the same id");
    told_nothing(&scene.good().await, "no id");
    scene.present(&scene.token(&json!({ "jti": "2" }))).await.done(200);
    // Each node remembers for itself, until it ends.
    let restarted = scene.server.restarted().await;
    present(&restarted.client(), &scene.id, &token).await.done(200);
}

/// Private clusters have the same URL, and each its own keys.
async fn one_of_two_records_with_the_same_url_is_meant(backend: Backend) {
    let scene = Scene::set(backend).await;
    let other = ForeignIssuer::start().await;
    let same = json!({ "id": "other", "issuer": scene.foreign.url, "keys": { "jwks": { "keys": [other.holder.jwk] } } });
    scene.admin().post_json(ISSUERS, &same).await.done(201);
    let (id, _) = trusting(&scene.server, &json!({ "issuer": "other", "subject": "workload" })).await;
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    let by_other = other.holder.sign(&other.holder.header(), &claims);
    let client = scene.server.client();
    present(&client, &id, &by_other).await.done(200);
    told_nothing(&scene.present(&by_other).await, "the other cluster's token at the first key");
    told_nothing(&present(&client, &id, &scene.token(&json!({}))).await, "and the other way round");
    let both = json!({ "issuer": "other", "subject": "workload" });
    scene.admin().post_json(&format!("{KEYS}/{}/trust-rules", scene.id), &both).await.done(201);
    scene.present(&by_other).await.done(200);
    scene.good().await.done(200);
}

async fn an_issuer_that_hangs_holds_up_neither_known_keys_nor_others(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.good().await.done(200);
    let other = ForeignIssuer::start().await;
    scene.admin().post_json(ISSUERS, &record("quick", &other)).await.done(201);
    let (quick, _) = trusting(&scene.server, &json!({ "issuer": "quick", "subject": "workload" })).await;
    scene.foreign.hang().await;
    scene.server.advance(60).await;
    let (client, id) = (scene.server.client(), scene.id.clone());
    let stranger = ForeignIssuer::start().await.holder.called("unknown");
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    let unknown = stranger.sign(&stranger.header(), &claims);
    let waiting = tokio::spawn(async move { present(&client, &id, &unknown).await.status });
    let before = scene.foreign.asked();
    while scene.foreign.asked() == before {
        tokio::task::yield_now().await;
    }
    scene.good().await.done(200);
    let token = other.token(&scene.server.issuer(), scene.now(), &json!({}));
    present(&scene.server.client(), &quick, &token).await.done(200);
    assert!(!waiting.is_finished());
    assert_eq!(waiting.await.unwrap(), 401);
}

async fn the_metadata_names_the_grant(backend: Backend) {
    let server = Server::start(backend).await;
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.done(200);
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&json!("urn:ietf:params:oauth:grant-type:jwt-bearer")), "{grants:?}");
}
