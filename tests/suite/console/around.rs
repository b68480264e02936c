//! Getting around: links from elsewhere, ways back, errors, and forms that are filled in step by step.

use serde_json::json;

use super::browser::{Browser, escaped, hidden};
use crate::support::{Backend, Client, Options, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";
const NEW: &str = "/console/orgs/default/keys/new";

on_both!(
    a_link_on_another_site_finds_a_live_session,
    only_a_link_that_is_followed_is_passed_on,
    the_way_back_leads_to_the_same_search,
    a_new_key_begins_where_one_looks,
    a_project_offers_its_own_environments,
    scopes_are_added_and_removed_where_one_is,
    a_refused_form_says_first_what_is_wrong,
    an_error_keeps_the_tabs,
    a_note_is_listed_and_found,
    a_key_that_only_reads_is_called_query_only,
    a_time_has_its_date_beside_it,
    the_sign_in_page_knows_the_brand,
    what_everybody_may_read_is_compressed,
);

const FOLLOWED: [(&str, &str); 3] =
    [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

async fn a_link_on_another_site_finds_a_live_session(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    // The browser keeps the cookie back.
    let stranger = FOLLOWED.iter().fold(server.client(), |client, (name, value)| client.with(name, value));
    let passed = stranger.get(&format!("{KEYS}?q=%22%3E%3Cscript%3E&sort=name")).await;
    assert_eq!((passed.status, passed.header("cache-control")), (200, "no-store"), "{}", passed.text);
    assert_eq!(passed.header("x-frame-options"), "DENY");
    let (_, rest) = passed.text.split_once(r#"http-equiv="refresh" content="0; url="#).unwrap();
    let to = rest.split('"').next().unwrap().replace("&#38;", "&");
    assert!(to.starts_with("/console/sign-in?next="), "{to}");
    // From there on it is the server's own page that asks.
    let led = browser.get(&to).await;
    assert_eq!(led.header("location"), format!("{KEYS}?q=%22%3E%3Cscript%3E&sort=name"), "{}", led.text);
    assert_eq!(browser.get(led.header("location")).await.status, 200);
    // Whoever is not signed in is asked to, once, and then led on.
    let asked = server.client().get(&to).await;
    assert_eq!(asked.status, 200);
    assert!(hidden(&asked.text, "next").starts_with(KEYS), "{}", asked.text);
}

async fn only_a_link_that_is_followed_is_passed_on(backend: Backend) {
    let server = Server::start(backend).await;
    for (at, other) in [(0, "same-origin"), (0, "same-site"), (0, "none"), (1, "no-cors"), (2, "iframe")] {
        let mut headers = FOLLOWED;
        headers[at].1 = other;
        let client = headers.iter().fold(server.client(), |client, (name, value)| client.with(name, value));
        let answer = client.get(KEYS).await;
        assert_eq!(answer.status, 303, "{other}: {}", answer.text);
    }
    let stranger = FOLLOWED.iter().fold(server.client(), |client, (name, value)| client.with(name, value));
    assert_eq!(stranger.post_form(NEW, "name=x").await.status, 403, "a form is not passed on");
    assert_eq!(stranger.get("/console/sign-in").await.status, 200);
    assert!(stranger.get("/console/sign-in").await.text.contains(r#"name="key""#), "nor is the sign-in page");
}

async fn the_way_back_leads_to_the_same_search(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let (id, _) = server.key_from(json!({"name": "Bill & Co", "preset": "query_only"})).await;
    let list = format!("{KEYS}?q=bill%20%26&project=default&sort=name");
    let page = browser.page(&list).await;
    let kept = format!("?list={}", escaped("q=bill%20%26&project=default&sort=name"));
    let own = format!("{KEYS}/{id}");
    assert!(page.contains(&format!(r#"class="row-link" href="{own}{kept}""#)), "{page}");
    let back = format!(r#"<a href="{}">API keys</a>"#, list.replace('&', "&#38;"));
    let key = browser.page(&format!("{own}{kept}")).await;
    assert!(key.contains(&back), "{key}");
    for act in ["edit", "rotate", "disable", "revoke", "delete"] {
        assert!(key.contains(&format!(r#"href="{own}/{act}{kept}""#)), "{act}: {key}");
        let asked = browser.page(&format!("{own}/{act}{kept}")).await;
        assert!(asked.contains(&format!(r#"action="{own}/{act}{kept}""#)), "{asked}");
        assert!(asked.contains(&format!(r#"<a href="{own}{kept}"><bdi>Bill"#)), "{asked}");
    }
    let new = format!("{NEW}?project=default&list=");
    assert!(page.contains(&new.replace('&', "&#38;")), "{page}");
    assert!(browser.page(&format!("{NEW}{kept}")).await.contains(&back));
    let done = browser.post(&format!("{own}/disable{kept}"), &[]).await;
    assert_eq!(done.status, 303);
    let to = done.header("location").to_owned();
    assert!(browser.page(&to).await.contains(&back), "{to}");
    let gone = browser.post(&format!("{own}/delete{kept}"), &[("name", "Bill & Co")]).await;
    assert!(gone.header("location").starts_with(&list), "{}", gone.header("location"));
    // What is no query of a list leads to the list.
    for other in ["%22%3E%3Cscript%3E", "%2F%2Felsewhere.example", "a%0Ab"] {
        let page = browser.page(&format!("{NEW}?list={other}")).await;
        assert!(page.contains(&format!(r#"<a href="{KEYS}">API keys</a>"#)), "{page}");
    }
}

async fn a_new_key_begins_where_one_looks(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (id, environments) in [("live", json!(["prd"])), ("web", json!(["prd", "qa"]))] {
        let body = json!({"id": id, "environments": environments});
        admin.post_json("/v1/orgs/default/projects", &body).await.done(201);
    }
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (query, project, environment, others) in [
        ("", "default", "dev", &["stg", "prd"][..]),
        ("?project=web", "web", "qa", &["prd"]),
        ("?project=web&environment=prd", "web", "prd", &["qa"]),
        ("?project=web&environment=stg", "web", "qa", &["prd"]),
        ("?project=live", "live", "prd", &[]),
        ("?project=none", "default", "dev", &["stg", "prd"]),
    ] {
        let page = browser.page(&format!("{NEW}{query}")).await;
        let (chosen, offered) = environments(&page);
        assert!(page.contains(&format!(" selected>{project}</option>")), "{query}: {page}");
        assert_eq!(chosen, environment, "{query}");
        assert_eq!(offered.len(), others.len() + 1, "{query}: {offered:?}");
        assert!(others.iter().all(|other| offered.iter().any(|slug| slug == other)), "{query}: {offered:?}");
    }
}

async fn a_project_offers_its_own_environments(backend: Backend) {
    let server = Server::start(backend).await;
    let body = json!({"id": "web", "environments": ["prd", "qa"]});
    server.admin().post_json("/v1/orgs/default/projects", &body).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    assert!(
        browser
            .page(NEW)
            .await
            .contains(r#"<option data-environments="prd qa" data-first="qa">web</option>"#)
    );
    let fields = [("name", "kept"), ("project", "web"), ("environment", "dev"), ("choose", "project")];
    let chosen = browser.post(NEW, &fields).await;
    assert_eq!(chosen.status, 200, "{}", chosen.text);
    assert_eq!(environments(&chosen.text), ("qa".into(), vec!["prd".into(), "qa".into()]));
    assert!(chosen.text.contains(r#"id="environment" name="environment" autofocus"#), "{}", chosen.text);
    assert!(chosen.text.contains(r#"value="kept""#), "{}", chosen.text);
}

/// The environment that is chosen on the page, and all that can be.
fn environments(page: &str) -> (String, Vec<String>) {
    let (_, rest) = page.split_once(r#"<select id="environment""#).unwrap_or_else(|| panic!("{page}"));
    let options = rest.split("</select>").next().unwrap().split("<option").skip(1);
    let mut chosen = String::new();
    let all = options.map(|option| {
        let (attributes, name) = option.split_once('>').unwrap();
        let name = name.split('<').next().unwrap().to_owned();
        if attributes.contains("selected") {
            chosen.clone_from(&name);
        }
        name
    });
    let all = all.collect();
    (chosen, all)
}

async fn scopes_are_added_and_removed_where_one_is(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let fields = [
        ("name", "kept"),
        ("project", "default"),
        ("environment", "dev"),
        ("access", "scopes"),
        ("action", "read"),
        ("resource", "first"),
        ("action", "write"),
        ("resource", "second"),
    ];
    let sent = async |button| browser.post(NEW, &[&fields[..], &[button]].concat()).await.text;
    let more = sent(("more", "row")).await;
    assert_eq!(more.matches(r#"name="resource""#).count(), 3, "{more}");
    assert!(more.contains(r#"aria-label="Action 3" data-label="Action" autofocus"#), "{more}");
    assert_eq!(more.matches("autofocus").count(), 1, "{more}");
    let fewer = sent(("drop", "1")).await;
    assert!(!fewer.contains(r#"value="first""#) && fewer.contains(r#"value="second""#), "{fewer}");
    assert!(fewer.contains(r#"aria-label="Action 1" data-label="Action" autofocus"#), "{fewer}");
    assert!(
        fewer.contains(r#"aria-label="Remove scope 1" data-label="Remove scope" hidden"#),
        "the last one stays: {fewer}"
    );
    for other in ["0", "3", "x", ""] {
        let same = sent(("drop", other)).await;
        assert_eq!(same.matches(r#"name="resource""#).count(), 2, "{other}: {same}");
    }
}

async fn a_refused_form_says_first_what_is_wrong(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let fields = [
        ("name", ""),
        ("project", "default"),
        ("environment", "dev"),
        ("ends", "date"),
        ("date", "2020-01-01"),
        ("access", "scopes"),
        ("action", "read"),
        ("resource", "fine"),
        ("action", "read"),
        ("resource", "a//b"),
        ("cidrs", "10.0.0.1/8"),
    ];
    let refused = browser.post(NEW, &fields).await;
    assert_eq!(refused.status, 400);
    let page = refused.text;
    assert!(page.contains("<title>Error: Create an API key"), "{page}");
    let (_, rest) = page.split_once(r#"role="alert" tabindex="-1" autofocus data-summary>"#).unwrap();
    let summary = rest.split("</div>").next().unwrap();
    assert!(summary.contains("There are 4 problems"), "{summary}");
    for (target, element) in [
        ("name", r#"aria-invalid="true" aria-describedby="name-error""#),
        ("date", r#"aria-describedby="date-help date-error" aria-invalid="true""#),
        ("resource-2", r#"aria-describedby="row-2" aria-invalid="true""#),
        ("range-1", r#"aria-describedby="range-words-1" aria-invalid="true""#),
    ] {
        assert!(summary.contains(&format!(r##"<a href="#{target}">"##)), "{target}: {summary}");
        assert_eq!(page.matches(&format!(r#" id="{target}""#)).count(), 1, "{target}: {page}");
        assert!(page.contains(element), "{target}: {page}");
    }
    assert_eq!(page.matches(r#"role="alert""#).count(), 1, "it is said once: {page}");

    for (path, fields, target) in [
        ("/console/orgs/default/projects", &[("id", "Web"), ("environments", "prd")][..], "#id"),
        (&format!("{KEYS}/{}/revoke", own_id(&server).await), &[("name", "wrong")], "#name"),
    ] {
        let refused = browser.post(path, fields).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(refused.text.contains("autofocus data-summary>"), "{path}: {}", refused.text);
        assert!(refused.text.contains(&format!(r#"<a href="{target}">"#)), "{path}: {}", refused.text);
        assert!(refused.text.contains("<title>Error: "), "{path}: {}", refused.text);
    }
}

async fn own_id(server: &Server) -> String {
    server.admin().get("/v1/self").await.json()["id"].as_str().unwrap().to_owned()
}

async fn an_error_keeps_the_tabs(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({"id": "acme"})).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (path, status, tab) in [
        ("/console/nothing", 404, r#"href="/console/orgs/default/keys" aria-current="page">API keys"#),
        (
            "/console/orgs/none/audit",
            404,
            r#"href="/console/orgs/default/audit" aria-current="page">Audit log"#,
        ),
        (
            "/console/orgs/acme/projects/none",
            404,
            r#"href="/console/orgs/acme/projects" aria-current="page">Projects"#,
        ),
        ("/console/orgs/default/usage?project=A", 400, r#"aria-current="page">Usage"#),
        ("/console/sign-out", 405, r#"aria-current="page">API keys"#),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text.contains(tab) && answer.text.contains("Sign out"), "{path}: {}", answer.text);
    }
    // Another tenant's organization is not named, be it there or not.
    let (_, own) = server.key(&["read:claviger/orgs/default/**"]).await;
    let other = Browser::signed_in(&server, &own).await.get("/console/orgs/acme/keys").await;
    assert_eq!(other.status, 404);
    assert!(other.text.contains(r#"href="/console/orgs/default/keys""#), "{}", other.text);
    assert!(!other.text.contains("acme"), "{}", other.text);
    let stranger = server.client().get("/console/nothing").await;
    assert_eq!(stranger.status, 404);
    assert!(!stranger.text.contains("Sign out") && !stranger.text.contains("/orgs/"), "{}", stranger.text);
    // Without its store the server says so, and has no tabs to show.
    server.node.records.store.close().await;
    assert_eq!(browser.get(KEYS).await.status, 503);
}

async fn a_note_is_listed_and_found(backend: Backend) {
    let server = Server::start(backend).await;
    let long = format!("Owned by the ÄRGER team,\nin 100% of Jenkins {}", "x".repeat(100));
    server.key_from(json!({"name": "first", "note": long, "preset": "query_only"})).await;
    server.key_from(json!({"name": "second", "note": "in the vault", "preset": "query_only"})).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(KEYS).await;
    let note = r#"<span class="note-line"><bdi>Owned by the ÄRGER team, in 100% of Jenkins xxx"#;
    assert!(page.contains(note) && page.contains("x…</bdi></span>"), "{page}");
    assert!(!page.contains(&"x".repeat(100)), "{page}");
    for (search, names) in [
        ("jenkins", &["first"][..]),
        ("ÄRGER", &["first"]),
        ("100%", &["first"]),
        ("VAULT", &["second"]),
        ("SECOND", &["second"]),
        ("_", &[]),
    ] {
        let found = browser.page(&format!("{KEYS}?q={}", escaped(search))).await;
        assert_eq!(super::keys::listed(&found), names, "{search}");
    }
    // A whole key is searched for by its id, and nothing of its secret is in a link or on a page.
    let (id, key) = server.key_from(json!({"name": "third", "preset": "query_only"})).await;
    let sent = browser.get(&format!("{KEYS}?q={key}&status=all")).await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, &*format!("{KEYS}?q={}&status=all", escaped(&id)))
    );
    let page = browser.page(&format!("{KEYS}?q={id}")).await;
    assert_eq!(super::keys::listed(&page), ["third"]);
    let prefix = browser.page(&format!("{KEYS}?q={}", &key[..12])).await;
    assert_eq!(super::keys::listed(&prefix), ["third"]);
}

async fn a_key_that_only_reads_is_called_query_only(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for (scopes, is_named) in [
        (&["read:*"][..], true),
        (&["read:a", "read:b/**"], true),
        (&["read:a", "write:b"], false),
        (&["read:claviger/**"], false),
    ] {
        let (id, _) = server.key(scopes).await;
        let page = browser.page(&format!("{KEYS}/{id}")).await;
        assert_eq!(page.contains(">Query only</span>"), is_named, "{scopes:?}: {page}");
        assert_eq!(page.contains("This key only reads."), is_named, "{scopes:?}: {page}");
    }
    let list = browser.page(KEYS).await;
    assert_eq!(list.matches(">Query only</span>").count(), 2, "{list}");
    let new = browser.page(NEW).await;
    assert!(new.contains("AI agents, MCP servers and dashboards"), "{new}");
    assert!(new.contains("secret manager") && new.contains("Never commit it"), "{new}");
}

async fn a_time_has_its_date_beside_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key_from(json!({"preset": "query_only", "expires_in": 86_400 * 1_000})).await;
    server.advance(86_400 * 600).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(&format!("{KEYS}/{id}")).await;
    for said in [
        r#"<span class="date">1 Jan 2026, 00:00</span> <span class="distance">19 months ago</span></time> by"#,
        r#"<span class="date">27 Sep 2028, 00:00</span> <span class="distance">in 13 months<"#,
        r#"title="2026-01-01 00:00:00 UTC"><span class="date">1 Jan 2026, 00:00</span> <span class="distance">19 months old<"#,
        "Times are in <span data-zone>UTC</span>.",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

async fn the_sign_in_page_knows_the_brand(backend: Backend) {
    let server = Server::start_with(backend, Options { brand: "acme", ..Options::default() }).await;
    let page = server.client().get("/console/sign-in").await.text;
    assert!(page.contains(r#"placeholder="acme_prd_…""#) && !page.contains("clv_"), "{page}");
}

async fn what_everybody_may_read_is_compressed(backend: Backend) {
    let server = Server::start(backend).await;
    let mut browser = Browser::signed_in(&server, &server.admin_key).await;
    let listed = browser.page(KEYS).await;
    let plain = server.client().get("/console/sign-in").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    // What is compressed is nothing that the observer of other tests can read.
    browser.client = Client::new(server.address()).with("accept-encoding", "gzip");
    let stranger = browser.client.clone();
    let (_, assets) = listed.split_once("/console/assets/").unwrap();
    let assets = format!("/console/assets/{}", assets.split('/').next().unwrap());
    for path in [
        "/console/sign-in".to_owned(),
        format!("{assets}/console.css"),
        format!("{assets}/console.js"),
        format!("{assets}/pico.css"),
        "/openapi.yaml".into(),
        "/openapi.yaml?v=1".into(),
    ] {
        let answer = stranger.get(&path).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, "gzip"), "{path}");
    }
    let shorter = stranger.get("/console/sign-in").await;
    assert!(shorter.text.chars().count() < plain.text.len(), "it is shorter");
    for (client, path, status) in [
        (&browser.with_cookie(), KEYS, 200),
        (&browser.with_cookie(), NEW, 200),
        (&browser.with_cookie(), "/console/orgs/default/keys?q=guess", 200),
        (&browser.with_cookie(), "/console/orgs/default/keys/guess", 404),
        (&stranger, "/console/sign-in?next=%2Fconsole%2Fguess", 200),
        (&stranger, "/console/guess", 404),
    ] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (status, ""), "{path}");
    }
    // The tag of a compressed answer is weak, and is known again.
    let tag = stranger.get("/openapi.yaml").await.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(stranger.with("if-none-match", &tag).get("/openapi.yaml").await.status, 304);
    assert!(server.client().get("/openapi.yaml").await.header("etag").starts_with('"'));
}
