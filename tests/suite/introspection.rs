//! `POST /oauth/introspect`.

use crate::support::{Backend, Server, on_both};

on_both!(
    a_live_token_is_described_and_a_dead_one_is_not,
    an_api_key_is_described,
    whoever_may_not_know_is_told_nothing,
    the_caller_must_authenticate,
);

const INACTIVE: &str = r#"{"active":false}"#;

async fn a_live_token_is_described_and_a_dead_one_is_not(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    let form = format!("token={token}&token_type_hint=access_token");
    let answer = server.admin().post_form("/oauth/introspect", &form).await;
    let body = answer.json();
    assert_eq!(body["active"], true, "{}", answer.text);
    assert_eq!((&body["sub"], &body["client_id"]), (&id.clone().into(), &id.into()));
    assert_eq!(body["aud"], server.url("/api"));
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["gen"], 1);
    server.clock.advance(600);
    server.node.catch_up().await.unwrap();
    assert_eq!(server.admin().post_form("/oauth/introspect", &form).await.text, INACTIVE);
    for nonsense in ["token=x", "token=a.b.c", "token=eyJhbGciOiJub25lIn0.e30."] {
        assert_eq!(server.admin().post_form("/oauth/introspect", nonsense).await.text, INACTIVE);
    }
}

async fn an_api_key_is_described(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key_from(serde_json::json!({ "preset": "query_only", "expires_in": 100 })).await;
    let body = server.admin().post_form("/oauth/introspect", &format!("token={key}")).await.json();
    assert_eq!(
        (&body["active"], &body["sub"], &body["token_type"]),
        (&true.into(), &id.into(), &"api_key".into())
    );
    assert_eq!(body["exp"], server.clock.now().unix() + 100);
    assert!(body.get("jti").is_none() && body.get("aud").is_none());
    server.clock.advance(100);
    server.node.catch_up().await.unwrap();
    assert_eq!(server.admin().post_form("/oauth/introspect", &format!("token={key}")).await.text, INACTIVE);
}

async fn whoever_may_not_know_is_told_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let (_, resource_server) = server.key(&["read:claviger/orgs/default/introspection"]).await;
    let (_, of_another) = server.key(&["read:claviger/orgs/other/introspection"]).await;
    let form = format!("token={}", server.client().access_token(&key, "").await);
    let ask = async |by: &str| server.client().bearer(by).post_form("/oauth/introspect", &form).await;
    assert_eq!(ask(&resource_server).await.json()["active"], true);
    assert_eq!(ask(&of_another).await.text, INACTIVE);
    assert_eq!(ask(&key).await.text, INACTIVE);
}

async fn the_caller_must_authenticate(backend: Backend) {
    let server = Server::start(backend).await;
    let anonymous = server.client().post_form("/oauth/introspect", "token=x").await;
    assert_eq!((anonymous.status, anonymous.oauth_error().as_str()), (401, "invalid_client"));
    let wrong = server.client().bearer("a.b.c").post_form("/oauth/introspect", "token=x").await;
    assert_eq!((wrong.status, wrong.oauth_error().as_str()), (401, "invalid_token"));
    assert!(wrong.header("www-authenticate").starts_with("Bearer "), "{:?}", wrong.headers);
    let missing = server.admin().post_form("/oauth/introspect", "").await;
    assert_eq!((missing.status, missing.oauth_error().as_str()), (400, "invalid_request"));
}
