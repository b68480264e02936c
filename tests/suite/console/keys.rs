//! Keys on their pages: the list, making one, and what is done to one.

use serde_json::json;

use super::browser::{Browser, hidden};
use crate::support::{Answer, Backend, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";
const NEW: &str = "/console/orgs/default/keys/new";

/// What would be a script, an attribute or a picture if it was not text.
const HOSTILE: &str = r#""><script>alert(1)</script><img src=x onerror=alert(1)>'"#;

on_both!(
    the_list_finds_filters_and_sorts,
    a_list_goes_on_in_every_order,
    a_list_is_sorted_by_last_use,
    a_list_goes_on_where_it_was_although_keys_are_used_and_deleted,
    a_search_through_many_keys_can_go_on,
    a_key_is_shown_once_and_made_once,
    what_is_wrong_stands_beside_the_field_and_nothing_typed_is_lost,
    names_and_notes_stay_text,
    a_change_is_spelled_out_first_and_then_made_of_that_version,
    an_old_secret_is_safe_to_retire_once_the_new_one_is_in_use,
    a_key_is_rotated_revoked_and_deleted,
    a_key_is_disabled_and_enabled_after_being_asked,
    retiring_the_newer_secret_is_announced,
    a_public_key_is_registered_and_removed_at_its_keys_page,
);

async fn the_list_finds_filters_and_sorts(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    server.key_from(json!({"name": "Zebra", "preset": "query_only", "expires_in": "30d"})).await;
    server.key_from(json!({"name": "apple 50%", "preset": "full_access", "environment": "dev"})).await;
    let (gone, _) = server.key_from(json!({"name": "gone", "preset": "query_only"})).await;
    server.admin().post_json(&format!("/v1/orgs/default/keys/{gone}/revoke"), &json!({})).await.done(200);
    for (query, names) in [
        ("", &["apple 50%", "Zebra", "Administrator"][..]),
        ("?q=EBR", &["Zebra"]),
        ("?q=%25", &["apple 50%"]),
        ("?environment=dev", &["apple 50%"]),
        ("?project=default&environment=stg", &[]),
        ("?status=revoked", &["gone"]),
        ("?status=all", &["gone", "apple 50%", "Zebra", "Administrator"]),
        ("?sort=oldest", &["Administrator", "Zebra", "apple 50%"]),
        ("?sort=name", &["Administrator", "apple 50%", "Zebra"]),
        ("?sort=name-down", &["Zebra", "apple 50%", "Administrator"]),
        ("?sort=end", &["Zebra", "Administrator", "apple 50%"]),
        ("?sort=end-down", &["apple 50%", "Administrator", "Zebra"]),
        ("?stale=yes", &[]),
    ] {
        assert_eq!(listed(&browser.page(&format!("{KEYS}{query}")).await), names, "{query}");
    }
    server.advance(20 * 86_400).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(KEYS).await;
    assert!(
        page.contains("Expires soon") && page.contains("Full access") && !page.contains("Stale"),
        "{page}"
    );
    server.advance(71 * 86_400).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    server.flush().await;
    assert_eq!(
        listed(&browser.page(&format!("{KEYS}?stale=yes&status=all")).await),
        ["gone", "apple 50%", "Zebra"]
    );
    assert!(browser.page(KEYS).await.contains("Stale"));
    for bad in ["?project=A", "?cursor=x", "?q=a&q=b"] {
        assert_eq!(browser.get(&format!("{KEYS}{bad}")).await.status, 400, "{bad}");
    }
}

async fn a_list_goes_on_in_every_order(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for at in 0..60 {
        let name = format!("key {:02}", (at * 7) % 60);
        server
            .key_from(json!({"name": name, "preset": "query_only", "expires_in": 1_000 + (at * 11) % 60}))
            .await;
    }
    for sort in ["", "oldest", "name", "name-down", "end", "end-down", "used", "idle"] {
        let first = browser.page(&format!("{KEYS}?sort={sort}")).await;
        let mut names = listed(&first);
        assert_eq!(names.len(), 50, "{sort}");
        names.extend(listed(&browser.page(&next(&first).unwrap()).await));
        assert_eq!(names.len(), 61, "{sort}");
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), 61, "{sort}");
        if sort == "name" {
            assert_eq!(names, once);
        }
    }
}

