//! The trusted issuers of a document: made before rules name them, changed, and removed when asked for.

use serde_json::{Value, json};

use super::{PATH, applied, put, said};
use crate::support::assertion::Holder;
use crate::support::{Backend, Client, Options, Server, on_both};

on_both!(
    issuers_are_made_and_changed_with_the_rules_that_name_them,
    an_entry_keeps_what_it_does_not_say,
    only_pruning_removes_what_a_list_lacks,
    an_issuer_in_use_is_not_removed,
    whoever_says_who_signs_needs_the_rights_to_do_so,
    another_url_keeps_rules_pinned,
    what_is_no_issuer_is_named,
    an_organization_has_at_most_32,
    an_issuer_that_is_no_longer_allowed_hinders_no_export,
);

const ISSUERS: &str = "/v1/orgs/default/issuers";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn issuer(id: &str) -> Value {
    json!({ "id": id, "issuer": format!("https://{id}.example"), "keys": { "discovery": true } })
}

/// A key without a secret that has a rule for each of these issuers.
fn key(name: &str, issuers: &[&str]) -> Value {
    let rule = |id: &&str| json!({ "issuer": id, "subject": "workload" });
    let rules: Vec<_> = issuers.iter().map(rule).collect();
    json!({ "name": name, "project": "default", "environment": "prd", "preset": "query_only", "secret": false,
        "trust_rules": rules })
}

async fn listed(client: &Client) -> Vec<String> {
    let document = client.get(PATH).await.done(200);
    let issuers = document["issuers"].as_array().unwrap().iter();
    issuers.map(|issuer| issuer["id"].as_str().unwrap().to_owned()).collect()
}

async fn issuers_are_made_and_changed_with_the_rules_that_name_them(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let document = json!({ "issuers": [issuer("b"), issuer("a")], "keys": [key("one", &["a", "b"])] });
    let told = put(&admin, "?dry_run=true", &document).await.done(200);
    assert_eq!(listed(&admin).await, [""; 0]);
    let done = applied(&admin, "", &document).await;
    assert_eq!(told["changes"], done["changes"]);
    let members = "algorithms id issuer keys max_lifetime name";
    assert_eq!(
        said(&done),
        [
            format!("create issuer b: {members}"),
            format!("create issuer a: {members}"),
            "create key one: cidrs environment name project scopes secret trust_rules".to_owned(),
        ]
    );
    assert_eq!((&done["changes"][0]["id"], &done["changes"][2]["id"]), (&json!("b"), &Value::Null));
    assert_eq!(listed(&admin).await, ["a", "b"]);
    assert_eq!(
        said(&applied(&admin, "?prune=true", &document_with_admin(&admin, &document).await).await),
        [""; 0]
    );
    let mut changed = document.clone();
    changed["issuers"][1]["name"] = "A".into();
    changed["issuers"][1]["single_use"] = true.into();
    changed["issuers"][0]["keys"] =
        json!({ "jwks": { "keys": [Holder::new(claviger::jose::jwk::Algorithm::Es256).jwk] } });
    let done = applied(&admin, "", &changed).await;
    assert_eq!(said(&done), ["update issuer b: keys", "update issuer A: name single_use"]);
    assert_eq!(said(&applied(&admin, "", &changed).await), [""; 0]);
    let trail = "SELECT action || ' ' || subject FROM audit_events WHERE family = 'issuer' ORDER BY seq";
    let expected = [
        "issuer.create default/b",
        "issuer.create default/a",
        "issuer.change default/b",
        "issuer.change default/a",
    ];
    assert_eq!(server.database.texts(trail).await, expected);
}

/// The document with the administrator's key, which is not to be pruned.
async fn document_with_admin(admin: &Client, document: &Value) -> Value {
    let exported = admin.get(PATH).await.done(200);
    let mut document = document.clone();
    let keys = exported["keys"].as_array().unwrap();
    let own = keys.iter().find(|key| key["name"] == "Administrator").unwrap();
    let listed = document.as_object_mut().unwrap().entry("keys").or_insert(json!([]));
    listed.as_array_mut().unwrap().push(own.clone());
    document
}

