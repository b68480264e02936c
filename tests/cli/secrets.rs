//! A key is on no command line, in no error and in no log.

use std::fs;

use crate::shell::Shell;
use crate::support::{Backend, Claviger, on_both};

on_both!(no_command_says_the_key_that_it_uses);

async fn no_command_says_the_key_that_it_uses(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG", "trace");
    let server = claviger.serve();
    let key = server.admin_key();
    let admin = Shell::new().set("CLAVIGER_URL", &server.issuer).set("CLAVIGER_API_KEY", &key);
    let create = ["keys", "create", "x", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let made = admin.ok(&create).stdout;
    let token = admin.ok(&["token"]).stdout;
    for arguments in [
        &["self"][..],
        &["self", "--json"],
        &["keys", "list"],
        &["keys", "list", "--json"],
        &["keys", "get", "key_aaaaaaaaaaaaaaaa"],
        &["audit"],
        &["audit", "--format", "jsonl"],
        &["orgs", "export"],
        &["token", "--scope", "read:a"],
        &["projects", "create", "Bad"],
        &["self", "--url", "http://127.0.0.1:1"],
        &["self", "--url", "http://192.0.2.1"],
        &["profiles", "list"],
    ] {
        let said = admin.run(arguments);
        for secret in [key.as_str(), made.trim_end(), token.trim_end()] {
            assert!(
                !said.stdout.contains(secret) && !said.stderr.contains(secret),
                "{arguments:?}: {said:?}"
            );
        }
    }
    let log = claviger.log();
    for secret in [key.as_str(), made.trim_end(), token.trim_end()] {
        assert!(log.contains("DEBUG") && !log.contains(secret));
    }
    let home = admin.home();
    assert!(fs::read_dir(home).unwrap().next().is_none(), "nothing is left behind");
}

#[test]
fn a_key_in_the_wrong_place_is_not_repeated() {
    let key = "clv_prd_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ01234";
    let shell = Shell::new().set("CLAVIGER_URL", "http://127.0.0.1:1");
    let flag = format!("--api-key={key}");
    let url = format!("https://{key}@example.com");
    for arguments in [
        &["self", "--api-key", key][..],
        &["self", &flag],
        &["self", key],
        &[key],
        &["keys", "get", key],
        &["keys", "create", "x", "--project", key, "--env", "prd", "--preset", "query_only"],
        &["keys", "create", "x", "--project", "p", "--env", "prd", "--preset", key],
        &["keys", "create", "x", "--project", "p", "--env", "prd", "--scope", key],
        &["keys", "list", "--limit", key],
        &["keys", "list", "--unused-since", key],
        &["self", "--url", &url],
        &["self", "--profile", key],
        &["verify", key],
        &["completions", key],
    ] {
        let said = shell.run(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{arguments:?}: {said:?}");
        assert!(!said.stderr.contains(&key[28..]), "{arguments:?}: {said:?}");
    }
    let shell = shell.set("CLAVIGER_API_KEY", &format!("{key} {key}"));
    let said = shell.run(&["self"]);
    said.assert_failed(2, "CLAVIGER_API_KEY is empty, or has characters that no API key and no token has");
    assert!(!said.stderr.contains(&key[28..]), "{said:?}");
}
