//! What is done to keys that are selected in the list.

use serde_json::{Value, json};

use super::browser::{Browser, hidden};
use crate::support::{Answer, Backend, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";
const ASK: &str = "/console/orgs/default/keys/selected";
const ACT: &str = "/console/orgs/default/keys/selected/act";
const EXPORT: &str = "/console/orgs/default/keys/selected/export";

on_both!(
    selected_keys_are_named_before_anything_happens,
    a_selection_that_changed_is_asked_about_again,
    all_that_match_are_more_than_a_page,
    keys_are_disabled_enabled_and_tagged,
    what_cannot_be_done_to_a_key_is_said_by_its_name,
    whoever_may_change_no_key_can_only_export,
    a_form_that_was_kept_only_asks_again,
    an_export_has_the_selected_keys,
);

/// Makes a key of this name; its id.
async fn key(server: &Server, name: &str, more: Value) -> String {
    let mut key = json!({ "name": name, "preset": "query_only" });
    key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.key_from(key).await.0
}

/// The keys in these states, by name in order.
async fn with_status(server: &Server, status: &str) -> Vec<String> {
    let listed =
        server.admin().get(&format!("/v1/orgs/default/keys?limit=200&status={status}&sort=name")).await;
    let listed = listed.done(200)["data"].clone();
    listed.as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

async fn events(server: &Server, action: &str) -> u64 {
    let count = format!("SELECT COUNT(*) FROM audit_events WHERE action = '{action}'");
    server.database.number(&count).await.try_into().unwrap()
}

/// The version of the selection that a confirmation shows.
fn version(page: &Answer) -> String {
    assert!(page.text.contains(r#"name="version""#), "{}", page.text);
    hidden(&page.text, "version").replace("&#34;", "\"")
}

async fn asked(browser: &Browser, fields: &[(&str, &str)]) -> Answer {
    let answer = browser.post(ASK, fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// Asks, and then does it.
async fn done(browser: &Browser, selected: &[(&str, &str)], typed: &[(&str, &str)]) -> Answer {
    let version = version(&asked(browser, selected).await);
    let answer = browser.post(ACT, &[selected, typed, &[("version", &*version)]].concat()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

async fn selected_keys_are_named_before_anything_happens(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (a, b) = (key(&server, "key <a>", json!({})).await, key(&server, "key b", json!({})).await);
    key(&server, "key c", json!({})).await;
    let list = browser.page(KEYS).await;
    assert!(list.contains(&format!(r#"name="key" value="{b}" aria-label="Select key b""#)), "{list}");
    assert!(list.contains(r#"aria-label="Select all on this page""#), "{list}");
    assert!(!list.contains(r#"value="matching""#), "all are on this page: {list}");
    let selected = [("act", "revoke"), ("which", "ticked"), ("key", &*a), ("key", &*b), ("shown", "key_x")];
    let page = asked(&browser, &selected).await;
    for text in ["Revoke 2 keys?", "key &#60;a&#62;", "key b", "You cannot undo this", "<code>2</code>"] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(!page.text.contains("key c"), "{}", page.text);
    assert_eq!(with_status(&server, "revoked").await, [""; 0]);
    let version = version(&page);
    for number in ["", "3"] {
        let typed = [("number", number), ("reason", "not \"needed\""), ("version", &*version)];
        let refused = browser.post(ACT, &[&selected[..], &typed].concat()).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        let texts = ["The number does not match", "not &#34;needed&#34;", "key b", "aria-invalid"];
        assert!(texts.iter().all(|text| refused.text.contains(text)), "{}", refused.text);
    }
    let nobody = browser.post(ACT, &[&selected[..], &[("number", "2")]].concat()).await;
    assert_eq!(nobody.status, 400, "without a version: {}", nobody.text);
    assert_eq!(with_status(&server, "revoked").await, [""; 0]);
    let typed = [("number", "2"), ("reason", "spring"), ("version", &*version)];
    let form = [&selected[..], &typed].concat();
    let revoked = browser.post(ACT, &form).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert!(
        revoked.text.contains("<h1>2 keys revoked</h1>") && revoked.text.contains("key b"),
        "{}",
        revoked.text
    );
    assert_eq!(with_status(&server, "revoked").await, ["key <a>", "key b"]);
    let one = server.admin().get(&format!("/v1/orgs/default/keys/{a}")).await.done(200);
    assert_eq!(one["revoked_reason"], "spring");
    assert_eq!(events(&server, "key.revoke").await, 2);
    // A second submission does nothing, and says so.
    let again = browser.post(ACT, &form).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert!(
        again.text.contains("Nothing to do") && again.text.contains("It is revoked already."),
        "{}",
        again.text
    );
    assert_eq!(events(&server, "key.revoke").await, 2);
    for nothing in [&[("act", "revoke"), ("which", "ticked")][..], &[("act", "revoke"), ("shown", &a)]] {
        let refused = browser.post(ASK, nothing).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains("Choose at least one key"), "{}", refused.text);
    }
    for bad in [("act", "delete"), ("act", "")] {
        assert_eq!(browser.post(ASK, &[bad, ("key", &b)]).await.status, 400, "{bad:?}");
    }
    assert_eq!(browser.post(ASK, &[("act", "revoke"), ("key", "x")]).await.status, 400);
}

async fn a_selection_that_changed_is_asked_about_again(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let a = key(&server, "web a", json!({})).await;
    key(&server, "web b", json!({})).await;
    let rename = json!({ "name": "web renamed" });
    for (selected, number) in [
        (&[("act", "revoke"), ("which", "matching"), ("filters", "q=web")][..], "2"),
        (&[("act", "revoke"), ("key", &*a)], "1"),
    ] {
        let version = version(&asked(&browser, selected).await);
        server.admin().patch(&format!("/v1/orgs/default/keys/{a}"), &rename).await.done(200);
        let form = [selected, &[("number", number), ("version", &version)]].concat();
        let overtaken = browser.post(ACT, &form).await;
        assert_eq!(overtaken.status, 412, "{}", overtaken.text);
        let texts = ["The keys have changed since you opened this page", "web renamed"];
        assert!(texts.iter().all(|text| overtaken.text.contains(text)), "{}", overtaken.text);
        server
            .admin()
            .patch(&format!("/v1/orgs/default/keys/{a}"), &json!({ "name": "web a" }))
            .await
            .done(200);
    }
    // Another key matches, and nobody has seen it on the page.
    let selected = [("act", "disable"), ("which", "matching"), ("filters", "q=web")];
    let seen = version(&asked(&browser, &selected).await);
    key(&server, "web new", json!({})).await;
    let overtaken = browser.post(ACT, &[&selected[..], &[("version", &*seen)]].concat()).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    assert!(overtaken.text.contains("web new"), "{}", overtaken.text);
    assert_eq!(with_status(&server, "disabled").await, [""; 0]);
    let seen = version(&overtaken);
    let form = [&selected[..], &[("version", &*seen)]].concat();
    assert_eq!(browser.post(ACT, &form).await.status, 200);
    assert_eq!(with_status(&server, "disabled").await, ["web a", "web b", "web new"]);
}

async fn all_that_match_are_more_than_a_page(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for at in 0..55 {
        key(&server, &format!("many {at:02}"), json!({ "tags": { "team": "a" } })).await;
    }
    key(&server, "other", json!({ "tags": { "team": "b" } })).await;
    let list = browser.page(&format!("{KEYS}?tag=team:a")).await;
    assert!(list.contains(">All 55 keys that match</option>"), "{list}");
    assert_eq!(hidden(&list, "filters"), "tag=team%3Aa");
    let shown: Vec<_> = list.split(r#"name="shown" value=""#).skip(1).map(|rest| &rest[..20]).collect();
    assert_eq!(shown.len(), 50);
    let mut page: Vec<_> = shown.iter().map(|id| ("shown", *id)).collect();
    page.extend([("act", "disable"), ("which", "page"), ("filters", "tag=team%3Aa")]);
    assert!(asked(&browser, &page).await.text.contains("Disable 50 keys?"));
    let matching = [("act", "disable"), ("which", "matching"), ("filters", "tag=team%3Aa")];
    let disabled = done(&browser, &matching, &[]).await;
    assert!(disabled.text.contains("<h1>55 keys disabled</h1>"), "{}", disabled.text);
    assert_eq!(with_status(&server, "disabled").await.len(), 55);
    // The filter asks for active keys, so it finds none of them any more.
    let gone = asked(&browser, &matching).await;
    assert!(gone.text.contains("No key matches any more."), "{}", gone.text);
    assert_eq!(
        browser.post(ASK, &[("act", "disable"), ("which", "matching"), ("filters", "x=y")]).await.status,
        400
    );
    // Past the management API, because ten thousand keys take long to make.
    server
        .database
        .execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
             INSERT INTO api_keys
                 (id, created_seq, organization, project, environment, brand, name, name_folded, scopes, cidrs,
                  generation, created_at, created_by)
             SELECT 'key_' || CAST(1000000000000000 + i AS TEXT), 1000000 + i, organization, project,
                    environment, brand, 'copy', 'copy', scopes, cidrs, generation, created_at, created_by
             FROM api_keys, n WHERE name = 'other' AND created_seq < 1000000;
             INSERT INTO key_secrets (id, key_id, hash, created_at)
             SELECT 'sec_' || SUBSTR(k.id, 5), k.id, 'x', 0 FROM api_keys k WHERE created_seq > 1000000",
        )
        .await;
    let copies = [("act", "disable"), ("which", "matching"), ("filters", "q=copy")];
    let refused = browser.post(ASK, &copies).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    assert!(refused.text.contains("more than 10000 keys"), "{}", refused.text);
    server.admin().delete("/v1/orgs/default/keys/key_1000000000000001").await.done(204);
    let page = asked(&browser, &copies).await;
    assert!(
        page.text.contains("Disable 10,000 keys?") && page.text.contains("And 9,800 keys more."),
        "{}",
        page.text
    );
}

async fn keys_are_disabled_enabled_and_tagged(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let a = key(&server, "a", json!({ "tags": { "team": "old" } })).await;
    let full: serde_json::Map<_, _> = (0..16).map(|at| (format!("t{at}"), json!("x"))).collect();
    let b = key(&server, "b", json!({ "tags": full })).await;
    let both = |act| [("act", act), ("key", &*a), ("key", &*b)];
    let tags = async |id: &str| {
        server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200)["tags"].clone()
    };
    let tagged = done(&browser, &both("tag"), &[("tag", " team=bill: ing ")]).await;
    assert!(
        tagged.text.contains("<h1>1 key tagged</h1>") && tagged.text.contains("A key has at most 16 tags."),
        "{}",
        tagged.text
    );
    assert_eq!((tags(&a).await, tags(&b).await), (json!({ "team": "bill: ing" }), json!(full)));
    for (act, bad) in [("tag", "Team:x"), ("tag", ""), ("untag", ""), ("untag", "Ä")] {
        let version = version(&asked(&browser, &both(act)).await);
        let refused =
            browser.post(ACT, &[&both(act)[..], &[("tag", bad), ("version", &*version)]].concat()).await;
        assert_eq!(refused.status, 400, "{act} {bad}: {}", refused.text);
        assert!(refused.text.contains(r#"aria-describedby="act-error""#), "{}", refused.text);
    }
    let untagged = done(&browser, &both("untag"), &[("tag", "t3:x")]).await;
    assert!(
        untagged.text.contains("<h1>1 key changed</h1>") && untagged.text.contains("It has no such tag."),
        "{}",
        untagged.text
    );
    assert_eq!(tags(&b).await.get("t3"), None);
    assert_eq!(events(&server, "key.change").await, 2);
    let disabled = done(&browser, &both("disable"), &[]).await;
    assert!(disabled.text.contains("<h1>2 keys disabled</h1>"), "{}", disabled.text);
    let again = asked(&browser, &both("disable")).await;
    assert!(
        again.text.contains("Nothing to do") && again.text.contains("It is disabled already."),
        "{}",
        again.text
    );
    server
        .admin()
        .patch(&format!("/v1/orgs/default/keys/{a}"), &json!({ "disabled": false }))
        .await
        .done(200);
    let enabled = done(&browser, &both("enable"), &[]).await;
    assert!(
        enabled.text.contains("<h1>1 key enabled</h1>") && enabled.text.contains("It is not disabled."),
        "{}",
        enabled.text
    );
    assert_eq!(with_status(&server, "disabled").await, [""; 0]);
}

async fn what_cannot_be_done_to_a_key_is_said_by_its_name(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/orgs/default/projects", &json!({ "id": "web" })).await.done(201);
    let mine = key(&server, "mine", json!({ "project": "web" })).await;
    let theirs = key(&server, "theirs", json!({})).await;
    let gone = key(&server, "gone", json!({ "project": "web" })).await;
    let raised = json!({ "name": "raised", "project": "web", "preset": "key_admin" });
    let raised = server.key_from(raised).await.0;
    admin.post_json(&format!("/v1/orgs/default/keys/{gone}/revoke"), &json!({})).await.done(200);
    let scopes =
        ["write:claviger/orgs/default/projects/web/keys/*", "read:claviger/orgs/default/projects/*/keys/*"];
    let (_, developer) = server.key(&scopes).await;
    let browser = Browser::signed_in(&server, &developer).await;
    let all = |act| [("act", act), ("key", &*mine), ("key", &*theirs), ("key", &*gone), ("key", &*raised)];
    let tagged = done(&browser, &all("tag"), &[("tag", "team:x")]).await;
    for text in [
        "<h1>1 key tagged</h1>",
        "3 keys stayed as they were",
        "write:claviger/orgs/default/projects/default/keys/",
        "It is revoked.",
        // Nobody changes a key that has more rights.
        "read:claviger/orgs/default/**",
    ] {
        assert!(tagged.text.contains(text), "{text}: {}", tagged.text);
    }
    let revoked = done(&browser, &all("revoke"), &[("number", "2")]).await;
    assert!(revoked.text.contains("<h1>2 keys revoked</h1>"), "revoking needs only write: {}", revoked.text);
    assert_eq!(with_status(&server, "revoked").await, ["gone", "mine", "raised"]);
    // A key that cannot be read is not even named.
    let (_, of_web) = server.key(&["*:claviger/orgs/default/projects/web/keys/*"]).await;
    let of_web = Browser::signed_in(&server, &of_web).await;
    let page = asked(&of_web, &all("revoke")).await;
    assert!(page.text.contains("gone") && !page.text.contains("theirs"), "{}", page.text);
    // The guard keeps the last administrator, and the others go.
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let all = [("act", "revoke"), ("which", "matching"), ("filters", "status=unrevoked")];
    let page = asked(&browser, &all).await;
    assert!(
        page.text.contains("1 key stays as it is") && page.text.contains("Administrator"),
        "{}",
        page.text
    );
    let number = with_status(&server, "active").await.len() - 1;
    let revoked = done(&browser, &all, &[("number", &number.to_string())]).await;
    assert!(revoked.text.contains(&format!("<h1>{number} keys revoked</h1>")), "{}", revoked.text);
    assert_eq!(with_status(&server, "active").await, ["Administrator"]);
}

async fn whoever_may_change_no_key_can_only_export(backend: Backend) {
    let server = Server::start(backend).await;
    let some = key(&server, "some", json!({})).await;
    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let browser = Browser::signed_in(&server, &reader).await;
    let list = browser.page(KEYS).await;
    assert!(list.contains(">Export</button>") && !list.contains(r#"name="act""#), "{list}");
    for act in ["revoke", "disable", "enable", "tag", "untag"] {
        for path in [ASK, ACT] {
            let fields = [("act", act), ("key", &*some), ("number", "1"), ("tag", "x"), ("version", "*")];
            assert_eq!(browser.post(path, &fields).await.status, 403, "{path} {act}");
        }
    }
    let (_, foreign) = server.key(&["*:claviger/orgs/acme/**"]).await;
    let foreign = Browser::signed_in(&server, &foreign).await;
    let token = hidden(&foreign.page("/console/sessions").await, "token");
    for path in [ASK, ACT, EXPORT] {
        let fields =
            [("act", "revoke"), ("key", &*some), ("number", "1"), ("version", "*"), ("token", &token)];
        let refused = foreign.send(path, &fields).await;
        assert!(refused.status >= 400 || !refused.text.contains("some"), "{path}: {}", refused.text);
    }
    assert_eq!(with_status(&server, "revoked").await, [""; 0]);
}

async fn a_form_that_was_kept_only_asks_again(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let some = key(&server, "some", json!({})).await;
    let selected = [("act", "revoke"), ("key", &*some)];
    let version = version(&asked(&browser, &selected).await);
    let typed = [("number", "1"), ("reason", "kept"), ("version", &*version), ("resume", "yes")];
    let page = browser.post(ACT, &[&selected[..], &typed].concat()).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Revoke 1 key?") && page.text.contains(r#"value="kept""#), "{}", page.text);
    assert_eq!(with_status(&server, "revoked").await, [""; 0]);
}

async fn an_export_has_the_selected_keys(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let a = key(&server, "=a", json!({})).await;
    let b = key(&server, "beta", json!({ "tags": { "team": "x" } })).await;
    key(&server, "c", json!({})).await;
    let names = |csv: &str| {
        let mut reader = csv::Reader::from_reader(csv.strip_prefix('\u{feff}').expect("a mark").as_bytes());
        reader.records().map(|row| row.unwrap()[1].to_owned()).collect::<Vec<_>>()
    };
    let selected = browser.post(EXPORT, &[("key", &a), ("key", &b)]).await;
    assert_eq!((selected.status, names(&selected.text)), (200, vec!["beta".into(), "'=a".into()]));
    assert_eq!(selected.header("content-disposition"), "attachment; filename=\"default-keys.csv\"");
    let matching = browser.post(EXPORT, &[("which", "matching"), ("filters", "tag=team:x")]).await;
    assert_eq!(names(&matching.text), ["beta"]);
    for (query, found) in [
        ("", &["c", "beta", "'=a", "Administrator"][..]),
        ("?sort=name&status=all", &["'=a", "Administrator", "beta", "c"]),
        ("?q=beta", &["beta"]),
        ("?tag=team", &["beta"]),
        ("?soon=yes", &[]),
    ] {
        let answer = browser.get(&format!("/console/orgs/default/keys.csv{query}")).await;
        assert_eq!(
            (answer.status, names(&answer.text)),
            (200, found.iter().map(|name| (*name).to_owned()).collect()),
            "{query}"
        );
        assert_eq!(answer.header("x-frame-options"), "DENY");
    }
    assert!(browser.page(&format!("{KEYS}?q=beta")).await.contains("/default/keys.csv?q=beta\""));
    for bad in ["?x=y", "?cursor=x", "?project=A"] {
        assert_eq!(browser.get(&format!("/console/orgs/default/keys.csv{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(browser.post(EXPORT, &[]).await.status, 400);
}
