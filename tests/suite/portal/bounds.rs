//! Users against each other, and against the bounds of their sessions.

use claviger::base::clock::Timestamp;
use serde_json::json;

use super::browser::{Portal, hidden, session};
use crate::support::{Backend, Server, on_both};

const KEYS: &str = "/portal/orgs/default/keys";

on_both!(
    users_do_not_see_each_others_keys,
    a_key_stays_within_the_bounds,
    a_key_ends_within_the_bound,
    a_user_does_only_what_the_session_allows,
    a_user_has_only_so_many_keys_even_in_a_race,
);

async fn users_do_not_see_each_others_keys(backend: Backend) {
    let server = Server::start(backend).await;
    let (ada, bob) =
        (Portal::open(&server, &session("ada")).await, Portal::open(&server, &session("bob")).await);
    let (of_ada, of_bob) = (ada.new_key("AdasKey").await, bob.new_key("BobsKey").await);
    let made = server.admin().get(&format!("/v1/orgs/default/keys/{of_ada}")).await.done(200);
    assert_eq!(
        (&made["created_by"], &made["created_by_name"]),
        (&json!("portal:ada"), &json!("Name of ada")),
        "{made}"
    );
    let list = ada.get(KEYS).await.text;
    assert!(
        list.contains("AdasKey") && !list.contains("BobsKey") && !list.contains("Administrator"),
        "{list}"
    );
    // Not even the number of others' keys is told: it would say what is in their names.
    let searched = ada.get(&format!("{KEYS}?q=BobsKey")).await.text;
    assert!(!searched.contains("1 key") && searched.contains("No keys match"), "{searched}");
    let foreign = server.key_from(json!({ "name": "Foreign", "preset": "query_only" })).await.0;
    for key in [&of_bob, &foreign] {
        for act in ["", "/edit", "/rotate", "/revoke"] {
            assert_eq!(ada.get(&format!("{KEYS}/{key}{act}")).await.status, 404, "{act}");
        }
        let forms = [("/edit", "name=x"), ("/rotate", "overlap=0"), ("/revoke", "name=BobsKey")];
        for (act, fields) in forms {
            assert_eq!(ada.post(&format!("{KEYS}/{key}{act}"), fields).await.status, 404, "{act}");
        }
        assert_eq!(ada.get(&format!("{KEYS}/new?from={key}")).await.status, 404);
    }
    let mut everything = session("carol");
    everything["keys"] = "all".into();
    let carol = Portal::open(&server, &everything).await;
    let list = carol.get(KEYS).await.text;
    assert!(list.contains("AdasKey") && list.contains("BobsKey") && list.contains("Foreign"), "{list}");
    // Its scopes are beyond the session, so carol can revoke it, and neither rotate nor change it.
    assert_eq!(carol.get(&format!("{KEYS}/{foreign}/rotate")).await.status, 403);
    assert_eq!(carol.post(&format!("{KEYS}/{foreign}/rotate"), "overlap=0").await.status, 403);
    assert_eq!(carol.get(&format!("{KEYS}/{foreign}/edit")).await.status, 403);
    assert_eq!(carol.post(&format!("{KEYS}/{foreign}/revoke"), "name=Foreign").await.status, 303);
    assert_eq!(ada.post(&format!("{KEYS}/{of_ada}/rotate"), "overlap=0").await.status, 200);
    assert_eq!(ada.post(&format!("{KEYS}/{of_ada}/revoke"), "name=AdasKey").await.status, 303);
}

async fn a_key_stays_within_the_bounds(backend: Backend) {
    let server = Server::start(backend).await;
    let mut narrow = session("ada");
    narrow["cidrs_within"] = json!(["10.0.0.0/8", "::/0"]);
    let ada = Portal::open(&server, &narrow).await;
    for (resource, ranges, status) in [
        ("orders/7", "&cidrs=10.1.0.0/16", 200),
        ("orders/**", "&cidrs=10.0.0.0/8&cidrs=fd00::/8", 200),
        ("orders/7", "", 403),
        ("orders/7", "&cidrs=192.0.2.1", 403),
        ("*", "&cidrs=10.1.0.0/16", 403),
        ("claviger/orgs/default", "&cidrs=10.1.0.0/16", 403),
    ] {
        let made = ada.create("x", resource, ranges).await;
        assert_eq!(made.status, status, "{resource} {ranges}: {}", made.text);
    }
    let presets = ["query_only", "full_access"];
    for preset in presets {
        let form =
            format!("name=x&project=default&environment=prd&access={preset}&ends=never&cidrs=10.1.0.0/16");
        assert_eq!(ada.post(&format!("{KEYS}/new"), &form).await.status, 403, "{preset}");
    }
    let labels = ada.create("x", "orders/7", "&cidrs=10.1.0.0/16&owner=me&tag=team&tag-value=a").await;
    assert_eq!(labels.status, 403, "{}", labels.text);
    let elsewhere =
        "name=x&project=other&environment=prd&access=scopes&action=read&resource=orders&ends=never";
    server.admin().post_json("/v1/orgs/default/projects", &json!({ "id": "other" })).await.done(201);
    assert_eq!(ada.post(&format!("{KEYS}/new"), elsewhere).await.status, 403);
}

