//! Several nodes over one store: what one commits reaches the memory of the others.

mod administration;

use std::sync::Arc;
use std::time::Duration;

use claviger::domain::usage::UseKind;
use claviger::node::Node;
use serde_json::json;
use tokio::sync::watch;

use crate::support::postgres::url;
use crate::support::relay::Relay;
use crate::support::{Backend, Client, Node2, Postgres, START, Server, on_postgres, until};

on_postgres!(
    what_one_node_takes_back_the_other_takes_back,
    a_node_that_missed_changes_starts_afresh,
    a_node_notices_that_the_store_was_set_back,
    nodes_on_one_schedule_agree_on_one_next_key,
    nodes_that_flush_the_same_keys_lose_no_count,
    a_node_far_from_the_database_takes_in_a_thousand_revoked_tokens_in_one_pass,
    a_node_whose_connections_fall_silent_goes_on_over_new_ones,
    what_one_node_refuses_makes_the_others_forget_nothing,
);

/// How a node hears of what another one committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearing {
    /// By asking, now.
    Asking,
    /// By asking from time to time.
    Polling,
    /// By PostgreSQL's notifications.
    Listening,
}

/// A node that hears, until this is dropped.
struct Hearer {
    node: Node2,
    how: Hearing,
    _stop: watch::Sender<bool>,
}

impl Hearer {
    async fn beside(server: &Server, how: Hearing) -> Self {
        let node = server.second_node().await;
        let (stop, stopped) = watch::channel(false);
        if how != Hearing::Asking {
            tokio::spawn(Arc::clone(&node.node).follow(stopped.clone()));
        }
        if how == Hearing::Listening {
            tokio::spawn(Arc::clone(&node.node).listen(stopped));
        }
        Self { node, how, _stop: stop }
    }

    /// Sees to it that `seen` comes true.
    async fn hears(&self, what: &str, seen: impl AsyncFn() -> bool) {
        if self.how == Hearing::Asking {
            self.node.node.catch_up().await.expect("the store answers");
            assert!(seen().await, "{what}: not heard by asking");
        } else {
            println!("{:?}: {what} is heard after {:?}", self.how, until(what, seen).await);
        }
    }
}

/// Whether the key gets a token.
pub(super) async fn works(client: &Client, key: &str) -> bool {
    client.token(key, "").await.status == 200
}

async fn is_active(client: &Client, token: &str) -> bool {
    client.post_form("/oauth/introspect", &format!("token={token}")).await.json()["active"] == true
}

/// The ids of the published signing keys.
pub(super) async fn kids(client: &Client) -> Vec<String> {
    let jwks = client.get("/.well-known/jwks.json").await.json();
    let kids = jwks["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key["kid"].as_str().expect("a kid").to_owned());
    kids.collect()
}

async fn what_one_node_takes_back_the_other_takes_back(backend: Backend) {
    for how in [Hearing::Asking, Hearing::Polling, Hearing::Listening] {
        let server = Server::start(backend).await;
        let other = Hearer::beside(&server, how).await;
        let (client, admin) = (other.node.client(), other.node.client().bearer(&server.admin_key));
        let (id, key) = server.key(&["read:*"]).await;
        let token = client.access_token(&key, "").await;
        assert!(is_active(&admin, &token).await);

        let form = format!("token={token}&client_secret={key}");
        assert_eq!(server.client().post_form("/oauth/revoke", &form).await.status, 200);
        other.hears("a revoked token", async || !is_active(&admin, &token).await).await;

        assert!(works(&client, &key).await);
        let revoke = format!("/v1/orgs/default/keys/{id}/revoke");
        assert_eq!(server.admin().post_json(&revoke, &json!({})).await.status, 200);
        other.hears("a revoked key", async || !works(&client, &key).await).await;

        let [first] = &kids(&client).await[..] else { panic!("one signing key to begin with") };
        assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.status, 201);
        other.hears("a next signing key", async || kids(&client).await.len() == 2).await;

        let withdrawal = json!({ "compromised": first });
        assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &withdrawal).await.status, 201);
        other.hears("a withdrawn signing key", async || !kids(&client).await.contains(first)).await;
    }
}

