//! What the nodes of a deployment have in common: the store remembers it, and a start that differs is refused.

use std::process::Output;

use crate::support::{Backend, Claviger, Database, on_both, until};

on_both!(
    a_start_with_another_issuer_or_brand_is_refused,
    an_issuer_is_changed_by_one_start_that_says_so,
    an_issuer_that_follows_from_the_listener_is_not_remembered,
    a_backup_is_restored_for_another_issuer,
    other_audiences_are_reported_and_refuse_nothing,
);

const ISSUER: &str = "https://auth.example.com";
const OTHER: &str = "https://login.example.com";

fn with_issuer(database: &Database, issuer: &str) -> Claviger {
    Claviger::over(database).set("CLAVIGER_ISSUER", issuer)
}

fn refused(claviger: &Claviger) -> String {
    let Output { status, stderr, .. } = claviger.run(&["serve"]);
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).expect("text")
}

/// Starts with this flag, which a process that serves gets like any other argument.
async fn accepted(claviger: &Claviger, database: &Database) {
    let mut child = claviger.spawn_command(&["serve", "--accept-new-identity"]);
    let changed = "SELECT COUNT(*) FROM audit_events WHERE action = 'deployment.change'";
    until("the deployment has another identity", async || database.number(changed).await > 0).await;
    child.kill().expect("a running server");
    child.wait().expect("an end");
}

async fn a_start_with_another_issuer_or_brand_is_refused(backend: Backend) {
    let database = backend.fresh().await;
    drop(with_issuer(&database, ISSUER).serve());
    drop(with_issuer(&database, ISSUER).serve());
    for (claviger, said) in [
        (with_issuer(&database, OTHER), [ISSUER, OTHER, "CLAVIGER_ISSUER"]),
        (Claviger::over(&database), [ISSUER, "this start names none", "CLAVIGER_ISSUER"]),
        (with_issuer(&database, ISSUER).set("CLAVIGER_BRAND", "acme"), ["clv", "acme", "CLAVIGER_BRAND"]),
    ] {
        let why = refused(&claviger);
        for part in said.into_iter().chain(["--accept-new-identity"]) {
            assert!(why.contains(part), "{part}: {why}");
        }
    }
}

async fn an_issuer_is_changed_by_one_start_that_says_so(backend: Backend) {
    let database = backend.fresh().await;
    drop(with_issuer(&database, ISSUER).serve());
    let other = with_issuer(&database, OTHER).set("CLAVIGER_BRAND", "acme");
    accepted(&other, &database).await;
    drop(other.serve());
    assert!(refused(&with_issuer(&database, ISSUER)).contains(OTHER));
    let query = "SELECT actor || ' ' || before || ' ' || after FROM audit_events
        WHERE action = 'deployment.change'";
    let event = database.texts(query).await.remove(0);
    let expected = r#"operator {"brand":"clv","issuer":"https://auth.example.com"} {"brand":"acme","issuer":"https://login.example.com"}"#;
    assert_eq!(event, expected);
}

async fn an_issuer_that_follows_from_the_listener_is_not_remembered(backend: Backend) {
    let database = backend.fresh().await;
    let first = Claviger::over(&database).serve().issuer.clone();
    let second = Claviger::over(&database).serve().issuer.clone();
    assert_ne!(first, second, "each start has a port of its own");
    // From the first one that is named, it is.
    drop(with_issuer(&database, ISSUER).serve());
    assert!(refused(&Claviger::over(&database)).contains(ISSUER));
}

async fn a_backup_is_restored_for_another_issuer(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = with_issuer(&database, ISSUER);
    drop(claviger.serve());
    let file = database.folder.path().join("store.backup").display().to_string();
    assert!(claviger.run(&["backup", &file]).status.success());
    let empty = backend.fresh().await;
    let key = std::fs::read_to_string(database.folder.path().join("keys/master.key")).expect("a master key");
    let other = with_issuer(&empty, OTHER).set("CLAVIGER_MASTER_KEY", key.trim());
    assert!(other.run(&["restore", &file]).status.success());
    assert!(refused(&other).contains(ISSUER), "the backup's");
    accepted(&other, &empty).await;
    // In a store that is replaced the issuer stays that of its nodes.
    let replaced = other.run(&["restore", "--replace", &file]);
    assert!(replaced.status.success(), "{}", String::from_utf8_lossy(&replaced.stderr));
    drop(other.serve());
}

async fn other_audiences_are_reported_and_refuse_nothing(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = with_issuer(&database, ISSUER);
    drop(claviger.clone().set("CLAVIGER_AUDIENCES", "https://api.example.com").serve());
    let server = claviger.clone().set("CLAVIGER_AUDIENCES", "https://api.example.org").serve();
    assert!(
        claviger.log().contains("this start has other audiences than the one before"),
        "{}",
        claviger.log()
    );
    assert_eq!(server.client().get("/readyz").await.status, 200);
}
