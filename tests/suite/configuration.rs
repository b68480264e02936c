//! `/v1/orgs/{org}/configuration`: an organization as a document, read and applied.

mod elsewhere;
mod issuers;
mod pruning;
mod ways_in;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Server, on_both};

on_both!(
    what_is_exported_applies_without_a_change,
    a_document_makes_projects_and_keys_once,
    a_dry_run_tells_and_does_nothing,
    a_key_is_known_by_its_id_or_its_name,
    what_the_document_lacks_is_revoked_only_when_asked,
    a_document_is_applied_whole_or_not_at_all,
    a_document_gives_nobody_more_than_they_have,
);

const PATH: &str = "/v1/orgs/default/configuration";

async fn put(client: &Client, query: &str, document: &Value) -> Answer {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.entry("organization").or_insert(json!({ "id": "default" }));
    }
    let client = client.with("content-type", "application/json");
    client.send(Method::PUT, &format!("{PATH}{query}"), Some(document.to_string())).await
}

async fn applied(client: &Client, query: &str, document: &Value) -> Value {
    let answer = put(client, query, document).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn key(name: &str) -> Value {
    json!({ "name": name, "project": "default", "environment": "prd",
            "scopes": [{ "action": "read", "resource": "*" }] })
}

/// What a change says: `action kind name`, and the members that are others.
fn said(answer: &Value) -> Vec<String> {
    let changes = answer["changes"].as_array().expect("changes").iter();
    changes
        .map(|change| {
            let members: Vec<_> = change["changes"].as_object().expect("members").keys().cloned().collect();
            let text = |member: &str| change[member].as_str().expect("text").to_owned();
            format!("{} {} {}: {}", text("action"), text("kind"), text("name"), members.join(" "))
        })
        .collect()
}

async fn what_is_exported_applies_without_a_change(backend: Backend) {
    let server = Server::start(backend).await;
    server
        .key_from(json!({ "name": "b", "preset": "query_only", "expires_in": 20, "note": "two\nlines" }))
        .await;
    server.key_from(json!({ "name": "a", "preset": "full_access", "cidrs": ["10.0.0.0/8"] })).await;
    let (revoked, _) = server.key_from(json!({ "name": "c", "preset": "full_access" })).await;
    server.admin().post_json(&format!("/v1/orgs/default/keys/{revoked}/revoke"), &json!({})).await;
    // One that has ended is in it, and may stay so.
    server.clock.advance(20);
    let exported = server.admin().get(PATH).await.json();
    let names: Vec<_> = exported["keys"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["Administrator", "a", "b"]);
    assert_eq!(exported["organization"], json!({ "id": "default", "name": "default", "audiences": null }));
    let environments = json!(["dev", "stg", "prd"]);
    assert_eq!(
        exported["projects"],
        json!([{ "id": "default", "name": "default", "environments": environments, "audiences": null }])
    );
    let again = applied(&server.admin(), "?prune=true", &exported).await;
    assert_eq!(again, json!({ "dry_run": false, "changes": [], "keys": [] }));
    assert_eq!(server.admin().get(PATH).await.json(), exported);
}

async fn a_document_makes_projects_and_keys_once(backend: Backend) {
    let server = Server::start(backend).await;
    let document = json!({
        "organization": { "id": "default", "name": "Everybody" },
        "projects": [{ "id": "web", "environments": ["live"] }],
        "keys": [
            { "name": "site", "project": "web", "environment": "live", "preset": "query_only" },
            key("job"),
        ],
    });
    let first = applied(&server.admin(), "", &document).await;
    let members = "cidrs environment name project scopes";
    assert_eq!(
        said(&first),
        [
            "update organization Everybody: name".to_owned(),
            "create project web: environments id name".to_owned(),
            format!("create key site: {members}"),
            format!("create key job: {members}"),
        ]
    );
    let names: Vec<_> = first["keys"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["site", "job"]);
    for made in first["keys"].as_array().unwrap() {
        server.client().access_token(made["key"].as_str().unwrap(), "").await;
    }
    let second = applied(&server.admin(), "", &document).await;
    assert_eq!(second, json!({ "dry_run": false, "changes": [], "keys": [] }));
}

async fn a_dry_run_tells_and_does_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    server.key_from(json!({ "name": "old", "preset": "query_only" })).await;
    let before = server.database.dump().await;
    let document = json!({ "keys": [key("new"), server_admin(&server).await] });
    let told = applied(&server.admin(), "?dry_run=true&prune=true", &document).await;
    assert_eq!(
        said(&told),
        ["create key new: cidrs environment name project scopes".to_owned(), "revoke key old: ".to_owned()]
    );
    assert_eq!((&told["dry_run"], &told["keys"]), (&json!(true), &json!([])));
    assert_eq!(server.database.dump().await, before);
    let done = applied(&server.admin(), "?prune=true", &document).await;
    assert_eq!(said(&done), said(&told));
}

