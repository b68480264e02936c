//! Tags and owners of keys: set, changed, found by, and carried by everything that carries keys. And the orders of the list.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Backend, Client, Server, on_both};

on_both!(
    tags_and_owner_are_set_and_changed_and_take_nothing_away,
    wrong_tags_and_owners_are_refused,
    a_list_is_filtered_by_tags_and_owner,
    a_change_of_many_keys_selects_by_tags_and_owner,
    a_rotation_keeps_them,
    a_document_carries_them,
    a_list_has_the_order_that_is_asked_for,
);

const KEYS: &str = "/v1/orgs/default/keys";
const CONFIGURATION: &str = "/v1/orgs/default/configuration";

async fn put(client: &Client, query: &str, document: &Value) -> Value {
    let client = client.with("content-type", "application/json");
    client.send(Method::PUT, &format!("{CONFIGURATION}{query}"), Some(document.to_string())).await.done(200)
}

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap()).collect()
}

async fn tags_and_owner_are_set_and_changed_and_take_nothing_away(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (bare, _) = server.key_from(json!({ "preset": "query_only" })).await;
    let bare = admin.get(&format!("{KEYS}/{bare}")).await.done(200);
    assert_eq!((&bare["tags"], &bare["owner"]), (&json!({}), &Value::Null));
    let tags = json!({ "team": "Κλειδί \"🔑\\", "tier": "" });
    let (id, key) = server
        .key_from(json!({ "preset": "query_only", "tags": tags, "owner": "usr_0123456789abcdef" }))
        .await;
    let path = format!("{KEYS}/{id}");
    let token = server.client().access_token(&key, "").await;
    let first = admin.get(&path).await;
    let (etag, first) = (first.header("etag").to_owned(), first.done(200));
    assert_eq!((&first["tags"], &first["owner"]), (&tags, &json!("usr_0123456789abcdef")));
    for (patch, changes) in [
        (json!({ "tags": tags, "owner": "usr_0123456789abcdef" }), json!({})),
        (
            json!({ "tags": { "team": "b" }, "owner": "Finance" }),
            json!({
                "tags": { "from": tags, "to": { "team": "b" } },
                "owner": { "from": "usr_0123456789abcdef", "to": "Finance" },
            }),
        ),
        (json!({ "tags": null }), json!({ "tags": { "from": tags, "to": {} } })),
        (json!({ "owner": null }), json!({ "owner": { "from": "usr_0123456789abcdef", "to": null } })),
    ] {
        let tried = admin.patch(&format!("{path}?dry_run=true"), &patch).await.done(200);
        assert_eq!(tried["changes"], changes, "{patch}");
    }
    let patch = json!({ "tags": { "team": "b" }, "owner": "Finance" });
    let changed = admin.with("if-match", &etag).patch(&path, &patch).await.done(200);
    assert_eq!((&changed["tags"], &changed["owner"]), (&json!({ "team": "b" }), &json!("Finance")));
    assert_eq!(changed["generation"], first["generation"]);
    admin
        .with("if-match", &etag)
        .patch(&path, &json!({ "owner": null }))
        .await
        .refused(412, "precondition_failed");
    let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await.json();
    assert_eq!(introspected["active"], true);
    let trail = admin.get(&format!("/v1/orgs/default/audit?key={id}&action=key.change")).await.done(200);
    assert_eq!(trail["data"][0]["before"]["tags"], tags);
    assert_eq!(trail["data"][0]["after"]["owner"], "Finance");
}

