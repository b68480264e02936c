//! What is taken for an argument, and what is said when something is not.

use serde_json::json;

use crate::shell::{Scene, Shell, masked};
use crate::support::{Backend, on_both};

on_both!(
    a_pasted_key_stands_for_its_id,
    an_organization_is_named_by_an_argument_or_a_flag,
    a_key_without_an_end_is_said_to_be_one,
    a_url_of_the_api_is_told_from_the_servers,
    a_refusal_says_where_url_and_key_come_from,
    the_trail_shows_organizations_and_refusals
);

const CREATE: [&str; 9] =
    ["keys", "create", "Pasted", "--project", "default", "--env", "prd", "--preset", "query_only"];

async fn a_pasted_key_stands_for_its_id(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    let key = admin.ok(&CREATE).stdout.trim_end().to_owned();
    let id = admin.json(&["keys", "get", &key])["id"].as_str().unwrap().to_owned();
    assert_eq!(admin.json(&["keys", "find", &key])["data"][0]["id"], json!(id));
    admin.ok(&["keys", "update", &key, "--note", "found in a repository"]);
    admin.ok(&["usage", "key", &key]);
    let revoked = admin.ok(&["keys", "revoke", &key, "--reason", "leaked"]);
    assert!(revoked.stdout.contains("revoked") && !revoked.stdout.contains(&key[30..]), "{revoked:?}");
    let trail = admin.ok(&["audit", "--key", &key, "--format", "jsonl"]).stdout;
    assert!(trail.contains("key.revoke") && !trail.contains(&key[30..]), "{trail}");
    assert_eq!(admin.ok(&["keys", "delete", &key]).stderr, format!("Deleted {id}.\n"));
    // Its shape is enough: a key of another deployment is a key that is not here.
    let foreign = format!("acme_live_{}", "a".repeat(65));
    admin.run(&["keys", "revoke", &foreign]).assert_failed(4, "not_found");
}

async fn an_organization_is_named_by_an_argument_or_a_flag(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    admin.ok(&["orgs", "create", "acme"]);
    for command in ["get", "export"] {
        let by_argument = admin.json(&["orgs", command, "acme"]);
        assert!(by_argument.to_string().contains("acme"), "{by_argument}");
        assert_eq!(admin.json(&["orgs", command, "--org", "acme"]), by_argument);
        admin.run(&["orgs", command, "acme", "--org", "acme"]).assert_failed(2, "cannot be used with");
    }
}

async fn a_key_without_an_end_is_said_to_be_one(backend: Backend) {
    let Scene { admin, .. } = &Scene::set(backend).await;
    let said = |more: &[&str]| admin.ok(&[&CREATE, more].concat()).stderr.contains("The key never expires.");
    assert!(said(&[]));
    for more in [&["--never-expires"][..], &["--expires-in", "90d"], &["--expires-at", "2099-01-01"]] {
        assert!(!said(more), "{more:?}");
    }
    admin
        .run(&[&CREATE[..], &["--expires-in", "90"]].concat())
        .assert_failed(2, "has no unit: use 90d for days");
    admin.run(&["keys", "list", "--unused-since", "90"]).assert_failed(2, "use 90d for days");
}

async fn a_url_of_the_api_is_told_from_the_servers(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (url, key) = (format!("{}/v1", scene.server.issuer), scene.server.admin_key());
    let shell = Shell::new().set("CLAVIGER_URL", &url).set("CLAVIGER_API_KEY", &key);
    for command in [&["self"][..], &["token"], &["keys", "list"], &["audit", "--format", "csv"]] {
        shell.run(command).assert_failed(2, "CLAVIGER_URL is http://127.0.0.1");
        shell.run(command).assert_failed(2, "leave /v1 out");
    }
    scene.admin.run(&["self", "--url", &format!("{url}/")]).assert_failed(2, "--url is http://127.0.0.1");
}

async fn a_refusal_says_where_url_and_key_come_from(backend: Backend) {
    let scene = Scene::set(backend).await;
    let nobody = scene.shell_of("nonsense");
    nobody.run(&["self"]).assert_failed(3, "The URL is from CLAVIGER_URL, the key from CLAVIGER_API_KEY.");
    let away = nobody.set("CLAVIGER_URL", "http://127.0.0.1:1");
    away.run(&["self"]).assert_failed(6, "The URL is from CLAVIGER_URL");
    away.run(&["self", "--url", "http://127.0.0.1:1"]).assert_failed(6, "The URL is from --url");
    let fed = away.feed("nonsense", &["self", "--api-key-file", "-"]);
    fed.assert_failed(6, "the key from the text on standard input.");
    let profile = Shell::new();
    profile.ok(&["profiles", "add", "default", "--url", "http://127.0.0.1:1", "--api-key-command", "echo x"]);
    let said = profile.run(&["self"]);
    said.assert_failed(
        6,
        "The URL is from the profile default, the key from the output of the profile's api_key_command",
    );
    let timeout = Shell::new().set("CLAVIGER_TIMEOUT", "soon").set("CLAVIGER_URL", "http://127.0.0.1:1");
    timeout.run(&["self"]).assert_failed(2, "for 'CLAVIGER_TIMEOUT'");
    timeout.run(&["self", "--timeout", "soon"]).assert_failed(2, "for '--timeout <SECONDS>'");
}

async fn the_trail_shows_organizations_and_refusals(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = &scene.admin;
    admin.ok(&["orgs", "create", "acme"]);
    let made = admin.json(&[&CREATE[..], &["--cidr", "10.0.0.0/8"]].concat());
    scene
        .shell_of(made["key"].as_str().unwrap())
        .run(&["token"])
        .assert_failed(3, "is not allowed from address");
    let shown = || masked(&admin.ok(&["audit", "--all-orgs", "--action", "key.refused"]).stdout);
    crate::support::until("the refusal is written", async || shown().contains("key.refused")).await;
    assert_eq!(
        shown(),
        "AT                    ACTOR                 ADDRESS    ACTION       ORGANIZATION  SUBJECT               DETAILS\n\
         2000-01-01T00:00:00Z  key_xxxxxxxxxxxxxxxx  127.0.0.1  key.refused  default       key_xxxxxxxxxxxxxxxx  address\n"
    );
    let created = admin.ok(&["audit", "--all-orgs", "--action", "organization.create"]).stdout;
    assert!(created.contains("organization.create  acme          acme"), "{created}");
}
