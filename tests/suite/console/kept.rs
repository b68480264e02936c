//! What was typed is not lost: when a form is refused, when the session ends amid it, and when it is of another one.

use serde_json::json;

use super::browser::{Browser, encoded, hidden};
use crate::support::{Backend, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";
const NEW: &str = "/console/orgs/default/keys/new";

on_both!(
    a_form_outlives_its_session,
    a_form_of_an_earlier_session_is_shown_again,
    a_notice_is_said_once_and_claimed_by_no_address,
    a_rejected_form_keeps_what_was_typed,
    an_edit_that_somebody_else_was_faster_with_is_shown_with_what_they_changed,
    the_65th_scope_is_an_error,
    a_name_that_cannot_be_typed_is_confirmed_all_the_same,
    a_name_that_nobody_sees_is_refused_and_others_stay_apart_from_the_page,
    every_project_of_very_many_can_be_reached,
);

/// The fields of the page that leads back to a form.
fn carried(page: &str) -> Vec<(String, String)> {
    let fields = page.split(r#"<input type="hidden" name=""#).skip(1);
    let field = |field: &str| {
        let (name, rest) = field.split_once(r#"" value=""#)?;
        let value = rest.split('"').next()?;
        Some((name.to_owned(), value.replace("&#10;", "\n").replace("&#60;", "<").replace("&#62;", ">")))
    };
    fields.filter_map(field).collect()
}

async fn resumed(browser: &Browser, path: &str, page: &str) -> String {
    let fields = carried(page);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.send(path, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

async fn a_form_outlives_its_session(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    let before = server.database.dump().await;
    for (path, fields, said) in [
        (
            NEW.to_owned(),
            &[("name", "Bill<b>ing"), ("note", "two\nlines"), ("resource", "a/b")][..],
            "Bill&#60;b&#62;ing",
        ),
        (format!("{own}/edit"), &[("name", "renamed"), ("note", "why")], r#"value="renamed""#),
        (format!("{own}/revoke"), &[("name", "the key"), ("reason", "it leaked")], r#"value="it leaked""#),
        (format!("{own}/rotate"), &[("overlap", "3600")], r#"<option value="3600" selected"#),
        (
            "/console/orgs/default/projects".to_owned(),
            &[("id", "web"), ("name", "The web")],
            r#"value="The web""#,
        ),
    ] {
        let mut browser = Browser::signed_in(&server, &server.admin_key).await;
        let token = browser.token().await;
        browser.post("/console/sign-out", &[]).await;
        let sent = [fields, &[("token", &*token), ("form", "x")], &[("action", "read")]].concat();
        let asked = browser.send(&path, &sent).await;
        assert_eq!(asked.status, 401, "{}", asked.text);
        assert!(
            asked.text.contains("Your session has ended.") && !asked.text.contains(&token),
            "{}",
            asked.text
        );
        let carriers = [
            ("path", hidden(&asked.text, "path")),
            ("typed", hidden(&asked.text, "typed").replace("&#38;", "&")),
        ];
        let carriers = carriers.each_ref().map(|(name, value)| (*name, value.as_str()));
        // A wrong key, and the right one.
        let wrong = browser.send("/console/sign-in", &[&carriers[..], &[("key", "x")]].concat()).await;
        assert_eq!(
            (wrong.status, hidden(&wrong.text, "typed").replace("&#38;", "&")),
            (401, carriers[1].1.to_owned())
        );
        let sent = [&carriers[..], &[("key", &*server.admin_key)]].concat();
        let back = browser.client.with("origin", &browser.origin);
        let back = back.post_form("/console/sign-in", &encoded(&sent)).await;
        assert_eq!(back.status, 200, "{}", back.text);
        let set = back.header("set-cookie").split(';').next().unwrap().to_owned();
        browser.cookie = Some(set);
        assert!(back.text.contains(&format!(r#"action="{path}""#)), "{}", back.text);
        assert!(!back.text.contains(&server.admin_key));
        let again = resumed(&browser, &path, &back.text).await;
        assert!(again.contains(said), "{path}: {again}");
    }
    let console = |row: &String| row.contains("console.") || row.contains("sessions");
    let kept =
        |dump: Vec<String>| dump.into_iter().filter(|row| row.contains("the key") && !console(row)).count();
    assert_eq!(kept(server.database.dump().await), kept(before), "nothing was done");
    let elsewhere = Browser::at(server.client(), server.address());
    for path in
        ["https://elsewhere.example/console/x", "//elsewhere.example", "/v1/orgs", "/console/sign-out"]
    {
        let sent = [("path", path), ("typed", "a=b"), ("key", &*server.admin_key)];
        let answer = elsewhere.send("/console/sign-in", &sent).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/console"), "{path}");
    }
}

async fn a_form_of_an_earlier_session_is_shown_again(backend: Backend) {
    let server = Server::start(backend).await;
    let earlier = Browser::signed_in(&server, &server.admin_key).await;
    let token = earlier.token().await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let refused = browser.send(NEW, &[("name", "Billing"), ("token", &token)]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(!refused.text.contains(&token), "{}", refused.text);
    let again = resumed(&browser, NEW, &refused.text).await;
    assert!(again.contains(r#"value="Billing""#), "{again}");
    assert_eq!(server.database.number("SELECT COUNT(*) FROM api_keys").await, 1);
}

async fn a_notice_is_said_once_and_claimed_by_no_address(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let (other, _) = server.key_from(json!({"name": "another", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    for word in ["revoked", "disabled", "changed"] {
        let page = browser.page(&format!("{own}?done={word}")).await;
        assert!(!page.contains(r#"class="notice""#), "{page}");
    }
    let disabled = browser.post(&format!("{own}/disable"), &[]).await;
    let set = disabled.header("set-cookie").split(';').next().unwrap().to_owned();
    let with = |browser: &Browser, set: &str| {
        let cookie = format!("{}; {set}", browser.cookie.clone().unwrap());
        Browser { cookie: Some(cookie), ..browser.clone() }
    };
    let said = "Key disabled. The key and its tokens are refused";
    let there = with(&browser, &set).get(&own).await;
    assert!(there.text.contains(said), "{}", there.text);
    assert!(there.header("set-cookie").starts_with("claviger-notice=; Path=/; Max-Age=0;"), "said once");
    let page = with(&browser, &set).page(&format!("{KEYS}/{other}")).await;
    assert!(!page.contains(r#"class="notice""#), "of another key: {page}");
    let second = Browser::signed_in(&server, &server.admin_key).await;
    assert!(!with(&second, &set).page(&own).await.contains(said), "in another session");
    let forged = set.replace("disabled", "revoked");
    assert!(!with(&browser, &forged).page(&own).await.contains(r#"class="notice""#));
    server.advance(61).await;
    assert!(!with(&browser, &set).page(&own).await.contains(said), "a minute later");
}

async fn a_rejected_form_keeps_what_was_typed(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let own = format!("{KEYS}/{id}");
    let wrong = browser.post(&format!("{own}/revoke"), &[("name", "the kay"), ("reason", "it leaked")]).await;
    assert_eq!(wrong.status, 400);
    for value in ["the kay", "it leaked"] {
        assert!(wrong.text.contains(&format!(r#"value="{value}""#)), "{}", wrong.text);
    }
    browser.post(&format!("{own}/rotate"), &[("overlap", "3600")]).await;
    let third = browser.post(&format!("{own}/rotate"), &[("overlap", "86400")]).await;
    assert_eq!(third.status, 409);
    assert!(third.text.contains(r#"<option value="86400" selected>"#), "{}", third.text);
}

async fn an_edit_that_somebody_else_was_faster_with_is_shown_with_what_they_changed(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, _) = server.key_from(json!({"name": "old", "note": "theirs", "preset": "query_only"})).await;
    let edit = format!("{KEYS}/{id}/edit");
    let unescaped = |text: String| text.replace("&#34;", "\"").replace("&#38;", "&");
    let base = |page: &str| unescaped(hidden(page, "base"));
    let mut fields = vec![
        ("name".to_owned(), "mine".to_owned()),
        ("note".into(), "typed".into()),
        ("ends".into(), "keep".into()),
        ("access".into(), "scopes".into()),
        ("action".into(), "read".into()),
        ("resource".into(), "*".into()),
    ];
    fn send(fields: &[(String, String)]) -> Vec<(&str, &str)> {
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
    let change = async |body| {
        server.admin().patch(&format!("/v1/orgs/default/keys/{id}"), &body).await.done(200);
    };
    fields.push(("base".into(), base(&browser.page(&edit).await)));
    // Before the review, and after it.
    change(json!({"note": "another note"})).await;
    let overtaken = browser.post(&edit, &send(&fields)).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    for said in [
        "<del><bdi>theirs</bdi></del>",
        "<ins><bdi>another note</bdi></ins>",
        r#"value="mine""#,
        ">typed</textarea>",
    ] {
        assert!(overtaken.text.contains(said), "{said}: {}", overtaken.text);
    }
    fields.pop();
    fields.push(("base".into(), base(&overtaken.text)));
    let preview = browser.post(&edit, &send(&fields)).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    fields.push(("version".into(), unescaped(hidden(&preview.text, "version"))));
    change(json!({"scopes": [{"action": "read", "resource": "a"}]})).await;
    let overtaken = browser.post(&edit, &send(&fields)).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    assert!(
        overtaken.text.contains("<ins><bdi>Read a only</bdi> <code>read:a</code></ins>"),
        "{}",
        overtaken.text
    );
    let stored = server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.json();
    assert_eq!((&stored["name"], &stored["note"]), (&json!("old"), &json!("another note")));

    let project = "/console/orgs/default/projects/default";
    let began = base(&browser.page(project).await);
    let body = json!({"name": "Theirs"});
    server.admin().patch("/v1/orgs/default/projects/default", &body).await.done(200);
    let sent = [("name", "Mine"), ("environments", "dev stg prd"), ("base", &*began)];
    let overtaken = browser.post(project, &sent).await;
    assert_eq!(overtaken.status, 412, "{}", overtaken.text);
    assert!(overtaken.text.contains("<ins><bdi>Theirs</bdi></ins>"), "{}", overtaken.text);
    assert!(overtaken.text.contains(r#"value="Mine""#), "{}", overtaken.text);
    let again = base(&overtaken.text);
    let sent = [("name", "Mine"), ("environments", "dev stg prd"), ("base", &*again)];
    assert_eq!(browser.post(project, &sent).await.status, 303);
}

async fn the_65th_scope_is_an_error(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let resources: Vec<String> = (0..65).map(|at| format!("r/{at}")).collect();
    let with = |count: usize| {
        let mut fields = vec![
            ("name", "many"),
            ("project", "default"),
            ("environment", "prd"),
            ("ends", "never"),
            ("access", "scopes"),
        ];
        for resource in &resources[..count] {
            fields.extend([("action", "read"), ("resource", resource)]);
        }
        fields
    };
    let refused = browser.post(NEW, &with(65)).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("At most 64 scopes are allowed."), "{}", refused.text);
    assert!(refused.text.contains(r#"value="r/64""#), "the last one is still there");
    assert_eq!(browser.post(NEW, &with(64)).await.status, 200);
    let keys = server.admin().get("/v1/orgs/default/keys").await.json();
    assert_eq!(keys["data"][0]["scopes"].as_array().unwrap().len(), 64);
}

async fn a_name_that_cannot_be_typed_is_confirmed_all_the_same(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (name, typed) in [
        ("two  spaces", Some("two spaces")),
        ("no\u{a0}break", Some("no break")),
        ("cafe\u{301}", Some("caf\u{e9}")),
        ("zero\u{200b}width", None),
    ] {
        let (id, _) = server.key_from(json!({"name": name, "preset": "query_only"})).await;
        let own = format!("{KEYS}/{id}");
        let wrong = browser.post(&format!("{own}/revoke"), &[("name", "else")]).await;
        assert_eq!(wrong.status, 400, "{name}");
        let typed = typed.unwrap_or(&id);
        assert_eq!(browser.post(&format!("{own}/revoke"), &[("name", typed)]).await.status, 303, "{name}");
        assert_eq!(browser.post(&format!("{own}/delete"), &[("name", &id)]).await.status, 303, "{name}");
    }
}

async fn a_name_that_nobody_sees_is_refused_and_others_stay_apart_from_the_page(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for name in ["\u{200b}", "\u{2800} \u{3164}", "\u{202e} \u{2069}"] {
        let key = json!({"name": name, "project": "default", "environment": "prd", "preset": "query_only"});
        for (path, body) in [
            ("/v1/orgs/default/keys", key),
            ("/v1/orgs", json!({"id": "acme", "name": name})),
            ("/v1/orgs/default/projects", json!({"id": "web", "name": name})),
        ] {
            let said = admin.post_json(path, &body).await.refused(400, "invalid_request");
            assert!(said.contains("no visible character"), "{path}: {said}");
        }
        for path in ["/v1/orgs/default", "/v1/orgs/default/projects/default"] {
            admin.patch(path, &json!({"name": name})).await.refused(400, "invalid_request");
        }
    }
    let name = "\u{5d0}\u{5d1} 12";
    let (id, _) = server.key_from(json!({"name": name, "preset": "query_only"})).await;
    admin.patch("/v1/orgs/default", &json!({"name": name})).await.done(200);
    admin.patch("/v1/orgs/default/projects/default", &json!({"name": name})).await.done(200);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let own = format!("{KEYS}/{id}");
    let own = ["", "/edit", "/rotate", "/revoke", "/delete", "/disable"].map(|page| format!("{own}{page}"));
    let pages = [KEYS, "/console/orgs", "/console/orgs/default/projects", "/console/orgs/default/audit"];
    for path in own.iter().map(String::as_str).chain(pages) {
        let page = browser.page(path).await;
        let (_, main) = page.split_once("<main").unwrap();
        assert!(main.contains(name), "{path}");
        let bare = main.replace(&format!("<bdi>{name}</bdi>"), "").replace(&format!("&#34;{name}&#34;"), "");
        let bare = bare
            .replace(&format!(r#"value="{name}""#), "")
            .replace(&format!("aria-label=\"Edit {name}\""), "")
            .replace(&format!("aria-label=\"Select {name}\""), "");
        assert!(!bare.contains(name), "{path}: {bare}");
    }
}

async fn every_project_of_very_many_can_be_reached(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for at in 0..205 {
        let body = json!({"id": format!("p{at:03}"), "environments": [if at == 0 { "rare" } else { "prd" }]});
        admin.post_json("/v1/orgs/default/projects", &body).await.done(201);
    }
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let mut path = Some("/console/orgs/default/projects".to_owned());
    let mut seen = std::collections::BTreeSet::new();
    while let Some(page) = path {
        let page = browser.page(&page).await;
        let rows = page.split(r#"data-label="ID"><code>"#).skip(1);
        seen.extend(rows.map(|row| row.split('<').next().unwrap().to_owned()));
        path = super::keys::next(&page);
    }
    assert_eq!(seen.len(), 206);
    for page in [KEYS, NEW] {
        let page = browser.page(page).await;
        assert!(page.contains(r#"name="project""#) && page.contains(r#"list="projects""#), "{page}");
        assert!(!page.contains(r#"<select name="project""#), "{page}");
    }
    let fields = [
        ("name", "of the oldest"),
        ("project", "p000"),
        ("environment", "rare"),
        ("ends", "never"),
        ("access", "query_only"),
    ];
    assert_eq!(browser.post(NEW, &fields).await.status, 200);
    let page = browser.page(&format!("{KEYS}?project=p000&environment=rare")).await;
    assert!(page.contains("of the oldest") && page.contains(r#"value="p000""#), "{page}");
}