async fn an_entry_keeps_what_it_does_not_say(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let mut whole = issuer("a");
    for (member, value) in [
        ("name", json!("A")),
        ("algorithms", json!(["EdDSA", "ES256"])),
        ("max_lifetime", json!(600)),
        ("single_use", json!(true)),
        ("status", json!("disabled")),
    ] {
        whole[member] = value;
    }
    applied(&admin, "", &json!({ "issuers": [whole] })).await;
    assert_eq!(admin.get(PATH).await.done(200)["issuers"], json!([whole]));
    let shown = admin.get(&format!("{ISSUERS}/a")).await.done(200);
    assert_eq!(shown["disabled_at"], "2026-01-01T00:00:00Z");
    assert_eq!(said(&applied(&admin, "", &json!({ "issuers": [issuer("a")] })).await), [""; 0]);
    let mut nulls = issuer("a");
    for member in ["name", "algorithms", "max_lifetime", "single_use", "status"] {
        nulls[member] = Value::Null;
    }
    assert_eq!(said(&applied(&admin, "", &json!({ "issuers": [nulls] })).await), [""; 0]);
    let mut enabled = issuer("a");
    enabled["status"] = "active".into();
    let done = applied(&admin, "", &json!({ "issuers": [enabled] })).await;
    assert_eq!(done["changes"][0]["changes"], json!({ "status": { "from": "disabled", "to": "active" } }));
    let trail = "SELECT action FROM audit_events WHERE family = 'issuer' ORDER BY seq";
    assert_eq!(server.database.texts(trail).await, ["issuer.create", "issuer.enable"]);
}

async fn only_pruning_removes_what_a_list_lacks(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    applied(&admin, "", &json!({ "issuers": [issuer("a"), issuer("b")] })).await;
    let keys = document_with_admin(&admin, &json!({})).await["keys"].clone();
    for (query, document) in [
        ("", json!({ "issuers": [] })),
        ("?prune=true", json!({ "keys": keys })),
        ("?prune=true", json!({ "keys": keys, "issuers": null })),
    ] {
        assert_eq!(said(&applied(&admin, query, &document).await), [""; 0], "{document}");
    }
    let document = json!({ "keys": keys, "issuers": [issuer("b")] });
    let done = applied(&admin, "?prune=true", &document).await;
    assert_eq!(said(&done), ["remove issuer a: "]);
    assert_eq!(listed(&admin).await, ["b"]);
    // Its id is not used again.
    let why = put(&admin, "", &json!({ "issuers": [issuer("a")] })).await.refused(409, "conflict");
    assert!(why.starts_with("issuers \"a\": ") && why.contains("was used before"), "{why}");
    let done = applied(&admin, "?prune=true", &json!({ "keys": keys, "issuers": [] })).await;
    assert_eq!(said(&done), ["remove issuer b: "]);
}

async fn an_issuer_in_use_is_not_removed(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let all = json!({ "issuers": [issuer("a"), issuer("b")], "keys": [key("one", &["a", "b"])] });
    applied(&admin, "", &all).await;
    let before = server.database.dump().await;
    let mut silent = key("one", &[]);
    silent["trust_rules"] = Value::Null;
    for keys in
        [json!([key("one", &["a", "b"])]), json!([silent]), json!([key("one", &["b"]), key("new", &["a"])])]
    {
        let document = document_with_admin(&admin, &json!({ "issuers": [issuer("b")], "keys": keys })).await;
        for query in ["?prune=true", "?prune=true&dry_run=true"] {
            let why = put(&admin, query, &document).await.refused(409, "conflict");
            assert!(why.starts_with("issuers \"a\": the document omits this issuer"), "{why}");
        }
    }
    assert_eq!(server.database.dump().await, before);
    let document = json!({ "issuers": [issuer("b")], "keys": [key("one", &["b"])] });
    let document = document_with_admin(&admin, &document).await;
    let done = applied(&admin, "?prune=true", &document).await;
    assert_eq!(said(&done), ["remove issuer a: ", "update key one: trust_rules"]);
    let keys = admin.get("/v1/orgs/default/keys?q=one").await.done(200);
    assert_eq!(keys["data"][0]["generation"], 2);
    // A key that is pruned, too, uses nothing.
    let document = document_with_admin(&admin, &json!({ "issuers": [] })).await;
    let done = applied(&admin, "?prune=true", &document).await;
    assert_eq!(said(&done), ["remove issuer b: ", "revoke key one: "]);
}