async fn wrong_tags_and_owners_are_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (id, _) = server.key_from(json!({ "preset": "query_only" })).await;
    let many: Value =
        (0..17).map(|number| (format!("t{number}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
    for wrong in [
        json!({ "tags": [] }),
        json!({ "tags": { "team": 1 } }),
        json!({ "tags": { "team": null } }),
        json!({ "tags": { "Team": "x" } }),
        json!({ "tags": { "": "x" } }),
        json!({ "tags": { "a".repeat(64): "x" } }),
        json!({ "tags": { "team": "x".repeat(257) } }),
        json!({ "tags": { "team": "a\nb" } }),
        json!({ "tags": many }),
        json!({ "owner": "" }),
        json!({ "owner": 1 }),
        json!({ "owner": "x".repeat(201) }),
        json!({ "owner": "usr_1" }),
    ] {
        admin.patch(&format!("{KEYS}/{id}"), &wrong).await.refused(400, "invalid_request");
        let mut new =
            json!({ "name": "x", "project": "default", "environment": "prd", "preset": "query_only" });
        new.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        admin.post_json(KEYS, &new).await.refused(400, "invalid_request");
    }
    for wrong in [
        "tag=",
        "tag=Team:x",
        "tag=a%00",
        "owner=",
        "owner=usr_1",
        "owner=a&owner=b",
        "sort=",
        "sort=id",
        "sort=--name",
    ] {
        admin.get(&format!("{KEYS}?{wrong}")).await.refused(400, "invalid_request");
    }
}

/// A server with five keys, four of them with tags.
async fn with_tags(backend: Backend) -> Server {
    let server = Server::start(backend).await;
    for (name, tags, owner) in [
        ("one", json!({ "team": "billing", "tier": "gold" }), json!("Finance")),
        ("two", json!({ "team": "billing:2", "tier": "silver" }), Value::Null),
        ("three", json!({ "team": "Billing" }), json!("Fin")),
        // Its value looks like another tag.
        ("four", json!({ "x": "\"team\":\"billing\"" }), json!("Finance")),
        ("five", json!({}), Value::Null),
    ] {
        let key = json!({ "name": name, "preset": "query_only", "tags": tags, "owner": owner });
        server.key_from(key).await;
    }
    server
}

async fn a_list_is_filtered_by_tags_and_owner(backend: Backend) {
    let server = with_tags(backend).await;
    for (query, found) in [
        ("tag=team", &["one", "three", "two"][..]),
        ("tag=team:billing", &["one"]),
        ("tag=team:billing:2", &["two"]),
        ("tag=team:Billing", &["three"]),
        ("tag=team:", &[]),
        ("tag=team&tag=tier", &["one", "two"]),
        ("tag=team&tag=tier:gold", &["one"]),
        ("tag=team:billing&tag=tier:silver", &[]),
        ("tag=x:%22team%22:%22billing%22", &["four"]),
        ("owner=Finance", &["four", "one"]),
        ("owner=finance", &[]),
        ("owner=Finance&tag=tier", &["one"]),
    ] {
        for order in ["name", "expires", "last_used", "created"] {
            let page = server.admin().get(&format!("{KEYS}?{query}&sort={order}")).await.done(200);
            let mut names = names(&page);
            names.sort_unstable();
            assert_eq!(names, found, "{query} by {order}");
        }
    }
}

async fn a_change_of_many_keys_selects_by_tags_and_owner(backend: Backend) {
    let server = with_tags(backend).await;
    let admin = server.admin();
    for (filter, found) in [
        (json!({ "tag": ["team:billing"] }), &["one"][..]),
        (json!({ "tag": ["team", "tier"] }), &["one", "two"]),
        (json!({ "owner": "Finance", "tag": [] }), &["four", "one"]),
    ] {
        let path = format!("{KEYS}/disable?dry_run=true");
        let told = admin.post_json(&path, &json!({ "filter": filter })).await.done(200);
        let mut names = names(&told);
        names.sort_unstable();
        assert_eq!(names, found, "{filter}");
    }
    for wrong in [json!({ "tag": [] }), json!({ "tag": ["Team"] }), json!({ "owner": null })] {
        admin
            .post_json(&format!("{KEYS}/revoke"), &json!({ "filter": wrong }))
            .await
            .refused(400, "invalid_request");
    }
    admin.post_json(&format!("{KEYS}/revoke"), &json!({ "filter": { "tag": ["tier"] } })).await.done(200);
    let left = admin.get(&format!("{KEYS}?tag=team")).await.done(200);
    assert_eq!(names(&left), ["three"]);
}

async fn a_rotation_keeps_them(backend: Backend) {
    let server = with_tags(backend).await;
    let page = server.admin().get(&format!("{KEYS}?tag=tier:gold")).await.done(200);
    let path = format!("{KEYS}/{}/rotate", page["data"][0]["id"].as_str().unwrap());
    let rotated = server.admin().post_json(&path, &json!({ "overlap_seconds": 0 })).await.done(201);
    assert_eq!(rotated["tags"], json!({ "team": "billing", "tier": "gold" }));
    assert_eq!(rotated["owner"], "Finance");
}

async fn a_document_carries_them(backend: Backend) {
    let server = with_tags(backend).await;
    let admin = server.admin();
    let exported = admin.get(CONFIGURATION).await.done(200);
    let key = |document: &Value, name: &str| {
        document["keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap().clone()
    };
    assert_eq!(key(&exported, "one")["tags"], json!({ "team": "billing", "tier": "gold" }));
    assert_eq!(
        (&key(&exported, "five")["tags"], &key(&exported, "five")["owner"]),
        (&json!({}), &Value::Null)
    );
    let mut one = key(&exported, "one");
    for (change, told) in [
        // What an entry omits stays.
        (json!({ "tags": null }), json!({})),
        (
            json!({ "tags": { "team": "x" } }),
            json!({ "tags": { "from": one["tags"], "to": { "team": "x" } } }),
        ),
        (json!({ "owner": null }), json!({ "owner": { "from": "Finance", "to": null } })),
        (json!({ "owner": "" }), json!({ "owner": { "from": "Finance", "to": null } })),
    ] {
        let mut entry = one.clone();
        entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let document = json!({ "organization": { "id": "default" }, "keys": [entry] });
        let applied = put(&admin, "?dry_run=true", &document).await;
        let changes = applied["changes"].as_array().unwrap();
        assert_eq!(changes.first().map_or(json!({}), |change| change["changes"].clone()), told, "{change}");
    }
    for member in ["tags", "owner"] {
        one.as_object_mut().unwrap().remove(member);
    }
    let document = json!({ "organization": { "id": "default" }, "keys": [one] });
    assert_eq!(put(&admin, "", &document).await["changes"], json!([]));
}

async fn a_list_has_the_order_that_is_asked_for(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let mut plain = Vec::new();
    for (name, members) in
        [("b", json!({ "expires_in": 500 })), ("A", json!({})), ("c", json!({ "expires_in": 100 }))]
    {
        server.clock.advance(1);
        let mut key = json!({ "name": name, "preset": "query_only", "owner": "o" });
        key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        plain.push(server.key_from(key).await.1);
    }
    server.clock.advance(10);
    server.client().token(&plain[1], "").await.done(200);
    server.node.usage.flush(&server.node.records.store, server.clock.now()).await.unwrap();
    for (sort, order) in [
        ("", ["c", "A", "b"]),
        ("&sort=-created", ["c", "A", "b"]),
        ("&sort=created", ["b", "A", "c"]),
        ("&sort=name", ["A", "b", "c"]),
        ("&sort=-name", ["c", "b", "A"]),
        ("&sort=expires", ["c", "b", "A"]),
        ("&sort=-expires", ["A", "b", "c"]),
        ("&sort=last_used", ["b", "c", "A"]),
        ("&sort=-last_used", ["A", "c", "b"]),
    ] {
        let page = admin.get(&format!("{KEYS}?owner=o{sort}")).await.done(200);
        assert_eq!(names(&page), order, "{sort}");
        // A cursor is for one order of one list.
        let first = admin.get(&format!("{KEYS}?owner=o&limit=2{sort}")).await.done(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = admin.get(&format!("{KEYS}?owner=o&limit=2{sort}&cursor={cursor}")).await.done(200);
        assert_eq!(names(&second), order[2..], "{sort}");
        let other = if sort == "&sort=name" { "-name" } else { "name" };
        let elsewhere = format!("{KEYS}?owner=o&limit=2&sort={other}&cursor={cursor}");
        admin.get(&elsewhere).await.refused(400, "invalid_request");
        admin
            .get(&format!("{KEYS}?tag=o&limit=2{sort}&cursor={cursor}"))
            .await
            .refused(400, "invalid_request");
    }
}
