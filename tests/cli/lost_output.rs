//! Output that is lost is a failure. A reader who closed the pipe has had enough, which is none.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::shell::{Said, Scene, Shell, full};
use crate::support::{Backend, on_both};

on_both!(
    a_full_disk_is_a_failure_of_every_command,
    a_new_secret_that_is_lost_is_named,
    secrets_of_an_applied_file_are_named_when_they_are_lost,
    a_new_key_is_printed_when_standard_error_is_lost,
    a_closed_pipe_is_no_failure_unless_a_secret_is_lost
);

const CREATE: [&str; 9] =
    ["keys", "create", "Lost", "--project", "default", "--env", "prd", "--preset", "query_only"];

#[track_caller]
fn assert_lost(said: &Said) {
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("cannot write to standard output: No space left on device"), "{said:?}");
}

async fn a_full_disk_is_a_failure_of_every_command(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let token = admin.ok(&["token"]).stdout;
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["keys", "--help"],
        &["completions", "bash"],
        &["man"],
        &["self"],
        &["self", "--json"],
        &["token"],
        &["verify", token.trim_end()],
        &["orgs", "list"],
        &["orgs", "get"],
        &["orgs", "export"],
        &["orgs", "export", "--json"],
        &["projects", "list"],
        &["projects", "create", "web"],
        &["keys", "list"],
        &["keys", "list", "--all", "--json"],
        &["usage", "org"],
        &["audit"],
        &["audit", "--json"],
        &["audit", "--format", "csv"],
        &["audit", "--format", "jsonl"],
        &["signing-keys", "list"],
    ] {
        let said = admin.run_full(arguments);
        assert_lost(&said);
    }
    assert_eq!(admin.json(&["projects", "get", "web"])["id"], "web", "the change has been made");
    let said = admin.run_full(&["self", "--json"]);
    let error: Value = serde_json::from_str(&said.stderr).unwrap();
    assert_eq!(error["error"]["code"], "failed", "{said:?}");
    // Standard error, where most of what is said goes when something is done.
    let said = admin.run_into(Stdio::piped(), full(), &["projects", "delete", "web"]);
    assert_eq!(said.code, 1, "{said:?}");
}

async fn a_new_secret_that_is_lost_is_named(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let newest = || admin.json(&["keys", "list"])["data"][0].clone();
    for more in [&[][..], &["--json"]] {
        let said = admin.run_full(&[&CREATE, more].concat());
        assert_lost(&said);
        let id = newest()["id"].as_str().unwrap().to_owned();
        assert!(said.stderr.contains(&format!("the new secret of {id} is lost")), "{said:?}");
        if more.is_empty() {
            let advice = format!("`claviger keys rotate {id} --org default --overlap 0`");
            assert!(said.stderr.contains(&advice), "{said:?}");
        }
    }
    let id = newest()["id"].as_str().unwrap().to_owned();
    let said = admin.run_full(&["keys", "rotate", &id, "--overlap", "24h"]);
    assert_lost(&said);
    let secret = newest()["secrets"][1]["id"].as_str().unwrap().to_owned();
    let advice = format!("`claviger keys retire-secret {id} {secret} --org default`");
    assert!(said.stderr.contains(&advice), "{said:?}");
    // The advice works.
    admin.ok(&["keys", "rotate", &id, "--overlap", "0"]);
}

async fn secrets_of_an_applied_file_are_named_when_they_are_lost(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let file = |name: &str| {
        let key = format!(
            "[organization]\nid = 'default'\n[[keys]]\nname = '{name}'\nproject = 'default'\nenvironment = 'prd'\n\
             preset = 'query_only'\n"
        );
        fs::write(admin.path("org.toml"), key).unwrap();
    };
    let ids = || admin.json(&["keys", "list", "-q", "Lost"])["data"].as_array().unwrap().len();
    file("Lost");
    let said = admin.run_full(&["apply", "-f", "org.toml", "--yes"]);
    assert_lost(&said);
    assert_eq!(ids(), 0, "what cannot be shown before is not done");
    let said = admin.run_unread(&["apply", "-f", "org.toml", "--yes"]);
    assert_eq!((said.code, ids()), (1, 1), "{said:?}");
    assert!(said.stderr.contains("the new secret of key_"), "{said:?}");
    file("Lost too");
    let said = admin.run_full(&["apply", "-f", "org.toml", "--yes", "--json"]);
    assert_lost(&said);
    assert!(said.stderr.contains("the new secret of key_"), "{said:?}");
}

async fn a_new_key_is_printed_when_standard_error_is_lost(backend: Backend) {
    let scene = Scene::set(backend).await;
    let said = scene.admin.run_into(Stdio::piped(), full(), &CREATE);
    assert_eq!(said.code, 1, "{said:?}");
    scene.shell_of(said.stdout.trim_end()).ok(&["self"]);
}

async fn a_closed_pipe_is_no_failure_unless_a_secret_is_lost(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    for arguments in [
        &["completions", "bash"][..],
        &["man"],
        &["--help"],
        &["orgs", "export"],
        &["audit", "--format", "csv"],
        &["keys", "list", "--all", "--json"],
        &["token"],
    ] {
        let said = admin.run_unread(arguments);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{arguments:?}");
    }
    assert_eq!(admin.run_unread(&["verify", "nonsense"]).code, 7, "a closed pipe hides no failure");
    let said = admin.run_unread(&CREATE);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stderr.contains("the new secret of key_"), "{said:?}");
}

#[test]
fn an_administrators_key_that_cannot_be_printed_is_kept_in_a_file() {
    for run in [Shell::run_full, Shell::run_unread] {
        let shell = Shell::new();
        let said = run(&shell, &["init"]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.stderr.contains("the administrator's key is in keys/admin.key instead"), "{said:?}");
        let key = fs::read_to_string(shell.path("keys/admin.key")).unwrap();
        assert!(key.starts_with("clv_prd_"), "{key}");
    }
}

#[test]
fn a_file_that_cannot_be_written_whole_is_a_failure() {
    let shell = Shell::new();
    shell.ok(&["init"]);
    // A limit on the size of files, which only the command under test has.
    let limited = |line: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 8; exec \"$CLAVIGER\" {line}");
        let done = shell
            .command("sh")
            .args(["-c", &script])
            .env("CLAVIGER", crate::shell::BINARY)
            .output()
            .expect("a shell");
        Said::from(done)
    };
    let said = limited("backup small.db");
    assert!(said.code == 1 && !shell.path("small.db").exists(), "{said:?}");
    fs::create_dir_all(shell.path(".config/claviger")).unwrap();
    let profiles = shell.path(".config/claviger/profiles.toml");
    let comment = format!("# {}\n", "x".repeat(4_080));
    crate::support::write_private(&profiles, &comment);
    let said = limited("profiles add default --url https://auth.example.com");
    assert!(said.code == 1 && said.stderr.contains("profiles.toml"), "{said:?}");
    assert_eq!(fs::read_to_string(&profiles).unwrap(), comment, "no part of a profile is left");
    let said = limited("man --dir pages");
    assert!(said.code == 1 && said.stderr.contains("pages"), "{said:?}");
}
