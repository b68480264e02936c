//! Trust rules of keys: who may add and remove them, and what they have to pin.

use serde_json::{Value, json};

use super::{ISSUERS, KEYS, Scene, record, trusting};
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Backend, Server, on_both};

on_both!(
    a_rule_is_shown_with_its_key,
    a_rule_that_pins_nothing_is_refused,
    a_key_has_at_most_16_rules_and_none_twice,
    adding_needs_the_rights_of_a_rotation,
    a_rotation_leaves_the_rules,
    a_key_that_another_opens_is_not_the_last_administrators,
);

async fn a_rule_is_shown_with_its_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    let path = format!("{KEYS}/{}", scene.id);
    let before = scene.admin().get(&path).await.done(200);
    let shown = json!({ "id": scene.rule, "issuer": "idp", "audience": null, "subject": "workload", "claims": {},
        "created_at": "2026-01-01T00:00:00Z", "last_used_at": null });
    assert_eq!((&before["trust_rules"], &before["secrets"]), (&json!([shown]), &json!([])));
    scene.server.advance(1).await;
    let rule = json!({ "issuer": "idp", "audience": "x", "subject": "a:*", "claims": { "/b/c": "1" } });
    let rules = format!("{path}/trust-rules");
    let dry = scene.admin().post_json(&format!("{rules}?dry_run=true"), &rule).await.done(200);
    assert_eq!(dry, json!({ "dry_run": true }));
    let added = scene.admin().post_json(&rules, &rule).await.done(201);
    assert_eq!((&added["audience"], &added["claims"]), (&json!("x"), &json!({ "/b/c": "1" })));
    let after = scene.admin().get(&path).await.done(200);
    assert_eq!(after["trust_rules"], json!([shown, added]));
    assert_eq!(after["generation"], before["generation"]);
    scene.admin().delete(&format!("{rules}/tr_0000000000000000")).await.refused(404, "not_found");
    scene.admin().delete(&format!("{rules}/{}?dry_run=true", scene.rule)).await.done(200);
    scene.admin().delete(&format!("{rules}/{}", scene.rule)).await.done(204);
    let left = scene.admin().get(&path).await.done(200);
    assert_eq!((&left["trust_rules"], &left["generation"]), (&json!([added]), &json!(2)));
}

async fn a_rule_that_pins_nothing_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let issuer = json!({ "id": "gh", "issuer": "https://token.actions.githubusercontent.com", "keys": { "discovery": true } });
    server.admin().post_json(ISSUERS, &issuer).await.done(201);
    let (id, _) = server.key(&["read:*"]).await;
    let before = server.database.dump().await;
    for (rule, named) in [
        (json!({ "issuer": "gh" }), "needs a `subject` or a claim"),
        (
            json!({ "issuer": "gh", "subject": "repo:acme/web:*" }),
            "`/repository_id` or `/repository_owner_id`",
        ),
        (json!({ "issuer": "gh", "subject": "repo:acme*" }), "behind `:` or `/`"),
        (json!({ "issuer": "gh", "claims": { "/iss": "x" } }), "pins nothing"),
        (json!({ "issuer": "gh", "claims": { "/aud": "x" } }), "pins nothing"),
        (json!({ "issuer": "gh", "claims": { "/sub": "x" } }), "written as `subject`"),
        (json!({ "issuer": "gh", "claims": { "repository_id": "x" } }), "is not a JSON Pointer"),
        (json!({ "issuer": "gh", "claims": { "/repository_id": 1 } }), "expected a string"),
        (json!({ "issuer": "gh", "claims": { "/repository_id": "" } }), "1 to 512 bytes"),
        (json!({ "issuer": "none", "subject": "x" }), "names no trusted issuer"),
        (json!({ "issuer": "gh", "subject": "x", "more": 1 }), "unknown field"),
    ] {
        let path = format!("{KEYS}/{id}/trust-rules");
        let message = server.admin().post_json(&path, &rule).await.refused(400, "invalid_request");
        assert!(message.contains(named), "{rule}: {message}");
        let new = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only",
            "trust_rules": [rule] });
        server.admin().post_json(KEYS, &new).await.refused(400, "invalid_request");
    }
    assert_eq!(server.database.dump().await, before);
}

async fn a_key_has_at_most_16_rules_and_none_twice(backend: Backend) {
    let scene = Scene::set(backend).await;
    let rules = format!("{KEYS}/{}/trust-rules", scene.id);
    let rule = |at: usize| json!({ "issuer": "idp", "subject": format!("s{at}") });
    for at in 1..16 {
        scene.admin().post_json(&rules, &rule(at)).await.done(201);
    }
    scene.admin().post_json(&rules, &rule(3)).await.refused(409, "conflict");
    let message = scene.admin().post_json(&rules, &rule(16)).await.refused(409, "conflict");
    assert!(message.contains("16 trust rules"), "{message}");
    let new = |rules: Vec<Value>| json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only", "trust_rules": rules });
    let many = new((0..17).map(rule).collect());
    scene.admin().post_json(KEYS, &many).await.refused(400, "invalid_request");
    scene.admin().post_json(KEYS, &new(vec![rule(1), rule(1)])).await.refused(400, "invalid_request");
    scene.admin().post_json(KEYS, &new((0..16).map(rule).collect())).await.done(201);
}

async fn adding_needs_the_rights_of_a_rotation(backend: Backend) {
    let scene = Scene::set(backend).await;
    let write = "write:claviger/orgs/default/projects/default/keys/*";
    let (_, weak) = scene.server.key(&[write]).await;
    let weak = scene.server.client().bearer(&weak);
    let (strong, _) = scene.server.key(&["admin:claviger/orgs/*"]).await;
    let rule = json!({ "issuer": "idp", "subject": "mine" });
    weak.post_json(&format!("{KEYS}/{}/trust-rules", scene.id), &rule).await.done(201);
    let path = format!("{KEYS}/{strong}/trust-rules");
    weak.post_json(&path, &rule).await.refused(403, "forbidden");
    let added = scene.admin().post_json(&path, &rule).await.done(201);
    weak.delete(&format!("{path}/{}", added["id"].as_str().unwrap())).await.done(204);
    scene.admin().post_json(&format!("{KEYS}/{strong}/revoke"), &json!({})).await.done(200);
    scene.admin().post_json(&path, &rule).await.refused(409, "conflict");
}

async fn a_rotation_leaves_the_rules(backend: Backend) {
    let scene = Scene::set(backend).await;
    let path = format!("{KEYS}/{}/rotate", scene.id);
    let rotated = scene.admin().post_json(&path, &json!({ "overlap_seconds": 0 })).await.done(201);
    assert_eq!(rotated["trust_rules"][0]["id"], scene.rule);
    scene.good().await.done(200);
}

async fn a_key_that_another_opens_is_not_the_last_administrators(backend: Backend) {
    let (server, foreign) = (Server::start(backend).await, ForeignIssuer::start().await);
    server.admin().post_json(ISSUERS, &record("idp", &foreign)).await.done(201);
    let (id, _) = trusting(&server, &json!({ "issuer": "idp", "subject": "workload" })).await;
    let scopes = json!({ "scopes": [{ "action": "*", "resource": "claviger/**" }] });
    server.admin().patch(&format!("{KEYS}/{id}"), &scopes).await.done(200);
    let own = server.admin().get("/v1/self").await.done(200)["id"].as_str().unwrap().to_owned();
    let message =
        server.admin().post_json(&format!("{KEYS}/{own}/revoke"), &json!({})).await.refused(409, "conflict");
    assert!(message.contains("lock out all administrators"), "{message}");
}
