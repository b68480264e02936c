//! `/v1/orgs/{org}/keys`: making keys, finding them, and who may.

use serde_json::{Value, json};

use crate::support::{Backend, Server, on_both};

on_both!(
    a_key_is_shown_whole_once,
    a_list_is_newest_first_and_pages_through_everything,
    a_long_list_is_looked_through_in_parts,
    a_list_is_filtered,
    a_list_shows_what_the_caller_may_read,
    nobody_hands_out_what_they_lack,
    another_organization_does_not_exist,
    a_key_works_directly_and_through_a_token,
    an_address_outside_the_ranges_is_refused,
);

const KEYS: &str = "/v1/orgs/default/keys";

async fn a_key_is_shown_whole_once(backend: Backend) {
    let server = Server::start(backend).await;
    let body = json!({
        "name": "Build server", "note": "Ask the build team.", "project": "default", "environment": "dev",
        "scopes": [{"action": "write", "resource": "builds/*"}, {"action": "read"}],
        "cidrs": ["198.51.100.7", "10.0.0.0/8", "::ffff:10.0.0.0/104"], "expires_in": "30d",
    });
    let created = server.admin().post_json(KEYS, &body).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("cache-control"), "no-store");
    let mut shown = created.json();
    let whole = shown.as_object_mut().unwrap().remove("key").unwrap();
    assert!(whole.as_str().unwrap().starts_with("clv_dev_"));
    assert_eq!(
        shown["scopes"],
        json!([{"action": "read", "resource": "*"}, {"action": "write", "resource": "builds/*"}])
    );
    assert_eq!(shown["cidrs"], json!(["10.0.0.0/8", "198.51.100.7/32"]));
    assert_eq!(shown["expires_at"], "2026-01-31T00:00:00Z");
    assert_eq!(shown["warnings"], json!([]));
    assert_eq!(shown["status"], "active");
    let read = server.admin().get(&format!("{KEYS}/{}", shown["id"].as_str().unwrap())).await;
    assert_eq!(read.json(), shown);
    assert!(!read.text.contains(whole.as_str().unwrap()));
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_list_is_newest_first_and_pages_through_everything(backend: Backend) {
    let server = Server::start(backend).await;
    let mut made = vec![server.admin_key[8..24].to_owned()];
    for _ in 0..6 {
        made.push(server.key(&["read:*"]).await.0.trim_start_matches("key_").to_owned());
    }
    made.reverse();
    let made: Vec<String> = made.into_iter().map(|id| format!("key_{id}")).collect();
    let whole = server.admin().get(KEYS).await.json();
    assert_eq!((ids(&whole), &whole["next_cursor"]), (made.clone(), &Value::Null));
    let (mut seen, mut path) = (Vec::new(), format!("{KEYS}?limit=3"));
    for _ in 0..3 {
        let page = server.admin().get(&path).await.json();
        seen.extend(ids(&page));
        path = format!("{KEYS}?limit=3&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(seen, made);
    let cursor = server.admin().get(&format!("{KEYS}?limit=3")).await.json()["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    for forged in [
        format!("{KEYS}?cursor={cursor}A"),
        format!("{KEYS}?status=all&cursor={cursor}"),
        format!("{KEYS}?cursor="),
    ] {
        let refused = server.admin().get(&forged).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{forged}");
    }
}

async fn a_long_list_is_looked_through_in_parts(backend: Backend) {
    let server = Server::start(backend).await;
    let of_one = format!("read:claviger/orgs/default/projects/*/keys/key_{}", &server.admin_key[8..24]);
    let (_, of_one) = server.key(&[&of_one]).await;
    let (_, of_none) = server.key(&["read:claviger/orgs/default/projects/web/keys/*"]).await;
    let (_, blind) = server.key(&["read:*"]).await;
    server.database.add_keys("default", 20_000).await;
    for (query, found) in [("q=administrator", 1), ("q=nothing", 0), ("status=revoked&limit=200", 0)] {
        let (mut names, mut pages, mut path) = (Vec::new(), 0, format!("{KEYS}?{query}"));
        loop {
            let page = server.admin().get(&path).await.done(200);
            names.extend(ids(&page));
            pages += 1;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{KEYS}?{query}&cursor={cursor}");
        }
        assert_eq!((names.len(), pages), (found, 2), "{query}");
    }
    // What few keys are visible of is not searched for.
    for (by, count) in [(&of_one, 1), (&of_none, 0), (&blind, 0)] {
        let page = server.client().bearer(by).get(KEYS).await.done(200);
        assert_eq!((ids(&page).len(), &page["next_cursor"]), (count, &Value::Null));
    }
}

async fn a_list_is_filtered(backend: Backend) {
    let server = Server::start(backend).await;
    let named = async |name: &str, more: Value| {
        let mut body = json!({ "name": name, "preset": "query_only" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.key_from(body).await.0
    };
    let prod = named("Ä 100% Café_A", json!({})).await;
    let dev = named("other", json!({ "environment": "dev" })).await;
    let short = named("short", json!({ "expires_in": 10 })).await;
    let dead = named("dead", json!({})).await;
    server.admin().post_json(&format!("{KEYS}/{dead}/revoke"), &json!({})).await;
    server.clock.advance(10);
    server.node.catch_up().await.unwrap();
    let list = async |query: &str| ids(&server.admin().get(&format!("{KEYS}?{query}")).await.json());
    assert_eq!(list("q=0%25%20cAF").await, [prod.as_str()]);
    assert_eq!(list("q=%C3%A9_a").await, [prod.as_str()]);
    assert_eq!(list("q=%C3%A4").await, [""; 0], "only ASCII letters are folded");
    assert_eq!(list("q=_").await, [prod.as_str()], "a wildcard stands for itself");
    assert_eq!(list("environment=dev").await, [dev.as_str()]);
    assert_eq!(list("status=expired").await, [short.as_str()]);
    assert_eq!(list("status=revoked").await, [dead.as_str()]);
    assert_eq!(list("status=all").await.len(), 5);
    assert_eq!(list("project=other").await, [""; 0]);
    for bad in [
        "status=dead",
        "limit=0",
        "limit=201",
        "limit=x",
        "project=UP",
        "unknown=1",
        "q=%00",
        "q=%",
        "q=a&q=b",
    ] {
        let refused = server.admin().get(&format!("{KEYS}?{bad}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{bad}");
    }
}

async fn a_list_shows_what_the_caller_may_read(backend: Backend) {
    let server = Server::start(backend).await;
    let (blind_id, blind) = server.key(&["read:*"]).await;
    let one = format!("read:claviger/orgs/default/projects/*/keys/{blind_id}");
    let (_, of_one) = server.key(&[&one]).await;
    let (_, of_web) = server.key(&["read:claviger/orgs/default/projects/web/keys/*"]).await;
    let (_, of_all) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let list = async |by: &str| ids(&server.client().bearer(by).get(KEYS).await.json());
    assert_eq!(list(&blind).await, [""; 0]);
    assert_eq!(list(&of_one).await, [blind_id.as_str()]);
    assert_eq!(list(&of_web).await, [""; 0]);
    assert_eq!(list(&of_all).await.len(), 5);
    let read = async |by: &str, id: &str| server.client().bearer(by).get(&format!("{KEYS}/{id}")).await;
    assert_eq!(read(&of_one, &blind_id).await.status, 200);
    let missing = read(&of_one, "key_0000000000000000").await;
    let hidden = read(&of_web, &blind_id).await;
    let absent = read(&of_web, "key_0000000000000000").await;
    assert_eq!((missing.status, hidden.status, absent.status), (403, 403, 403), "existence is not told");
    let scope = format!("read:claviger/orgs/default/projects/*/keys/{blind_id}");
    assert!(hidden.json()["error"]["message"].as_str().unwrap().contains(&scope));
    assert!(
        hidden
            .header("www-authenticate")
            .contains(&format!(r#"error="insufficient_scope", scope="{scope}""#))
    );
    assert_eq!(read(&of_all, "key_0000000000000000").await.status, 404);
}

async fn nobody_hands_out_what_they_lack(backend: Backend) {
    let server = Server::start(backend).await;
    let keys = "write:claviger/orgs/default/projects/*/keys/*";
    let make = async |by: &str, more: Value| {
        let mut body = json!({ "name": "new", "project": "default", "environment": "prd" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = server.client().bearer(by).post_json(KEYS, &body).await;
        (answer.status, if answer.status == 201 { String::new() } else { answer.code() })
    };
    let forbidden = (403, "forbidden".to_owned());
    let created = (201, String::new());
    let (_, maker) = server.key(&[keys]).await;
    assert_eq!(make(&maker, json!({ "preset": "full_access" })).await, created);
    assert_eq!(make(&maker, json!({ "preset": "key_admin" })).await, forbidden);
    let own = json!([{ "action": "write", "resource": &keys[6..] }]);
    assert_eq!(make(&maker, json!({ "scopes": own })).await, created);
    let (_, limited) = server
        .key_from(json!({ "scopes": own, "cidrs": ["127.0.0.0/8", "192.0.2.0/24"], "expires_in": 1000 }))
        .await;
    for (more, expected) in [
        (json!({ "scopes": own, "cidrs": ["192.0.2.1"], "expires_in": 1000 }), &created),
        (json!({ "scopes": own, "cidrs": ["192.0.3.1"], "expires_in": 1000 }), &forbidden),
        (json!({ "scopes": own, "expires_in": 1000 }), &forbidden),
        (json!({ "scopes": own, "cidrs": ["192.0.2.1"], "expires_in": 1001 }), &forbidden),
        (json!({ "scopes": own, "cidrs": ["192.0.2.1"] }), &forbidden),
        (json!({ "preset": "full_access" }), &created),
    ] {
        assert_eq!(&make(&limited, more.clone()).await, expected, "{more}");
    }
    let (_, reader) = server.key(&["read:claviger/**"]).await;
    assert_eq!(make(&reader, json!({ "preset": "query_only" })).await, forbidden);
    let (_, customer) = server.key(&["*:*"]).await;
    assert_eq!(
        make(&customer, json!({ "preset": "query_only" })).await,
        forbidden,
        "full access is to the API alone"
    );
}

async fn another_organization_does_not_exist(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["*:claviger/orgs/default/**"]).await;
    for path in ["/v1/orgs/other/keys", "/v1/orgs/NOT-A-SLUG/keys", &format!("/v1/orgs/other/keys/{id}")] {
        let answer = server.client().bearer(&key).get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    let body = json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
    let answer = server.client().bearer(&key).post_json("/v1/orgs/other/keys", &body).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
    let everywhere = server.admin().get("/v1/orgs/other/keys").await;
    assert_eq!((everywhere.status, everywhere.code().as_str()), (404, "not_found"), "it really does not");
}

async fn a_key_works_directly_and_through_a_token(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:claviger/orgs/default/**", "read:*"]).await;
    let token = server.client().access_token(&key, &format!("&resource={}", server.url(""))).await;
    for client in [
        server.client().bearer(&key),
        server.client().with("x-api-key", &key),
        server.client().bearer(&token),
    ] {
        let own = client.get("/v1/self").await;
        assert_eq!((own.status, &own.json()["id"]), (200, &id.clone().into()));
        assert_eq!(client.get(KEYS).await.status, 200);
    }
    let for_the_api = server.client().access_token(&key, "").await;
    for (client, status, code) in [
        (server.client(), 401, "unauthenticated"),
        (server.client().bearer(&for_the_api), 401, "unauthenticated"),
        (server.client().bearer("nonsense"), 401, "unauthenticated"),
        (server.client().basic(&id, &key), 401, "unauthenticated"),
        (server.client().bearer(&key).with("x-api-key", &key), 400, "invalid_request"),
        (server.client().with("x-api-key", &key).with("x-api-key", &key), 400, "invalid_request"),
    ] {
        let answer = client.get("/v1/self").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
        assert_eq!(status == 401, answer.header("www-authenticate").starts_with("Bearer realm="));
    }
    assert_eq!(
        server.client().get("/v1/self").await.header("www-authenticate"),
        format!(r#"Bearer realm="{}""#, server.url(""))
    );
    server.clock.advance(600);
    server.node.catch_up().await.unwrap();
    assert_eq!(server.client().bearer(&token).get("/v1/self").await.code(), "token_expired");
}

async fn an_address_outside_the_ranges_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) =
        server.key_from(json!({ "preset": "query_only", "cidrs": ["192.0.2.0/24", "::/0"] })).await;
    let refused = server.client().token(&key, "").await;
    assert_eq!((refused.status, refused.oauth_error().as_str()), (401, "invalid_client"));
    assert_eq!(refused.json()["error_description"], "the key is not allowed from address 127.0.0.1");
    let direct = server.client().bearer(&key).get("/v1/self").await;
    assert_eq!((direct.status, direct.code().as_str()), (403, "address_not_allowed"));
    let spoofed = server.client().with("x-forwarded-for", "192.0.2.1").token(&key, "").await;
    assert_eq!(spoofed.status, 401, "nobody's header is believed unless they are a trusted proxy");
}
