//! All of a store is in its backup, and all of the backup is in the restored store.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use claviger::jose::jwk::Algorithm;
use serde_json::json;

use super::{backed_up, backends, looked_into, moved, printed, stop};
use crate::search::{Needle, assert_absent};
use crate::support::assertion::Holder;
use crate::support::{Backend, Claviger, Client, Database, Process, on_both};

on_both!(
    a_backup_holds_every_table_and_column,
    a_backup_restores_into_either_database_as_it_was,
    a_backup_of_an_older_schema_is_brought_up_to_date,
    only_its_owner_can_read_a_backup,
);

/// What is the file's own, and no table of the store.
const NOT_THE_STORE: [&str; 2] = ["_sqlx_migrations", "backup"];

/// Puts something into every table. The key works, and so does its token.
async fn filled(claviger: &Claviger, database: &Database) -> (Process, String, String) {
    let claviger = claviger.clone().set("CLAVIGER_ASSERTION_SINGLE_USE", "store");
    let server = claviger.set("CLAVIGER_USAGE_FLUSH", "3600").serve();
    let admin = server.admin();
    let done = |answer: crate::support::Answer| assert!(answer.status < 300, "{}", answer.text);
    done(
        admin
            .post_json("/v1/orgs", &json!({ "id": "acme", "audiences": [format!("{}/api", server.issuer)] }))
            .await,
    );
    done(admin.post_json("/v1/orgs/acme/projects", &json!({ "id": "web", "environments": ["live"] })).await);
    let key = json!({
        "name": "Größe '\"%\u{1f511}", "note": "a\nb", "tags": { "team": "b" }, "owner": "o", "project": "web", "environment": "live", "preset": "query_only",
        "cidrs": ["127.0.0.0/8"], "expires_in": "1y",
    });
    let made = admin.with("idempotency-key", "once").post_json("/v1/orgs/acme/keys", &key).await;
    let key = made.json()["key"].as_str().expect("a key").to_owned();
    let token = server.client().access_token(&key, "").await;
    let (revoked, revoked_key) = admin.create_key(&["read:*"]).await;
    let revoked_token = server.client().access_token(&revoked_key, "").await;
    done(admin.post_form("/oauth/revoke", &format!("token={revoked_token}")).await);
    let reason = json!({ "reason": "leaked" });
    done(admin.post_json(&format!("/v1/orgs/default/keys/{revoked}/revoke"), &reason).await);
    done(admin.post_json("/v1/signing-keys/rotate", &json!({})).await);
    let holder = Holder::new(Algorithm::Es256);
    let signer = json!({ "preset": "query_only", "public_keys": [{ "jwk": holder.jwk }] });
    let (signer, _) = admin.create_key_from(signer).await;
    let issuer = json!({ "id": "ci", "issuer": "https://ci.example.com",
        "keys": { "jwks": { "keys": [holder.jwk] } }, "algorithms": ["ES256"] });
    done(admin.post_json("/v1/orgs/default/issuers", &issuer).await);
    let scope =
        json!({ "id": "read", "scope": "read:*", "name": "Lesen", "description": "a\u{e4}", "group": "x" });
    done(admin.post_json("/v1/orgs/default/scopes", &scope).await);
    done(admin.post_json("/v1/scopes", &scope).await);
    let now = claviger::base::clock::Clock::system().now().unix();
    done(server.client().token_by(&holder.assertion(&signer, &server.issuer, now), "").await);
    let required = json!({ "dpop": "required" });
    done(admin.patch(&format!("/v1/orgs/default/keys/{signer}"), &required).await);
    let portal = json!({
        "subject": "user-1", "name": "Ada", "projects": ["default"], "may": ["list"], "max_keys": 1,
        "scopes_within": [{ "action": "read", "resource": "orders/*" }],
        "keys": "own"
    });
    done(admin.post_json("/v1/orgs/default/portal-sessions", &portal).await);
    // No provider is configured at which anybody could sign in.
    database
        .execute(
            "INSERT INTO members (id, created_seq, organization, provider, issuer, subject, email, email_folded, name,
                 role, projects, generation, source, created_at, created_by)
             VALUES ('usr_0123456789abcdef', 1, 'acme', 'sso', 'https://sso.example.com', '1', 'a@example.com',
                 'a@example.com', 'Ada', 'owner', '', 0, 'invitation', 1, 'bootstrap')",
        )
        .await;
    let page = server.client().with("origin", &server.issuer);
    let signed_in = page.post_form("/console/sign-in", &format!("key={}", server.admin_key())).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.text);
    (server, key, token)
}

