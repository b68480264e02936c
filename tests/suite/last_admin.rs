//! Nobody locks the last administrator out without saying so. (Every request that could, is in `ending_keys.rs`.)

use claviger::domain::address::AddressPolicy;
use serde_json::{Value, json};

use crate::support::{Backend, Client, Options, Server, on_both};

on_both!(
    the_last_administrator_gets_no_end_unasked,
    an_administrator_that_ends_soon_does_not_replace_one_that_lasts,
    the_last_administrator_is_not_narrowed_to_where_the_caller_is_not,
    an_administrator_elsewhere_does_not_replace_one_that_works_here,
    a_disabled_administrator_replaces_nobody,
    an_administrator_that_requires_proofs_replaces_nobody,
    an_administrator_whose_secrets_end_soon_replaces_nobody,
    among_administrators_that_all_end_one_stays_for_thirty_days,
);

const KEYS: &str = "/v1/orgs/default/keys";

/// The administrator's path and a client of it.
async fn administrator(server: &Server) -> (String, Client) {
    let id = server.admin().get("/v1/self").await.done(200)["id"].as_str().unwrap().to_owned();
    (format!("{KEYS}/{id}"), server.admin())
}

/// Another key that can do all that an administrator can, with these members.
async fn another(server: &Server, members: Value) -> (String, String) {
    let mut all = json!({ "name": "another", "scopes": [{ "action": "*", "resource": "claviger/**" }] });
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let (id, key) = server.key_from(all).await;
    (format!("{KEYS}/{id}"), key)
}

/// Asks for a change that needs `force`: it does nothing without, dry or not.
async fn needs_force(server: &Server, client: &Client, path: &str, patch: &Value) -> String {
    let before = server.database.dump().await;
    let why = client.patch(path, patch).await.refused(409, "conflict");
    client.patch(&format!("{path}?dry_run=true"), patch).await.refused(409, "conflict");
    assert_eq!(server.database.dump().await, before);
    client.patch(&format!("{path}?dry_run=true&force=true"), patch).await.done(200);
    assert!(why.contains("force=true"), "{why}");
    why
}

async fn the_last_administrator_gets_no_end_unasked(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    for end in [
        json!({ "expires_in": 4 }),
        json!({ "expires_in": "1y" }),
        json!({ "expires_at": "2999-01-01T00:00:00Z" }),
    ] {
        let why = needs_force(&server, &admin, &path, &end).await;
        assert!(why.contains("would end at 2"), "{why}");
    }
    // With another one that lasts it is nobody's business.
    another(&server, json!({})).await;
    admin.patch(&path, &json!({ "expires_in": "1y" })).await.done(200);
}

async fn an_administrator_that_ends_soon_does_not_replace_one_that_lasts(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    let (other, _) = another(&server, json!({ "expires_in": 4 })).await;
    let why = admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    assert!(why.contains("2026-01-01T00:00:04Z"), "{why}");
    admin.delete(&path).await.refused(409, "conflict");
    admin.patch(&other, &json!({ "expires_at": null })).await.done(200);
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
}

async fn the_last_administrator_is_not_narrowed_to_where_the_caller_is_not(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    for cidrs in [json!(["192.0.2.0/24"]), json!(["::/0"]), json!(["127.0.0.2"])] {
        needs_force(&server, &admin, &path, &json!({ "cidrs": cidrs })).await;
    }
    admin.patch(&format!("{path}?dry_run=true"), &json!({ "cidrs": ["127.0.0.0/8"] })).await.done(200);
    let forced = admin.patch(&format!("{path}?force=true"), &json!({ "cidrs": ["192.0.2.0/24"] })).await;
    forced.done(200);
    admin.get("/v1/self").await.refused(403, "address_not_allowed");
}

async fn an_administrator_elsewhere_does_not_replace_one_that_works_here(backend: Backend) {
    let server = Server::start_with(
        backend,
        Options {
            addresses: AddressPolicy { proxies: "127.0.0.0/8".parse().unwrap(), ..AddressPolicy::default() },
            ..Options::default()
        },
    )
    .await;
    let (path, admin) = administrator(&server).await;
    let (other, key) = another(&server, json!({ "cidrs": ["192.0.2.0/24"] })).await;
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    // Whoever calls from there shows that somebody is there.
    let there = server.client().bearer(&key).with("x-forwarded-for", "192.0.2.7");
    there.patch(&other, &json!({ "cidrs": ["192.0.2.0/28"] })).await.done(200);
    there.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
}

async fn a_disabled_administrator_replaces_nobody(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    needs_force(&server, &admin, &path, &json!({ "disabled": true })).await;
    let (other, key) = another(&server, json!({})).await;
    admin.patch(&other, &json!({ "disabled": true })).await.done(200);
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    admin.patch(&other, &json!({ "disabled": false })).await.done(200);
    admin.patch(&path, &json!({ "disabled": true })).await.done(200);
    server.client().bearer(&key).get("/v1/self").await.done(200);
}

async fn an_administrator_that_requires_proofs_replaces_nobody(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    let required = json!({ "dpop": "required" });
    needs_force(&server, &admin, &path, &required).await;
    // One that is created so takes nothing away, and counts for nothing.
    let (other, key) = another(&server, required.clone()).await;
    needs_force(&server, &admin, &path, &required).await;
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    admin.patch(&other, &json!({ "dpop": "optional" })).await.done(200);
    admin.patch(&path, &required).await.done(200);
    server.client().bearer(&key).get("/v1/self").await.done(200);
    let forced = server.client().bearer(&key).patch(&format!("{other}?force=true"), &required).await;
    assert_eq!(forced.done(200)["dpop"], "required");
    server.client().bearer(&key).get("/v1/self").await.refused(401, "dpop_required");
}

async fn an_administrator_whose_secrets_end_soon_replaces_nobody(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    let (other, _) = another(&server, json!({})).await;
    // As a secret is whose successor was retired before that kept it.
    let id = other.rsplit('/').next().unwrap();
    let end = format!("UPDATE key_secrets SET expires_at = 1767225700 WHERE key_id = '{id}'");
    server.database.execute(&end).await;
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    admin.post_json(&format!("{other}/rotate"), &json!({ "overlap_seconds": 50 })).await.done(201);
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
}

async fn among_administrators_that_all_end_one_stays_for_thirty_days(backend: Backend) {
    let server = Server::start(backend).await;
    let (path, admin) = administrator(&server).await;
    admin.patch(&format!("{path}?force=true"), &json!({ "expires_in": "1y" })).await.done(200);
    let (short, _) = another(&server, json!({ "expires_in": 29 * 86_400 })).await;
    let shorter = json!({ "expires_in": 29 * 86_400 });
    admin.patch(&path, &shorter).await.refused(409, "conflict");
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.refused(409, "conflict");
    admin.patch(&format!("{path}?dry_run=true"), &json!({ "expires_in": "30d" })).await.done(200);
    admin.patch(&short, &json!({ "expires_in": "60d" })).await.done(200);
    admin.post_json(&format!("{path}/revoke"), &json!({})).await.done(200);
}
