//! A token that every reader has seen and accepted is held against everything that can change as if it were new.

use claviger::base::entropy::Entropy;
use claviger::jose::claims::{Leeway, MAX_LIFETIME};
use claviger::node::Node;
use claviger::verify::Refusal;
use serde_json::json;

use crate::forge::{For, Good};
use crate::support::{Answer, Backend, on_both};
use crate::token_readers::{INACTIVE, TokenReaders};
use crate::world::{heard_now, ready, until_refused, verdict};

on_both!(
    a_withdrawn_signing_key_takes_tokens_along_that_were_seen,
    a_revoked_key_takes_tokens_along_that_were_seen,
    a_narrowed_key_takes_tokens_along_that_were_seen,
    a_token_that_was_seen_ends_on_time,
    a_revoked_token_stays_revoked_within_the_leeway,
    a_token_that_was_seen_is_not_good_before_its_time,
    a_token_that_was_seen_is_good_for_its_audience_alone,
    a_token_that_was_seen_is_good_from_its_ranges_alone,
    a_text_that_shares_parts_with_a_remembered_token_is_verified_anew,
);

/// Tokens of both kinds that every reader has accepted twice.
async fn seen(readers: &TokenReaders) -> [Good; 2] {
    let tokens = readers.good().await;
    for good in &tokens {
        readers.accept(good, &good.token).await;
        readers.accept(good, &good.token).await;
    }
    tokens
}

/// Asserts that the server accepts it nowhere, and says so in this way where it is shown.
async fn is_refused(readers: &TokenReaders, good: &Good, code: &str) {
    readers.shown(good.whom, &good.token).await.refused(401, code);
    assert_eq!(readers.introspected(&good.token).await.text, INACTIVE);
}

async fn a_withdrawn_signing_key_takes_tokens_along_that_were_seen(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let tokens = seen(&readers).await;
    let compromised = json!({ "compromised": tokens[0].header["kid"] });
    readers.world.server.admin().post_json("/v1/signing-keys/rotate", &compromised).await.done(201);
    for good in &tokens {
        is_refused(&readers, good, "unauthenticated").await;
    }
    readers.world.tell().await;
    until_refused(&readers.verifier, &tokens[0].token, Refusal::Revoked).await;
    // What the new key signs is accepted.
    seen(&readers).await;
}

async fn a_revoked_key_takes_tokens_along_that_were_seen(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let tokens = seen(&readers).await;
    for good in &tokens {
        readers.world.revoke(good.payload["sub"].as_str().unwrap()).await;
        is_refused(&readers, good, "key_revoked").await;
    }
    until_refused(&readers.verifier, &tokens[0].token, Refusal::Revoked).await;
}

async fn a_narrowed_key_takes_tokens_along_that_were_seen(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let tokens = seen(&readers).await;
    for good in &tokens {
        let path = format!("/v1/orgs/default/keys/{}", good.payload["sub"].as_str().unwrap());
        let narrower = json!({ "cidrs": ["127.0.0.0/8"] });
        readers.world.server.admin().patch(&path, &narrower).await.done(200);
        is_refused(&readers, good, "token_revoked").await;
    }
    readers.world.tell().await;
    until_refused(&readers.verifier, &tokens[0].token, Refusal::Revoked).await;
}

async fn a_token_that_was_seen_ends_on_time(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let tokens = seen(&readers).await;
    readers.world.server.advance(599).await;
    for good in &tokens {
        readers.shown(good.whom, &good.token).await.done(200);
    }
    readers.world.server.advance(1).await;
    for good in &tokens {
        is_refused(&readers, good, "token_expired").await;
    }
}

