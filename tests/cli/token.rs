//! `claviger token`.

use serde_json::json;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, is_here, on_both};

on_both!(a_token_is_printed_alone, a_token_is_what_was_asked_for);

/// A shell with a key that may read everything and write below `a`.
fn client(scene: &Scene) -> Shell {
    let create = ["keys", "create", "Client", "--project", "default", "--env", "prd"];
    let made = scene.admin.ok(&[&create[..], &["--scope", "read:*", "--scope", "write:a/**"]].concat());
    scene.shell_of(made.stdout.trim_end())
}

async fn a_token_is_printed_alone(backend: Backend) {
    let scene = Scene::set(backend).await;
    let said = client(&scene).ok(&["token"]);
    assert_eq!((said.stdout.lines().count(), said.stderr.as_str()), (1, ""));
    assert_eq!(said.stdout.matches('.').count(), 2, "{said:?}");
    if !is_here("curl") {
        return;
    }
    // The administrator's token is for the management API itself.
    let line =
        "curl -sS --noproxy '*' -H \"Authorization: Bearer $(\"$CLAVIGER\" token)\" $CLAVIGER_URL/v1/self";
    let mut shell = scene.admin.command("sh");
    let done = shell.args(["-c", line]).env("CLAVIGER", crate::shell::BINARY).output().unwrap();
    let own: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(own["organization"], "default", "{done:?}");
}

async fn a_token_is_what_was_asked_for(backend: Backend) {
    let scene = Scene::set(backend).await;
    let client = client(&scene);
    let whole = client.json(&["token"]);
    assert_eq!(
        [&whole["token_type"], &whole["expires_in"], &whole["scope"]],
        [&json!("Bearer"), &json!(600), &json!("read:* write:a/**")]
    );
    let audience = format!("{}/api", scene.server.issuer);
    let less = client.json(&["token", "--scope", "read:x", "--scope", "write:a/b", "--resource", &audience]);
    assert_eq!(less["scope"], "read:x write:a/b");
    client.run(&["token", "--scope", "write:b"]).assert_failed(3, "covers write:b (invalid_scope)");
    client.run(&["token", "--scope", "eat:b"]).assert_failed(2, "--scope");
    client.run(&["token", "--resource", "https://elsewhere.example"]).assert_failed(2, "invalid_target");
    let refused = client.run(&["token", "--scope", "write:b", "--json"]);
    let body: serde_json::Value = serde_json::from_str(&refused.stderr).unwrap();
    assert_eq!((refused.code, &body["error"]), (3, &json!("invalid_scope")));
}
