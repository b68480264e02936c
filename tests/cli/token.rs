//! `claviger token`.

use serde_json::json;

use crate::shell::{Scene, Shell};
use crate::support::{Backend, is_here, on_both, write_private};

on_both!(
    a_token_is_printed_alone,
    a_token_is_what_was_asked_for,
    a_private_key_gets_a_token_without_any_secret
);

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

async fn a_private_key_gets_a_token_without_any_secret(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (admin, pem) = (&scene.admin, include_str!("../vectors/pem/p256.pem"));
    let file = |shell: &Shell, name: &str| shell.path(name).display().to_string();
    std::fs::write(admin.path("public.pem"), include_str!("../vectors/pem/p256-public.pem")).unwrap();
    write_private(&admin.path("private.pem"), pem);
    let public = file(admin, "public.pem");
    let create =
        ["keys", "create", "Signer", "--project", "default", "--env", "prd", "--preset", "query_only"];
    // A private key is not sent, and a key needs a way in.
    let refused = admin.run(&[&create[..], &["--public-key", &file(admin, "private.pem")]].concat());
    refused.assert_failed(2, "this is a private key, which must stay with its owner");
    admin.run(&[&create[..], &["--no-secret"]].concat()).assert_failed(2, "--public-key");
    let made = admin.ok(&[&create[..], &["--no-secret", "--public-key", &public, "--kid", "build"]].concat());
    let id = made.stdout.trim_end();
    assert!(id.starts_with("key_") && made.stderr.contains("Secrets       none\n"), "{made:?}");
    assert!(made.stderr.contains("ES256 build of "), "{made:?}");

    let client = Shell::new().set("CLAVIGER_URL", &scene.server.issuer);
    write_private(&client.path("client.pem"), pem);
    let own = file(&client, "client.pem");
    let token = client.json(&["token", "--client-id", id, "--private-key", &own]);
    assert_eq!([&token["expires_in"], &token["scope"]], [&json!(600), &json!("read:*")]);
    client.ok(&["token", "--client-id", id, "--private-key", &own, "--kid", "build"]);
    let other = client.run(&["token", "--client-id", id, "--private-key", &own, "--kid", "other"]);
    other.assert_failed(3, "client authentication failed");
    let elsewhere =
        client.run(&["token", "--client-id", id, "--private-key", &own, "--issuer", "https://a.example"]);
    elsewhere.assert_failed(3, "`aud` is not the issuer's URL alone");
    client.run(&["token", "--private-key", &own]).assert_failed(2, "--client-id");
    let exposed =
        client.run(&["token", "--client-id", id, "--private-key", &own, "--url", "http://auth.example.com"]);
    exposed.assert_failed(2, "--allow-http");

    admin.run(&["keys", "add-public-key", id, &public]).assert_failed(5, "already has this public key");
    let ed25519 = include_str!("../vectors/pem/public/ed25519.pem");
    let added = admin.feed(ed25519, &["keys", "add-public-key", id, "-"]);
    assert!(added.code == 0 && added.stdout.contains("alg        EdDSA\n"), "{added:?}");
    let rotated = admin.ok(&["keys", "rotate", id, "--overlap", "0"]);
    assert!(rotated.stderr.contains("The key's public keys keep working."), "{rotated:?}");
    let shown = admin.json(&["keys", "get", id]);
    for public_key in shown["public_keys"].as_array().unwrap() {
        let removed = admin.ok(&["keys", "remove-public-key", id, public_key["id"].as_str().unwrap()]);
        assert!(removed.stderr.contains("earlier tokens are invalid"), "{removed:?}");
    }
    let ended = client.run(&["token", "--client-id", id, "--private-key", &own]);
    ended.assert_failed(3, "client authentication failed");
}
