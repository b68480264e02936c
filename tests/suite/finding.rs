//! Finding keys: by the beginning of an id in every organization, by when they expire, by who may use them.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    keys_are_found_by_id_or_prefix_in_every_organization,
    only_what_the_caller_may_read_is_found,
    keys_that_expire_soon_are_listed,
    keys_that_any_address_may_use_are_listed
);

const KEYS: &str = "/v1/orgs/default/keys";

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

/// A key in a new organization, and one in the first.
async fn two_keys(server: &Server) -> [Value; 2] {
    let admin = server.admin();
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    admin.post_json("/v1/orgs/acme/projects", &json!({ "id": "web" })).await.done(201);
    let key = |project: &str| json!({ "name": "x", "project": project, "environment": "dev", "preset": "query_only" });
    let of_acme = admin.post_json("/v1/orgs/acme/keys", &key("web")).await.done(201);
    [of_acme, admin.post_json(KEYS, &key("default")).await.done(201)]
}

async fn keys_are_found_by_id_or_prefix_in_every_organization(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for key in two_keys(&server).await {
        let id = key["id"].as_str().unwrap();
        let beginning = &id[4..8];
        let shown = key["prefix"].as_str().unwrap().replace('…', "%E2%80%A6");
        for prefix in
            [id, &id[..8], &shown, &format!("clv_dev_{beginning}"), &format!("clv_dev_{}", &id[4..])]
        {
            let page = admin.get(&format!("/v1/keys?prefix={prefix}")).await.done(200);
            assert_eq!((ids(&page), &page["next_cursor"]), (vec![id.to_owned()], &Value::Null), "{prefix}");
            assert_eq!(page["data"][0]["organization"], key["organization"]);
            assert_eq!(page["data"][0]["key"], Value::Null);
        }
        let other_case: String = beginning.chars().map(swapped).collect();
        let elsewhere =
            [format!("clv_prd_{beginning}"), format!("acme_dev_{beginning}"), format!("key_{other_case}")];
        for prefix in elsewhere.iter().filter(|prefix| !id.starts_with(prefix.as_str())) {
            let page = admin.get(&format!("/v1/keys?prefix={prefix}")).await.done(200);
            assert_eq!(ids(&page), [""; 0], "{prefix}");
        }
        // Revoked keys are found, too.
        let path = format!("/v1/orgs/{}/keys/{id}/revoke", key["organization"].as_str().unwrap());
        admin.post_json(&path, &json!({})).await.done(200);
        let page = admin.get(&format!("/v1/keys?prefix={id}")).await.done(200);
        assert_eq!(page["data"][0]["status"], "revoked");
        let secret = key["key"].as_str().unwrap();
        for bad in
            ["", "prefix=", "prefix=key_abc", "prefix=x", "prefix=key_ab%25d", &format!("prefix={secret}")]
        {
            let refused = admin.get(&format!("/v1/keys?{bad}")).await;
            assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{bad}");
            assert!(!refused.text.contains(&secret[24..]), "{}", refused.text);
        }
    }
}

fn swapped(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

async fn only_what_the_caller_may_read_is_found(backend: Backend) {
    let server = Server::start(backend).await;
    let [of_acme, of_default] = two_keys(&server).await;
    let (_, of_all) = server.key(&["read:claviger/orgs/acme/projects/*/keys/*"]).await;
    let (_, blind) = server.key(&["read:*", "*:*"]).await;
    let find = async |by: &str, key: &Value| {
        let prefix = key["id"].as_str().unwrap();
        ids(&server.client().bearer(by).get(&format!("/v1/keys?prefix={prefix}")).await.done(200)).len()
    };
    assert_eq!((find(&of_all, &of_acme).await, find(&of_all, &of_default).await), (1, 0));
    assert_eq!((find(&blind, &of_acme).await, find(&blind, &of_default).await), (0, 0));
    let id = of_acme["id"].as_str().unwrap();
    assert_eq!(server.client().get(&format!("/v1/keys?prefix={id}")).await.status, 401);
}

async fn keys_that_expire_soon_are_listed(backend: Backend) {
    let server = Server::start(backend).await;
    let named = async |name: &str, more: Value| {
        let mut body = json!({ "name": name, "preset": "query_only" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.key_from(body).await.0
    };
    let gone = named("gone", json!({ "expires_in": 10 })).await;
    let soon = named("soon", json!({ "expires_at": "2026-02-01T00:00:00Z" })).await;
    named("later", json!({ "expires_at": "2026-03-01T00:00:00Z" })).await;
    named("never", json!({})).await;
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    let list = async |query: &str| ids(&server.admin().get(&format!("{KEYS}?{query}")).await.done(200));
    assert_eq!(list("expires_before=2026-02-01T00:00:01Z").await, [soon.as_str()]);
    assert_eq!(list("expires_before=2026-02-01T00:00:00Z").await, [""; 0]);
    assert_eq!(list("expires_before=2026-02-02T00:00:00Z&status=all").await, [soon, gone]);
    assert_eq!(list("expires_before=9999-12-31T00:00:00Z").await.len(), 2);
    let refused = server.admin().get(&format!("{KEYS}?expires_before=30d")).await;
    assert_eq!(refused.status, 400);
}

async fn keys_that_any_address_may_use_are_listed(backend: Backend) {
    let server = Server::start(backend).await;
    let with = async |cidrs: Value| {
        server.key_from(json!({ "name": "x", "preset": "query_only", "cidrs": cidrs })).await.0
    };
    let mut open = Vec::new();
    for cidrs in
        [json!(["*"]), json!(["0.0.0.0/0"]), json!(["10.0.0.0/8", "::/0"]), json!(["192.0.2.1", "*"])]
    {
        open.insert(0, with(cidrs).await);
    }
    for cidrs in [json!(["10.0.0.0/8"]), json!(["0.0.0.0/1", "2001:db8::/32"]), json!(["::1"])] {
        with(cidrs).await;
    }
    let listed = server.admin().get(&format!("{KEYS}?any_address=true&q=x")).await.done(200);
    assert_eq!(ids(&listed), open);
    for key in listed["data"].as_array().unwrap() {
        assert_eq!(key["warnings"], json!(["cidrs_wildcard"]));
    }
    let all = server.admin().get(&format!("{KEYS}?any_address=false&q=x")).await.done(200);
    assert_eq!(ids(&all).len(), 7);
    assert_eq!(server.admin().get(&format!("{KEYS}?any_address=1")).await.status, 400);
}
