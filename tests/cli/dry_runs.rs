//! `--dry-run`, of every command that changes something at a server.

use serde_json::Value;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, on_both};

on_both!(a_dry_run_checks_everything_and_changes_nothing);

/// What a change could have left: the trail, and everything that is listed. Times of use are not in it.
fn state(admin: &Shell) -> Vec<String> {
    let keys = admin.json(&["keys", "list", "--status", "all"]);
    let of_key = |key: &Value| {
        let secrets = key["secrets"].as_array().unwrap().iter().map(|secret| secret["id"].clone());
        format!("{} {} {} {:?}", key["id"], key["status"], key["generation"], secrets.collect::<Vec<_>>())
    };
    let others =
        [&["audit", "--all-orgs"][..], &["orgs", "list"], &["projects", "list"], &["signing-keys", "list"]];
    let others = others.iter().map(|list| admin.json(list)["data"].to_string());
    keys["data"].as_array().unwrap().iter().map(of_key).chain(others).collect()
}

async fn a_dry_run_checks_everything_and_changes_nothing(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let create = ["keys", "create", "Dry", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let made = admin.json(&create);
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    admin.ok(&["keys", "rotate", id, "--overlap", "1h"]);
    let secret = made["secrets"][0]["id"].as_str().unwrap();
    admin.ok(&["orgs", "create", "acme"]);
    admin.ok(&["projects", "create", "web"]);
    let signer = admin.json(&["signing-keys", "list"])["data"][0]["kid"].as_str().unwrap().to_owned();
    let token = scene.shell_of(key).ok(&["token"]).stdout;
    let before = state(admin);
    for arguments in [
        &create[..],
        &["keys", "rotate", id, "--overlap", "0"],
        &["keys", "retire-secret", id, secret],
        &["keys", "revoke", id, "--reason", "x"],
        &["keys", "delete", id],
        &["orgs", "create", "other"],
        &["orgs", "delete", "acme"],
        &["projects", "create", "other"],
        &["projects", "delete", "web"],
        &["signing-keys", "rotate"],
        &["signing-keys", "rotate", "--compromised", &signer],
    ] {
        let said = admin.ok(&[arguments, &["--dry-run"]].concat());
        assert!(said.stdout.starts_with("This would ") && said.stdout.lines().count() == 1, "{said:?}");
        assert!(said.stdout.ends_with("Nothing was changed.\n") && said.stderr.is_empty(), "{said:?}");
        assert_eq!(admin.json(&[arguments, &["--dry-run"]].concat()).to_string(), r#"{"dry_run":true}"#);
    }
    assert_eq!(state(admin), before);
    scene.shell_of(key).ok(&["token"]);
    let verified = Shell::new().set("CLAVIGER_URL", &scene.server.issuer).feed(&token, &["verify", "-"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    // What would be refused is refused.
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    for (arguments, code) in [
        (&["keys", "revoke", &own][..], 5),
        (&["keys", "delete", &own], 5),
        (&["orgs", "create", "acme"], 5),
        (&["orgs", "delete", "default"], 5),
        (&["projects", "delete", "default"], 5),
        (&["projects", "create", "web"], 5),
        (&["keys", "rotate", id, "--overlap", "1h"], 5),
        (&["keys", "create", "x", "--project", "none", "--env", "prd", "--preset", "query_only"], 2),
        (&["keys", "revoke", "key_0000000000000000"], 4),
        // One in 64 ids of signing keys begins with a hyphen, and is no flag.
        (&["signing-keys", "rotate", "--compromised", "-scHxb5Pq-wLjbrF7OWIz1_QVcuLgfhXLstrFZFFLVo"], 4),
    ] {
        let said = admin.run(&[arguments, &["--dry-run"]].concat());
        assert_eq!(said.code, code, "{arguments:?}: {said:?}");
        let meant = admin.run(arguments);
        assert_eq!(meant.code, code, "{arguments:?}: {meant:?}");
    }
    assert_eq!(state(admin), before);
}
