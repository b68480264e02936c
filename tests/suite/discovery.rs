//! What is published: metadata, keys, health.

use crate::support::{Backend, Options, Server, on_both};
use claviger::node::keyring::SigningKeyStatus;

on_both!(
    metadata_says_where_everything_is,
    an_issuer_with_a_path_is_found_both_ways,
    a_next_key_is_published_ahead_of_its_use_and_the_old_one_kept,
    a_compromised_key_is_gone_at_once,
    an_unchanged_jwks_is_not_sent_again,
);

async fn metadata_says_where_everything_is(backend: Backend) {
    let server = Server::start(backend).await;
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.status, 200);
    let alias = server.client().get("/.well-known/openid-configuration").await;
    assert_eq!(metadata.text, alias.text);
    let metadata = metadata.json();
    assert_eq!(metadata["issuer"], server.url(""));
    assert_eq!(metadata["token_endpoint"], server.url("/oauth/token"));
    assert_eq!(metadata["jwks_uri"], server.url("/.well-known/jwks.json"));
    assert_eq!(metadata["response_types_supported"], serde_json::json!([]));
    assert_eq!(server.client().get("/healthz").await.status, 200);
    assert_eq!(server.client().get("/readyz").await.status, 200);
}

async fn an_issuer_with_a_path_is_found_both_ways(backend: Backend) {
    let issuer = "https://example.com/auth/v2".to_owned();
    let server =
        Server::start_with(backend, Options { issuer: Some(issuer.clone()), ..Options::default() }).await;
    for path in [
        "/.well-known/oauth-authorization-server/auth/v2",
        "/.well-known/openid-configuration/auth/v2",
        "/auth/v2/.well-known/openid-configuration",
    ] {
        assert_eq!(server.client().get(path).await.json()["issuer"], issuer, "{path}");
    }
    assert_eq!(server.client().get("/auth/v2/.well-known/jwks.json").await.status, 200);
    let (_, key) = server.key(&["read:*"]).await;
    let form = format!("grant_type=client_credentials&client_secret={key}");
    assert_eq!(server.client().post_form("/auth/v2/oauth/token", &form).await.status, 200);
}

async fn kids(server: &Server) -> Vec<String> {
    let jwks = server.client().get("/.well-known/jwks.json").await.json();
    let kids = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
    kids.collect()
}

async fn signing_kid(server: &Server, key: &str) -> String {
    use base64::Engine as _;
    let token = server.client().access_token(key, "").await;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<serde_json::Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn a_next_key_is_published_ahead_of_its_use_and_the_old_one_kept(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let first = kids(&server).await;
    assert_eq!(first.len(), 1);
    let rotated = server.admin().post_json("/v1/signing-keys/rotate", &serde_json::json!({})).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let both = kids(&server).await;
    assert_eq!(both.len(), 2);
    assert_eq!(signing_kid(&server, &key).await, first[0], "the next key does not sign yet");
    let again = server.admin().post_json("/v1/signing-keys/rotate", &serde_json::json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (409, "conflict"));
    let last_of_the_old = {
        server.clock.advance(7_199);
        server.node.catch_up().await.unwrap();
        server.client().access_token(&key, "").await
    };
    server.clock.advance(1);
    server.node.catch_up().await.unwrap();
    assert_ne!(signing_kid(&server, &key).await, first[0], "the next key has taken over");
    let form = format!("token={last_of_the_old}");
    let introspected = server.admin().post_form("/oauth/introspect", &form).await;
    assert_eq!(introspected.json()["active"], true, "tokens of the old key live on");
    assert_eq!(kids(&server).await.len(), 2);
    server.clock.advance(700);
    server.node.catch_up().await.unwrap();
    assert_eq!(kids(&server).await, both[1..], "its last token is dead");
    let statuses: Vec<_> =
        server.node.signer.keyring.ring().keys().iter().map(|key| key.status(server.clock.now())).collect();
    assert_eq!(statuses, [SigningKeyStatus::Retired, SigningKeyStatus::Active]);
}

async fn a_compromised_key_is_gone_at_once(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let stolen = kids(&server).await.remove(0);
    let token = server.client().access_token(&key, "").await;
    let body = serde_json::json!({ "compromised": stolen });
    assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &body).await.status, 201);
    assert!(!kids(&server).await.contains(&stolen));
    assert_ne!(signing_kid(&server, &key).await, stolen);
    let introspected = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
    assert_eq!(introspected.text, r#"{"active":false}"#);
    assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &body).await.status, 404);
}

async fn an_unchanged_jwks_is_not_sent_again(backend: Backend) {
    let server = Server::start(backend).await;
    let first = server.client().get("/.well-known/jwks.json").await;
    assert_eq!(first.header("cache-control"), "public, max-age=300");
    let etag = first.header("etag").to_owned();
    let asking = |known: &str| server.client().with("if-none-match", known);
    for known in [&*etag, &format!("W/{etag}"), &format!("\"other\", W/{etag}"), "*"] {
        let again = asking(known).get("/.well-known/jwks.json").await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", &*etag), "{known}");
    }
    for other in ["\"other\"", &format!("\"x,{}", etag.trim_start_matches('"')), etag.trim_matches('"'), ""] {
        assert_eq!(asking(other).get("/.well-known/jwks.json").await.status, 200, "{other}");
    }
    // So it is with all that is published.
    for path in ["/openapi.yaml", "/llms.txt", "/docs", "/docs/swagger-ui.css", "/docs/tour.md"] {
        let etag = server.client().get(path).await.header("etag").to_owned();
        assert_eq!(asking(&format!("W/{etag}")).get(path).await.status, 304, "{path}");
    }
}