/// The administrator's key, as a document has it.
async fn server_admin(server: &Server) -> Value {
    server.admin().get(PATH).await.json()["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "Administrator")
        .expect("the administrator's key")
        .clone()
}

async fn a_key_is_known_by_its_id_or_its_name(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let (one, _) = server.key_from(json!({ "name": "same", "preset": "query_only" })).await;
    let (other, _) = server.key_from(json!({ "name": "same", "preset": "query_only" })).await;
    let ambiguous = put(&admin, "", &json!({ "keys": [key("same")] })).await;
    assert_eq!((ambiguous.status, ambiguous.code().as_str()), (409, "conflict"));
    assert!(ambiguous.text.contains(&one) && ambiguous.text.contains(&other), "{}", ambiguous.text);
    let with_id = |id: &str, name: &str| {
        let mut key = key(name);
        key["id"] = id.into();
        key
    };
    let renamed = applied(&admin, "", &json!({ "keys": [with_id(&one, "other")] })).await;
    assert_eq!(said(&renamed), ["update key other: name"]);
    // An id of another deployment's is no hindrance: the name tells.
    let foreign = applied(&admin, "", &json!({ "keys": [with_id("key_0123456789abcdef", "same")] })).await;
    assert_eq!(said(&foreign), [""; 0]);
    let twice = put(&admin, "", &json!({ "keys": [key("other"), with_id(&one, "other")] })).await;
    assert_eq!((twice.status, twice.code().as_str()), (400, "invalid_request"));
    assert!(twice.text.contains(r#"keys[1]: \"other\": "#), "{}", twice.text);
    let mut moved = with_id(&one, "other");
    moved["environment"] = "dev".into();
    assert_eq!(put(&admin, "", &json!({ "keys": [moved] })).await.status, 409);
    admin.post_json(&format!("/v1/orgs/default/keys/{one}/revoke"), &json!({})).await;
    let revived = put(&admin, "", &json!({ "keys": [with_id(&one, "other")] })).await;
    assert_eq!(revived.status, 409, "{}", revived.text);
}

async fn what_the_document_lacks_is_revoked_only_when_asked(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, plain) = server.key_from(json!({ "name": "gone", "preset": "query_only" })).await;
    let token = server.client().access_token(&plain, "").await;
    let document = json!({ "keys": [server_admin(&server).await] });
    assert_eq!(said(&applied(&server.admin(), "", &document).await), [""; 0]);
    assert_eq!(said(&applied(&server.admin(), "?prune=true", &document).await), ["revoke key gone: "]);
    let read = server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.json();
    assert_eq!(
        (&read["status"], &read["revoked_reason"]),
        (&json!("revoked"), &json!("not in the configuration"))
    );
    assert_eq!(server.client().token(&plain, "").await.status, 401);
    let introspected = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
    assert_eq!(introspected.json(), json!({ "active": false }));
    // Not even the caller's own key, which is the last administrator key, goes unasked.
    let all = put(&server.admin(), "?prune=true", &json!({ "keys": [] })).await;
    assert_eq!((all.status, all.code().as_str()), (409, "conflict"));
}

async fn a_document_is_applied_whole_or_not_at_all(backend: Backend) {
    let server = Server::start(backend).await;
    let bad = |member: &str, value: Value| {
        let mut key = key("bad");
        key[member] = value;
        key
    };
    let before = server.database.dump().await;
    for (wrong, status) in [
        (bad("project", json!("nowhere")), 400),
        (bad("environment", json!("live")), 400),
        (bad("scopes", json!([])), 400),
        (bad("preset", json!("query_only")), 400),
        (bad("cidrs", json!(["10.0.0.1/8"])), 400),
        (bad("expires_at", json!("2025-12-31T00:00:00Z")), 400),
        (bad("expires_at", json!("soon")), 400),
        (bad("expires_in", json!("30d")), 400),
        (bad("name", json!("a\nb")), 400),
    ] {
        let document = json!({ "projects": [{ "id": "web" }], "keys": [key("good"), wrong] });
        let refused = put(&server.admin(), "", &document).await;
        assert_eq!(refused.status, status, "{document}: {}", refused.text);
        assert_eq!(server.database.dump().await, before, "{document}");
    }
    for document in [
        json!({ "organization": { "id": "other" } }),
        json!({ "organization": { "id": "default", "audiences": ["https://nobody.example"] } }),
        json!({ "projects": [{ "id": "web", "environments": [] }] }),
        json!({ "project": [] }),
        json!([]),
    ] {
        let refused = put(&server.admin(), "", &document).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "invalid_request"), "{document}");
        assert_eq!(server.database.dump().await, before, "{document}");
    }
}

async fn a_document_gives_nobody_more_than_they_have(backend: Backend) {
    let server = Server::start(backend).await;
    let keys = "claviger/orgs/default/projects/default/keys/*";
    let everything = "claviger/orgs/default/**";
    let (_, reader) = server.key(&[&format!("read:{everything}")]).await;
    let (_, writer) = server.key(&[&format!("read:{everything}"), &format!("write:{keys}")]).await;
    let (_, blind) = server.key(&[&format!("write:{keys}")]).await;
    let as_key = |key: &str| server.client().bearer(key);
    let document = json!({ "keys": [key("new")] });
    let refused = |answer: &Answer| (answer.status, answer.code());
    let forbidden = (403, "forbidden".to_owned());
    assert_eq!(refused(&put(&as_key(&blind), "", &document).await), forbidden);
    assert_eq!(refused(&as_key(&blind).get(PATH).await), forbidden);
    assert_eq!(refused(&put(&as_key(&reader), "", &document).await), forbidden);
    assert_eq!(refused(&put(&as_key(&reader), "?dry_run=true", &document).await), forbidden);
    for beyond in [
        json!({ "projects": [{ "id": "web" }] }),
        json!({ "organization": { "id": "default", "name": "Mine" } }),
        json!({ "keys": [{ "name": "up", "project": "default", "environment": "prd",
                           "scopes": [{ "action": "admin", "resource": "claviger/orgs/default" }] }] }),
    ] {
        assert_eq!(refused(&put(&as_key(&writer), "", &beyond).await), forbidden, "{beyond}");
    }
    assert_eq!(said(&applied(&as_key(&writer), "", &document).await).len(), 1);
    // To whom it is another's organization, there is none.
    server.admin().post_json("/v1/orgs", &json!({ "id": "acme" })).await;
    let elsewhere = as_key(&writer).get("/v1/orgs/acme/configuration").await;
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (404, "not_found"));
}
