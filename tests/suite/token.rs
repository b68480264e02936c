//! `POST /oauth/token`: what it gives.

use base64::Engine as _;
use serde_json::Value;

use crate::support::{Backend, Server, forged, on_both};

on_both!(
    a_key_in_the_body_gets_a_token,
    basic_gets_a_token_however_it_is_encoded,
    a_token_is_narrowed_by_scope,
    scopes_joined_by_commas_are_refused_and_the_reason_is_said,
    a_token_has_the_scopes_of_either_management_or_resource_servers,
    a_token_for_another_audience_is_refused_with_that_reason,
    a_token_never_outlives_its_key,
    a_token_request_writes_nothing,
    every_wrong_credential_gets_the_same_answer,
    ten_wrong_secrets_block_one_pair_of_client_and_address,
    malformed_input_never_counts_as_a_guess,
);

/// The claims of a token, unverified: that it verifies is for others to say.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

async fn a_key_in_the_body_gets_a_token(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:projects/*", "write:projects/web"]).await;
    let answer = server.client().token(&key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-request-id").len(), 24);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 600);
    assert_eq!(body["scope"], "read:projects/* write:projects/web");
    assert_eq!(body.as_object().unwrap().len(), 4, "no refresh token, nothing else");
    let claims = claims(body["access_token"].as_str().unwrap());
    let now = server.clock.now().unix();
    assert_eq!(claims["iss"], server.url(""));
    assert_eq!(claims["aud"], server.url("/api"));
    assert_eq!(claims["sub"], id);
    assert_eq!(claims["client_id"], id);
    assert_eq!((&claims["iat"], &claims["exp"]), (&now.into(), &(now + 600).into()));
    assert_eq!(claims["jti"].as_str().unwrap().len(), 22);
    assert_eq!(claims["scope"], body["scope"]);
    assert_eq!(claims["cidrs"], serde_json::json!(["0.0.0.0/0", "::/0"]));
    assert_eq!(
        (&claims["org"], &claims["project"], &claims["env"]),
        (&"default".into(), &"default".into(), &"prd".into())
    );
    assert_eq!(claims["gen"], 1);
}

async fn basic_gets_a_token_however_it_is_encoded(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let everything = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for (user, password) in [(id.clone(), key.clone()), (everything(&id), everything(&key))] {
        let answer = server.client().basic(&user, &password);
        let answer = answer.post_form("/oauth/token", "grant_type=client_credentials").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let beside = format!("grant_type=client_credentials&client_id={id}");
    assert_eq!(server.client().basic(&id, &key).post_form("/oauth/token", &beside).await.status, 200);
}

async fn a_token_is_narrowed_by_scope(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:projects/*", "write:projects/web"]).await;
    let answer = server.client().token(&key, "&scope=read:projects/web").await;
    assert_eq!(answer.json()["scope"], "read:projects/web");
    for over_wide in
        ["read:*", "write:projects/*", "admin:projects/web", "read:projects/web+write:projects/api"]
    {
        let answer = server.client().token(&key, &format!("&scope={over_wide}")).await;
        assert_eq!((answer.status, answer.oauth_error().as_str()), (400, "invalid_scope"), "{over_wide}");
    }
}

/// As League's OAuth client and generated Java clients send them: one scope, on a resource that nobody has.
async fn scopes_joined_by_commas_are_refused_and_the_reason_is_said(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["*:*"]).await;
    for joined in [
        "read:a,write:b",
        "read:a/b,write:c/d",
        "read:a,write",
        "read:*,write:*",
        "read,write",
        "read:x+read:a,admin:b",
        "read:a,*:b",
    ] {
        let answer = server.client().token(&key, &format!("&scope={joined}")).await;
        assert_eq!((answer.status, &*answer.oauth_error()), (400, "invalid_scope"), "{joined}");
        let why = answer.json()["error_description"].clone();
        assert_eq!(why, "scopes are separated by spaces, not by commas", "{joined}");
    }
    // A comma is a character of a literal like any other.
    for fine in ["read:a,b", "read:a,reads:b", "read:a,b/read:c", "read:,"] {
        assert_eq!(server.client().token(&key, &format!("&scope={fine}")).await.json()["scope"], fine);
    }
    let body = serde_json::json!({ "name": "k", "project": "default", "environment": "prd",
        "scopes": [{ "action": "read", "resource": "a,write:b" }] });
    let refused = server.admin().post_json("/v1/orgs/default/keys", &body).await;
    let why = refused.refused(400, "invalid_request");
    assert!(why.contains("not by commas"), "{why}");
    // Such a scope may be there from before: it is read, and its key goes on working.
    let (_, old) = server.stored_key_with("read:a,write:b").await;
    let token = server.client().access_token(&old, "").await;
    let gate = server.client().bearer(&token);
    assert_eq!(gate.get("/v1/gate?action=read&resource=a,write:b").await.status, 200);
}

async fn a_token_has_the_scopes_of_either_management_or_resource_servers(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*", "read:claviger/orgs/default/**"]).await;
    let issuer = server.url("");
    let plain = server.client().token(&key, "").await.json();
    assert_eq!(plain["scope"], "read:*");
    let managing = server.client().token(&key, &format!("&resource={issuer}")).await.json();
    assert_eq!(managing["scope"], "read:claviger/orgs/default/**");
    assert_eq!(claims(managing["access_token"].as_str().unwrap())["aud"], issuer);
    let wrong_kind = server.client().token(&key, "&scope=read:claviger/orgs/default/**").await;
    assert_eq!(wrong_kind.oauth_error(), "invalid_scope");
    for target in
        [format!("&resource={issuer}&resource={issuer}/api"), "&resource=https://other.example".into()]
    {
        assert_eq!(server.client().token(&key, &target).await.oauth_error(), "invalid_target", "{target}");
    }
    let admin = server.client().access_token(&server.admin_key, "").await;
    assert_eq!(claims(&admin)["aud"], issuer, "a key that only manages is for the management API");
}

async fn a_token_for_another_audience_is_refused_with_that_reason(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*", "read:claviger/orgs/default/**"]).await;
    let for_the_api = server.client().access_token(&key, "").await;
    let for_management = server.client().access_token(&key, &format!("&resource={}", server.url(""))).await;
    let gate = "/v1/gate?action=read&resource=orders/7";
    for (token, path) in [(&for_the_api, "/v1/self"), (&for_management, gate)] {
        let refused = server.client().bearer(token).get(path).await;
        let why = refused.refused(401, "unauthenticated");
        assert!(why.starts_with("the access token is for another audience"), "{why}");
        assert!(refused.header("www-authenticate").contains(&why), "{refused:?}");
    }
    // Only of an authentic token: whoever made one up learns nothing of it.
    let refused = server.client().bearer(&forged(&for_the_api)).get("/v1/self").await;
    assert_eq!(refused.refused(401, "unauthenticated"), "the API key or access token is not valid");
}

async fn a_token_never_outlives_its_key(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key_from(serde_json::json!({ "preset": "full_access", "expires_in": 700 })).await;
    assert_eq!(server.client().token(&key, "").await.json()["expires_in"], 600);
    server.clock.advance(200);
    server.node.catch_up().await.unwrap();
    assert_eq!(server.client().token(&key, "").await.json()["expires_in"], 500);
    server.clock.advance(500);
    server.node.catch_up().await.unwrap();
    let dead = server.client().token(&key, "").await;
    assert_eq!((dead.status, dead.oauth_error().as_str()), (401, "invalid_client"));
    assert_eq!(dead.json()["error_description"], "the key has expired");
}

async fn a_token_request_writes_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let before = server.node.records.store.last_change().await.unwrap();
    for _ in 0..20 {
        server.client().access_token(&key, "").await;
    }
    let last_used = async || {
        server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.json()["last_used_at"].clone()
    };
    assert_eq!(last_used().await, Value::Null, "nothing is written before the flush");
    assert_eq!(server.node.records.store.last_change().await.unwrap(), before);
    server.node.usage.flush(&server.node.records.store, server.clock.now()).await.unwrap();
    assert_eq!(last_used().await, "2026-01-01T00:00:00Z");
}

async fn every_wrong_credential_gets_the_same_answer(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let other = server.key(&["read:*"]).await.1;
    let bad_tag = forged(&key);
    let mut answers = Vec::new();
    for (user, password) in [
        (id.as_str(), bad_tag.as_str()),
        (&id, &other),
        ("key_0123456789abcdef", &key),
        ("nobody", "nothing"),
        (&id, "%20%20"),
    ] {
        let answer = server
            .client()
            .basic(user, password)
            .post_form("/oauth/token", "grant_type=client_credentials")
            .await;
        assert_eq!(answer.status, 401);
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        answers.push((headers, answer.text));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:#?}");
    let challenge = format!(
        r#"Basic realm="{}", error="invalid_client", error_description="client authentication failed""#,
        server.url("")
    );
    assert_eq!(answers[0].0["www-authenticate"], challenge.as_str());
}

async fn ten_wrong_secrets_block_one_pair_of_client_and_address(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (other_id, other_key) = server.key(&["read:*"]).await;
    let ask = async |id: &str, secret: &str| {
        server.client().basic(id, secret).post_form("/oauth/token", "grant_type=client_credentials").await
    };
    for _ in 0..10 {
        assert_eq!(ask(&id, "wrong").await.status, 401);
    }
    let held_up = ask(&id, &key).await;
    assert_eq!((held_up.status, held_up.oauth_error().as_str()), (429, "temporarily_unavailable"));
    assert_eq!(held_up.header("retry-after"), "60");
    assert_eq!(ask(&other_id, &other_key).await.status, 200);
    server.clock.advance(60);
    server.node.catch_up().await.unwrap();
    assert_eq!(ask(&id, &key).await.status, 200);
}

async fn malformed_input_never_counts_as_a_guess(backend: Backend) {
    let server = Server::start(backend).await;
    for _ in 0..20 {
        assert_eq!(server.client().token("nonsense", "").await.status, 401);
        assert_eq!(server.client().bearer("nonsense").get("/v1/self").await.status, 401);
    }
}