async fn a_node_that_missed_changes_starts_afresh(backend: Backend) {
    // Of four changes in a row, these are not there any more when the other node asks.
    for missing in [&[1][..], &[2], &[3], &[4], &[1, 2], &[2, 3], &[1, 2, 3, 4]] {
        let server = Server::start(backend).await;
        let other = server.second_node().await;
        let (client, admin) = (other.client(), other.client().bearer(&server.admin_key));
        let (key_id, key) = server.key(&["read:*"]).await;
        let (last_id, last_key) = server.key(&["read:*"]).await;
        let token = client.access_token(&server.key(&["read:*"]).await.1, "").await;
        assert!(works(&client, &key).await && works(&client, &last_key).await);
        other.node.catch_up().await.expect("the store answers");

        let before = server.node.records.store.last_change().await.expect("the store answers");
        let revoke = async |id| {
            let path = format!("/v1/orgs/default/keys/{id}/revoke");
            assert_eq!(server.admin().post_json(&path, &json!({})).await.status, 200);
        };
        revoke(key_id).await;
        assert_eq!(server.admin().post_form("/oauth/revoke", &format!("token={token}")).await.status, 200);
        assert_eq!(server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await.status, 201);
        revoke(last_id).await;
        for change in missing {
            server.database.execute(&format!("DELETE FROM changes WHERE seq = {}", before + change)).await;
        }

        other.node.catch_up().await.expect("the store answers");
        assert!(!works(&client, &key).await, "without {missing:?}: the first revoked key");
        assert!(!is_active(&admin, &token).await, "without {missing:?}: the revoked token");
        assert_eq!(kids(&client).await.len(), 2, "without {missing:?}: the next signing key");
        assert!(!works(&client, &last_key).await, "without {missing:?}: the last revoked key");
    }
}

async fn a_node_notices_that_the_store_was_set_back(backend: Backend) {
    let server = Server::start(backend).await;
    let other = server.second_node().await;
    let (id, key) = server.key(&["read:*"]).await;
    let (other_id, other_key) = server.key(&["read:*"]).await;
    assert!(works(&other.client(), &other_key).await);
    let last = server.node.records.store.last_change().await.expect("the store answers");
    let revoke = async |id| {
        let path = format!("/v1/orgs/default/keys/{id}/revoke");
        assert_eq!(server.admin().post_json(&path, &json!({})).await.status, 200);
    };
    revoke(id).await;
    other.node.catch_up().await.expect("the store answers");
    assert!(!works(&other.client(), &key).await);

    // As a backup would have it that was made before the revocation.
    let set_back = format!(
        "UPDATE api_keys SET revoked_at = NULL, generation = 1; DELETE FROM changes WHERE seq > {last};
         DELETE FROM audit_events WHERE seq > {last}; UPDATE sequences SET value = {last}"
    );
    server.database.execute(&set_back).await;
    other.node.catch_up().await.expect("the store answers");
    assert!(works(&other.client(), &key).await, "memory is as old as the store");
    assert!(works(&other.client(), &other_key).await);

    revoke(other_id).await;
    other.node.catch_up().await.expect("the store answers");
    assert!(!works(&other.client(), &other_key).await, "and follows it from there");
}

async fn nodes_on_one_schedule_agree_on_one_next_key(backend: Backend) {
    let server = Server::start(backend).await;
    let other = server.second_node().await;
    let policy = &server.node.deployment.rotation;
    for rotations in 1..4 {
        server.clock.advance(policy.every - policy.lead);
        tokio::join!(server.node.tidy_once(), other.node.tidy_once());
        tokio::join!(server.node.tidy_once(), other.node.tidy_once());
        let keys = server.database.number("SELECT COUNT(*) FROM signing_keys").await;
        assert_eq!(keys, rotations + 1, "one more key for both");
        for node in [&server.node, &other.node] {
            node.catch_up().await.expect("the store answers");
        }
        let (own, others) = (kids(&server.client()).await, kids(&other.client()).await);
        assert_eq!((own.len(), &own), (2, &others), "the active and the next");
        server.clock.advance(policy.lead);
    }
}

