//! A document carries every way into a key but secrets: public keys, trust rules, and the trusted issuers.

use std::slice;

use claviger::jose::jwk::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PATH, applied, put, said};
use crate::support::assertion::Holder;
use crate::support::foreign_issuer::ForeignIssuer;
use crate::support::{Answer, Backend, Options, Server, on_both};

on_both!(
    every_way_in_goes_elsewhere_with_the_document,
    a_list_is_all_that_a_key_is_to_have,
    what_takes_away_raises_the_generation_once,
    a_key_without_a_secret_is_made_without_one,
    the_last_way_in_stays,
    the_last_administrator_keeps_a_way_in,
    adding_needs_the_rights_of_a_rotation_and_removing_does_not,
    what_can_not_be_a_way_in_is_named_and_not_repeated,
    an_algorithm_that_is_no_longer_accepted_hinders_no_export,
);

const KEYS: &str = "/v1/orgs/default/keys";

fn jwk() -> Value {
    Holder::new(Algorithm::EdDsa).jwk
}

fn issuer(id: &str, url: &str) -> Value {
    json!({ "id": id, "issuer": url, "keys": { "discovery": true } })
}

/// A key that is made without a secret, with these ways in.
fn key(name: &str, public_keys: &[Value], trust_rules: &[Value]) -> Value {
    json!({ "name": name, "project": "default", "environment": "prd", "preset": "query_only", "secret": false,
        "public_keys": public_keys, "trust_rules": trust_rules })
}

fn rule(subject: &str) -> Value {
    json!({ "issuer": "idp", "subject": subject })
}

/// A server that trusts `idp`, of which nothing is ever fetched.
async fn server(backend: Backend) -> Server {
    let server = Server::start(backend).await;
    let document = json!({ "issuers": [issuer("idp", "https://idp.example")] });
    applied(&server.admin(), "", &document).await;
    server
}

async fn shown(server: &Server, id: &str) -> Value {
    server.admin().get(&format!("{KEYS}/{id}")).await.done(200)
}