async fn a_list_is_sorted_by_last_use(backend: Backend) {
    let server = Server::start(backend).await;
    let mut keys = Vec::new();
    for name in ["first", "second", "third"] {
        keys.push(server.key_from(json!({"name": name, "preset": "query_only"})).await);
        server.advance(10).await;
    }
    // Neither of the order that they were made in: the third is never used.
    for at in [1, 0] {
        server.advance(10).await;
        server.client().token(&keys[at].1, "").await.done(200);
    }
    server.advance(10).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    server.flush().await;
    for (sort, names) in [
        ("used", ["Administrator", "first", "second", "third"]),
        ("idle", ["third", "second", "first", "Administrator"]),
    ] {
        assert_eq!(listed(&browser.page(&format!("{KEYS}?sort={sort}")).await), names, "{sort}");
    }
    let page = browser.page(&format!("{KEYS}?sort=used")).await;
    let head = r#"<th scope="col" aria-sort="descending"><a href="/console/orgs/default/keys?sort=idle">Last used</a>"#;
    assert!(page.contains(head), "{page}");
}

async fn a_list_goes_on_where_it_was_although_keys_are_used_and_deleted(backend: Backend) {
    let server = Server::start(backend).await;
    for at in 0..54 {
        server.key_from(json!({"name": format!("key {at:02}"), "preset": "query_only"})).await;
        server.advance(1).await;
    }
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    server.flush().await;
    for (sort, last, rest) in [
        ("idle", "key 49", &["key 50", "key 51", "key 52", "key 53", "Administrator"][..]),
        ("name", "key 48", &["key 50", "key 51", "key 52", "key 53"]),
    ] {
        let first = browser.page(&format!("{KEYS}?sort={sort}")).await;
        assert_eq!(listed(&first).last().unwrap(), last);
        let (_, row) = first.rsplit_once("/keys/key_").unwrap();
        let id = format!("key_{}", &row[..16]);
        server.admin().delete(&format!("/v1/orgs/default/keys/{id}")).await.done(204);
        server.admin().get("/v1/orgs/default/keys").await.done(200);
        server.flush().await;
        assert_eq!(listed(&browser.page(&next(&first).unwrap()).await), rest, "{sort}");
    }
}

async fn a_search_through_many_keys_can_go_on(backend: Backend) {
    let server = Server::start(backend).await;
    server.database.add_keys("default", 20_000).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let first = browser.page(&format!("{KEYS}?q=administrator")).await;
    assert!(listed(&first).is_empty() && first.contains("No keys found yet"), "{first}");
    let second = browser.page(&next(&first).unwrap()).await;
    assert_eq!(listed(&second), ["Administrator"]);
    assert_eq!(next(&second), None);
    let mut page = browser.page(&format!("{KEYS}?q=nothing&sort=name")).await;
    while let Some(link) = next(&page) {
        assert!(page.contains("Continue searching"), "{page}");
        page = browser.page(&link).await;
    }
    assert!(page.contains("No more keys match"), "{page}");
}

