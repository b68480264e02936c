//! From an empty folder to a token, and what a second start does.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::signing::verified;
use crate::support::{Backend, Claviger, is_here, on_both};

on_both!(the_first_start_shows_the_way_to_a_token, on_a_terminal_the_key_itself_is_shown);

async fn the_first_start_shows_the_way_to_a_token(backend: Backend) {
    if !is_here("curl") {
        return;
    }
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.serve();
    for (file, mode) in [("keys", 0o700), ("keys/master.key", 0o600), ("keys/admin.key", 0o600)] {
        let found = fs::metadata(database.folder.path().join(file)).expect("a file").permissions().mode();
        assert_eq!(found & 0o777, mode, "{file}");
    }
    let admin_key = server.admin_key();
    assert!(!server.greeting.contains(&admin_key), "standard output may be a log that is kept");
    let pasted = paste(&server.greeting, database.folder.path());
    let token: serde_json::Value = serde_json::from_slice(&pasted.stdout).expect("a token answer");
    let claims = verified(&server, token["access_token"].as_str().expect("a token")).await;
    assert_eq!((&*claims.scope, &*claims.organization), ("read:*", "default"));
    server.signal("TERM");
    let (status, rest) = server.end();
    assert!(status.success() && rest.is_empty(), "{status}: {rest}");

    let again = claviger.serve();
    assert_eq!(again.greeting.lines().count(), 1, "{}", again.greeting);
    assert_eq!(again.client().bearer(&admin_key).get("/v1/self").await.status, 200);
}

async fn on_a_terminal_the_key_itself_is_shown(backend: Backend) {
    if !is_here("script") {
        return;
    }
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database);
    let server = claviger.clone().on_a_terminal().serve();
    let shown = server.greeting.lines().map(str::trim).find(|line| line.starts_with("clv_prd_"));
    let key = shown.expect("the administrator's key").to_owned();
    assert_eq!(server.client().bearer(&key).get("/v1/self").await.status, 200);
    assert!(!database.folder.path().join("keys/admin.key").exists());
    server.signal("TERM");
    server.end();
    assert!(!claviger.serve().greeting.contains("clv_"));
}

/// Pastes the lines that are set off into a shell.
fn paste(greeting: &str, folder: &Path) -> Output {
    let lines: Vec<_> = greeting.lines().filter(|line| line.starts_with("  ")).collect();
    let done =
        Command::new("sh").arg("-ec").arg(lines.join("\n")).current_dir(folder).output().expect("a shell");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done
}