async fn whoever_says_who_signs_needs_the_rights_to_do_so(backend: Backend) {
    let server = Server::start(backend).await;
    let all = json!({ "issuers": [issuer("a"), issuer("b")], "keys": [key("one", &["a"])] });
    applied(&server.admin(), "", &all).await;
    let everything = "read:claviger/orgs/default/**";
    let issuers = "admin:claviger/orgs/default/issuers/*";
    let writes = "write:claviger/orgs/default/projects/*/keys/*";
    let (_, writer) = server.key(&[everything, writes]).await;
    let (_, trusting) = server.key(&[everything, issuers]).await;
    let (_, both) = server.key(&[everything, issuers, writes]).await;
    let [writer, trusting, both] = [writer, trusting, both].map(|key| server.client().bearer(&key));
    let changed = |member: &str, value: Value| {
        let mut issuer = issuer("a");
        issuer[member] = value;
        json!({ "issuers": [issuer] })
    };
    let before = server.database.dump().await;
    for (query, document) in [
        ("", json!({ "issuers": [issuer("new")] })),
        ("", changed("name", json!("A"))),
        ("", changed("status", json!("disabled"))),
        ("?dry_run=true", changed("max_lifetime", json!(60))),
        ("?prune=true", json!({ "issuers": [issuer("a")] })),
    ] {
        let why = put(&writer, query, &document).await.refused(403, "forbidden");
        assert!(
            why.starts_with("issuers \"") && why.contains("admin:claviger/orgs/default/issuers/"),
            "{why}"
        );
    }
    // What is as it is needs no rights.
    assert_eq!(said(&applied(&writer, "", &json!({ "issuers": [issuer("a"), issuer("b")] })).await), [""; 0]);
    let raising = [
        ("issuer", json!("https://other.example")),
        ("keys", json!({ "jwks_uri": "https://other.example/keys" })),
        ("algorithms", json!(["EdDSA"])),
    ];
    for (member, value) in &raising {
        let why = put(&trusting, "", &changed(member, value.clone())).await.refused(403, "forbidden");
        assert!(why.starts_with("issuers \"a\": ") && why.contains("write:claviger/orgs/default/"), "{why}");
    }
    assert_eq!(server.database.dump().await, before);
    applied(&trusting, "", &json!({ "issuers": [issuer("new")] })).await;
    applied(&trusting, "", &changed("status", json!("disabled"))).await;
    put(&trusting, "", &changed("status", json!("active"))).await.refused(403, "forbidden");
    applied(&both, "", &changed("status", json!("active"))).await;
    // The right to write a key is not enough for a key with more rights than the caller's.
    let scopes = json!([{ "action": "admin", "resource": "claviger/orgs/*" }]);
    let id = server.admin().get("/v1/orgs/default/keys?q=one").await.done(200)["data"][0]["id"].clone();
    let path = format!("/v1/orgs/default/keys/{}", id.as_str().unwrap());
    server.admin().patch(&path, &json!({ "scopes": scopes })).await.done(200);
    for (member, value) in &raising {
        let why = put(&both, "", &changed(member, value.clone())).await.refused(403, "forbidden");
        assert!(why.contains("a scope that you do not have"), "{why}");
        applied(&server.admin(), "?dry_run=true", &changed(member, value.clone())).await;
    }
}

async fn another_url_keeps_rules_pinned(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    applied(&admin, "", &json!({ "issuers": [issuer("a")], "keys": [key("one", &["a"])] })).await;
    let github = json!({ "id": "a", "issuer": GITHUB, "keys": { "discovery": true } });
    let why = put(&admin, "", &json!({ "issuers": [github] })).await.refused(400, "invalid_request");
    assert!(why.starts_with("issuers \"a\": ") && why.contains("`/repository_id`"), "{why}");
    let why = put(&admin, "", &json!({ "issuers": [github], "keys": [key("new", &["a"])] })).await;
    assert!(why.refused(400, "invalid_request").contains("`/repository_id`"));
    let mut pinned = key("one", &[]);
    pinned["trust_rules"] = json!([{ "issuer": "a", "claims": { "/repository_id": "74" } }]);
    let done = applied(&admin, "", &json!({ "issuers": [github], "keys": [pinned] })).await;
    assert_eq!(said(&done), ["update issuer a: issuer", "update key one: trust_rules"]);
}