/// The link to the next page.
pub(super) fn next(page: &str) -> Option<String> {
    let (before, _) = page.split_once(r#"" rel="next""#)?;
    let (_, link) = before.rsplit_once(r#"href=""#)?;
    Some(link.replace("&amp;", "&").replace("&#38;", "&"))
}

async fn a_key_is_shown_once_and_made_once(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let form = hidden(&browser.page(NEW).await, "form");
    let fields = [
        ("form", &*form),
        ("name", "Billing"),
        ("note", "two\r\nlines"),
        ("project", "default"),
        ("environment", "stg"),
        ("ends", "30d"),
        ("access", "scopes"),
        ("action", "write"),
        ("resource", "invoices/*"),
        ("action", "read"),
        ("resource", ""),
        ("cidrs", "127.0.0.1 192.0.2.0/24"),
    ];
    let made = browser.post(NEW, &fields).await;
    assert_eq!((made.status, made.header("cache-control")), (200, "no-store"), "{}", made.text);
    let key = shown(&made);
    assert!(key.starts_with("clv_stg_"));
    let token = server.client().token(&key, "").await.done(200);
    assert_eq!(token["scope"], "write:invoices/*");

    let again = browser.post(NEW, &fields).await;
    assert_eq!((again.status, shown(&again)), (200, key.clone()), "{}", again.text);
    server.advance(61).await;
    let again = browser.post(NEW, &fields).await;
    assert_eq!(again.status, 303, "{}", again.text);
    let own = again.header("location").to_owned();
    let page = browser.followed(&again).await;
    assert!(page.contains("You already submitted this form") && !page.contains(&key), "{page}");
    let other = [&fields[..1], &[("name", "Other")], &fields[2..]].concat();
    let other = browser.post(NEW, &other).await;
    assert_eq!(other.status, 409);
    assert!(other.text.contains("was used with a different body"), "{}", other.text);
    assert_ne!(hidden(&other.text, "form"), form, "the next time it is another form");

    let stored = server.admin().get(&own.replace("/console", "/v1")).await.done(200);
    assert_eq!(stored["note"], "two\nlines");
    assert_eq!(stored["cidrs"], json!(["127.0.0.1/32", "192.0.2.0/24"]));
    assert_eq!(stored["expires_at"], "2026-01-31T00:00:00Z");
    assert_eq!(listed(&browser.page(KEYS).await).len(), 2);
}

async fn what_is_wrong_stands_beside_the_field_and_nothing_typed_is_lost(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let good = [
        ("name", "a name"),
        ("project", "default"),
        ("environment", "prd"),
        ("ends", "never"),
        ("date", ""),
        ("access", "scopes"),
        ("action", "read"),
        ("resource", "a/*"),
        ("cidrs", ""),
        ("owner", ""),
        ("tag", ""),
        ("tag-value", ""),
        ("time", ""),
    ];
    for (field, value, error) in [
        ("name", " ", r#"id="name-error""#),
        ("cidrs", "10.0.0.1/8", r#"id="range-words-1" class="field-error""#),
        ("resource", "a//b", r#"id="row-1" class="field-error""#),
        ("resource", "", "Choose a scope, enter a resource, or choose a preset."),
        ("owner", "usr_x", r#"id="owner-error""#),
        ("tag", "Team", r#"id="tags-error""#),
        ("ends", "date", r#"id="date-error""#),
        ("project", "none", r#"id="project-error" class="field-error">The project does not exist."#),
        (
            "environment",
            "qa",
            r#"id="environment-error" class="field-error">The project does not have this environment"#,
        ),
        ("access", "nonsense", ""),
        ("ends", "8d", "Expires_in must be"),
        ("time", "noon", ""),
    ] {
        let fields: Vec<_> =
            good.iter().map(|(name, old)| (*name, if *name == field { value } else { old })).collect();
        let answer = browser.post(NEW, &fields).await;
        if error.is_empty() {
            assert_eq!(answer.status, 200, "{field}: {}", answer.text);
            continue;
        }
        assert_eq!(answer.status, 400, "{field}: {}", answer.text);
        assert!(answer.text.contains(error), "{field}={value}: {}", answer.text);
        if field != "name" {
            assert!(answer.text.contains(r#"value="a name""#), "{field}: {}", answer.text);
        }
    }
    let past = browser
        .post(NEW, &[&good[..3], &[("ends", "date"), ("date", "2025-12-31")], &good[5..]].concat())
        .await;
    assert!(past.text.contains("The last day must not be in the past."), "{}", past.text);
    let more = browser.post(NEW, &[&good[..], &[("more", "row")]].concat()).await;
    assert_eq!(more.text.matches(r#"name="resource""#).count(), 2, "{}", more.text);
    let mine = browser.post(NEW, &[&good[..], &[("mine", "yes")]].concat()).await;
    assert!(mine.text.contains(r#"name="cidrs" value="127.0.0.1""#), "{}", mine.text);
    for (path, words, is_wrong) in [
        (
            "scope?action=read&resource=a%2F%2A%2A",
            "Allows read access to everything under a, at any depth.",
            false,
        ),
        ("range?text=203.0.113.0%2F30", "4 addresses, from 203.0.113.0 to 203.0.113.3.", false),
        ("range?text=10.1", "`10.1` is not a network range", true),
    ] {
        let said: serde_json::Value =
            serde_json::from_str(&browser.page(&format!("/console/{path}")).await).unwrap();
        assert_eq!(said["is_wrong"], is_wrong, "{path}");
        assert!(said["words"].as_str().unwrap().starts_with(words), "{said}");
    }
}

async fn names_and_notes_stay_text(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let members = json!({"name": HOSTILE, "note": HOSTILE, "preset": "query_only"});
    let (id, _) = server.key_from(members).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    server.admin().patch(&path, &json!({"note": format!("{HOSTILE} again")})).await.done(200);
    let own = format!("{KEYS}/{id}");
    let search = format!("{KEYS}?q={}", super::browser::escaped("<script>alert(1)"));
    for page in [
        KEYS.to_owned(),
        search,
        own.clone(),
        format!("{own}/edit"),
        format!("{own}/rotate"),
        format!("{own}/revoke"),
        format!("{own}/delete"),
        "/console/orgs/default/audit".to_owned(),
    ] {
        let text = browser.page(&page).await;
        for raw in ["<script>alert", "<img src=x"] {
            assert!(!text.contains(raw), "{page} has {raw}: {text}");
        }
        assert!(text.contains("alert(1)"), "{page}: {text}");
    }
    let typed = browser
        .post(NEW, &[("name", HOSTILE), ("cidrs", HOSTILE), ("resource", HOSTILE), ("action", HOSTILE)])
        .await;
    assert_eq!(typed.status, 400);
    assert!(!typed.text.contains("<script>alert") && !typed.text.contains("<img src=x"), "{}", typed.text);
}

async fn a_change_is_spelled_out_first_and_then_made_of_that_version(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let scopes = json!([{"action": "read", "resource": "a/*"}, {"action": "read", "resource": "b"}]);
    let (id, _) = server.key_from(json!({"name": "old", "scopes": scopes})).await;
    let (own, edit) = (format!("{KEYS}/{id}"), format!("{KEYS}/{id}/edit"));
    let fields = [
        ("name", "new"),
        ("ends", "keep"),
        ("access", "scopes"),
        ("action", "read"),
        ("resource", "a/*"),
        ("cidrs", "0.0.0.0/0\r\n::/0"),
    ];
    let preview = browser.post(&edit, &fields).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    for said in [
        "<del><bdi>old</bdi></del>",
        "<ins><bdi>new</bdi></ins>",
        "<del><bdi>Read b only</bdi> <code>read:b</code></del>",
        "This change reduces access.",
    ] {
        assert!(preview.text.contains(said), "{said}: {}", preview.text);
    }
    let stored = || async { server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200) };
    assert_eq!(stored().await["name"], "old", "nothing has happened yet");
    let version = hidden(&preview.text, "version").replace("&#34;", "\"");
    let done = [&fields[..], &[("version", &*version)]].concat();
    let back = browser.post(&edit, &[&done[..], &[("back", "yes")]].concat()).await;
    assert!(back.text.contains(r#"value="new""#), "{}", back.text);
    let applied = browser.post(&edit, &done).await;
    assert_eq!(applied.header("location"), own, "{}", applied.text);
    assert!(browser.followed(&applied).await.contains("Key updated."));
    assert_eq!(stored().await["name"], "new");
    let late = browser.post(&edit, &done).await;
    assert_eq!(late.status, 412);
    assert!(
        late.text.contains("It has been changed since") && late.text.contains(r#"value="new""#),
        "{}",
        late.text
    );
    let same = browser.post(&edit, &fields).await;
    assert_eq!(same.header("location"), own);
}

async fn an_old_secret_is_safe_to_retire_once_the_new_one_is_in_use(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, old) = server.key_from(json!({"preset": "query_only"})).await;
    server.client().token(&old, "").await.done(200);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let own = format!("{KEYS}/{id}");
    let new = shown(&browser.post(&format!("{own}/rotate"), &[("overlap", "604800")]).await);
    // A day in which nobody used either: who has the old one may come back for it.
    server.advance(86_400).await;
    server.flush().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    assert!(browser.page(&own).await.contains("Still in use"));
    server.client().token(&new, "").await.done(200);
    server.flush().await;
    assert!(browser.page(&own).await.contains("Safe to retire"));
}

async fn a_key_is_rotated_revoked_and_deleted(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, old) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    let rotated = browser.post(&format!("{own}/rotate"), &[("form", "once"), ("overlap", "3600")]).await;
    let new = shown(&rotated);
    for key in [&old, &new] {
        server.client().token(key, "").await.done(200);
    }
    let again = browser.post(&format!("{own}/rotate"), &[("form", "once"), ("overlap", "3600")]).await;
    assert_eq!(shown(&again), new);
    let third = browser.post(&format!("{own}/rotate"), &[("overlap", "60")]).await;
    assert_eq!(third.status, 409);
    assert!(third.text.contains("The key already has two live secrets"), "{}", third.text);
    assert_eq!(browser.post(&format!("{own}/rotate"), &[("overlap", "x")]).await.status, 400);

    server.flush().await;
    let page = browser.page(&own).await;
    assert!(page.contains("Still in use"), "{page}");
    let (_, link) = page.rsplit_once(&format!("{own}/secrets/")).unwrap();
    let retire = format!("{own}/secrets/{}", link.split('"').next().unwrap());
    assert!(browser.page(&retire).await.contains("The secret and all tokens of this key are refused"));
    assert_eq!(browser.post(&retire, &[]).await.header("location"), own);
    assert_eq!(server.client().token(&old, "").await.status, 401);
    server.client().token(&new, "").await.done(200);

    for act in ["revoke", "delete"] {
        let wrong = browser.post(&format!("{own}/{act}"), &[("name", "The Key")]).await;
        assert_eq!(wrong.status, 400);
        assert!(wrong.text.contains("The name does not match"), "{}", wrong.text);
    }
    server.client().token(&new, "").await.done(200);
    let revoked = browser.post(&format!("{own}/revoke"), &[("name", "the key"), ("reason", "leaked")]).await;
    assert_eq!(revoked.header("location"), own);
    assert!(browser.followed(&revoked).await.contains("Key revoked. The server"));
    assert_eq!(server.client().token(&new, "").await.status, 401);
    let page = browser.page(&own).await;
    assert!(page.contains("leaked") && !page.contains(&format!("{own}/edit")), "{page}");
    assert_eq!(browser.get(&format!("{own}/edit")).await.status, 409);
    let deleted = browser.post(&format!("{own}/delete"), &[("name", "the key")]).await;
    assert_eq!(deleted.header("location"), KEYS);
    assert_eq!(browser.get(&own).await.status, 404);

    let last = format!("{KEYS}/{}", server.admin().get("/v1/self").await.json()["id"].as_str().unwrap());
    let kept = browser.post(&format!("{last}/revoke"), &[("name", "Administrator")]).await;
    assert_eq!(kept.status, 409, "the last administrator key stays: {}", kept.text);
}

async fn a_key_is_disabled_and_enabled_after_being_asked(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, key) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    assert!(browser.page(&own).await.contains(&format!("{own}/disable")));
    assert!(browser.page(&format!("{own}/disable")).await.contains("You can enable the key again"));
    server.client().token(&key, "").await.done(200);
    let disabled = browser.post(&format!("{own}/disable"), &[]).await;
    assert_eq!(disabled.header("location"), own);
    assert_eq!(server.client().token(&key, "").await.status, 401);
    let page = browser.followed(&disabled).await;
    assert!(page.contains("Key disabled. The key") && page.contains("<strong>Disabled</strong>"), "{page}");
    assert!(page.contains(&format!("{own}/enable")) && !page.contains(&format!("{own}/disable")), "{page}");
    assert!(page.contains("Key disabled"), "the trail says so: {page}");
    assert_eq!(listed(&browser.page(&format!("{KEYS}?status=disabled")).await), ["the key"]);
    assert_eq!(listed(&browser.page(KEYS).await), ["Administrator"]);
    assert!(browser.page(&format!("{own}/enable")).await.contains("Enable key"));
    let enabled = browser.post(&format!("{own}/enable"), &[]).await;
    assert_eq!(enabled.header("location"), own);
    assert!(browser.followed(&enabled).await.contains("Key enabled."));
    server.client().token(&key, "").await.done(200);

    let last = format!("{KEYS}/{}", server.admin().get("/v1/self").await.json()["id"].as_str().unwrap());
    let kept = browser.post(&format!("{last}/disable"), &[]).await;
    assert_eq!(kept.status, 409, "the last administrator stays: {}", kept.text);
    assert!(kept.text.contains("lock out all administrators"), "{}", kept.text);
}

async fn retiring_the_newer_secret_is_announced(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, old) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    browser.post(&format!("{own}/rotate"), &[("overlap", "3600")]).await;
    let secrets = server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.json()["secrets"].clone();
    let retire = |at: usize| format!("{own}/secrets/{}/retire", secrets[at]["id"].as_str().unwrap());
    assert!(!browser.page(&retire(0)).await.contains("This undoes the rotation"));
    assert!(browser.page(&retire(1)).await.contains("This undoes the rotation"));
    let retired = browser.post(&retire(1), &[]).await;
    assert_eq!(retired.header("location"), own);
    assert!(browser.followed(&retired).await.contains("no longer expires"));
    server.advance(3_600).await;
    server.client().token(&old, "").await.done(200);
}

async fn a_public_key_is_registered_and_removed_at_its_keys_page(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    let (form, pem) =
        (format!("{own}/public-keys/new"), include_str!("../../vectors/pem/public/rsa-2048.pem"));
    assert!(browser.page(&own).await.contains("Register public key"));
    assert!(browser.page(&form).await.contains("The private key must stay with its owner"));
    // What is wrong stands beside the field, and nothing typed is lost but a private key.
    let unclear = browser.post(&form, &[("public_key", pem), ("kid", "build")]).await;
    assert_eq!(unclear.status, 400, "{}", unclear.text);
    assert!(unclear.text.contains("an RSA key is for one of PS256 and RS256"), "{}", unclear.text);
    assert!(unclear.text.contains("BEGIN PUBLIC KEY") && unclear.text.contains("build"), "{}", unclear.text);
    let private = include_str!("../../vectors/pem/p256.pem");
    let refused = browser.post(&form, &[("public_key", private)]).await;
    assert!(refused.text.contains("this is a private key"), "{}", refused.text);
    assert!(!refused.text.contains(private.lines().nth(1).unwrap()), "{}", refused.text);
    for text in ["{", "hello", ""] {
        assert_eq!(browser.post(&form, &[("public_key", text)]).await.status, 400, "{text}");
    }

    let registered = browser.post(&form, &[("public_key", pem), ("alg", "PS256"), ("kid", "build")]).await;
    assert_eq!(registered.header("location"), own, "{}", registered.text);
    let page = browser.followed(&registered).await;
    assert!(page.contains("Public key registered.") && page.contains("<bdi>build</bdi>"), "{page}");
    assert!(page.contains("PS256") && page.contains("Public key registered</"), "{page}");
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    browser.post(&form, &[("public_key", jwk)]).await;
    let key = server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200);
    let public_keys = key["public_keys"].as_array().unwrap();
    assert_eq!(public_keys.len(), 2, "{key}");
    // A secret can go now, and then a public key has to stay.
    let secret = key["secrets"][0]["id"].as_str().unwrap();
    assert!(browser.page(&own).await.contains(&format!("secrets/{secret}/retire")));
    let retire = format!("{own}/secrets/{secret}/retire");
    assert!(!browser.page(&retire).await.contains("This undoes the rotation"));
    browser.post(&retire, &[]).await;
    assert!(browser.page(&own).await.contains("This key has no secret."));
    let remove = |at: usize| format!("{own}/public-keys/{}/remove", public_keys[at]["id"].as_str().unwrap());
    assert!(browser.page(&remove(0)).await.contains("are refused immediately"));
    let removed = browser.post(&remove(0), &[]).await;
    assert!(browser.followed(&removed).await.contains("Public key removed."));
    let last = browser.post(&remove(1), &[]).await;
    assert_eq!(last.status, 409, "{}", last.text);
    assert!(last.text.contains("the last way to use the key"), "{}", last.text);
    assert!(browser.page(&format!("{own}/rotate")).await.contains("public keys keep working"));
}

/// The names on a page of the list.
pub(super) fn listed(page: &str) -> Vec<String> {
    let links = page.split(r#"class="row-link""#).skip(1);
    links.map(|link| link.split_once("<bdi>").unwrap().1.split('<').next().unwrap().to_owned()).collect()
}

/// The key that a page shows.
#[track_caller]
pub(super) fn shown(answer: &Answer) -> String {
    let (_, rest) = answer.text.split_once(r#"id="secret""#).unwrap_or_else(|| panic!("{}", answer.text));
    rest.split(['>', '<']).nth(1).unwrap().to_owned()
}