async fn a_node_far_from_the_database_takes_in_a_thousand_revoked_tokens_in_one_pass(backend: Backend) {
    const TOKENS: i64 = 900;
    let server = Server::start(backend).await;
    let relay = Relay::new().await;
    relay.lead_to(Postgres::shared().expect("asked for before").address());
    relay.slow_down(Duration::from_millis(10));
    let (_, database) = server.database.url.rsplit_once('/').expect("a database");
    let other = server.second_node_at(&url(relay.port(), database)).await;
    let (id, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    assert!(is_active(&other.client().bearer(&server.admin_key), &token).await);

    // As its client would have revoked them one by one.
    let (now, end) = (START.unix(), START.unix() + 600);
    let first = server.node.records.store.last_change().await.expect("the store answers") + 1;
    let numbers = format!("SELECT i FROM generate_series(0, {TOKENS} - 1) AS i");
    server.database.execute(&format!(
        "INSERT INTO revoked_tokens (jti, key_id, revoked_at, expires_at)
         SELECT 'jti' || i, '{id}', {now}, {end} FROM ({numbers}) AS n;
         INSERT INTO changes (seq, kind, subject, at) SELECT {first} + i, 'token', 'jti' || i, {now} FROM ({numbers}) AS n;
         UPDATE sequences SET value = value + {TOKENS} WHERE name = 'changes'"
    )).await;
    let form = format!("token={token}&client_secret={key}");
    assert_eq!(server.client().post_form("/oauth/revoke", &form).await.status, 200);

    other.node.catch_up().await.expect("one pass is enough");
    for number in 0..TOKENS {
        assert!(other.node.revocations.tokens.contains(&format!("jti{number}")), "{number}");
    }
    assert!(!is_active(&other.client().bearer(&server.admin_key), &token).await);
}

async fn a_node_whose_connections_fall_silent_goes_on_over_new_ones(backend: Backend) {
    let server = Server::start(backend).await;
    let relay = Relay::new().await;
    relay.lead_to(Postgres::shared().expect("asked for before").address());
    let (_, database) = server.database.url.rsplit_once('/').expect("a database");
    let other = server.second_node_at(&url(relay.port(), database)).await;
    let mut keys = Vec::new();
    for _ in 0..6 {
        keys.push(server.key(&["read:*"]).await);
    }
    // Several connections wait in the pool.
    let client = other.client();
    let warm = keys[..4].iter().map(|(_, key)| works(&client, key));
    assert!(futures_util::future::join_all(warm).await.into_iter().all(|works| works));
    other.node.catch_up().await.expect("the store answers");

    relay.silence();
    let revoke = format!("/v1/orgs/default/keys/{}/revoke", keys[0].0);
    assert_eq!(server.admin().post_json(&revoke, &json!({})).await.status, 200);
    other.node.catch_up().await.expect("an answer on a new connection");
    assert!(!works(&client, &keys[0].1).await, "it has heard of what happened meanwhile");
    for (_, key) in &keys[4..] {
        assert!(works(&client, key).await, "a key that the pool is asked for");
    }
}

async fn nodes_that_flush_the_same_keys_lose_no_count(backend: Backend) {
    // More than fit into one statement.
    const KEYS: usize = 600;
    const ROUNDS: usize = 10;
    let server = Server::start(backend).await;
    let other = server.second_node().await;
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(server.stored_key().await.0);
    }
    let flush = async |node: &Node, forwards: bool| {
        for round in 0..ROUNDS {
            for at in 0..KEYS {
                let id = keys[if forwards { at } else { KEYS - 1 - at }];
                let held = node.authenticator.key(&id).await.expect("an answer").expect("a key");
                let now = server.clock.now().plus(round as i64);
                node.usage.count(
                    &held,
                    held.secrets.first().map(|secret| secret.id.into()),
                    UseKind::Token,
                    now,
                );
            }
            node.usage
                .flush(&node.records.store, server.clock.now())
                .await
                .expect("a flush that nobody is in the way of");
        }
    };
    tokio::join!(flush(&server.node, true), flush(&other.node, false));
    let buckets = format!("SELECT COUNT(*) FROM key_usage WHERE kind = 'token' AND count = {}", 2 * ROUNDS);
    assert_eq!(server.database.number(&buckets).await, 2 * KEYS as i64, "an hour's and a day's for each");
    let of_project = "SELECT CAST(SUM(count) AS BIGINT) FROM project_usage WHERE span = 3600";
    assert_eq!(server.database.number(of_project).await, (2 * ROUNDS * KEYS) as i64);
    let last_used = format!(
        "SELECT COUNT(*) FROM key_last_use WHERE last_used_at = {}",
        START.unix() + ROUNDS as i64 - 1
    );
    assert_eq!(server.database.number(&last_used).await, KEYS as i64);
}

async fn what_one_node_refuses_makes_the_others_forget_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let other = Hearer::beside(&server, Hearing::Asking).await;
    let (_, key) = server.key(&["read:*"]).await;
    let (_, elsewhere) = server.key_from(json!({ "preset": "query_only", "cidrs": ["192.0.2.1"] })).await;
    other.node.node.catch_up().await.expect("the store answers");
    assert!(works(&other.node.client(), &key).await);
    assert!(!works(&server.client(), &elsewhere).await);
    assert!(!works(&other.node.client(), &elsewhere).await);
    server.flush().await;
    other.node.node.usage.flush(&other.node.node.records.store, server.clock.now()).await.expect("a flush");
    other.node.node.catch_up().await.expect("the store answers");
    let id = claviger::domain::api_key::claimed_id(&key).expect("a key");
    assert!(other.node.node.authenticator.keys.cached(&id).is_some(), "it is cached as before");
    let noted = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.refused'";
    assert_eq!(server.database.number(noted).await, 2, "each node notes its own");
}
