//! Whatever ends, ends this way in at once. Keycloak went on to accept assertions of a disabled identity provider
//! (CVE-2026-1486) and for a disabled client or user (CVE-2026-1609).

use serde_json::json;

use super::{ISSUERS, KEYS, Scene, present_as_grant, told_nothing};
use crate::support::{Backend, on_both};

on_both!(
    a_disabled_issuer_opens_nothing,
    a_removed_issuer_opens_nothing_for_good,
    a_removed_rule_opens_nothing_and_ends_its_tokens,
    a_key_that_ended_is_not_opened,
    a_withdrawn_key_of_the_issuer_verifies_nothing,
    changed_keys_of_a_record_count_at_once,
);

const IDP: &str = "/v1/orgs/default/issuers/idp";

async fn a_disabled_issuer_opens_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    let issued = scene.good().await.done(200);
    scene.admin().patch(IDP, &json!({ "status": "disabled" })).await.done(200);
    told_nothing(&scene.good().await, "a disabled issuer");
    let form = format!("token={}", issued["access_token"].as_str().unwrap());
    let asked = scene.admin().post_form("/oauth/introspect", &form).await.done(200);
    assert_eq!(asked, json!({ "active": false }), "tokens on its word have ended, too");
    scene.admin().patch(IDP, &json!({ "status": "active" })).await.done(200);
    scene.good().await.done(200);
}

async fn a_removed_issuer_opens_nothing_for_good(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.good().await.done(200);
    scene.admin().delete(IDP).await.done(204);
    told_nothing(&scene.good().await, "a removed issuer");
    let again = super::record("idp", &scene.foreign);
    let message = scene.admin().post_json(ISSUERS, &again).await.refused(409, "conflict");
    assert!(message.contains("was used before"), "{message}");
    scene.admin().post_json(ISSUERS, &super::record("idp-2", &scene.foreign)).await.done(201);
    told_nothing(&scene.good().await, "the rule still names the removed one");
}

async fn a_removed_rule_opens_nothing_and_ends_its_tokens(backend: Backend) {
    let scene = Scene::set(backend).await;
    let issued = scene.good().await.done(200);
    let rules = format!("{KEYS}/{}/trust-rules", scene.id);
    let message = scene.admin().delete(&format!("{rules}/{}", scene.rule)).await.refused(409, "conflict");
    assert!(message.contains("last way to use the key"), "{message}");
    scene.admin().post_json(&rules, &json!({ "issuer": "idp", "subject": "other" })).await.done(201);
    scene.admin().delete(&format!("{rules}/{}", scene.rule)).await.done(204);
    told_nothing(&scene.good().await, "a removed rule");
    scene.present(&scene.token(&json!({ "sub": "other" }))).await.done(200);
    let form = format!("token={}", issued["access_token"].as_str().unwrap());
    assert_eq!(
        scene.admin().post_form("/oauth/introspect", &form).await.done(200),
        json!({ "active": false })
    );
}

async fn a_key_that_ended_is_not_opened(backend: Backend) {
    let scene = Scene::set(backend).await;
    let path = format!("{KEYS}/{}", scene.id);
    let admin = scene.admin();
    for (change, why) in [
        (json!({ "disabled": true }), "a disabled key"),
        (json!({ "disabled": false, "cidrs": ["10.0.0.0/8"] }), "an address"),
    ] {
        admin.patch(&path, &change).await.done(200);
        told_nothing(&scene.good().await, why);
        let token = scene.token(&json!({}));
        let granted = present_as_grant(&scene.server.client(), &scene.id, &token).await;
        assert_eq!((granted.status, granted.oauth_error().as_str()), (400, "invalid_grant"), "{why}");
    }
    admin.patch(&path, &json!({ "cidrs": null, "expires_in": 100 })).await.done(200);
    scene.good().await.done(200);
    scene.server.advance(100).await;
    told_nothing(&scene.good().await, "an expired key");
    admin.patch(&path, &json!({ "expires_in": "30d" })).await.done(200);
    scene.good().await.done(200);
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
    told_nothing(&scene.good().await, "a revoked key");
    admin.delete(&path).await.done(204);
    told_nothing(&scene.good().await, "a deleted key");
}

async fn a_withdrawn_key_of_the_issuer_verifies_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.good().await.done(200);
    scene.foreign.publish(r#"{"keys":[]}"#).await;
    scene.server.advance(3_600).await;
    scene.server.node.authenticator.federation.issuer_keys.refresh_due().await;
    told_nothing(&scene.good().await, "a withdrawn key");
}

async fn changed_keys_of_a_record_count_at_once(backend: Backend) {
    let scene = Scene::set(backend).await;
    scene.good().await.done(200);
    let other = crate::support::foreign_issuer::ForeignIssuer::start().await;
    let keys = json!({ "keys": { "jwks": { "keys": [other.holder.jwk] } } });
    scene.admin().patch(IDP, &keys).await.done(200);
    told_nothing(&scene.good().await, "keys that the record no longer names");
    let claims = scene.foreign.claims(&scene.server.issuer(), scene.now(), &json!({}));
    scene.present(&other.holder.sign(&other.holder.header(), &claims)).await.done(200);
}

/// PostgreSQL alone has several nodes.
mod across_nodes {
    use super::*;
    use crate::federation::present;
    use crate::support::on_postgres;

    on_postgres!(another_node_hears_of_it);

    async fn another_node_hears_of_it(backend: Backend) {
        let scene = Scene::set(backend).await;
        let other = scene.server.second_node().await;
        present(&other.client(), &scene.id, &scene.token(&json!({}))).await.done(200);
        scene.admin().patch(IDP, &json!({ "status": "disabled" })).await.done(200);
        other.node.catch_up().await.unwrap();
        told_nothing(
            &present(&other.client(), &scene.id, &scene.token(&json!({}))).await,
            "a disabled issuer",
        );
    }
}