async fn a_backup_holds_every_table_and_column(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    stop(filled(&claviger, &database).await.0);
    let file = looked_into(&backed_up(&claviger, &database, "a.backup"));
    let columns_on_sqlite =
        "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' ORDER BY 1";
    let columns_on_postgres = "SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = 'public'";
    let query = if backend == Backend::Sqlite { columns_on_sqlite } else { columns_on_postgres };
    let columns = |names: Vec<String>| -> BTreeSet<String> {
        let own = |name: &String| !NOT_THE_STORE.iter().any(|table| name.starts_with(&format!("{table}.")));
        names.into_iter().filter(own).collect()
    };
    let kept = columns(file.texts(columns_on_sqlite).await);
    assert_eq!(kept, columns(database.texts(query).await));
    let tables: BTreeSet<&str> = kept.iter().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let rows = database.number(&count).await;
        if table == "nodes" {
            // Those that run are no part of the store's contents.
            assert_eq!((rows, file.number(&count).await), (0, 0), "the server has stopped");
            continue;
        }
        // One that ended since would come to life again.
        let kept = if matches!(table, "console_sessions" | "portal_sessions") { 0 } else { rows };
        assert_eq!(file.number(&count).await, kept, "{table}");
        assert!(rows > 0, "nothing is put into {table}, and so it is not tested");
    }
}

async fn a_backup_restores_into_either_database_as_it_was(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let (server, key, token) = filled(&claviger, &database).await;
    let issuer = server.issuer.clone();
    let (admin_key, jwks) = (server.admin_key(), jwks(&server.client()).await);
    stop(server);
    let first = backed_up(&claviger, &database, "first.backup");
    for target in backends() {
        let other = target.fresh().await;
        let restored = moved(&database, &other).set("CLAVIGER_ISSUER", &issuer);
        let said = printed(&restored, &["restore", "first.backup"]);
        assert!(said.contains("Active API keys: 3."), "{said}");
        let name = format!("{target:?}.backup");
        let second = backed_up(&restored, &database, &name);
        assert_same_but_for_the_restore(&rows(&first).await, &rows(&second).await);
        assert_ne!(epoch(&looked_into(&first)).await, epoch(&other).await, "a new history of changes");

        let server = restored.serve();
        let client = server.client();
        assert_eq!(client.token(&key, "").await.status, 200);
        let admin = client.bearer(&admin_key);
        let introspected = admin.post_form("/oauth/introspect", &format!("token={token}")).await;
        assert_eq!(introspected.json()["active"], true, "{}", introspected.text);
        assert_eq!(self::jwks(&client).await, jwks);
        admin.create_key(&["read:*"]).await;
    }
}

async fn jwks(client: &Client) -> String {
    client.get("/.well-known/jwks.json").await.text
}

async fn epoch(database: &Database) -> Vec<String> {
    database.texts("SELECT epoch FROM deployment").await
}

/// The rows of a backup, but for those that a restore changes in any case.
async fn rows(file: &Path) -> BTreeSet<String> {
    let others = [&NOT_THE_STORE[..], &["deployment", "sequences"]].concat();
    let is_kept = |row: &String| !others.iter().any(|table| row.starts_with(&format!("{table} ")));
    looked_into(file).dump().await.into_iter().filter(is_kept).collect()
}

