//! Several servers, by name.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, on_both, write_private};

on_both!(a_profile_names_a_server_and_a_key, flags_outweigh_variables_and_variables_the_default_profile);

const FILE: &str = ".config/claviger/profiles.toml";

async fn a_profile_names_a_server_and_a_key(backend: Backend) {
    let scene = Scene::set(backend).await;
    let shell = Shell::new();
    write_private(&shell.path("admin.key"), &format!("{}\n", scene.server.admin_key()));
    let url = scene.server.issuer.as_str();
    let none = shell.ok(&["profiles", "list"]);
    assert!(none.stdout.is_empty() && none.stderr.contains("`claviger profiles add` adds one"), "{none:?}");
    shell.ok(&["profiles", "add", "default", "--url", url, "--api-key-file", "admin.key"]);
    shell.ok(&[
        "profiles",
        "add",
        "by-command",
        "--url",
        url,
        "--api-key-command",
        "cat ~/admin.key",
        "--org",
        "default",
    ]);
    for (path, mode) in [(".config/claviger", 0o700), (FILE, 0o600)] {
        assert_eq!(fs::metadata(shell.path(path)).unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    let key_file = shell.path("admin.key");
    assert_eq!(
        fs::read_to_string(shell.path(FILE)).unwrap(),
        format!(
            "[default]\nurl = \"{url}\"\napi_key_file = \"{}\"\n\n\
             [by-command]\nurl = \"{url}\"\napi_key_command = \"cat ~/admin.key\"\norganization = \"default\"\n",
            key_file.display()
        )
    );
    let listed = shell.json(&["profiles", "list"]);
    assert_eq!(
        listed["data"][0],
        json!({"name": "by-command", "url": url, "api_key_file": null, "api_key_command": "cat ~/admin.key",
            "organization": "default", "ca_file": null})
    );
    let table = shell.ok(&["profiles", "list"]).stdout;
    assert!(table.starts_with("NAME        URL") && table.contains("$(cat ~/admin.key)"), "{table}");
    let own = scene.admin.json(&["self"]);
    assert_eq!(shell.json(&["self"]), own);
    assert_eq!(shell.json(&["self", "--profile", "by-command"]), own);
    assert_eq!(shell.json(&["projects", "list", "--profile", "by-command"])["data"][0]["id"], "default");
    shell
        .run(&["profiles", "add", "default", "--url", url])
        .assert_failed(2, "the profile default already exists");
    shell.run(&["self", "--profile", "nobody"]).assert_failed(2, "the profile nobody does not exist");
    shell
        .run(&["profiles", "add", "a b", "--url", url])
        .assert_failed(2, "a profile's name must have 1 to 64 letters");
}

/// A flag, then a profile named by a flag, then `CLAVIGER_URL`, then `CLAVIGER_PROFILE`, then the default profile.
async fn flags_outweigh_variables_and_variables_the_default_profile(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (url, key) = (scene.server.issuer.clone(), scene.server.admin_key());
    let away = "http://127.0.0.1:1";
    let shell = Shell::new();
    write_private(&shell.path("admin.key"), &key);
    shell.ok(&["profiles", "add", "good", "--url", &url, "--api-key-file", "admin.key"]);
    shell.ok(&["profiles", "add", "default", "--url", away, "--api-key-file", "admin.key"]);
    shell.run(&["self"]).assert_failed(6, away);
    let shell = shell.set("CLAVIGER_PROFILE", "good");
    shell.ok(&["self"]);
    let shell = shell.set("CLAVIGER_URL", away).set("CLAVIGER_API_KEY", "somebody-elses");
    shell.run(&["self"]).assert_failed(6, away);
    // The profile's own key goes with it, and not the variable's.
    shell.ok(&["self", "--profile", "good"]);
    let shell = shell.set("CLAVIGER_API_KEY", "");
    // A profile's key goes to no other server than the profile's.
    shell.run(&["self", "--url", &url]).assert_failed(2, "no API key is set");
    shell.ok(&["self", "--url", &url, "--api-key-file", "admin.key"]);
    let fed = shell.feed(&format!("{key}\n"), &["self", "--url", &url, "--api-key-file", "-"]);
    assert_eq!(fed.code, 0, "{fed:?}");
}

#[test]
fn what_others_can_read_is_refused() {
    let shell = Shell::new();
    write_private(&shell.path("k.key"), "clv_prd_x");
    shell.ok(&["profiles", "add", "default", "--url", "http://127.0.0.1:1", "--api-key-file", "k.key"]);
    shell.run(&["self"]).assert_failed(6, "127.0.0.1:1");
    let expose =
        |name: &str, mode| fs::set_permissions(shell.path(name), Permissions::from_mode(mode)).unwrap();
    expose("k.key", 0o640);
    shell.run(&["self"]).assert_failed(2, "k.key can be read by group or others (mode 0640): chmod 600 it");
    expose("k.key", 0o600);
    expose(FILE, 0o644);
    for arguments in
        [&["self"][..], &["profiles", "list"], &["profiles", "add", "b", "--url", "http://127.0.0.1:1"]]
    {
        shell.run(arguments).assert_failed(2, "profiles.toml can be read by group or others (mode 0644)");
    }
}

#[test]
fn a_file_that_makes_no_sense_is_refused_without_repeating_it() {
    let secret = "clv_prd_0123456789abcdefghijABCDEFGHIJ0123456789abcdefghijABCDEFGHIJ0123456";
    for (text, complaint) in [
        (
            format!("[default]\nurl = \"http://127.0.0.1:1\"\napi_key = \"{secret}\""),
            "line 3: unknown field `api_key`",
        ),
        (format!("[default]\nurl = \"{secret}\""), "line 2: the URL is not an absolute URL"),
        (format!("[default]\nurl = {secret}"), "line 2: "),
        (
            format!("[default]\nurl = \"http://a\"\norganization = \"{secret}\""),
            "line 3: an id must have 1 to 63",
        ),
        ("[default]".into(), "line 1: missing field `url`"),
        (
            "[default]\nurl = \"http://a\"\napi_key_file = \"a\"\napi_key_command = \"b\"".into(),
            "has both api_key_file and api_key_command",
        ),
    ] {
        let shell = Shell::new();
        fs::create_dir_all(shell.path(".config/claviger")).unwrap();
        write_private(&shell.path(FILE), &text);
        let said = shell.run(&["self"]);
        said.assert_failed(2, complaint);
        assert!(!said.stderr.contains("0123456789abcdefghij"), "{said:?}");
    }
}

#[test]
fn a_key_command_that_gives_no_key_is_an_error() {
    let shell = Shell::new();
    let add = |name: &str, command: &str| {
        shell.ok(&["profiles", "add", name, "--url", "http://127.0.0.1:1", "--api-key-command", command]);
    };
    add("fails", "echo no such entry >&2; exit 3");
    add("silent", "true");
    add("binary", "printf '\\377'");
    let failed = shell.run(&["self", "--profile", "fails"]);
    failed.assert_failed(1, "the profile's api_key_command: exit status: 3");
    assert!(failed.stderr.starts_with("no such entry\n"), "{failed:?}");
    shell.run(&["self", "--profile", "silent"]).assert_failed(2, "api_key_command is empty");
    shell.run(&["self", "--profile", "binary"]).assert_failed(1, "its output is not text");
    shell.run(&["self", "--profile", "silent", "--api-key-file", "nowhere"]).assert_failed(2, "nowhere: ");
}
