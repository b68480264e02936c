//! The catalogues of scopes: the deployment's and those of organizations.

use serde_json::{Value, json};

use crate::matrix::operations::named_scope;
use crate::support::{Backend, Client, Server, on_both};

on_both!(
    a_scope_is_named_read_listed_and_changed,
    an_organization_inherits_the_names_of_the_deployment,
    what_is_no_named_scope_is_refused,
    a_catalogue_lists_a_scope_once_and_at_most_500,
    a_name_grants_nothing,
    a_list_shows_what_the_caller_may_read,
    a_document_carries_a_catalogue,
);

const SCOPES: &str = "/v1/orgs/default/scopes";
const CONFIGURATION: &str = "/v1/orgs/default/configuration";

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

async fn a_scope_is_named_read_listed_and_changed(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (list, organization) in [(SCOPES, json!("default")), ("/v1/scopes", Value::Null)] {
        let new = json!({ "id": "read-all", "scope": "read", "name": "Read everything" });
        let made = admin.with("idempotency-key", list).post_json(list, &new).await;
        let etag = made.header("etag");
        let made = made.done(201);
        let expected = json!({ "id": "read-all", "organization": organization, "scope": "read:*",
            "name": "Read everything", "description": null, "group": null, "created_at": "2026-01-01T00:00:00Z" });
        assert_eq!(made, expected);
        let again = admin.with("idempotency-key", list).post_json(list, &new).await;
        assert_eq!(again.done(201), expected);
        admin.post_json(list, &new).await.refused(409, "conflict");
        let path = format!("{list}/read-all");
        assert_eq!(admin.get(&path).await.done(200), expected);
        assert_eq!(admin.get(list).await.done(200), json!({ "data": [expected], "next_cursor": null }));
        let change = json!({ "description": "All of it.", "group": "Everything", "scope": "read:**" });
        let dry = admin.patch(&format!("{path}?dry_run=true"), &change).await.done(200);
        assert_eq!(dry["changes"]["group"], json!({ "from": null, "to": "Everything" }));
        assert_eq!(admin.get(&path).await.done(200), expected);
        admin.with("if-match", "\"other\"").patch(&path, &change).await.refused(412, "precondition_failed");
        let changed = admin.with("if-match", etag).patch(&path, &change).await.done(200);
        assert_eq!((&changed["scope"], &changed["group"]), (&json!("read:*"), &json!("Everything")));
        let cleared = admin.patch(&path, &json!({ "group": null })).await.done(200);
        assert_eq!((&cleared["description"], &cleared["group"]), (&json!("All of it."), &Value::Null));
        admin.delete(&format!("{path}?dry_run=true")).await.done(200);
        admin.delete(&path).await.done(204);
        admin.get(&path).await.refused(404, "not_found");
        // An id grants nothing, and so it can be used again.
        admin.post_json(list, &new).await.done(201);
    }
}

async fn an_organization_inherits_the_names_of_the_deployment(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/scopes", &named_scope("all", "*:*")).await.done(201);
    admin.post_json(SCOPES, &named_scope("own", "read:own")).await.done(201);
    admin.post_json("/v1/scopes", &named_scope("new", "read:new")).await.done(201);
    assert_eq!(ids(&admin.get(SCOPES).await.done(200)), ["own"]);
    let inherited = format!("{SCOPES}?inherited=true");
    let all = admin.get(&inherited).await.done(200);
    assert_eq!(ids(&all), ["new", "own", "all"]);
    assert_eq!(
        (&all["data"][0]["organization"], &all["data"][1]["organization"]),
        (&Value::Null, &json!("default"))
    );
    let first = admin.get(&format!("{inherited}&limit=2")).await.done(200);
    assert_eq!(ids(&first), ["new", "own"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = admin.get(&format!("{inherited}&limit=2&cursor={cursor}")).await.done(200);
    assert_eq!(ids(&rest), ["all"]);
    admin.get(&format!("{SCOPES}?cursor={cursor}")).await.refused(400, "invalid_request");
    admin.get("/v1/scopes?inherited=true").await.refused(400, "invalid_request");
    // What is inherited is not the organization's own.
    admin.get(&format!("{SCOPES}/all")).await.refused(404, "not_found");
}

async fn what_is_no_named_scope_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    for (member, value, named) in [
        ("id", json!("X"), "an id must"),
        ("scope", json!("eat:web"), "the action must be"),
        ("scope", json!("read:a//b"), "is not a scope"),
        ("scope", json!("read:a,write:b"), "not by commas"),
        ("scope", json!({ "action": "read" }), "invalid type"),
        ("name", json!(" "), "name is empty"),
        ("description", json!(""), "description is empty"),
        ("description", json!("a\nb"), "description contains a control character"),
        ("group", json!("g".repeat(101)), "group is longer than 100"),
        ("colour", json!("red"), "unknown field"),
    ] {
        let mut body = named_scope("x", "read:*");
        body[member] = value.clone();
        let refused = server.admin().post_json(SCOPES, &body).await;
        let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, 400, "{member} {value}: {message}");
        assert!(message.contains(named), "{member} {value}: {message}");
    }
    server
        .admin()
        .post_json("/v1/orgs/none/scopes", &named_scope("x", "read:*"))
        .await
        .refused(404, "not_found");
}

