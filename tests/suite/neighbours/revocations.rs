//! Tokens that are revoked one by one take from the allowance of whoever revokes them.

use claviger::domain::api_key::{KeyId, claimed_id};
use claviger::domain::audit::{Actor, Who};
use claviger::domain::principal::CallerId;
use claviger::store::RevokedToken;

use super::street::{Street, make_key};
use crate::support::{Backend, Server, on_both};

on_both!(
    who_revokes_has_an_allowance_and_the_subject_its_own,
    an_organization_has_an_allowance_and_each_key_a_part_that_nobody_else_can_take,
);

/// Revokes the presented token of the key, and says how that was answered.
async fn revoke_own(server: &Server, key: &str) -> u16 {
    let token = server.client().access_token(key, "").await;
    let form = format!("token={token}&client_secret={key}");
    let answer = server.client().post_form("/oauth/revoke", &form).await;
    if answer.status == 429 {
        assert_eq!(answer.oauth_error(), "temporarily_unavailable");
    }
    answer.status
}

/// Has `by` revoke so many tokens of `key`, past the endpoint.
async fn revoke_many(server: &Server, key: KeyId, by: KeyId, count: usize) {
    let now = server.clock.now();
    let organization = Some("default".parse().unwrap());
    let actor = Actor {
        who: Who::Caller(CallerId::Key(by)),
        name: None,
        organization,
        address: None,
        request_id: None,
        dry_run: false,
    };
    for at in 0..count {
        let token =
            RevokedToken { jti: format!("{by}-{at}"), key, expires_at: now.plus(600), revoked_at: now };
        server
            .node
            .records
            .store
            .revoke_token(&token, &"default".parse().unwrap(), now, &actor)
            .await
            .unwrap();
    }
}

async fn who_revokes_has_an_allowance_and_the_subject_its_own(backend: Backend) {
    let server = Server::start(backend).await;
    let (subject, key) = server.key(&["read:*"]).await;
    let (actor, actors_key) = server.key(&["read:*"]).await;
    let (subject, actor) = (subject.parse().unwrap(), actor.parse().unwrap());
    revoke_many(&server, subject, actor, 1_000).await;
    assert_eq!(revoke_own(&server, &actors_key).await, 429, "it has used its allowance up");
    assert_eq!(revoke_own(&server, &key).await, 200, "and nobody else's");
    server.clock.advance(600);
    server.node.catch_up().await.unwrap();
    assert_eq!(revoke_own(&server, &actors_key).await, 200, "dead tokens take none of it");
}

async fn an_organization_has_an_allowance_and_each_key_a_part_that_nobody_else_can_take(backend: Backend) {
    let street = Street::new(backend).await;
    let server = &street.server;
    let [busy, calm] = [make_key(server, "noisy", "read:*").await, make_key(server, "noisy", "read:*").await];
    let (by, now) = (claimed_id(&busy).unwrap(), server.clock.now().unix());
    // Of thousands of keys; ten of them by one that is still in use.
    server
        .database
        .execute(&format!(
            "INSERT INTO revoked_tokens (jti, key_id, revoked_at, expires_at, organization, revoked_by)
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             SELECT 'jti-' || i, 'key', {now}, {now} + 600, 'noisy',
                    CASE WHEN i <= 10 THEN '{by}' ELSE 'key-' || i END FROM n"
        ))
        .await;
    assert_eq!(revoke_own(server, &busy).await, 429);
    for _ in 0..10 {
        assert_eq!(revoke_own(server, &calm).await, 200);
    }
    assert_eq!(revoke_own(server, &calm).await, 429);
    let quiet = make_key(server, "quiet", "read:*").await;
    for _ in 0..11 {
        assert_eq!(revoke_own(server, &quiet).await, 200, "another organization's allowance is its own");
    }
}
