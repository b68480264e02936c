//! `claviger portal-sessions`.

use serde_json::{Value, json};

use crate::shell::{Scene, masked};
use crate::support::{Backend, on_both};

on_both!(a_vendor_makes_and_ends_sessions);

const CREATE: [&str; 15] = [
    "portal-sessions",
    "create",
    "user-4711",
    "--name",
    "Ada",
    "--project",
    "default",
    "--may",
    "list",
    "--may",
    "create",
    "--scope",
    "read:orders/**",
    "--max-keys",
    "5",
];

async fn a_vendor_makes_and_ends_sessions(backend: Backend) {
    let Scene { admin, server, .. } = &Scene::set(backend).await;
    let dry = admin.ok(&[&CREATE[..], &["--dry-run"]].concat());
    assert_eq!(
        dry.stdout,
        "This would make a session of the portal for user-4711 in default. Nothing was changed.\n"
    );
    let made = admin.ok(&CREATE);
    let (url, until) = made.stdout.split_once('\n').unwrap();
    assert!(url.starts_with(&format!("URL    {}/portal#", server.issuer)), "{made:?}");
    assert_eq!(masked(until), "Until  2000-01-01T00:00:00Z\n");
    assert!(made.stderr.is_empty(), "{made:?}");

    // Every member of the request reaches the trail.
    let all = ["--cidr", "10.0.0.0/8", "--cidr", "fd00::/8", "--max-key-lifetime", "30d", "--keys", "all"];
    let all = [&CREATE[..], &all, &["--expires-in", "10m", "--idempotency-key", "once"]].concat();
    assert!(admin.json(&all)["url"].is_string());
    let event =
        admin.json(&["audit", "--action", "portal_session.create", "--limit", "1"])["data"][0].clone();
    let after = &event["after"];
    for (member, value) in [
        ("subject", json!("user-4711")),
        ("name", json!("Ada")),
        ("projects", json!(["default"])),
        ("may", json!(["list", "create"])),
        ("cidrs_within", json!(["10.0.0.0/8", "fd00::/8"])),
        ("max_key_lifetime", json!(30 * 86_400)),
        ("max_keys", json!(5)),
        ("keys", json!("all")),
    ] {
        assert_eq!(after[member], value, "{member}: {event}");
    }
    assert!(after["scopes_within"].to_string().contains("orders/**"), "{event}");
    assert_eq!(admin.json(&all)["url"], Value::Null);
    assert!(admin.ok(&all).stdout.contains("was shown when this request was first made"));

    let refused = admin.run(&[&CREATE[..], &["--return-url", "https://elsewhere.example/"]].concat());
    refused.assert_failed(2, "return_url must be of one of the origins");
    admin
        .run(&[&CREATE[..], &["--expires-in", "2h"]].concat())
        .assert_failed(2, "expires_in must be 1 to 3600");
    admin.run(&[&CREATE[..], &["--may", "delete"]].concat()).assert_failed(2, "possible values: list");

    let end = ["portal-sessions", "end", "user-4711"];
    let dry = admin.ok(&[&end[..], &["--dry-run"]].concat()).stdout;
    assert_eq!(dry, "This would end the sessions of user-4711 in default. Nothing was changed.\n");
    assert_eq!(admin.ok(&end).stdout, "Ended 2 sessions of user-4711.\n");
    assert_eq!(admin.json(&end), json!({ "dry_run": false, "count": 0 }));
}
