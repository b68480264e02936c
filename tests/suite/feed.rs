//! `/oauth/revocations`: what offline verifiers hear.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, START, Server, in_time, on_both, on_postgres};
use crate::token::claims;

on_both!(
    the_feed_is_a_signed_jwt_with_a_typ_of_its_own,
    the_feed_lists_a_revocation_for_as_long_as_a_token_could_live,
    waiting_requests_are_answered_at_the_next_revocation,
    a_weak_or_listed_etag_waits_too,
    a_request_with_an_old_etag_does_not_wait,
    each_answer_has_all_revocations_that_the_node_applied_before_it,
    waiting_requests_are_answered_during_the_pause_after_a_document,
    a_shutdown_answers_waiting_requests,
);

const FEED: &str = "/oauth/revocations";

/// What the feed says, after the node has taken in all that there is.
async fn heard(server: &Server) -> Value {
    server.node.catch_up().await.expect("a store that answers");
    let answer = server.client().get(FEED).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    claims(&answer.text)
}

async fn the_feed_is_a_signed_jwt_with_a_typ_of_its_own(backend: Backend) {
    let server = Server::start(backend).await;
    let answer = server.client().get(FEED).await;
    assert_eq!(
        (answer.header("content-type"), answer.header("cache-control")),
        ("application/jwt", "no-store")
    );
    let (header, _) = answer.text.split_once('.').expect("a JWT");
    let header = claims(&format!(".{header}"));
    let signing_key = server.admin().get("/v1/signing-keys").await.json()["data"][0]["kid"].clone();
    assert_eq!(header, json!({ "alg": "ES256", "typ": "revocations+jwt", "kid": signing_key }));
    let mut said = claims(&answer.text);
    assert!(said["epoch"].take().as_str().is_some_and(|epoch| epoch.len() == 22));
    assert_eq!(
        said,
        json!({
            "iss": server.node.deployment.issuer, "aud": "urn:claviger:revocations", "iat": START.unix(),
            "epoch": null, "seq": 1, "as_of": START.unix(), "max_stale": 30, "keys": {}, "jtis": [], "kids": [],
        })
    );
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["revocation_feed_endpoint"], server.url(FEED));
    // No access token is taken for it, nor it for one.
    let as_token = server.client().bearer(&answer.text).get("/v1/self").await;
    assert_eq!((as_token.status, as_token.code().as_str()), (401, "unauthenticated"));
}

async fn the_feed_lists_a_revocation_for_as_long_as_a_token_could_live(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let keys = "/v1/orgs/default/keys";
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(server.key(&["read:*"]).await);
    }
    let [(revoked, _), (deleted, _), (narrowed, _), (widened, key)] = &ids[..] else { unreachable!() };
    admin.post_json(&format!("{keys}/{revoked}/revoke"), &json!({})).await;
    patch(&admin, &format!("{keys}/{narrowed}"), &json!({ "cidrs": ["127.0.0.0/8"] })).await;
    patch(&admin, &format!("{keys}/{narrowed}"), &json!({ "cidrs": ["127.0.0.1"] })).await;
    patch(&admin, &format!("{keys}/{widened}"), &json!({ "preset": "full_access" })).await;
    admin.send(reqwest::Method::DELETE, &format!("{keys}/{deleted}"), None).await;
    let token = server.client().access_token(key, "").await;
    admin.post_form("/oauth/revoke", &format!("token={token}")).await;
    let kid = admin.get("/v1/signing-keys").await.json()["data"][0]["kid"].clone();
    admin.post_json("/v1/signing-keys/rotate", &json!({ "compromised": kid })).await;
    let said = heard(&server).await;
    let withdrawn = json!({ revoked.as_str(): 2, deleted.as_str(): 2, narrowed.as_str(): 3 });
    assert_eq!((&said["keys"], &said["jtis"]), (&withdrawn, &json!([claims(&token)["jti"]])));
    assert_eq!(said["kids"], json!([kid]));
    // Entries are there for 900 seconds, and go when something is put together after that.
    for (seconds, left) in [(900, 3), (1, 0)] {
        server.clock.advance(seconds);
        server.node.catch_up().await.expect("a store that answers");
        server.key(&["read:*"]).await;
        let said = heard(&server).await;
        assert_eq!(said["keys"].as_object().unwrap().len(), left, "{said}");
        assert_eq!(said["kids"].as_array().unwrap().len(), usize::from(left > 0), "{said}");
        assert_eq!(said["as_of"], server.clock.now().unix());
    }
}

