//! `claviger verify`.

use std::fs;

use serde_json::{Value, json};

use crate::shell::{Scene, Shell};
use crate::support::{Backend, on_both};

on_both!(
    a_good_token_holds_and_is_explained,
    a_token_is_refused_for_the_rule_that_it_breaks,
    a_token_that_was_revoked_is_refused,
    no_server_is_needed
);

fn token(scene: &Scene, more: &[&str]) -> String {
    let create =
        ["keys", "create", "Client", "--project", "default", "--env", "prd", "--preset", "query_only"];
    let key = scene.admin.ok(&[&create[..], more].concat()).stdout;
    scene.shell_of(key.trim_end()).ok(&["token"]).stdout
}

/// Somebody without a key, who knows where the server is.
fn anybody(scene: &Scene) -> Shell {
    Shell::new().set("CLAVIGER_URL", &scene.server.issuer)
}

async fn a_good_token_holds_and_is_explained(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = token(&scene, &[]);
    let said = anybody(&scene).feed(&token, &["verify", "-"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    let issuer = &scene.server.issuer;
    for line in [
        "Header\n  alg         ES256\n".to_owned(),
        "\nClaims\n".into(),
        format!("\n  aud         {issuer}/api\n"),
        "\n  cidrs       0.0.0.0/0 ::/0\n".into(),
        "\n  scope       read:*\n".into(),
        format!("\nValid: issued and signed by {issuer}.\n"),
        "\nNot checked: the audience (--audience), the network ranges (--address).\n".into(),
    ] {
        assert!(said.stdout.contains(&line), "{line:?} is not in {}", said.stdout);
    }
    let audience = format!("{issuer}/api");
    let arguments = ["verify", token.trim_end(), "--audience", &audience, "--address", "203.0.113.7"];
    let holds = format!("Valid: issued and signed by {issuer}.\n");
    assert!(anybody(&scene).ok(&arguments).stdout.ends_with(&holds));
    let report = anybody(&scene).json(&arguments);
    assert_eq!([&report["holds"], &report["fault"]], [&json!(true), &json!(null)]);
    assert_eq!(report["claims"]["scope"], "read:*");
}

async fn a_token_is_refused_for_the_rule_that_it_breaks(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = token(&scene, &["--cidr", "127.0.0.0/8"]);
    let token = token.trim_end();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}A{}", &signature[..20], &signature[21..]);
    let forged =
        if forged == token { format!("{signed}.{}B{}", &signature[..20], &signature[21..]) } else { forged };
    let shell = anybody(&scene);
    for (arguments, code, words) in [
        (vec![forged.as_str()], "signature", "its signature is wrong (RFC 7515 §5.2)"),
        (vec![signed], "form", "it is not three parts"),
        (vec![token, "--audience", "https://other.example"], "audience", "(RFC 9068 §4)"),
        (vec![token, "--issuer", "https://other.example"], "issuer", "`iss` is another issuer"),
        (vec![token, "--address", "203.0.113.7"], "address", "the address is outside `cidrs`"),
    ] {
        let arguments = [&["verify"][..], &arguments].concat();
        let said = shell.run(&arguments);
        assert_eq!((said.code, said.stderr.as_str()), (7, ""), "{said:?}");
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
        let report = shell.run(&[&arguments[..], &["--json"]].concat());
        assert_eq!((report.code, &report.json()["fault"]["code"]), (7, &json!(code)), "{report:?}");
    }
    // What cannot be believed is shown all the same.
    assert_eq!(shell.run(&["verify", &forged, "--json"]).json()["claims"]["scope"], "read:*");
}

async fn a_token_that_was_revoked_is_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = token(&scene, &[]);
    let shell = anybody(&scene);
    assert_eq!(shell.feed(&token, &["verify", "-", "--json"]).json()["revocations"], true);
    let feed = scene.server.client().get("/oauth/revocations").await;
    scene.admin.ok(&["keys", "revoke-matching", "--query", "client", "--yes"]);
    // The answer comes when the feed says something else.
    let news = scene.server.client().with("if-none-match", feed.header("etag")).with("prefer", "wait=10");
    assert_ne!(news.get("/oauth/revocations").await.header("etag"), feed.header("etag"));
    let said = shell.feed(&token, &["verify", "-"]);
    assert_eq!(said.code, 7, "{said:?}");
    assert!(
        said.stdout.ends_with("Not valid: the issuer's revocation feed lists it as revoked.\n"),
        "{said:?}"
    );
    let report = shell.feed(&token, &["verify", "-", "--json"]).json();
    assert_eq!((&report["holds"], &report["fault"]["code"]), (&json!(false), &json!("revoked")));
}

async fn no_server_is_needed(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = token(&scene, &[]);
    let keys = scene.server.client().get("/.well-known/jwks.json").await.text;
    let alone = Shell::new();
    fs::write(alone.path("jwks.json"), &keys).unwrap();
    fs::write(alone.path("none.json"), r#"{"keys":[]}"#).unwrap();
    fs::write(alone.path("odd.json"), "[]").unwrap();
    let issuer = scene.server.issuer.clone();
    let verify =
        |file: &str| alone.feed(&token, &["verify", "-", "--jwks", file, "--issuer", &issuer, "--json"]);
    let alone_report = verify("jwks.json");
    assert_eq!((alone_report.code, &alone_report.json()["revocations"]), (0, &json!(false)));
    let unknown: Value = verify("none.json").json();
    assert_eq!(unknown["fault"]["code"], "unknown_key");
    verify("odd.json").assert_failed(2, "odd.json: ");
    verify("nowhere.json").assert_failed(2, "nowhere.json: ");
    alone.feed(&token, &["verify", "-"]).assert_failed(2, "no server is set");
}