fn assert_same_but_for_the_restore(first: &BTreeSet<String>, second: &BTreeSet<String>) {
    assert_eq!(first.difference(second).collect::<Vec<_>>(), [""; 0]);
    let new: Vec<_> = second.difference(first).collect();
    let [event, change] = new[..] else { panic!("{new:?}") };
    assert!(event.starts_with("audit_events ") && event.contains("'restore'"), "{event}");
    assert!(change.starts_with("changes ") && change.contains("'restore'"), "{change}");
}

async fn a_backup_of_an_older_schema_is_brought_up_to_date(backend: Backend) {
    let new = Backend::Sqlite.fresh().await;
    let claviger = Claviger::over(&new);
    let (server, key, _) = filled(&claviger, &new).await;
    let (admin_key, issuer) = (server.admin_key(), server.issuer.clone());
    stop(server);
    let old = aged(&new).await;
    backed_up(&moved(&new, &old), &new, "old.backup");
    assert_eq!(
        old.number("SELECT MAX(version) FROM _sqlx_migrations").await,
        1,
        "nothing is done to the store"
    );

    let database = backend.fresh().await;
    let restored = moved(&new, &database).set("CLAVIGER_ISSUER", &issuer);
    printed(&restored, &["restore", "old.backup"]);
    assert_eq!(database.number("SELECT COUNT(*) FROM api_keys WHERE is_way_in = 1").await, 1);
    let server = restored.serve();
    assert_eq!(server.client().token(&key, "").await.status, 200);
    server.client().bearer(&admin_key).create_key(&["read:*"]).await;
}

/// What an SQLite store holds, as the first version of the schema had it: as far as that had the same tables.
async fn aged(new: &Database) -> Database {
    let tables = new.texts("SELECT quote(name) FROM sqlite_schema WHERE type = 'table'").await.join(", ");
    let old = Backend::Sqlite.fresh().await;
    std::fs::write(old.url.trim_start_matches("sqlite://"), "").expect("an empty file");
    old.execute(include_str!("../../../migrations/0001_base.sql")).await;
    let attach =
        format!("PRAGMA foreign_keys = OFF; ATTACH '{}' AS new;", new.url.trim_start_matches("sqlite://"));
    let copies = old
        .texts(&format!(
            "{attach} SELECT format('DELETE FROM main.%s; INSERT INTO main.%s (%s) SELECT %s FROM new.%s;', name, name, columns,
                 columns, name)
             FROM (SELECT name, (SELECT group_concat(name) FROM pragma_table_info(m.name)
                          WHERE name IN (SELECT name FROM pragma_table_info(m.name, 'new'))) AS columns
                   FROM sqlite_schema m WHERE type = 'table' AND name IN ({tables}))"
        ))
        .await;
    old.execute(&format!(
        "{attach} {}
         UPDATE main.api_keys
         SET last_used_at = (SELECT last_used_at FROM new.key_last_use WHERE key_id = main.api_keys.id);
         CREATE TABLE main._sqlx_migrations AS SELECT * FROM new._sqlx_migrations WHERE version = 1",
        copies.concat()
    ))
    .await;
    old
}

async fn only_its_owner_can_read_a_backup(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let file = backed_up(&claviger, &database, "a.backup");
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    let master_key = std::fs::read_to_string(database.folder.path().join("keys/master.key")).expect("a file");
    let secrets = [Needle::text("the master key", &master_key), Needle::text("a key", &server.admin_key())];
    assert_absent(&secrets, &[("the backup".into(), std::fs::read(&file).expect("a file"))]);
    let names = std::fs::read_dir(database.folder.path()).expect("a folder");
    let names = names.map(|entry| entry.expect("a file").file_name().into_string().expect("text"));
    let beside: Vec<_> = names.filter(|name| name.contains("backup")).collect();
    assert_eq!(beside, ["a.backup"], "and no draft of it");
}