/// The id of the only new key.
fn made(answer: &Value) -> String {
    let [key] = answer["keys"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    key["id"].as_str().unwrap().to_owned()
}

/// What a document says about the key of this name.
fn entry(document: &Value, name: &str) -> Value {
    let keys = document["keys"].as_array().unwrap();
    keys.iter().find(|key| key["name"] == name).unwrap_or_else(|| panic!("{name}: {document}")).clone()
}

/// The actions in a key's trail.
async fn trail(server: &Server, id: &str) -> Vec<String> {
    let trail = format!("SELECT action FROM audit_events WHERE subject = '{id}' ORDER BY seq");
    server.database.texts(&trail).await
}

fn without_ids(mut document: Value) -> Value {
    document["organization"]["id"] = Value::Null;
    document["organization"]["name"] = Value::Null;
    for key in document["keys"].as_array_mut().unwrap() {
        key["id"] = Value::Null;
    }
    document
}

async fn every_way_in_goes_elsewhere_with_the_document(backend: Backend) {
    let (here, foreign) = (Server::start(backend).await, ForeignIssuer::start().await);
    let (holder, second) = (Holder::new(Algorithm::Es256), Holder::new(Algorithm::EdDsa));
    let admin = here.admin();
    let record = json!({ "id": "idp", "issuer": foreign.url, "keys": { "jwks_uri": format!("{}/keys", foreign.url) },
        "algorithms": ["ES256"], "max_lifetime": 600, "single_use": true });
    let inline = json!({ "id": "cluster", "name": "A cluster", "issuer": "https://cluster.example",
        "keys": { "jwks": { "keys": [jwk(), second.jwk] } }, "algorithms": ["EdDSA"] });
    for issuer in [&record, &inline] {
        admin.post_json("/v1/orgs/default/issuers", issuer).await.done(201);
    }
    admin.patch("/v1/orgs/default/issuers/cluster", &json!({ "status": "disabled" })).await.done(200);
    let rules =
        [rule("workload"), json!({ "issuer": "cluster", "audience": "a", "claims": { "/b/c": "1" } })];
    let registered = [json!({ "jwk": holder.jwk }), json!({ "jwk": second.jwk })];
    let mut new = key("all", &registered, &rules);
    admin.post_json(KEYS, &new).await.done(201);
    new["name"] = "a secret, too".into();
    new["dpop"] = "required".into();
    new["secret"] = true.into();
    admin.post_json(KEYS, &new).await.done(201);

    let exported = admin.get(PATH).await.done(200);
    let all = entry(&exported, "all");
    assert_eq!(all["secret"], false);
    let other = entry(&exported, "a secret, too");
    assert_eq!((&other["secret"], &other["dpop"]), (&Value::Null, &json!("required")));
    assert_eq!(all["public_keys"].as_array().unwrap().len(), 2);
    let with_claims = json!({ "issuer": "idp", "subject": "workload", "claims": {} });
    assert_eq!(all["trust_rules"], json!([rules[1], with_claims]));
    let expected = json!({ "id": "idp", "name": "idp", "issuer": foreign.url,
        "keys": { "jwks_uri": format!("{}/keys", foreign.url) }, "algorithms": ["ES256"], "max_lifetime": 600,
        "single_use": true, "status": "active" });
    assert_eq!(exported["issuers"][1], expected);
    assert_eq!(
        (&exported["issuers"][0]["id"], &exported["issuers"][0]["status"]),
        (&json!("cluster"), &json!("disabled"))
    );

    // Here, it changes nothing.
    let before = here.database.dump().await;
    let again = applied(&admin, "?prune=true", &exported).await;
    assert_eq!(again, json!({ "dry_run": false, "changes": [], "keys": [] }));
    assert_eq!(here.database.dump().await, before);

    // In another deployment, and in another organization beside it, it makes the same.
    let there = Server::start(backend).await;
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    for (server, org) in [(&there, "default"), (&here, "acme")] {
        let mut document = exported.clone();
        document["organization"]["id"] = org.into();
        let client = server.admin().with("content-type", "application/json");
        let path = format!("/v1/orgs/{org}/configuration");
        let done = client.send(Method::PUT, &path, Some(document.to_string())).await.done(200);
        assert_eq!(without_ids(server.admin().get(&path).await.done(200)), without_ids(exported.clone()));
        let keys = done["keys"].as_array().unwrap();
        let new = keys.iter().find(|key| key["name"] == "all").unwrap();
        assert_eq!(new["key"], Value::Null);
        assert!(keys.iter().any(|key| key["name"] == "a secret, too" && key["key"].is_string()));
        let (id, now) = (new["id"].as_str().unwrap(), server.clock.now().unix());
        let assertion = holder.assertion(id, &server.issuer(), now);
        server.client().token_by(&assertion, "").await.done(200);
        let token = foreign.token(&server.issuer(), now, &json!({ "jti": org }));
        server.client().token_by(&token, &format!("&client_id={id}")).await.done(200);
        let again = client.send(Method::PUT, &path, Some(document.to_string()));
        assert_eq!(said(&again.await.done(200)), [""; 0]);
    }
}

async fn a_list_is_all_that_a_key_is_to_have(backend: Backend) {
    let server = server(backend).await;
    let admin = server.admin();
    let holder = Holder::new(Algorithm::EdDsa);
    let apply = async |key: &Value| applied(&admin, "", &json!({ "keys": [key] })).await;
    let id = made(&apply(&key("one", slice::from_ref(&holder.jwk), &[rule("a")])).await);
    server.advance(60).await;
    let assertion = holder.assertion(&id, &server.issuer(), server.clock.now().unix());
    server.client().token_by(&assertion, "").await.done(200);
    server.flush().await;
    let before = shown(&server, &id).await;
    assert_eq!(before["public_keys"][0]["last_used_at"], "2026-01-01T00:01:00Z");

    // More.
    let second = jwk();
    let done = apply(&key("one", &[second.clone(), holder.jwk.clone()], &[rule("b"), rule("a")])).await;
    assert_eq!(said(&done), ["update key one: public_keys trust_rules"]);
    let more = shown(&server, &id).await;
    assert_eq!(more["public_keys"][0], before["public_keys"][0]);
    assert_eq!(more["trust_rules"][0], before["trust_rules"][0]);
    assert_eq!(
        (&more["public_keys"][1]["kid"], &more["trust_rules"][1]["subject"]),
        (&second["kid"], &json!("b"))
    );
    assert_eq!(more["generation"], 1);

    // What a document doesn't say stays.
    let mut silent = key("one", &[], &[]);
    for member in ["public_keys", "trust_rules", "secret"] {
        silent[member] = Value::Null;
    }
    assert_eq!(said(&apply(&silent).await), [""; 0]);
    let members = silent.as_object_mut().unwrap();
    for member in ["public_keys", "trust_rules", "secret"] {
        members.remove(member);
    }
    silent["note"] = "changed".into();
    assert_eq!(said(&apply(&silent).await), ["update key one: note"]);
    let still = shown(&server, &id).await;
    assert_eq!((&still["public_keys"], &still["trust_rules"]), (&more["public_keys"], &more["trust_rules"]));

    // Less, and the order of a list says nothing.
    let mut less = key("one", slice::from_ref(&second), &[rule("b"), rule("a")]);
    less["note"] = "changed".into();
    let told = put(&admin, "?dry_run=true", &json!({ "keys": [less] })).await.done(200);
    let done = apply(&less).await;
    assert_eq!(
        (&done["changes"], said(&done)),
        (&told["changes"], vec!["update key one: public_keys".to_owned()])
    );
    let left = shown(&server, &id).await;
    assert_eq!(left["public_keys"], json!([more["public_keys"][1]]));
    assert_eq!((&left["trust_rules"], &left["generation"]), (&more["trust_rules"], &json!(2)));
    assert_eq!(said(&apply(&less).await), [""; 0]);
    let expected =
        ["key.create", "public_key.register", "trust_rule.register", "key.change", "public_key.remove"];
    assert_eq!(trail(&server, &id).await, expected);

    // Another `kid` is another registration.
    less["public_keys"][0]["kid"] = "another".into();
    apply(&less).await;
    let renamed = shown(&server, &id).await;
    assert_eq!((&renamed["public_keys"][0]["kid"], &renamed["generation"]), (&json!("another"), &json!(3)));
    assert_ne!(renamed["public_keys"][0]["id"], left["public_keys"][0]["id"]);
}

async fn what_takes_away_raises_the_generation_once(backend: Backend) {
    let server = server(backend).await;
    let holder = Holder::new(Algorithm::EdDsa);
    let new = key("one", &[holder.jwk.clone(), jwk()], &[rule("a"), rule("b")]);
    let id = made(&applied(&server.admin(), "", &json!({ "keys": [new] })).await);
    let token = async || {
        let assertion = holder.assertion(&id, &server.issuer(), server.clock.now().unix());
        let issued = server.client().token_by(&assertion, "").await.done(200);
        format!("token={}", issued["access_token"].as_str().unwrap())
    };
    let is_active = async |form: &str| {
        server.admin().post_form("/oauth/introspect", form).await.done(200)["active"] == true
    };
    let before = token().await;
    assert!(is_active(&before).await);
    // Ranges, public keys, rules, and the issuer of a rule that stays.
    let mut document = json!({ "issuers": [issuer("idp", "https://idp.example")],
        "keys": [key("one", slice::from_ref(&holder.jwk), &[rule("a"), rule("c")])] });
    document["issuers"][0]["status"] = "disabled".into();
    document["keys"][0]["cidrs"] = json!(["127.0.0.0/8", "::1/128"]);
    let done = applied(&server.admin(), "", &document).await;
    assert_eq!(said(&done), ["update issuer idp: status", "update key one: cidrs public_keys trust_rules"]);
    assert_eq!(shown(&server, &id).await["generation"], 2);
    assert!(!is_active(&before).await);
    let after = token().await;
    assert!(is_active(&after).await);
    let expected =
        ["key.create", "key.change", "public_key.remove", "trust_rule.remove", "trust_rule.register"];
    assert_eq!(trail(&server, &id).await, expected);
    assert_eq!(said(&applied(&server.admin(), "", &document).await), [""; 0]);
    // A disabled issuer ends the tokens of a key that the document doesn't touch.
    document["issuers"][0]["status"] = "active".into();
    applied(&server.admin(), "", &document).await;
    assert_eq!(shown(&server, &id).await["generation"], 2);
    document["issuers"][0]["status"] = "disabled".into();
    applied(&server.admin(), "", &json!({ "issuers": document["issuers"] })).await;
    assert_eq!(shown(&server, &id).await["generation"], 3);
    assert!(!is_active(&after).await);
}

async fn a_key_without_a_secret_is_made_without_one(backend: Backend) {
    let server = server(backend).await;
    let admin = server.admin();
    let none = json!({ "keys": [key("none", &[], &[])] });
    let why = put(&admin, "", &none).await.refused(400, "invalid_request");
    assert!(why.starts_with("keys[0]: \"none\": a key without a secret needs"), "{why}");
    let mut with_secret = key("with", &[], &[rule("a")]);
    with_secret["secret"] = Value::Null;
    let document = json!({ "keys": [key("without", &[jwk()], &[]), with_secret] });
    let done = applied(&admin, "", &document).await;
    let members = "cidrs environment name project";
    assert_eq!(
        said(&done),
        [
            format!("create key without: {members} public_keys scopes secret"),
            format!("create key with: {members} scopes trust_rules"),
        ]
    );
    assert_eq!(done["keys"][0]["key"], Value::Null);
    server.client().access_token(done["keys"][1]["key"].as_str().unwrap(), "").await;
    let exported = admin.get(PATH).await.done(200);
    assert_eq!(entry(&exported, "without")["secret"], false);
    assert_eq!(entry(&exported, "with")["secret"], Value::Null);
    // For a key that exists, it says nothing.
    let mut other = exported.clone();
    for key in other["keys"].as_array_mut().unwrap() {
        key["secret"] = (key["secret"] == false).into();
    }
    assert_eq!(said(&applied(&admin, "", &other).await), [""; 0]);
}

async fn the_last_way_in_stays(backend: Backend) {
    let server = server(backend).await;
    let admin = server.admin();
    let mut new = key("one", &[], &[rule("a")]);
    let id = made(&applied(&admin, "", &json!({ "keys": [new] })).await);
    let before = server.database.dump().await;
    new["trust_rules"] = json!([]);
    let why = put(&admin, "?force=true", &json!({ "keys": [new] })).await.refused(409, "conflict");
    assert!(why.starts_with("keys[0]: \"one\": this is the last way to use the key"), "{why}");
    assert_eq!(server.database.dump().await, before);
    new["public_keys"] = json!([jwk()]);
    applied(&admin, "", &json!({ "keys": [new] })).await;
    let after = shown(&server, &id).await;
    assert_eq!((&after["trust_rules"], &after["generation"]), (&json!([]), &json!(2)));
    // With a secret, all of them can go.
    let (secret, _) = server.key_from(json!({ "name": "two", "preset": "query_only" })).await;
    let two = async |public_keys: &[Value]| {
        applied(&admin, "", &json!({ "keys": [key("two", public_keys, &[])] })).await;
        shown(&server, &secret).await["public_keys"].as_array().unwrap().len()
    };
    assert_eq!((two(&[jwk()]).await, two(&[]).await), (1, 0));
}

/// The administrator's key has a secret that ends and a public key that doesn't.
async fn the_last_administrator_keeps_a_way_in(backend: Backend) {
    let server = server(backend).await;
    let admin = server.admin();
    let mut own = entry(&admin.get(PATH).await.done(200), "Administrator");
    own["public_keys"] = json!([jwk()]);
    applied(&admin, "", &json!({ "keys": [own] })).await;
    let end =
        format!("UPDATE key_secrets SET expires_at = 1767225700 WHERE key_id = {} AND hash <> ''", own["id"]);
    server.database.execute(&end.replace('"', "'")).await;
    own["public_keys"] = json!([]);
    let why = put(&admin, "", &json!({ "keys": [own] })).await.refused(409, "conflict");
    assert!(why.contains("lock out all administrators"), "{why}");
    // A rule is no replacement: who fulfils it is up to somebody else.
    own["trust_rules"] = json!([rule("admin")]);
    put(&admin, "", &json!({ "keys": [own] })).await.refused(409, "conflict");
    put(&admin, "?force=true", &json!({ "keys": [own] })).await.done(200);
}

async fn adding_needs_the_rights_of_a_rotation_and_removing_does_not(backend: Backend) {
    let server = server(backend).await;
    let everything = "read:claviger/orgs/default/**";
    let (_, weak) = server.key(&[everything, "write:claviger/orgs/default/projects/*/keys/*"]).await;
    let (_, reader) = server.key(&[everything]).await;
    let (weak, reader) = (server.client().bearer(&weak), server.client().bearer(&reader));
    let mut strong = key("strong", &[jwk(), jwk()], &[rule("a")]);
    strong["preset"] = Value::Null;
    strong["scopes"] = json!([{ "action": "admin", "resource": "claviger/orgs/*" }]);
    let (strong_document, plain) =
        (json!({ "keys": [strong] }), json!({ "keys": [key("plain", &[jwk()], &[])] }));
    applied(&server.admin(), "", &strong_document).await;
    applied(&weak, "", &plain).await;
    let refused = |answer: &Answer| answer.refused(403, "forbidden");
    let before = server.database.dump().await;
    for (member, value) in [("public_keys", jwk()), ("trust_rules", rule("b"))] {
        let mut more = strong_document.clone();
        more["keys"][0][member].as_array_mut().unwrap().push(value.clone());
        let why = refused(&put(&weak, "", &more).await);
        assert!(
            why.starts_with("keys[0]: \"strong\": ") && why.contains("a scope that you do not have"),
            "{why}"
        );
        let mut more = plain.clone();
        more["keys"][0][member].as_array_mut().unwrap().push(value);
        assert!(refused(&put(&reader, "", &more).await).contains("write:claviger/orgs/default/"));
        refused(&put(&reader, "?dry_run=true", &more).await);
        put(&weak, "?dry_run=true", &more).await.done(200);
    }
    let mut exchanged = strong_document.clone();
    exchanged["keys"][0]["public_keys"][0] = jwk();
    refused(&put(&weak, "", &exchanged).await);
    let mut new = strong_document.clone();
    new["keys"][0]["name"] = "new".into();
    refused(&put(&weak, "", &new).await);
    assert_eq!(server.database.dump().await, before);
    let mut less = strong_document.clone();
    less["keys"][0]["public_keys"].as_array_mut().unwrap().pop();
    less["keys"][0]["trust_rules"] = json!([]);
    assert_eq!(said(&applied(&weak, "", &less).await), ["update key strong: public_keys trust_rules"]);
    // Nor does a narrower key become anybody's.
    let narrowed = key("strong", &[jwk()], &[]);
    refused(&put(&weak, "", &json!({ "keys": [narrowed] })).await);
}

async fn what_can_not_be_a_way_in_is_named_and_not_repeated(backend: Backend) {
    let server = server(backend).await;
    let good = jwk();
    let with = |member: &str, value: &str| {
        let mut jwk = good.clone();
        jwk[member] = value.into();
        jwk
    };
    let many = |count: usize| (0..count).map(|at| rule(&format!("s{at}"))).collect::<Vec<_>>();
    let same_kid = with("x", jwk()["x"].as_str().unwrap());
    let before = server.database.dump().await;
    for (entry, named) in [
        (
            key("bad", &[with("d", "c2VjcmV0")], &[]),
            "the public key is refused: `d` is secret and has no place",
        ),
        (
            key("bad", &[json!({ "kty": "oct", "k": "c2VjcmV0" })], &[]),
            "the public key is refused: `k` is secret and has no place",
        ),
        (key("bad", &[json!({ "kty": "EC" })], &[]), "the public key is refused: "),
        (key("bad", &[json!({ "jwk": good })], &[]), "the public key is refused: "),
        (key("bad", &[json!("c2VjcmV0")], &[]), "the public key is refused: "),
        (key("bad", &[good.clone(), same_kid], &[]), "the same kid, twice"),
        (key("bad", &[good.clone(), with("kid", "other")], &[]), "the same key"),
        (key("bad", &(0..9).map(|_| jwk()).collect::<Vec<_>>(), &[]), "at most 8 public keys"),
        (key("bad", &[], &many(17)), "at most 16 trust rules"),
        (key("bad", &[], &[rule("a"), rule("a")]), "the same rule twice"),
        (key("bad", &[], &[json!({ "issuer": "none", "subject": "a" })]), "names no trusted issuer"),
    ] {
        let document = json!({ "keys": [key("good", &[jwk()], &[]), entry] });
        let why = put(&server.admin(), "", &document).await.refused(400, "invalid_request");
        assert!(why.starts_with("keys[1]: \"bad\": ") && why.contains(named), "{entry}: {why}");
        assert!(!why.contains("c2VjcmV0"), "{why}");
    }
    for bad in [
        key("bad", &[], &[json!({ "issuer": "idp" })]),
        key("bad", &[], &[json!({ "issuer": "idp", "subject": "a", "id": "tr_0000000000000000" })]),
    ] {
        put(&server.admin(), "", &json!({ "keys": [bad] })).await.refused(400, "invalid_request");
    }
    assert_eq!(server.database.dump().await, before);
    // A key that exists is held to the same.
    server.key_from(json!({ "name": "bad", "preset": "query_only" })).await;
    let before = server.database.dump().await;
    for entry in [key("bad", &[with("d", "c2VjcmV0")], &[]), key("bad", &[], &many(17))] {
        let why = put(&server.admin(), "", &json!({ "keys": [entry] })).await.refused(400, "invalid_request");
        assert!(why.starts_with("keys[0]: \"bad\": "), "{why}");
    }
    assert_eq!(server.database.dump().await, before);
    let most = key("bad", &(0..8).map(|_| jwk()).collect::<Vec<_>>(), &many(16));
    applied(&server.admin(), "", &json!({ "keys": [most] })).await;
}

async fn an_algorithm_that_is_no_longer_accepted_hinders_no_export(backend: Backend) {
    let mut options = Options::default();
    options.assertions.algorithms.retain(|algorithm| algorithm.as_str() != "ES256");
    let server = Server::start_with(backend, options).await;
    let admin = server.admin();
    let (id, _) = server.key_from(json!({ "name": "one", "preset": "query_only" })).await;
    let es256 = Holder::new(Algorithm::Es256).jwk;
    let row = format!(
        "INSERT INTO key_secrets (id, key_id, hash, public_jwk, created_at)
         VALUES ('pub_0000000000000000', '{id}', '', '{es256}', 1767225600)"
    );
    server.database.execute(&row).await;
    let mut exported = admin.get(PATH).await.done(200);
    assert_eq!(entry(&exported, "one")["public_keys"], json!([es256]));
    assert_eq!(said(&applied(&admin, "", &exported).await), [""; 0]);
    let keys = exported["keys"].as_array_mut().unwrap();
    let one = keys.iter_mut().find(|key| key["name"] == "one").unwrap();
    one["public_keys"] = json!([es256, Holder::new(Algorithm::Es256).jwk]);
    let why = put(&admin, "", &exported).await.refused(400, "invalid_request");
    assert!(why.contains("\"one\": the public key is for ES256"), "{why}");
}
