//! The rotation of the master key.

mod nodes;

use claviger::base::entropy::Entropy;
use claviger::domain::audit::{Actor, Who};
use claviger::node::Node;
use claviger::node::keyring::RotateError;
use claviger::store::StoreError;
use serde_json::{Value, json};

use crate::support::{Backend, Client, Server, on_both};

on_both!(
    a_takeover_keeps_api_keys_tokens_and_cursors_valid,
    after_a_takeover_the_replaced_master_key_opens_nothing,
    without_a_next_master_key_a_takeover_is_refused,
    a_dry_run_of_a_takeover_changes_nothing,
    tags_end_only_when_no_live_secret_has_one,
    a_compromised_master_key_takes_all_signing_keys_with_it,
    a_signing_key_sealed_under_a_replaced_master_key_is_refused,
    keys_of_an_earlier_master_key_are_found_and_revoked,
);

const MASTER_KEY: &str = "/v1/master-key";
const ROTATE: &str = "/v1/master-key/rotate";
const KEYS: &str = "/v1/orgs/default/keys";

async fn state(client: &Client) -> Value {
    client.get(MASTER_KEY).await.done(200)
}

async fn rotate(server: &Server) -> Value {
    server.admin().post_json(ROTATE, &json!({})).await.done(200)
}

async fn is_active(server: &Server, token: &str) -> bool {
    let form = format!("token={token}");
    server.admin().post_form("/oauth/introspect", &form).await.json()["active"] == true
}

async fn a_takeover_keeps_api_keys_tokens_and_cursors_valid(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    let cursor = server.admin().get(&format!("{KEYS}?limit=1")).await.done(200)["next_cursor"].clone();
    let before = state(&server.admin()).await;
    assert_eq!(
        (&before["active"]["number"], &before["next"], &before["replaced"]),
        (&json!(1), &json!(null), &json!([]))
    );

    let next = server.offer_master_key().await;
    let offered = state(&server.admin()).await;
    assert_ne!(offered["next"], json!(null));
    assert_eq!(offered["nodes"][0]["has_next"], true);
    let after = rotate(&server).await;
    assert_eq!(after, state(&server.admin()).await);
    assert_eq!(after["active"]["check"], offered["next"]);
    assert_eq!((&after["active"]["number"], &after["next"]), (&json!(2), &json!(null)));
    assert_eq!(after["replaced"][0]["check"], before["active"]["check"]);
    assert_eq!((&after["replaced"][0]["number"], &after["replaced"][0]["secrets"]), (&json!(1), &json!(3)));

    assert!(is_active(&server, &token).await, "a token of before");
    server.client().token(&key, "").await.done(200);
    let (_, new) = server.key(&["read:*"]).await;
    server.client().token(&new, "").await.done(200);
    let cursor = cursor.as_str().unwrap();
    server.admin().get(&format!("{KEYS}?limit=1&cursor={cursor}")).await.done(200);
    let text = server.admin().get("/v1/audit?action=master_key.*").await.done(200);
    assert_eq!(text["data"][0]["action"], "master_key.rotate");
    assert_eq!(
        text["data"][0]["after"],
        json!({ "number": 2, "check": after["active"]["check"], "compromised": false })
    );
    assert!(!text.to_string().contains(&*next.expose()), "the key itself is nowhere");
}

async fn after_a_takeover_the_replaced_master_key_opens_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.done(201);
    let old = server.master_key();
    let (_, key) = server.key(&["read:*"]).await;
    let new = server.replace_master_key().await;
    let over = async |master_key| {
        let (store, deployment) = (server.node.records.store.clone(), server.node.deployment.clone());
        Node::over(store, deployment, master_key, server.clock.clone(), Entropy::system()).await
    };
    let error = over(&old).await.expect_err("the replaced one");
    assert!(error.to_string().contains("the store's master key was replaced at"), "{error}");
    let node = over(&new).await.expect("a node with the new one");
    assert!(node.master_keys.parse(&key).is_ok(), "a key of before");
    let old = old.derived();
    for row in server.node.records.store.signing_keys().await.unwrap() {
        let place = claviger::base::master_key::place_of_signing_key(&row.algorithm, &row.kid);
        assert!(old.signing_keys.open(&row.sealed_private, &place).is_err(), "{}", row.kid);
        assert!(new.derived().signing_keys.open(&row.sealed_private, &place).is_ok(), "{}", row.kid);
    }
}

async fn without_a_next_master_key_a_takeover_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    server.node.report(None).await.unwrap();
    let before = server.database.dump_if_any().await;
    let refused = async || server.admin().post_json(ROTATE, &json!({})).await.refused(409, "conflict");
    assert!(refused().await.contains("no master key that could take over"));
    // One that has been active before is none that could.
    server.node.report(Some(&server.master_key())).await.unwrap();
    assert!(refused().await.contains("no master key that could take over"));
    let after = server.database.dump_if_any().await;
    let rows = |dump: Option<Vec<String>>| {
        dump.map(|rows| rows.into_iter().filter(|row| !row.starts_with("nodes ")).collect::<Vec<_>>())
    };
    assert_eq!(rows(after), rows(before));
    for bad in [json!([]), json!({ "compromised": "yes" }), json!({ "key": "x" })] {
        server.admin().post_json(ROTATE, &bad).await.refused(400, "invalid_request");
    }
    for number in ["0", "1", "2", "-1", "x", "99999999999999999999"] {
        let path = format!("{MASTER_KEY}/{number}/tags");
        server.admin().delete(&path).await.refused(404, "not_found");
    }
}

