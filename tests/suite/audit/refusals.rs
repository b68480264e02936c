//! Refusals worth knowing: in the trail, and never so many that they are in the way.

use claviger::domain::address::AddressPolicy;
use serde_json::{Value, json};

use super::{AUDIT, EVERYWHERE, KEYS, acts, events};
use crate::support::{Backend, Options, Server, forged, on_both};

on_both!(
    a_right_secret_that_is_refused_is_noted,
    who_lacks_a_scope_is_noted,
    one_refusal_is_noted_once_an_hour,
    one_key_adds_a_bounded_number_of_refusals,
    a_refusal_without_a_right_secret_is_not_audited,
);

async fn refused(server: &Server) -> Vec<Value> {
    server.flush().await;
    let mut events = events(&server.admin(), &format!("{AUDIT}?action=key.refused")).await;
    events.extend(super::events(&server.admin(), &format!("{AUDIT}?action=access.*")).await);
    events
}

async fn a_right_secret_that_is_refused_is_noted(backend: Backend) {
    let server = Server::start(backend).await;
    let (client, admin) = (server.client(), server.admin());
    let (dead_id, dead) = server.key(&["read:*"]).await;
    assert_eq!(admin.post_json(&format!("{KEYS}/{dead_id}/revoke"), &json!({})).await.status, 200);
    let (short_id, short) = server.key_from(json!({ "preset": "query_only", "expires_in": 10 })).await;
    let (far_id, far) = server.key_from(json!({ "preset": "query_only", "cidrs": ["192.0.2.0/24"] })).await;
    server.advance(10).await;
    for (id, key, reason, oauth) in [
        (&dead_id, &dead, "revoked", true),
        (&short_id, &short, "expired", true),
        (&far_id, &far, "address", false),
    ] {
        let answer =
            if oauth { client.token(key, "").await } else { client.bearer(key).get("/v1/self").await };
        assert!((401..=403).contains(&answer.status), "{}", answer.text);
        server.advance(1).await;
        let before = events(&admin, &format!("{AUDIT}?key={id}&action=key.refused")).await;
        assert_eq!(before, [] as [Value; 0], "not before the flush");
        server.flush().await;
        let mut noted = events(&admin, &format!("{AUDIT}?key={id}&action=key.refused")).await;
        assert_eq!(noted.len(), 1);
        noted[0].as_object_mut().unwrap().remove("id");
        assert_eq!(
            noted[0],
            json!({
                "at": server.clock.now().plus(-1).rfc3339(), "actor": id, "actor_name": noted[0]["actor_name"], "operator_id": null, "address": "127.0.0.1",
                "request_id": answer.header("x-request-id"), "action": "key.refused",
                "organization": "default", "key": id, "subject": id,
                "before": null, "after": { "reason": reason },
            })
        );
    }
    // Changes are still followed one by one.
    server.node.catch_up().await.unwrap();
}

async fn who_lacks_a_scope_is_noted(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (maker_id, maker) = server.key(&["write:claviger/orgs/default/projects/*/keys/*"]).await;
    let (client, maker) = (server.client().bearer(&key), server.client().bearer(&maker));
    let denied = client.get(AUDIT).await;
    assert_eq!(denied.status, 403);
    assert_eq!(client.get("/v1/orgs/other/audit").await.status, 404);
    assert_eq!(client.get("/v1/nothing").await.status, 404);
    assert_eq!(client.get("/v1/gate?action=write&resource=a").await.status, 403, "somebody else's affair");
    assert_eq!(client.get("/v1/self").await.status, 200);
    let above = json!({ "name": "x", "project": "default", "environment": "prd",
                        "scopes": [{ "action": "admin", "resource": "claviger/signing-keys" }] });
    assert_eq!(maker.post_json(KEYS, &above).await.status, 403);
    server.flush().await;
    let noted = events(&server.admin(), &format!("{AUDIT}?action=access.denied")).await;
    let [of_maker, of_client] = &noted[..] else { panic!("{noted:?}") };
    assert_eq!(
        (&of_client["actor"], &of_client["key"], &of_client["subject"]),
        (&json!(id), &json!(id), &json!("read:claviger/orgs/default/audit"))
    );
    assert_eq!((&of_client["before"], &of_client["after"]), (&Value::Null, &Value::Null));
    assert_eq!(of_client["request_id"], denied.header("x-request-id"));
    assert_eq!(
        (&of_maker["key"], &of_maker["subject"]),
        (&json!(maker_id), &json!("admin:claviger/signing-keys"))
    );
    assert_eq!(of_maker["organization"], "default");
}