/// A list of revoked tokens that forgets each at its end lets a lenient verifier accept it for the seconds after.
async fn a_revoked_token_stays_revoked_within_the_leeway(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let world = &readers.world;
    let lenient = ready(world.builder().leeway(Leeway::MAX)).await;
    let [revoked, other] = [readers.good_for(For::Resources).await, readers.good_for(For::Resources).await];
    for good in [&revoked, &other] {
        verdict(&lenient, &good.token).await.unwrap();
    }
    let form = format!("token={}", revoked.token);
    world.server.admin().post_form("/oauth/revoke", &form).await.done(200);
    world.tell().await;
    until_refused(&lenient, &revoked.token, Refusal::Revoked).await;

    // The last second in which a verifier may still take them.
    world.server.advance(MAX_LIFETIME + Leeway::MAX.seconds() - 1).await;
    let server = &world.server;
    server.node.tidy_once().await;
    let (store, deployment, clock) =
        (server.node.records.store.clone(), server.node.deployment.clone(), server.clock.clone());
    let late = Node::over(store, deployment, &server.master_key(), clock, Entropy::system()).await.unwrap();
    let jti = revoked.payload["jti"].as_str().unwrap();
    assert!(late.revocations.tokens.contains(jti), "a node that starts now has read of it");
    let new = ready(world.builder().leeway(Leeway::MAX)).await;
    for verifier in [&lenient, &new] {
        heard_now(world, verifier).await;
        assert_eq!(verdict(verifier, &revoked.token).await.err(), Some(Refusal::Revoked));
        verdict(verifier, &other.token).await.unwrap();
    }
}

async fn a_token_that_was_seen_is_not_good_before_its_time(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let tokens = seen(&readers).await;
    // Nodes of one deployment allow each other five seconds.
    readers.world.server.advance(-6).await;
    for good in &tokens {
        is_refused(&readers, good, "unauthenticated").await;
    }
}

async fn a_token_that_was_seen_is_good_for_its_audience_alone(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let [for_resources, for_management] = seen(&readers).await;
    for (token, elsewhere) in
        [(&for_resources.token, For::Management), (&for_management.token, For::Resources)]
    {
        readers.shown(elsewhere, token).await.refused(401, "unauthenticated");
    }
    assert!(verdict(&readers.verifier, &for_management.token).await.is_err());
}

async fn a_token_that_was_seen_is_good_from_its_ranges_alone(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    let server = &readers.world.server;
    let members =
        json!({ "scopes": [{ "action": "read", "resource": "orders/*" }], "cidrs": ["127.0.0.1/32"] });
    let (id, key) = server.key_from(members).await;
    let good = Good::new(server.client().access_token(&key, "").await, For::Resources, server);
    readers.accept(&good, &good.token).await;
    // The same range for the same key, and tokens from there are shown from here.
    let cidrs = json!({ "cidrs": ["203.0.113.0/24", "127.0.0.1/32"] });
    server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &cidrs).await.done(200);
    readers.accept(&good, &good.token).await;
    let moved = good.with_claim("cidrs", json!(["203.0.113.0/24"]));
    for _ in 0..2 {
        readers.shown(For::Resources, &moved).await.refused(403, "address_not_allowed");
    }
    readers.accept(&good, &good.token).await;
}

async fn a_text_that_shares_parts_with_a_remembered_token_is_verified_anew(backend: Backend) {
    let readers = TokenReaders::new(backend).await;
    for good in seen(&readers).await {
        let [header, payload, signature] = good.parts();
        let mirrored = crate::mirrored::mirrored(&good);
        // Anybody can make it, and it is a good signature: for itself.
        readers.accept(&good, &mirrored).await;
        readers.accept(&good, &mirrored).await;
        let [_, _, other_signature] = <[&str; 3]>::try_from(mirrored.split('.').collect::<Vec<_>>()).unwrap();
        let other = Good::new(readers.good_for(good.whom).await.token, good.whom, &readers.world.server);
        let [_, other_payload, _] = other.parts();
        for text in [
            format!("{header}.{other_payload}.{signature}"),
            format!("{header}.{other_payload}.{other_signature}"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
            format!("{header}.{payload}.{signature}."),
            format!("{header}.{payload}.{signature}.{signature}"),
            format!("{header}.{payload}.{}", &signature[..signature.len() - 1]),
            format!("{header}.{payload}.{signature}="),
        ] {
            for _ in 0..2 {
                let answer: Answer = readers.shown(good.whom, &text).await;
                answer.refused(401, "unauthenticated");
                assert_eq!(readers.introspected(&text).await.text, INACTIVE, "{text}");
            }
        }
    }
}