async fn a_dry_run_of_a_takeover_changes_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    server.offer_master_key().await;
    let before = server.database.dump_if_any().await;
    for body in [json!({}), json!({ "compromised": true })] {
        let answer = server.admin().post_json(&format!("{ROTATE}?dry_run=true"), &body).await.done(200);
        assert_eq!(answer, json!({ "dry_run": true }));
    }
    assert_eq!(server.database.dump_if_any().await, before);
    assert_eq!(state(&server.admin()).await["active"]["number"], 1);
}

async fn tags_end_only_when_no_live_secret_has_one(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    server.replace_master_key().await;
    let tags = format!("{MASTER_KEY}/1/tags");
    let message = server.admin().delete(&tags).await.refused(409, "conflict");
    assert!(message.contains("2 live secrets"), "{message}");
    // A rotation moves a key to the tag of the new master key.
    let renewed =
        server.admin().post_json(&format!("{KEYS}/{id}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    let renewed = renewed.done(201)["key"].as_str().unwrap().to_owned();
    let own = server.admin().get("/v1/self").await.done(200)["id"].as_str().unwrap().to_owned();
    let admin =
        server.admin().post_json(&format!("{KEYS}/{own}/rotate"), &json!({ "overlap_seconds": 0 })).await;
    let admin = server.client().bearer(admin.done(201)["key"].as_str().unwrap());
    assert_eq!(state(&admin).await["replaced"][0]["secrets"], 0);
    assert_eq!(admin.delete(&format!("{tags}?dry_run=true")).await.done(200), json!({ "dry_run": true }));
    let after = admin.delete(&tags).await.done(200);
    assert_ne!(after["replaced"][0]["tags_ended_at"], json!(null));
    admin.delete(&tags).await.refused(404, "not_found");
    assert!(server.node.master_keys.parse(&key).is_err(), "the old tag");
    server.client().token(&renewed, "").await.done(200);
    let sealed =
        server.database.number("SELECT COUNT(*) FROM master_keys WHERE sealed_tag_key IS NOT NULL").await;
    assert_eq!(sealed, 0);
}

async fn a_compromised_master_key_takes_all_signing_keys_with_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.done(201);
    let known = server.admin().get("/v1/signing-keys").await.done(200)["data"].as_array().unwrap().len();
    let next = server.offer_master_key().await;
    server.admin().post_json(ROTATE, &json!({ "compromised": true })).await.done(200);

    let keys = server.admin().get("/v1/signing-keys").await.done(200);
    let of =
        |status: &str| keys["data"].as_array().unwrap().iter().filter(|key| key["status"] == status).count();
    assert_eq!((of("active"), of("withdrawn")), (1, known));
    let jwks = server.client().get("/.well-known/jwks.json").await.done(200);
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 1);
    assert!(!is_active(&server, &token).await, "a token of before");
    let token = server.client().access_token(&key, "").await;
    assert!(is_active(&server, &token).await);
    let trail = server.admin().get("/v1/audit").await.done(200);
    let actions: Vec<_> =
        trail["data"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect();
    assert_eq!(
        actions[..4],
        ["signing_key.rotate", "signing_key.withdraw", "signing_key.withdraw", "master_key.rotate"]
    );
    // The store starts with the new master key.
    let (store, deployment) = (server.node.records.store.clone(), server.node.deployment.clone());
    Node::over(store, deployment, &next, server.clock.clone(), Entropy::system()).await.expect("a node");
}

async fn a_signing_key_sealed_under_a_replaced_master_key_is_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (store, deployment) = (server.node.records.store.clone(), server.node.deployment.clone());
    // It has not heard of the takeover.
    let old = server.master_key();
    let behind = Node::over(store.clone(), deployment, &old, server.clock.clone(), Entropy::system());
    let behind = behind.await.expect("a node");
    server.replace_master_key().await;
    let rotation = behind.signer.rotation(&store, server.clock.now());
    let refused = rotation.ahead(&Actor::server(Who::Schedule)).await;
    assert!(matches!(refused, Err(RotateError::Store(StoreError::MasterKeyReplaced))), "{refused:?}");
    server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.done(201);
}

async fn keys_of_an_earlier_master_key_are_found_and_revoked(backend: Backend) {
    let server = Server::start(backend).await;
    let (old, _) = server.key(&["read:*"]).await;
    let (rotated, _) = server.key(&["read:*"]).await;
    server.replace_master_key().await;
    server.key(&["read:*"]).await;
    let rotate = format!("{KEYS}/{rotated}/rotate");
    server.admin().post_json(&rotate, &json!({ "overlap_seconds": 0 })).await.done(201);
    let own = server.admin().get("/v1/self").await.done(200)["id"].clone();
    let found = server.admin().get(&format!("{KEYS}?earlier_master_key=true")).await.done(200);
    let ids: Vec<_> = found["data"].as_array().unwrap().iter().map(|key| key["id"].clone()).collect();
    assert_eq!(ids, [json!(old), own.clone()]);
    server.admin().get(&format!("{KEYS}?earlier_master_key=yes")).await.refused(400, "invalid_request");
    let all = json!({ "filter": { "earlier_master_key": true, "created_by": own } });
    let revoked = server.admin().post_json(&format!("{KEYS}/revoke"), &all).await.done(200);
    assert_eq!(revoked["count"], 1);
    let none = json!({ "filter": { "earlier_master_key": false } });
    server.admin().post_json(&format!("{KEYS}/revoke"), &none).await.refused(400, "invalid_request");
}