async fn a_catalogue_lists_a_scope_once_and_at_most_500(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json(SCOPES, &named_scope("one", "read:*")).await.done(201);
    admin.post_json(SCOPES, &named_scope("two", "read:web")).await.done(201);
    admin.post_json(SCOPES, &named_scope("three", "read")).await.refused(409, "conflict");
    let same = json!({ "scope": "read:*" });
    admin.patch(&format!("{SCOPES}/two"), &same).await.refused(409, "conflict");
    let many: Vec<_> = (0..498).map(|at| named_scope(&format!("s-{at}"), &format!("read:s/{at}"))).collect();
    let document = |scopes: &[Value]| json!({ "organization": { "id": "default" }, "scopes": scopes });
    put(&admin, "", &document(&many)).await.done(200);
    admin.post_json(SCOPES, &named_scope("more", "write:*")).await.refused(409, "conflict");
    let more: Vec<_> = many.iter().cloned().chain([named_scope("more", "write:*")]).collect();
    put(&admin, "", &document(&more)).await.refused(409, "conflict");
}

async fn a_name_grants_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["write:claviger/orgs/default/scopes/*"]).await;
    let caller = server.client().bearer(&key);
    caller.post_json(SCOPES, &named_scope("admin", "*:claviger/**")).await.done(201);
    caller.get(&format!("{SCOPES}/admin")).await.refused(403, "forbidden");
    caller.post_json("/v1/scopes", &named_scope("admin", "*:claviger/**")).await.refused(403, "forbidden");
    let (id, _) = server.key(&["read:*"]).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    let before = server.admin().get(&path).await.done(200);
    server.admin().delete(&format!("{SCOPES}/admin")).await.done(204);
    assert_eq!(server.admin().get(&path).await.done(200), before);
}

async fn a_list_shows_what_the_caller_may_read(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (list, id) in [(SCOPES, "a"), (SCOPES, "b"), ("/v1/scopes", "c"), ("/v1/scopes", "d")] {
        admin.post_json(list, &named_scope(id, &format!("read:{id}"))).await.done(201);
    }
    for (scope, own, inherited, deployment) in [
        ("read:claviger/orgs/default/scopes/*", "b a", "d c b a", ""),
        ("read:claviger/orgs/default/scopes/c", "", "c", ""),
        ("read:claviger/scopes/*", "", "", "d c"),
        ("read:claviger/scopes/c", "", "", "c"),
        ("read:*", "", "", ""),
    ] {
        let (_, key) = server.key(&[scope]).await;
        let caller = server.client().bearer(&key);
        for (list, expected) in
            [(SCOPES, own), (&format!("{SCOPES}?inherited=true"), inherited), ("/v1/scopes", deployment)]
        {
            let listed = caller.get(list).await.done(200);
            assert_eq!(ids(&listed).join(" "), expected, "{scope} {list}");
        }
    }
}

async fn put(client: &Client, query: &str, document: &Value) -> crate::support::Answer {
    let client = client.with("content-type", "application/json");
    let path = format!("{CONFIGURATION}{query}");
    client.send(reqwest::Method::PUT, &path, Some(document.to_string())).await
}

async fn a_document_carries_a_catalogue(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (id, scope) in [("keep", "read:keep"), ("swap", "read:a"), ("gone", "read:b")] {
        admin.post_json(SCOPES, &named_scope(id, scope)).await.done(201);
    }
    let mut document = admin.get(CONFIGURATION).await.done(200);
    let keep = json!({ "id": "keep", "scope": "read:keep", "name": "keep", "description": null, "group": "Everything" });
    assert_eq!(document["scopes"][1], keep);
    assert_eq!(put(&admin, "?prune=true", &document).await.done(200)["changes"], json!([]));
    // A scope passes from one entry to another, and a new entry takes the scope that is free then.
    document["scopes"] =
        json!([keep, named_scope("swap", "read:b"), { "id": "new", "scope": "read:a", "name": "New" }]);
    put(&admin, "", &document).await.refused(409, "conflict");
    let would = put(&admin, "?prune=true&dry_run=true", &document).await.done(200);
    let done = put(&admin, "?prune=true", &document).await.done(200);
    assert_eq!(would["changes"], done["changes"]);
    let said: Vec<_> = done["changes"].as_array().unwrap().iter().collect();
    let said: Vec<_> =
        said.iter().map(|change| (&change["action"], &change["kind"], &change["id"])).collect();
    assert_eq!(
        json!(said),
        json!([["create", "scope", "new"], ["update", "scope", "swap"], ["remove", "scope", "gone"]])
    );
    document["scopes"] = Value::Null;
    assert_eq!(put(&admin, "?prune=true", &document).await.done(200)["changes"], json!([]));
    assert_eq!(ids(&admin.get(SCOPES).await.done(200)), ["new", "swap", "keep"]);
    let twice = json!({ "organization": { "id": "default" }, "scopes": [keep, keep] });
    let refused = put(&admin, "", &twice).await;
    assert!(
        refused.text.contains("scopes \\\"keep\\\": an earlier entry has the same id"),
        "{}",
        refused.text
    );
    // Each change needs what it needs elsewhere.
    let (_, key) = server.key(&["read:claviger/orgs/default/**"]).await;
    let new = json!({ "organization": { "id": "default" }, "scopes": [named_scope("mine", "read:mine")] });
    put(&server.client().bearer(&key), "", &new).await.refused(403, "forbidden");
}
