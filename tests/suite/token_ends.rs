//! No token outlives what was presented for it, whichever endpoint issues it.

use serde_json::json;

use crate::support::{Backend, Server, on_both};
use crate::token::claims;

on_both!(no_token_outlives_the_presented_secret, towards_its_end_the_gate_hands_one_token_out_again);

const GATE: &str = "/v1/gate?action=read&resource=orders/7&token=1";
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const KEY: &str = "urn:claviger:token-type:api_key";

/// The token that the gate gives for a key.
async fn swapped(server: &Server, key: &str) -> String {
    let answer = server.client().with("x-api-key", key).get(GATE).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.header("authorization").strip_prefix("Bearer ").expect("a token").to_owned()
}

async fn exchanged(server: &Server, client: &str, kind: &str, subject: &str) -> String {
    let form = format!("{EXCHANGE}&client_secret={client}&subject_token_type={kind}&subject_token={subject}");
    let answer = server.client().post_form("/oauth/token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn end(token: &str) -> i64 {
    claims(token)["exp"].as_i64().expect("an end")
}

async fn no_token_outlives_the_presented_secret(backend: Backend) {
    let server = Server::start(backend).await;
    let scopes = ["read:orders/*", "write:claviger/orgs/default/projects/*/token-exchange"];
    let (id, key) = server.key(&scopes).await;
    let (_, other) = server.key(&scopes).await;
    // The gate holds a token of the whole ten minutes from before the rotation.
    let whole = server.clock.now().plus(600).unix();
    assert_eq!(end(&swapped(&server, &key).await), whole);
    let rotation = json!({ "overlap_seconds": 20 });
    let rotated = server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/rotate"), &rotation).await;
    let new = rotated.done(201)["key"].as_str().expect("a key").to_owned();
    let overlap = server.clock.now().plus(20).unix();
    let token_of_it = server.client().access_token(&key, "").await;
    for (what, token) in [
        ("the gate", swapped(&server, &key).await),
        ("the gate, again", swapped(&server, &key).await),
        ("an exchange of the key", exchanged(&server, &other, KEY, &key).await),
        ("an exchange of its token", exchanged(&server, &other, TOKEN, &token_of_it).await),
        ("an exchange by the key", exchanged(&server, &key, KEY, &other).await),
        ("the token endpoint", token_of_it),
    ] {
        assert_eq!(end(&token), overlap, "{what}");
    }
    let introspected = server.admin().post_form("/oauth/introspect", &format!("token={key}")).await.json();
    assert_eq!(introspected["exp"], overlap);
    // The new secret has the whole ten minutes.
    for token in [swapped(&server, &new).await, exchanged(&server, &other, KEY, &new).await] {
        assert_eq!(end(&token), whole);
    }
}

async fn towards_its_end_the_gate_hands_one_token_out_again(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key_from(json!({ "preset": "query_only", "expires_in": 120 })).await;
    let first = swapped(&server, &key).await;
    assert_eq!(end(&first), server.clock.now().plus(120).unix());
    server.clock.advance(20);
    assert_eq!(swapped(&server, &key).await, first, "a new one would end no later");
}