async fn patch(client: &Client, path: &str, body: &Value) -> Answer {
    let client = client.with("content-type", "application/json");
    let answer = client.send(reqwest::Method::PATCH, path, Some(body.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

async fn waiting_requests_are_answered_at_the_next_revocation(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    server.node.catch_up().await.expect("a store that answers");
    let known = server.client().get(FEED).await;
    let waiting = server.client().with("prefer", "wait=10").with("if-none-match", known.header("etag"));
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let waiting = waiting.clone();
        held.spawn(async move { waiting.get(FEED).await });
    }
    // What is no news wakes nobody.
    server.key(&["read:*"]).await;
    server.node.catch_up().await.expect("a store that answers");
    assert!(held.try_join_next().is_none(), "an answer without news");
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    server.node.catch_up().await.expect("a store that answers");
    for answer in in_time("all that wait", held.join_all()).await {
        assert_eq!((answer.status, answer.header("preference-applied")), (200, "wait=10"));
        assert_eq!(claims(&answer.text)["keys"], json!({ id.as_str(): 2 }));
        assert_ne!(answer.header("etag"), known.header("etag"));
    }
}

/// RFC 9110 §13.1.2, §8.8.3.2: a proxy that compresses weakens the tag. A follower behind one waits like any other.
async fn a_weak_or_listed_etag_waits_too(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    server.node.catch_up().await.expect("a store that answers");
    let etag = server.client().get(FEED).await.header("etag").to_owned();
    let forms = [format!("W/{etag}"), format!("\"other\", {etag}"), format!("\"a\",W/{etag}"), "*".into()];
    let mut held = tokio::task::JoinSet::new();
    for known in forms {
        let waiting = server.client().with("prefer", "wait=10").with("if-none-match", &known);
        held.spawn(async move { waiting.get(FEED).await });
    }
    // What is known by another name alone is not waited for: by then the others have had the time to come, too.
    let stranger = server.client().with("prefer", "wait=10").with("if-none-match", "W/\"other\"");
    assert_eq!(in_time("an answer at once", stranger.get(FEED)).await.status, 200);
    assert!(held.try_join_next().is_none(), "an answer without news");
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    server.node.catch_up().await.expect("a store that answers");
    for answer in in_time("all that wait", held.join_all()).await {
        assert_eq!(claims(&answer.text)["keys"], json!({ id.as_str(): 2 }));
    }
}

async fn a_request_with_an_old_etag_does_not_wait(backend: Backend) {
    let server = Server::start(backend).await;
    let before = server.client().get(FEED).await;
    let (id, _) = server.key(&["read:*"]).await;
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    server.node.catch_up().await.expect("a store that answers");
    let behind = server.client().with("prefer", "wait=10").with("if-none-match", before.header("etag"));
    let answer = tokio::time::timeout(Duration::from_secs(5), behind.get(FEED)).await.expect("no waiting");
    assert_eq!(claims(&answer.text)["keys"], json!({ id.as_str(): 2 }));
}

async fn each_answer_has_all_revocations_that_the_node_applied_before_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let mut jtis = Vec::new();
    for _ in 0..20 {
        let token = server.client().access_token(&key, "").await;
        server.client().post_form("/oauth/revoke", &format!("client_secret={key}&token={token}")).await;
        jtis.push(claims(&token)["jti"].as_str().expect("a jti").to_owned());
        let said = heard(&server).await;
        let mut wanted = jtis.clone();
        wanted.sort();
        assert_eq!(said["jtis"], json!(wanted));
    }
}

async fn waiting_requests_are_answered_during_the_pause_after_a_document(backend: Backend) {
    let server = Server::start(backend).await;
    let mut known = server.client().get(FEED).await;
    for _ in 0..10 {
        let waiting = server.client().with("prefer", "wait=10").with("if-none-match", known.header("etag"));
        let held = tokio::spawn(async move { waiting.get(FEED).await });
        let (id, _) = server.key(&["read:*"]).await;
        server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
        server.node.catch_up().await.expect("a store that answers");
        // The document before was signed only just now: there is a pause after it.
        known = tokio::time::timeout(Duration::from_secs(8), held).await.expect("news").expect("an answer");
        assert_eq!(claims(&known.text)["keys"][&id], 2);
    }
}

async fn a_shutdown_answers_waiting_requests(backend: Backend) {
    let server = Server::start(backend).await;
    let waiting = server.client().with("prefer", "wait=10");
    let held = tokio::spawn(async move { waiting.get(FEED).await });
    server.node.revocations.feed.close();
    let answer = tokio::time::timeout(Duration::from_secs(5), held).await.expect("an answer").unwrap();
    assert_eq!(answer.status, 200);
}

mod over_nodes {
    use super::*;

    on_postgres!(two_nodes_say_the_same);

    async fn two_nodes_say_the_same(backend: Backend) {
        let server = Server::start(backend).await;
        let other = server.second_node().await;
        let (id, _) = server.key(&["read:*"]).await;
        server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
        let said = heard(&server).await;
        other.node.catch_up().await.expect("a store that answers");
        assert_eq!(claims(&other.client().get(FEED).await.text), said);
    }
}