async fn one_refusal_is_noted_once_an_hour(backend: Backend) {
    let proxied = AddressPolicy { proxies: "127.0.0.1".parse().unwrap(), ..AddressPolicy::default() };
    let options = Options { addresses: proxied, ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let (id, key) = server.key_from(json!({ "preset": "query_only", "cidrs": ["192.0.2.0/24"] })).await;
    let from = async |address: &str| {
        let client = server.client().with("x-forwarded-for", address);
        assert_eq!(client.token(&key, "").await.status, 401);
        server.flush().await;
    };
    let noted = async || -> Vec<String> {
        let noted = events(&server.admin(), &format!("{AUDIT}?key={id}&action=key.refused")).await;
        noted.iter().map(|event| event["address"].as_str().unwrap_or("unknown").to_owned()).collect()
    };
    for address in [
        "198.51.100.1",
        "198.51.100.1",
        "198.51.100.2",
        "2001:db8::1",
        "2001:db8::ffff:2",
        "2001:db8:0:1::1",
        "junk",
    ] {
        from(address).await;
    }
    let first = ["unknown", "2001:db8:0:1::1", "2001:db8::1", "198.51.100.2", "198.51.100.1"];
    assert_eq!(noted().await, first);
    server.advance(3_599).await;
    from("198.51.100.1").await;
    assert_eq!(noted().await, first);
    server.advance(1).await;
    from("198.51.100.1").await;
    assert_eq!(noted().await.len(), 6);
    // Another reason is another refusal.
    assert_eq!(server.admin().post_json(&format!("{KEYS}/{id}/revoke"), &json!({})).await.status, 200);
    from("198.51.100.1").await;
    let last = &events(&server.admin(), &format!("{AUDIT}?key={id}&limit=1")).await[0];
    assert_eq!((&last["action"], &last["after"]), (&json!("key.refused"), &json!({ "reason": "revoked" })));
}

async fn one_key_adds_a_bounded_number_of_refusals(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let client = server.client().bearer(&key);
    let ask = async || {
        for number in 0..30 {
            let path = format!("{KEYS}/key_00000000000000{number:02}");
            assert_eq!(client.get(&path).await.status, 403);
        }
    };
    ask().await;
    ask().await;
    assert_eq!(refused(&server).await.len(), 10, "of ten scopes, once each");
    ask().await;
    assert_eq!(refused(&server).await.len(), 10);
    // That it is refused is noted all the same.
    assert_eq!(server.admin().post_json(&format!("{KEYS}/{id}/revoke"), &json!({})).await.status, 200);
    assert_eq!(client.get("/v1/self").await.status, 401);
    assert_eq!(refused(&server).await.len(), 11);
    server.advance(3_600).await;
    assert_eq!(client.get("/v1/self").await.status, 401);
    assert_eq!(refused(&server).await.len(), 12);
}

async fn a_refusal_without_a_right_secret_is_not_audited(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let client = server.client();
    let rotated =
        server.admin().post_json(&format!("{KEYS}/{id}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    for wrong in [key.as_str(), "nonsense", &forged(&key)] {
        assert_eq!(client.token(wrong, "").await.status, 401);
        assert_eq!(client.bearer(wrong).get("/v1/self").await.status, 401);
    }
    assert_eq!(client.get(AUDIT).await.status, 401);
    server.flush().await;
    let done = acts(&server.admin(), EVERYWHERE).await;
    let done: Vec<_> = done.iter().map(|act| act.split(' ').next().unwrap()).collect();
    assert_eq!(done, ["key.rotate", "key.create", "bootstrap"]);
}
