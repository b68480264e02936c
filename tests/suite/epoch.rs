//! Another history of changes under a running node, as a restore leaves it.

use crate::nodes::{kids, works};
use crate::support::{Backend, START, Server, on_both};
use crate::token::claims;

on_both!(
    a_node_notices_that_the_store_was_replaced,
    a_node_notices_that_the_store_went_back_and_then_another_way,
);

async fn a_node_notices_that_the_store_was_replaced(backend: Backend) {
    // Whether the other history has more changes than this one, as many, or fewer.
    for (way, offset) in [("ahead", 7), ("level", 0), ("behind", -1)] {
        let server = Server::start(backend).await;
        let (id, key) = server.key(&["read:*"]).await;
        let (other_id, other_key) = server.key(&["read:*"]).await;
        let token = server.client().access_token(&key, "").await;
        assert!(works(&server.client(), &other_key).await);
        server.node.catch_up().await.expect("the store answers");

        // As another history would have it, in which one key and one token were revoked and a signing key was made.
        let kid = kids(&server.client()).await.remove(0);
        let jti = claims(&token)["jti"].as_str().expect("a jti").to_owned();
        let (now, expires_at) = (START.unix(), START.unix() + 600);
        let last = server.node.records.store.last_change().await.expect("the store answers") + offset;
        let replaced = format!(
            "UPDATE api_keys SET revoked_at = 1, generation = 2 WHERE id = '{other_id}';
             INSERT INTO revoked_tokens (jti, key_id, revoked_at, expires_at) VALUES ('{jti}', '{id}', {now}, {expires_at});
             UPDATE signing_keys SET withdrawn_at = 1 WHERE kid = '{kid}';
             DELETE FROM changes; UPDATE sequences SET value = {last}; UPDATE deployment SET epoch = 'another'"
        );
        server.database.execute(&replaced).await;
        server.node.catch_up().await.expect("the store answers");
        assert!(!works(&server.client(), &other_key).await, "{way}: the revoked key");
        assert!(server.node.revocations.tokens.contains(&jti), "{way}: the revoked token");
        assert_eq!(kids(&server.client()).await, [""; 0], "{way}: the withdrawn signing key");

        // And it follows from there.
        server.database.execute("UPDATE signing_keys SET withdrawn_at = NULL").await;
        server.node.signer.keyring.reload(&server.node.records.store).await.expect("the store answers");
        assert!(works(&server.client(), &key).await, "{way}");
        let next = last + 1;
        let revoked = format!(
            "UPDATE api_keys SET revoked_at = 1 WHERE id = '{id}'; UPDATE sequences SET value = {next};
             INSERT INTO changes (seq, kind, subject, at) VALUES ({next}, 'key', '{id}', 1)"
        );
        server.database.execute(&revoked).await;
        server.node.catch_up().await.expect("the store answers");
        assert!(!works(&server.client(), &key).await, "{way}: revoked in the new history");
    }
}

/// As after a failover to a server that lacked the last changes, or a volume that was set back: the epoch is the same,
/// and there are more changes than before.
async fn a_node_notices_that_the_store_went_back_and_then_another_way(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (last_id, _) = server.key(&["read:*"]).await;
    assert!(works(&server.client(), &key).await);
    server.node.catch_up().await.expect("the store answers");

    let last = server.node.records.store.last_change().await.expect("the store answers");
    let next = last + 1;
    let other_way = format!(
        "UPDATE changes SET subject = '{id}' WHERE seq = {last}; UPDATE api_keys SET revoked_at = 1 WHERE id = '{id}';
         INSERT INTO changes (seq, kind, subject, at) VALUES ({next}, 'key', '{last_id}', 1);
         UPDATE sequences SET value = {next}"
    );
    server.database.execute(&other_way).await;
    server.node.catch_up().await.expect("the store answers");
    assert!(!works(&server.client(), &key).await, "revoked by a change that the node took another one for");
}
