//! Taking back: keys over the management API, tokens at `POST /oauth/revoke`.

use crate::support::{Backend, Server, on_both};

on_both!(
    a_revoked_key_is_dead_in_every_way_at_once,
    a_token_is_revoked_by_its_client_and_by_who_may_write_its_key,
    revoking_an_expired_or_unknown_token_answers_200,
);

const INACTIVE: &str = r#"{"active":false}"#;

async fn a_revoked_key_is_dead_in_every_way_at_once(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*", "read:claviger/orgs/default/**"]).await;
    let token = server.client().access_token(&key, "").await;
    let managing = server.client().access_token(&key, &format!("&resource={}", server.url(""))).await;
    assert_eq!(server.client().bearer(&managing).get("/v1/self").await.status, 200);
    let path = format!("/v1/orgs/default/keys/{id}/revoke");
    let revoked = server.admin().post_json(&path, &serde_json::json!({ "reason": "leaked" })).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    let body = revoked.json();
    assert_eq!((&body["status"], &body["revoked_reason"]), (&"revoked".into(), &"leaked".into()));
    assert_eq!((&body["generation"], &body["revoked_at"]), (&2.into(), &"2026-01-01T00:00:00Z".into()));

    let refused = server.client().token(&key, "").await;
    assert_eq!((refused.status, refused.oauth_error().as_str()), (401, "invalid_client"));
    assert_eq!(refused.json()["error_description"], "the key is revoked");
    for credential in [&key, &managing] {
        let direct = server.client().bearer(credential).get("/v1/self").await;
        assert_eq!((direct.status, direct.code().as_str()), (401, "key_revoked"));
        assert!(direct.header("www-authenticate").contains(r#"error="invalid_token""#));
    }
    let direct = server.client().with("x-api-key", &key).get("/v1/self").await;
    assert_eq!((direct.status, direct.code().as_str()), (401, "key_revoked"));
    for dead in [&token, &key] {
        assert_eq!(
            server.admin().post_form("/oauth/introspect", &format!("token={dead}")).await.text,
            INACTIVE
        );
    }

    server.clock.advance(5);
    let again = server.admin().post_json(&path, &serde_json::json!({ "reason": "twice" })).await;
    assert_eq!((again.status, again.json()), (200, body), "the first revocation stands as it was");
}

async fn a_token_is_revoked_by_its_client_and_by_who_may_write_its_key(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let (_, other) = server.key(&["read:*"]).await;
    let active = async |token: &str| {
        server.admin().post_form("/oauth/introspect", &format!("token={token}")).await.json()["active"]
            == true
    };
    let token = server.client().access_token(&key, "").await;
    let sibling = server.client().access_token(&key, "").await;
    let form = format!("token={token}");
    let foreign = server.client().bearer(&other).post_form("/oauth/revoke", &form).await;
    assert_eq!((foreign.status, foreign.oauth_error().as_str()), (400, "unauthorized_client"));
    assert!(active(&token).await);
    let own = server.client().post_form("/oauth/revoke", &format!("{form}&client_secret={key}")).await;
    assert_eq!((own.status, own.text.as_str()), (200, "{}"));
    assert!(!active(&token).await);
    assert!(active(&sibling).await);
    assert_eq!(server.admin().post_form("/oauth/revoke", &format!("token={sibling}")).await.status, 200);
    assert!(!active(&sibling).await);
}

async fn revoking_an_expired_or_unknown_token_answers_200(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    server.clock.advance(600);
    server.node.catch_up().await.unwrap();
    let before = server.node.records.store.last_change().await.unwrap();
    for dead in [token.as_str(), "nonsense", "a.b.c"] {
        let answer = server.client().bearer(&key).post_form("/oauth/revoke", &format!("token={dead}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(server.node.records.store.last_change().await.unwrap(), before, "and nothing is written");
    let a_key = server.client().bearer(&key).post_form("/oauth/revoke", &format!("token={key}")).await;
    assert_eq!((a_key.status, a_key.oauth_error().as_str()), (400, "unsupported_token_type"));
}
