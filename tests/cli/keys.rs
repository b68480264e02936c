//! `claviger keys`: one key's whole life.

use serde_json::json;

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(
    a_new_key_is_alone_on_standard_output,
    what_a_key_is_can_be_looked_at_and_changed,
    a_key_is_rotated_and_its_secrets_end,
    retiring_the_newer_secret_says_that_the_older_one_stays,
    a_key_is_disabled_and_enabled,
    a_key_is_made_to_require_proofs,
    a_key_is_revoked_and_deleted,
    the_same_request_twice_makes_one_key
);

const CREATE: [&str; 7] = ["keys", "create", "Reporting", "--project", "default", "--env", "prd"];

async fn a_new_key_is_alone_on_standard_output(backend: Backend) {
    let scene = Scene::set(backend).await;
    let made = scene.admin.ok(&[&CREATE[..], &["--preset", "query_only"]].concat());
    let key = made.stdout.trim_end();
    assert!(key.starts_with("clv_prd_") && !key.contains(char::is_whitespace), "{made:?}");
    assert!(!made.stderr.contains(key), "{made:?}");
    assert_eq!(
        masked(&made.stderr).replace(&key[8..12], "xxxx"),
        "Id            key_xxxxxxxxxxxxxxxx\n\
         Name          Reporting\n\
         Status        active\n\
         Prefix        clv_prd_xxxx…\n\
         Organization  default\n\
         Project       default\n\
         Environment   prd\n\
         Scopes        read:*\n\
         Addresses     0.0.0.0/0\n              \
                       ::/0\n\
         Generation    1\n\
         Created       2000-01-01T00:00:00Z by Administrator (key_xxxxxxxxxxxxxxxx)\n\
         Expires       never\n\
         Last used     never\n\
         Secrets       sec_xxxxxxxxxxxxxxxx of 2000-01-01T00:00:00Z, last used never\n\
         \n\
         The key never expires. The console suggests 90 days (--expires-in 90d). If this is intended, use \
         --never-expires.\n\
         \n\
         The key, shown only once:\n"
    );
    let own = scene.shell_of(key).ok(&["self"]).stdout;
    assert!(own.contains("Scopes        read:*\n") && own.contains("Seen from     127.0.0.1\n"), "{own}");
    let as_json = scene.admin.json(&[&CREATE[..], &["--scope", "read:a/*", "--scope", "write:a/*"]].concat());
    assert_eq!(as_json["scopes"][1], json!({"action": "write", "resource": "a/*"}));
    assert_eq!(scene.shell_of(as_json["key"].as_str().unwrap()).json(&["self"])["id"], as_json["id"]);
}

async fn what_a_key_is_can_be_looked_at_and_changed(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let made = admin
        .json(&[&CREATE[..], &["--preset", "query_only", "--note", "n", "--expires-in", "90d"]].concat());
    let id = made["id"].as_str().unwrap();
    let update = |more: &[&str]| admin.json(&[&["keys", "update", id], more].concat());
    let dry_run = admin.ok(&["keys", "update", id, "--scope", "read:a/**", "--no-note", "--dry-run"]).stdout;
    assert_eq!(dry_run, "note: n → none\nscopes: read:* → read:a/**\n");
    let narrowed = update(&[
        "--scope",
        "read:a/**",
        "--cidr",
        "10.0.0.0/8",
        "--name",
        "R",
        "--expires-at",
        "2099-01-01",
    ]);
    assert_eq!(
        [&narrowed["scopes"], &narrowed["cidrs"], &narrowed["name"], &narrowed["expires_at"]],
        [
            &json!([{"action": "read", "resource": "a/**"}]),
            &json!(["10.0.0.0/8"]),
            &json!("R"),
            &json!("2099-01-01T00:00:00Z")
        ]
    );
    let widened = update(&["--preset", "full_access", "--any-address", "--never-expires", "--no-note"]);
    assert_eq!(
        [&widened["scopes"], &widened["cidrs"], &widened["note"], &widened["expires_at"]],
        [
            &json!([{"action": "*", "resource": "*"}]),
            &json!(["0.0.0.0/0", "::/0"]),
            &json!(null),
            &json!(null)
        ]
    );
    assert_eq!(admin.json(&["keys", "get", id]), widened);
    admin.run(&["keys", "update", id]).assert_failed(2, "no change is specified");
}

async fn a_key_is_rotated_and_its_secrets_end(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let made = admin.json(&[&CREATE[..], &["--preset", "query_only"]].concat());
    let id = made["id"].as_str().unwrap();
    let rotated = admin.ok(&["keys", "rotate", id, "--overlap", "24h"]);
    let both = [made["key"].as_str().unwrap(), rotated.stdout.trim_end()];
    both.iter().for_each(|key| _ = scene.shell_of(key).ok(&["token"]));
    admin.run(&["keys", "rotate", id, "--overlap", "1h"]).assert_failed(5, "conflict");
    let old = admin.json(&["keys", "get", id])["secrets"][0]["id"].as_str().unwrap().to_owned();
    let retired = admin.ok(&["keys", "retire-secret", id, &old]);
    assert_eq!((retired.stdout, retired.stderr), (String::new(), format!("Retired {old} of {id}.\n")));
    scene.shell_of(both[0]).run(&["token"]).assert_failed(3, "invalid_client");
    scene.shell_of(both[1]).ok(&["token"]);
    admin.run(&["keys", "retire-secret", id, &old]).assert_failed(4, "not_found");
}