async fn what_is_no_issuer_is_named(backend: Backend) {
    let server = Server::start(backend).await;
    let own = server.issuer();
    let before = server.database.dump().await;
    for (member, value, named) in [
        ("issuer", json!("http://a.example"), "does not begin with https://"),
        ("issuer", json!("https://a.example/?x"), "has a query"),
        ("issuer", json!(own), "cannot be trusted"),
        ("keys", json!({ "jwks": { "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] } }), "`k` has no place"),
        ("keys", json!({ "jwks": { "keys": [{ "kty": "EC", "d": "c2VjcmV0" }] } }), "`d` has no place"),
        ("keys", json!({ "jwks": { "keys": [] } }), "no public key"),
        ("max_lifetime", json!(59), "60 to 86400"),
        ("name", json!("a\nb"), "name"),
    ] {
        let mut bad = issuer("bad");
        bad[member] = value;
        let document = json!({ "issuers": [issuer("good"), bad] });
        let why = put(&server.admin(), "", &document).await.refused(400, "invalid_request");
        assert!(why.starts_with("issuers \"bad\": ") && why.contains(named), "{member}: {why}");
        assert!(!why.contains("c2VjcmV0"), "{why}");
    }
    for bad in [
        json!({ "id": "x", "keys": { "discovery": true } }),
        json!({ "id": "x", "issuer": "https://x.example" }),
        json!({ "id": "X", "issuer": "https://x.example", "keys": { "discovery": true } }),
        json!({ "id": "x", "issuer": "https://x.example", "keys": { "discovery": true }, "created_at": null }),
        json!({ "id": "x", "issuer": "https://x.example", "keys": { "discovery": true }, "status": "off" }),
    ] {
        put(&server.admin(), "", &json!({ "issuers": [bad] })).await.refused(400, "invalid_request");
    }
    let twice = put(&server.admin(), "", &json!({ "issuers": [issuer("a"), issuer("a")] })).await;
    let why = twice.refused(400, "invalid_request");
    assert_eq!(why, "issuers \"a\": an earlier entry is for the same issuer");
    assert_eq!(server.database.dump().await, before);
}

async fn an_organization_has_at_most_32(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let some = |from: usize| (from..from + 32).map(|at| issuer(&format!("i{at}"))).collect::<Vec<_>>();
    applied(&admin, "", &json!({ "issuers": some(0) })).await;
    let document = json!({ "issuers": some(1) });
    let why = put(&admin, "", &document).await.refused(409, "conflict");
    assert!(why.contains("32 trusted issuers"), "{why}");
    // One goes, and one comes.
    let document = document_with_admin(&admin, &document).await;
    applied(&admin, "?prune=true", &document).await;
    assert_eq!(listed(&admin).await.len(), 32);
}

async fn an_issuer_that_is_no_longer_allowed_hinders_no_export(backend: Backend) {
    let mut options = Options::default();
    options.issuers.allows_http = false;
    let server = Server::start_with(backend, options).await;
    let admin = server.admin();
    applied(&admin, "", &json!({ "issuers": [issuer("a")] })).await;
    let row = r#"UPDATE trusted_issuers SET issuer = 'http://127.0.0.1:1',
        key_source = '{"jwks_uri":"http://127.0.0.1:1/keys"}'"#;
    server.database.execute(row).await;
    let mut exported = admin.get(PATH).await.done(200);
    assert_eq!(exported["issuers"][0]["issuer"], "http://127.0.0.1:1");
    assert_eq!(said(&applied(&admin, "", &exported).await), [""; 0]);
    exported["issuers"][0]["name"] = "A".into();
    assert_eq!(said(&applied(&admin, "", &exported).await), ["update issuer A: name"]);
    exported["issuers"][0]["keys"] = json!({ "jwks_uri": "http://127.0.0.1:1/other" });
    put(&admin, "", &exported).await.refused(400, "invalid_request");
}
