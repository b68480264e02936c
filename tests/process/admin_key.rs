//! `claviger admin-key`: the way back in for whoever has lost the last administrator's key.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Backend, Claviger, Client, Process, on_both};

on_both!(
    a_new_administrator_gets_in_where_nobody_could,
    the_key_is_at_home_where_it_is_told_or_can_be,
    a_store_in_use_is_left_alone_or_shared,
    nothing_is_made_without_the_master_key_or_a_store,
);

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The key on the last line.
#[track_caller]
fn key(done: &Output) -> String {
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    text(&done.stdout).lines().last().expect("a line").to_owned()
}

fn stop(server: Process) {
    server.signal("TERM");
    assert!(server.end().0.success());
}

/// Revokes all keys, the administrator's own included.
async fn lock_out(admin: &Client) {
    let all = json!({ "filter": { "project": "default" } });
    let revoked = admin.post_json("/v1/orgs/default/keys/revoke?force=true", &all).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    admin.get("/v1/orgs").await.refused(401, "key_revoked");
}

async fn a_new_administrator_gets_in_where_nobody_could(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_ISSUER", "http://127.0.0.1:1");
    let mut server = Some(claviger.serve());
    lock_out(&server.as_ref().unwrap().admin()).await;
    if backend == Backend::Sqlite {
        stop(server.take().unwrap());
    }
    // On PostgreSQL beside the server, which goes on.
    let made = claviger.run(&["admin-key", "--name", "Rescue"]);
    let key = key(&made);
    assert!(key.starts_with("clv_prd_"), "{made:?}");
    assert!(!text(&made.stderr).contains(&key) && text(&made.stdout).contains("\"Rescue\""), "{made:?}");
    let server = server.unwrap_or_else(|| claviger.serve());
    let admin = server.client().bearer(&key);
    let own = admin.get("/v1/self").await.done(200);
    assert_eq!(own["scopes"], json!([{ "action": "*", "resource": "claviger/**" }]));
    let id = own["id"].as_str().expect("an id");
    let shown = admin.get(&format!("/v1/orgs/default/keys/{id}")).await.done(200);
    assert_eq!(
        (&shown["name"], &shown["created_by"], &shown["expires_at"], &shown["cidrs"]),
        (&json!("Rescue"), &json!("operator"), &Value::Null, &json!(["0.0.0.0/0", "::/0"]))
    );
    let events = admin.get(&format!("/v1/audit?key={id}&action=key.create")).await.done(200);
    let event = &events["data"][0];
    assert_eq!((&event["actor"], &event["organization"]), (&json!("operator"), &json!("default")));
    assert_eq!(event["after"]["name"], "Rescue");
    let new = json!({ "name": "k", "project": "default", "environment": "prd", "preset": "query_only" });
    admin.post_json("/v1/orgs/default/keys", &new).await.done(201);
    admin.post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await.refused(409, "conflict");
    assert!(!claviger.log().contains(&key));
    // It alone opens a console that is closed to keys: the key of the set-up has no such mark.
    let sql = "SELECT COUNT(*) FROM api_keys WHERE recovery_at IS NOT NULL AND created_by = 'operator'";
    assert_eq!(database.number(sql).await, 1);
}

async fn the_key_is_at_home_where_it_is_told_or_can_be(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let admin = server.admin();
    admin.post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    let project = json!({ "id": "web", "environments": ["test", "live"] });
    admin.post_json("/v1/orgs/acme/projects", &project).await.done(201);
    stop(server);
    let made = |arguments: &[&str]| {
        let done = claviger.run(&[&["admin-key", "--json"], arguments].concat());
        assert_eq!(done.status.code(), Some(0), "{done:?}");
        let made: Value = serde_json::from_slice(&done.stdout).expect("JSON");
        let text = |member: &str| made[member].as_str().expect("text").to_owned();
        assert!(text("key").starts_with(&format!("clv_{}_", text("environment"))), "{made}");
        [text("organization"), text("project"), text("environment")].join("/")
    };
    assert_eq!(made(&[]), "default/default/prd");
    assert_eq!(made(&["--env", "dev"]), "default/default/dev");
    assert_eq!(made(&["--org", "acme"]), "acme/web/test");
    assert_eq!(made(&["--org", "acme", "--project", "web", "--env", "live"]), "acme/web/live");
    let before = database.dump().await;
    for (arguments, why) in [
        (&["--org", "nobody"][..], "the project does not exist"),
        (&["--org", "acme", "--project", "default"], "the project does not exist"),
        (&["--org", "acme", "--env", "prd"], "it has test live"),
        (&["--name", " "], "name is empty"),
    ] {
        let refused = claviger.run(&[&["admin-key"], arguments].concat());
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(text(&refused.stderr).contains(why), "{refused:?}");
    }
    assert_eq!(database.dump().await, before);
    // Where `default` is gone, the oldest project is home.
    let gone = "UPDATE projects SET deleted_at = 1 WHERE organization = 'default';
                UPDATE organizations SET deleted_at = 1 WHERE id = 'default'";
    database.execute(gone).await;
    assert_eq!(made(&[]), "acme/web/test");
}

async fn a_store_in_use_is_left_alone_or_shared(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    let made = claviger.run(&["admin-key"]);
    if backend == Backend::Postgres {
        server.client().bearer(&key(&made)).get("/v1/orgs").await.done(200);
        return;
    }
    assert_eq!((made.status.code(), text(&made.stdout).as_str()), (Some(1), ""));
    let why = text(&made.stderr);
    assert!(why.contains("a server is using") && why.contains("stop the server"), "{why}");
    server.admin().get("/v1/orgs").await.done(200);
}

async fn nothing_is_made_without_the_master_key_or_a_store(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let empty = claviger.run(&["admin-key"]);
    assert_eq!(empty.status.code(), Some(1), "{empty:?}");
    assert!(text(&empty.stderr).contains("the store is empty"), "{empty:?}");
    assert!(claviger.run(&["init"]).status.success());
    let before = database.dump().await;
    let other = claviger.clone().set("CLAVIGER_MASTER_KEY", &"A".repeat(43)).run(&["admin-key"]);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert!(text(&other.stderr).contains("is not the master key"), "{other:?}");
    std::fs::remove_file(database.folder.path().join("keys/master.key")).expect("a master key");
    let none = claviger.run(&["admin-key"]);
    assert!(text(&none.stderr).contains("a master key that is not here"), "{none:?}");
    assert_eq!(database.dump().await, before);
}