async fn retiring_the_newer_secret_says_that_the_older_one_stays(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let made = admin.json(&[&CREATE[..], &["--preset", "query_only"]].concat());
    let id = made["id"].as_str().unwrap();
    admin.ok(&["keys", "rotate", id, "--overlap", "24h"]);
    let secrets = admin.json(&["keys", "get", id])["secrets"].clone();
    let newer = secrets[1]["id"].as_str().unwrap();
    let retired = admin.ok(&["keys", "retire-secret", id, newer]);
    assert!(retired.stderr.contains("the older secret no longer expires"), "{retired:?}");
    assert!(!retired.stdout.contains(", expires "), "{retired:?}");
    scene.shell_of(made["key"].as_str().unwrap()).ok(&["token"]);
    assert_eq!(admin.json(&["keys", "get", id])["secrets"][0]["expires_at"], json!(null));
}

async fn a_key_is_disabled_and_enabled(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let made = admin.json(&[&CREATE[..], &["--preset", "query_only"]].concat());
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let client = scene.shell_of(key);
    let dry_run = admin.ok(&["keys", "disable", id, "--dry-run"]).stdout;
    assert_eq!(dry_run, "status: active → disabled\n");
    client.ok(&["token"]);
    let disabled = admin.ok(&["keys", "disable", id]).stdout;
    assert!(
        disabled.contains("Status        disabled\n") && disabled.contains("Disabled      2"),
        "{disabled}"
    );
    client.run(&["token"]).assert_failed(3, "the key is disabled");
    let refused = client.run(&["self"]);
    refused.assert_failed(3, "the API key is disabled (key_disabled");
    assert!(refused.stderr.contains("`claviger keys enable`"), "{refused:?}");
    let listed = admin.json(&["keys", "list", "--status", "disabled"]);
    assert_eq!((listed["data"].as_array().unwrap().len(), &listed["data"][0]["id"]), (1, &json!(id)));
    let enabled = admin.ok(&["keys", "enable", id]).stdout;
    assert!(enabled.contains("Status        active\n") && !enabled.contains("Disabled"), "{enabled}");
    client.ok(&["token"]);
    let many = |operation| admin.ok(&["keys", operation, "--query", "report", "--yes"]);
    assert!(many("disable-matching").stdout.ends_with("status: active → disabled\n"));
    client.run(&["token"]).assert_failed(3, "the key is disabled");
    assert!(many("enable-matching").stdout.ends_with("status: disabled → active\n"));
    client.ok(&["token"]);
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    admin.run(&["keys", "disable", &own]).assert_failed(5, "On the command line, this is --force.");
}

async fn a_key_is_made_to_require_proofs(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let made = admin.json(&[&CREATE[..], &["--preset", "query_only", "--dpop", "required"]].concat());
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!(made["dpop"], "required");
    assert!(admin.ok(&["keys", "get", id]).stdout.contains("DPoP          required\n"));
    let client = scene.shell_of(key);
    for (command, said) in [("token", "requires a DPoP proof"), ("self", "dpop_required")] {
        let refused = client.run(&[command]);
        assert!(refused.stderr.contains(said), "{refused:?}");
        assert!(refused.stderr.contains("The command line sends no proofs."), "{refused:?}");
    }
    let update = |dpop| ["keys", "update", id, "--dpop", dpop];
    let dry_run = admin.ok(&[&update("optional")[..], &["--dry-run"]].concat()).stdout;
    assert_eq!(dry_run, "dpop: required → optional\n");
    assert!(!admin.ok(&update("optional")).stdout.contains("DPoP"));
    client.ok(&["token"]);
    assert!(admin.ok(&update("required")).stdout.contains("Generation    2\n"));
    admin.run(&update("always")).assert_failed(2, "dpop must be optional or required");
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    let last = admin.run(&["keys", "update", &own, "--dpop", "required"]);
    last.assert_failed(5, "On the command line, this is --force.");
}

async fn a_key_is_revoked_and_deleted(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let made = admin.json(&[&CREATE[..], &["--preset", "query_only"]].concat());
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let revoked = admin.ok(&["keys", "revoke", id, "--reason", "left in a repository"]).stdout;
    assert!(revoked.contains("Status        revoked\n"), "{revoked}");
    assert!(revoked.contains("Reason        left in a repository\n"), "{revoked}");
    scene.shell_of(key).run(&["self"]).assert_failed(3, "the API key is revoked (key_revoked");
    assert_eq!(admin.ok(&["keys", "delete", id]).stderr, format!("Deleted {id}.\n"));
    admin.run(&["keys", "get", id]).assert_failed(4, "not_found");
    let own = admin.json(&["self"])["id"].as_str().unwrap().to_owned();
    let last = admin.run(&["keys", "revoke", &own]);
    last.assert_failed(5, "On the command line, this is --force.");
    admin.ok(&["keys", "revoke", &own, "--force"]);
    admin.run(&["self"]).assert_failed(3, "key_revoked");
}

async fn the_same_request_twice_makes_one_key(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let create = [&CREATE[..], &["--preset", "query_only", "--idempotency-key", "deploy-7"]].concat();
    let first = admin.ok(&create);
    assert!(first.stdout.starts_with("clv_prd_"), "{first:?}");
    admin.run(&create).assert_failed(5, "the new key was shown then");
    assert_eq!(admin.json(&create)["key"], json!(null));
    assert_eq!(admin.json(&["keys", "list"])["data"].as_array().unwrap().len(), 2);
}