async fn a_key_ends_within_the_bound(backend: Backend) {
    let server = Server::start(backend).await;
    let forever = Portal::open(&server, &session("ada")).await.new_key("Forever").await;
    let mut short = session("ada");
    short["max_key_lifetime"] = json!(30 * 86_400);
    let ada = Portal::open(&server, &short).await;
    // The form offers what is within, and begins with it.
    let page = ada.get(&format!("{KEYS}/new")).await.text;
    for (value, is_offered) in
        [("7d", true), ("30d", true), ("date", true), ("90d", false), ("1y", false), ("never", false)]
    {
        assert_eq!(page.contains(&format!(r#"name="ends" value="{value}""#)), is_offered, "{value}: {page}");
    }
    assert!(page.contains(r#"value="30d" checked"#) && page.contains("At the latest"), "{page}");
    let form = |ends: &str| {
        format!(
            "name=Short&project=default&environment=prd&access=scopes&action=read&resource=orders/1&{ends}"
        )
    };
    let (within, beyond) = (server.clock.now().plus(30 * 86_400), server.clock.now().plus(30 * 86_400 + 60));
    let date = |at: Timestamp| {
        let at = at.rfc3339();
        format!("ends=date&offset=0&date={}&time={}", &at[..10], &at[11..16])
    };
    for (ends, status) in [
        ("ends=30d".to_owned(), 200),
        (date(within), 200),
        (date(beyond), 403),
        ("ends=90d".to_owned(), 403),
        ("ends=never".to_owned(), 403),
    ] {
        let made = ada.post(&format!("{KEYS}/new"), &form(&ends)).await;
        assert_eq!(made.status, status, "{ends}: {}", made.text);
        if status == 403 {
            assert!(made.text.contains("has to expire earlier"), "{}", made.text);
            assert!(made.text.contains(r##"href="#expires""##), "{}", made.text);
        }
    }
    // A key that lasts longer can be revoked, and neither rotated nor changed.
    let own = format!("{KEYS}/{forever}");
    for act in ["rotate", "edit"] {
        assert_eq!(ada.get(&format!("{own}/{act}")).await.status, 403, "{act}");
    }
    assert_eq!(ada.post(&format!("{own}/rotate"), "overlap=0").await.status, 403);
    let page = ada.get(&own).await.text;
    assert!(!page.contains("/rotate") && !page.contains("/edit") && page.contains("/revoke"), "{page}");
    assert_eq!(ada.post(&format!("{own}/revoke"), "name=Forever").await.status, 303);
    // One within the bound is rotated, and is not given a later end.
    let keys = server.admin().get("/v1/orgs/default/keys?q=Short").await.done(200);
    let short = keys["data"][0]["id"].as_str().unwrap();
    let own = format!("{KEYS}/{short}");
    assert_eq!(ada.post(&format!("{own}/rotate"), "overlap=0").await.status, 200);
    let base = ada.get(&format!("{own}/edit")).await.text;
    assert!(base.contains(r#"name="ends" value="keep" checked"#), "{base}");
    let edited = "name=Short&access=scopes&action=read&resource=orders/1&ends=";
    for (ends, status) in [("never", 403), ("1y", 403), ("7d", 200)] {
        let changed = ada.post(&format!("{own}/edit"), &format!("{edited}{ends}")).await;
        assert_eq!(changed.status, status, "{ends}: {}", changed.text);
        if status == 200 {
            let version = hidden(&changed.text, "version").replace("&#34;", "%22");
            let done = ada.post(&format!("{own}/edit"), &format!("{edited}{ends}&version={version}")).await;
            assert_eq!(done.status, 303, "{}", done.text);
        }
    }
    let end = server.admin().get(&format!("/v1/orgs/default/keys/{short}")).await.done(200);
    assert_eq!(end["expires_at"], server.clock.now().plus(7 * 86_400).rfc3339());
}

async fn a_user_does_only_what_the_session_allows(backend: Backend) {
    let server = Server::start(backend).await;
    let key = Portal::open(&server, &session("ada")).await.new_key("AdasKey").await;
    let mut reads = session("ada");
    reads["may"] = json!(["list"]);
    let ada = Portal::open(&server, &reads).await;
    let page = ada.get(&format!("{KEYS}/{key}")).await;
    assert_eq!(page.status, 200);
    for absent in ["Rotate", "Edit", "Revoke", "Delete", "Disable", "Register public key", "<h2>Use</h2>"] {
        assert!(!page.text.contains(absent), "{absent}: {}", page.text);
    }
    for act in ["edit", "rotate", "revoke"] {
        assert_eq!(ada.get(&format!("{KEYS}/{key}/{act}")).await.status, 404, "{act}");
    }
    let mut rotates = session("ada");
    rotates["may"] = json!(["list", "rotate"]);
    let ada = Portal::open(&server, &rotates).await;
    for (act, status) in [("edit", 403), ("rotate", 200), ("revoke", 403)] {
        assert_eq!(ada.get(&format!("{KEYS}/{key}/{act}")).await.status, status, "{act}");
    }
}

async fn a_user_has_only_so_many_keys_even_in_a_race(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = Portal::open(&server, &session("ada")).await;
    let create = |name: &'static str| {
        let ada = ada.clone();
        async move { ada.create(name, "orders/1", "").await.status }
    };
    let (a, b, c, d, e) = tokio::join!(create("a"), create("b"), create("c"), create("d"), create("e"));
    let mut statuses = [a, b, c, d, e];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 409, 409]);
}
