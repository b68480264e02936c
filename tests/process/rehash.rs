//! A store whose hashes have another cost than the settings: each is replaced at the first use of its secret.

use claviger::store::Store;
use serde_json::json;

use crate::support::{Backend, Claviger, Database, on_both, until};

on_both!(
    a_hash_of_another_cost_is_replaced_at_its_first_use_and_nothing_else_changes,
    a_hash_that_cannot_be_replaced_stays,
    a_secret_that_changed_meanwhile_is_left_alone,
);

const FORMER: &str = "$argon2id$v=19$m=1024,t=2,p=1$";
/// The default.
const NOW: &str = "$argon2id$v=19$m=8,t=1,p=1$";

fn at_another_cost(database: &Database) -> Claviger {
    Claviger::over(database).set("CLAVIGER_ARGON2_MEMORY", "1024").set("CLAVIGER_ARGON2_PASSES", "2")
}

/// An empty variable is none.
fn at_the_default(database: &Database) -> Claviger {
    Claviger::over(database).set("CLAVIGER_ARGON2_MEMORY", "").set("CLAVIGER_ARGON2_PASSES", "")
}

async fn hashes(database: &Database, key: &str) -> Vec<String> {
    database
        .texts(&format!("SELECT hash FROM key_secrets WHERE key_id = '{key}' ORDER BY created_at, id"))
        .await
}

/// What everybody else sees of a change.
async fn traces(database: &Database, key: &str) -> Vec<i64> {
    let mut traces = Vec::new();
    for query in [
        "SELECT value FROM sequences WHERE name = 'changes'",
        "SELECT COUNT(*) FROM audit_events",
        "SELECT COUNT(*) FROM changes",
        &format!("SELECT generation FROM api_keys WHERE id = '{key}'"),
    ] {
        traces.push(database.number(query).await);
    }
    traces
}

async fn a_hash_of_another_cost_is_replaced_at_its_first_use_and_nothing_else_changes(backend: Backend) {
    let database = backend.fresh().await;
    let server = at_another_cost(&database).serve();
    let (id, key) = server.admin().create_key(&["read:*"]).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    let tag = server.admin().get(&path).await.header("etag").to_owned();
    server.signal("TERM");
    assert!(server.end().0.success());
    assert!(hashes(&database, &id).await[0].starts_with(FORMER));

    let claviger = at_the_default(&database);
    let server = claviger.serve();
    let before = traces(&database, &id).await;
    assert_eq!(server.client().token(&key, "").await.status, 200);
    until("the hash is replaced", async || hashes(&database, &id).await[0].starts_with(NOW)).await;
    assert_eq!(traces(&database, &id).await, before);
    assert_eq!(server.admin().get(&path).await.header("etag"), tag);
    assert_eq!(server.client().token(&key, "").await.status, 200);
    server.signal("TERM");
    assert!(server.end().0.success());
    // The new hash is the secret's.
    let server = claviger.serve();
    assert_eq!(server.client().token(&key, "").await.status, 200);
    assert_eq!(server.client().token(&key.replace("clv_prd_", "clv_dev_"), "").await.status, 401);
}

async fn a_hash_that_cannot_be_replaced_stays(backend: Backend) {
    let database = backend.fresh().await;
    let server = at_another_cost(&database).serve();
    let (id, key) = server.admin().create_key(&["read:*"]).await;
    server.signal("TERM");
    assert!(server.end().0.success());
    let before = hashes(&database, &id).await;
    let (refuse, allow) = match backend {
        Backend::Sqlite => (
            "CREATE TRIGGER kept BEFORE UPDATE OF hash ON key_secrets BEGIN SELECT RAISE(ABORT, 'kept'); END",
            "DROP TRIGGER kept",
        ),
        Backend::Postgres => (
            "ALTER TABLE key_secrets ADD CONSTRAINT kept CHECK (hash NOT LIKE '%m=8,%')",
            "ALTER TABLE key_secrets DROP CONSTRAINT kept",
        ),
    };
    let claviger = at_the_default(&database);
    let server = claviger.serve();
    database.execute(refuse).await;
    assert_eq!(server.client().token(&key, "").await.status, 200);
    until("it is logged", async || claviger.log().contains("a secret could not be rehashed")).await;
    assert_eq!(hashes(&database, &id).await, before);
    assert_eq!(server.client().token(&key, "").await.status, 200);
    database.execute(allow).await;
    server.signal("TERM");
    assert!(server.end().0.success());
    // The next process tries again.
    let server = claviger.serve();
    assert_eq!(server.client().token(&key, "").await.status, 200);
    until("the hash is replaced", async || hashes(&database, &id).await[0].starts_with(NOW)).await;
}

async fn a_secret_that_changed_meanwhile_is_left_alone(backend: Backend) {
    let database = backend.fresh().await;
    let server = at_another_cost(&database).serve();
    let (id, _) = server.admin().create_key(&["read:*"]).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    let rotated =
        server.admin().post_json(&format!("{path}/rotate"), &json!({ "overlap_seconds": 3600 })).await;
    assert!(rotated.status < 300, "{}", rotated.text);
    let secret = "SELECT id FROM key_secrets WHERE key_id = '{id}' ORDER BY created_at, id LIMIT 1"
        .replace("{id}", &id);
    let secret = database.texts(&secret).await.remove(0);
    let retired = server.admin().delete(&format!("{path}/secrets/{secret}")).await;
    assert!(retired.status < 300, "{}", retired.text);
    server.signal("TERM");
    assert!(server.end().0.success());

    let hash_of = format!("SELECT hash FROM key_secrets WHERE id = '{secret}'");
    let retired = database.texts(&hash_of).await.remove(0);
    let live = database
        .texts(&format!("SELECT id FROM key_secrets WHERE key_id = '{id}' AND retired_at IS NULL"))
        .await
        .remove(0);
    let store = Store::open(&database.url).await.unwrap();
    assert!(!store.replace_hash(secret.parse().unwrap(), &retired, "new").await.unwrap(), "it is retired");
    assert!(
        !store.replace_hash(live.parse().unwrap(), "another", "new").await.unwrap(),
        "it has another hash"
    );
    store.close().await;
    assert!(!hashes(&database, &id).await.iter().any(|hash| hash == "new"));
    let retired_at =
        format!("SELECT COUNT(*) FROM key_secrets WHERE id = '{secret}' AND retired_at IS NOT NULL");
    assert_eq!(database.number(&retired_at).await, 1);
}
