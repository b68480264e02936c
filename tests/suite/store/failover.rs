//! A primary dies, and standbys are there: real streaming replication.

use std::sync::Arc;

use claviger::node::Node;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::nodes::works;
use crate::support::postgres::url;
use crate::support::relay::Relay;
use crate::support::{Backend, Client, Database, Options, Postgres, Server, on_postgres, until};
use crate::token::claims;

on_postgres!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    a_node_that_reaches_a_standby_says_nothing_from_it,
    a_node_with_several_hosts_goes_over_to_the_one_that_is_promoted,
    a_standby_alone_is_no_store_to_start_on,
);

/// A primary with a database of its own, and its name.
async fn primary() -> (Postgres, Database, String) {
    let primary = Postgres::own().expect("asked for before");
    let database = Database::on(&primary).await;
    let name = database.url.rsplit_once('/').expect("a name").1.to_owned();
    (primary, database, name)
}

/// Lets the node follow its store, until what this returns is dropped.
fn follow(node: &Arc<Node>) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(node).follow(stopped.clone()));
    tokio::spawn(Arc::clone(node).listen(stopped));
    stop
}

async fn caught_up(standby: &Postgres, name: &str, last: i64) {
    let copy = Database { url: standby.url(name), folder: tempfile::tempdir().expect("a folder") };
    let seen = async || copy.number("SELECT value FROM sequences WHERE name = 'changes'").await >= last;
    until("the standby has all of it", seen).await;
}

async fn feed(client: &Client) -> Value {
    claims(&client.get("/oauth/revocations").await.text)
}

/// One node's endpoint leads to a standby that nobody promotes, and then to the new primary, where a key was revoked
/// at another node meanwhile.
async fn a_node_that_reaches_a_standby_says_nothing_from_it(_: Backend) {
    let (mut primary, database, name) = primary().await;
    let (stays, promoted) = (primary.standby(), primary.standby());
    let (way, other_way) = (Relay::new().await, Relay::new().await);
    for way in [&way, &other_way] {
        way.lead_to(primary.address());
    }
    let database = Database { url: url(way.port(), &name), ..database };
    let server = Server::start_on(database, Options::default()).await;
    let other = server.second_node_at(&url(other_way.port(), &name)).await;
    let (client, clock) = (server.client(), &server.clock);
    let (id, key) = server.key(&["read:*"]).await;
    let (_, cold_key) = server.key(&["read:*"]).await;
    assert!(works(&client, &key).await);
    let last = server.node.records.store.last_change().await.expect("the store answers");
    caught_up(&stays, &name, last).await;
    caught_up(&promoted, &name, last).await;
    let _following = (follow(&server.node), follow(&other.node));

    primary.stop();
    way.lead_to(stays.address());
    other_way.lead_to(promoted.address());
    promoted.promote().await;
    let admin = other.client().bearer(&server.admin_key);
    let revoke = format!("/v1/orgs/default/keys/{id}/revoke");
    let revoked = async || admin.post_json(&revoke, &json!({})).await.status == 200;
    until("the key is revoked at the new primary", revoked).await;
    until("the node at the standby is not ready", async || client.get("/readyz").await.status == 503).await;

    let before = feed(&client).await;
    clock.advance(20);
    assert_eq!(client.token(&cold_key, "").await.status, 503, "a standby is not asked for a key");
    let after = feed(&client).await;
    assert_eq!(
        (&after["as_of"], &after["seq"]),
        (&before["as_of"], &before["seq"]),
        "a standby confirms nothing"
    );
    clock.advance(11);
    assert_eq!(client.token(&key, "").await.status, 503, "nor does memory outlast thirty seconds");

    way.lead_to(promoted.address());
    until("the node is ready again", async || client.get("/readyz").await.status == 200).await;
    assert_eq!(client.token(&key, "").await.status, 401, "the revoked key");
    assert_eq!(client.token(&cold_key, "").await.status, 200);
    let note = format!("/v1/orgs/default/keys/{id}");
    assert_eq!(server.admin().delete(&note).await.status, 204, "and it writes to the new primary");
}

async fn a_node_with_several_hosts_goes_over_to_the_one_that_is_promoted(_: Backend) {
    let (mut primary, database, name) = primary().await;
    let (stays, promoted) = (primary.standby(), primary.standby());
    let hosts = [&stays, &primary, &promoted].map(|server| server.address().to_string()).join(",");
    let url = format!("postgres://postgres@{hosts}/{name}?target_session_attrs=read-write");
    let server = Server::start_on(Database { url, ..database }, Options::default()).await;
    let (client, admin) = (server.client(), server.admin());
    let (id, key) = server.key(&["read:*"]).await;
    let (_, cold_key) = server.key(&["read:*"]).await;
    let last = server.node.records.store.last_change().await.expect("the store answers");
    caught_up(&promoted, &name, last).await;
    let _following = follow(&server.node);

    primary.stop();
    until("the primary is missed", async || client.get("/readyz").await.status == 503).await;
    assert_eq!(client.token(&cold_key, "").await.status, 503, "two standbys are no store");
    promoted.promote().await;
    until("the new primary is found", async || client.get("/readyz").await.status == 200).await;
    assert_eq!(client.token(&cold_key, "").await.status, 200);
    let revoke = format!("/v1/orgs/default/keys/{id}/revoke");
    assert_eq!(admin.post_json(&revoke, &json!({})).await.status, 200, "it takes writes");
    assert!(!works(&client, &key).await);
}

async fn a_standby_alone_is_no_store_to_start_on(_: Backend) {
    let (primary, database, name) = primary().await;
    let _server = Server::start_on(database, Options::default()).await;
    let standby = primary.standby();
    let refused = claviger::store::Store::open(&standby.url(&name)).await.expect_err("a standby");
    assert!(refused.to_string().contains("standby"), "{refused}");
}
