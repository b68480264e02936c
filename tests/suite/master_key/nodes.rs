//! The rotation of the master key of several nodes.

use serde_json::json;

use super::{KEYS, ROTATE, rotate, state};
use crate::support::{Backend, Server, on_postgres};

on_postgres!(
    every_running_node_must_have_the_next_master_key,
    a_node_without_the_new_master_key_fails_closed,
);

async fn every_running_node_must_have_the_next_master_key(backend: Backend) {
    let server = Server::start(backend).await;
    let other = server.second_node().await;
    other.node.report(None).await.unwrap();
    let next = server.offer_master_key().await;
    let message = server.admin().post_json(ROTATE, &json!({})).await.refused(409, "conflict");
    assert!(message.contains(&other.node.id), "{message}");
    other.node.report(Some(&next)).await.unwrap();
    let nodes = state(&server.admin()).await["nodes"].clone();
    assert!(
        nodes.as_array().unwrap().iter().all(|node| node["has_next"] == true && node["has_active"] == true)
    );
    assert_eq!(nodes.as_array().unwrap().len(), 2);

    let (_, old) = server.key(&["read:*"]).await;
    rotate(&server).await;
    // Before the other node hears of the takeover, it accepts what this one makes, and the reverse.
    let (_, new) = server.key(&["read:*"]).await;
    let client = other.client();
    for key in [&old, &new] {
        client.token(key, "").await.done(200);
    }
    let (_, made) = client.bearer(&server.admin_key).create_key(&["read:*"]).await;
    server.client().token(&made, "").await.done(200);
    other.node.catch_up().await.expect("the other node has the new master key");
    assert_eq!(other.node.master_keys.tagger().master_key(), 2);
    let cursor = client.bearer(&server.admin_key).get(&format!("{KEYS}?limit=1")).await.done(200);
    let cursor = cursor["next_cursor"].as_str().unwrap().to_owned();
    server.admin().get(&format!("{KEYS}?limit=1&cursor={cursor}")).await.done(200);
    server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.done(201);
    other.node.catch_up().await.expect("a signing key that the new master key sealed");
}

async fn a_node_without_the_new_master_key_fails_closed(backend: Backend) {
    let server = Server::start(backend).await;
    let other = server.second_node().await;
    other.node.report(None).await.unwrap();
    // It is silent for longer than a running node is.
    server.database.execute("UPDATE nodes SET seen_at = seen_at - 61").await;
    let next = server.offer_master_key().await;
    let (_, key) = server.key(&["read:*"]).await;
    rotate(&server).await;
    for _ in 0..2 {
        let error = other.node.catch_up().await.expect_err("it has not the new master key");
        let is_told = error.to_string().contains("is not at hand");
        assert!(is_told, "{error}");
    }
    server.clock.advance(31);
    server.node.catch_up().await.unwrap();
    assert_eq!(other.client().get("/readyz").await.status, 503);
    assert_eq!(other.client().token(&key, "").await.status, 503);
    // Once it has the key, it goes on without a restart.
    other.node.report(Some(&next)).await.unwrap();
    other.node.catch_up().await.expect("now it has the new master key");
    other.client().token(&key, "").await.done(200);
}
