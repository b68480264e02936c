//! The catalogues of scopes at the console.

use serde_json::{Value, json};

use super::browser::{Browser, hidden};
use crate::matrix::operations::named_scope;
use crate::support::{Backend, Server, on_both};

on_both!(
    a_scope_is_added_changed_and_removed,
    an_organization_sees_what_it_inherits,
    what_is_wrong_with_a_scope_stands_beside_its_field,
    a_change_of_somebody_else_is_shown_first,
    rights_are_those_of_the_management_api,
    the_form_of_a_key_leads_to_an_empty_catalogue,
    a_form_of_another_page_changes_nothing,
);

const DEPLOYMENT: &str = "/console/scopes";
const ORGANIZATION: &str = "/console/orgs/default/scopes";

const FORM: [(&str, &str); 4] =
    [("id", "read-invoices"), ("name", "Read <invoices>"), ("action", "read"), ("resource", "invoices/**")];

/// The path of the same catalogue in the management API.
fn api(page: &str) -> String {
    page.replacen("/console", "/v1", 1)
}

/// The form with other values. A name that it lacks is added.
fn form<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let kept = FORM.into_iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied()).collect()
}

/// The state in a form, without the escapes of its page.
fn base_of(page: &str) -> String {
    hidden(page, "base").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">")
}

async fn entries(server: &Server, page: &str) -> Vec<Value> {
    server.admin().get(&api(page)).await.done(200)["data"].as_array().unwrap().clone()
}

async fn a_scope_is_added_changed_and_removed(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    for list in [DEPLOYMENT, ORGANIZATION] {
        let page = browser.page(list).await;
        assert!(page.contains("No scopes</h2>") && page.contains("Add a scope"), "{page}");
        assert!(page.contains(&format!(r#"href="{list}" aria-current="page">Scopes"#)), "{page}");
        let fields = form(&[("description", "Lists them."), ("group", "Billing")]);
        let added = browser.post(list, &fields).await;
        assert_eq!(added.header("location"), list, "{}", added.text);
        let page = browser.followed(&added).await;
        for said in [
            "Scope added.",
            "Read &#60;invoices&#62;",
            "<code>read:invoices/**</code>",
            "Read everything under invoices, at any depth",
            "Lists them.",
            "Billing",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let expected = json!({"id": "read-invoices", "scope": "read:invoices/**", "name": "Read <invoices>",
            "description": "Lists them.", "group": "Billing"});
        let stored = entries(&server, list).await.pop().unwrap();
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(&stored[member], value, "{member}");
        }

        let edit = format!("{list}/read-invoices/edit");
        let page = browser.page(&edit).await;
        for value in [r#"value="read" selected"#, r#"value="invoices/**""#, r#"value="Billing""#] {
            assert!(page.contains(value), "{value}: {page}");
        }
        let base = base_of(&page);
        // Another id in the form changes nothing, and what is emptied is gone.
        let fields = form(&[("id", "other"), ("name", "Invoices"), ("action", "*"), ("base", &base)]);
        let changed = browser.post(&edit, &fields).await;
        assert!(browser.followed(&changed).await.contains("Scope updated."));
        let stored = entries(&server, list).await.pop().unwrap();
        let now = json!({"id": "read-invoices", "scope": "*:invoices/**", "name": "Invoices",
            "description": null, "group": null});
        for (member, value) in now.as_object().unwrap() {
            assert_eq!(&stored[member], value, "{member}");
        }
        let unchanged = browser.post(&edit, &fields[..fields.len() - 1]).await;
        assert!(browser.followed(&unchanged).await.contains("Nothing to change."));

        let remove = format!("{list}/read-invoices/remove");
        assert!(browser.page(&remove).await.contains("Remove <bdi>Invoices</bdi>?"));
        assert_eq!(browser.post(&remove, &[("resume", "yes")]).await.status, 200);
        assert_eq!(entries(&server, list).await.len(), 1);
        let removed = browser.post(&remove, &[]).await;
        assert!(browser.followed(&removed).await.contains("Scope removed."));
        assert!(entries(&server, list).await.is_empty());
        assert_eq!(browser.get(&edit).await.status, 404);
        assert_eq!(browser.post(&remove, &[]).await.status, 404);
    }
}

async fn an_organization_sees_what_it_inherits(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/scopes", &named_scope("all", "read:*")).await.done(201);
    admin.post_json("/v1/scopes", &named_scope("theirs", "read:web")).await.done(201);
    let mut own = named_scope("own", "read:web");
    own["name"] = json!("Our own name");
    admin.post_json("/v1/orgs/default/scopes", &own).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(ORGANIZATION).await;
    let (above, below) = page.split_once("Inherited from the deployment").unwrap();
    assert!(above.contains("/scopes/own/edit") && !above.contains("<code>all</code>"), "{page}");
    assert!(below.contains("<code>all</code>") && below.contains("<code>theirs</code>"), "{page}");
    assert_eq!(below.matches("Here shown as <bdi>Our own name</bdi>").count(), 1, "{page}");
    assert!(!below.contains("/scopes/all/edit") && below.contains(r#"href="/console/scopes""#), "{page}");
    // Who reads the organization's catalogue sees what it inherits, and no page above it.
    let (_, reader) = server.key(&["read:claviger/orgs/default/scopes/*"]).await;
    let page = Browser::signed_in(&server, &reader).await.page(ORGANIZATION).await;
    assert!(page.contains("<code>theirs</code>") && !page.contains(r#"href="/console/scopes""#), "{page}");
    assert!(!page.contains("/edit") && !page.contains("/remove") && !page.contains("Add a scope"), "{page}");
    let page = browser.page(DEPLOYMENT).await;
    assert!(page.contains("/console/scopes/all/edit") && !page.contains("Our own name"), "{page}");
}

async fn what_is_wrong_with_a_scope_stands_beside_its_field(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(ORGANIZATION, &FORM).await;
    browser.post(ORGANIZATION, &form(&[("id", "another"), ("resource", "web")])).await;
    let before = entries(&server, ORGANIZATION).await;
    let (long, wide) = ("g".repeat(501), "n".repeat(201));
    let cases = [
        (&[("id", "Invoices"), ("resource", "a")][..], 400, "id", "an id must"),
        (&[("resource", "a")], 409, "id", "is in use"),
        (&[("id", "new"), ("resource", "")], 400, "resource", "enter a resource"),
        (&[("id", "new"), ("resource", "a//b")], 400, "resource", "segment"),
        (&[("id", "new"), ("resource", "a,write:b")], 400, "resource", "not by commas"),
        (&[("id", "new"), ("resource", "web")], 409, "resource", "same scope"),
        (&[("id", "new"), ("resource", "a"), ("name", "")], 400, "name", "name is empty"),
        (&[("id", "new"), ("resource", "a"), ("name", &*wide)], 400, "name", "is longer than 200"),
        (&[("id", "new"), ("resource", "a"), ("description", &*long)], 400, "description", "longer than 500"),
        (&[("id", "new"), ("resource", "a"), ("group", &*wide)], 400, "group", "longer than 100"),
    ];
    for (changes, status, field, said) in cases {
        let edit = format!("{ORGANIZATION}/read-invoices/edit");
        for path in [ORGANIZATION, &edit] {
            if path == edit && field == "id" {
                continue;
            }
            let refused = browser.post(path, &form(changes)).await;
            let page = refused.text;
            assert_eq!(refused.status, status, "{changes:?}: {page}");
            let (_, rest) = page.split_once("autofocus data-summary>").unwrap();
            let summary = rest.split("</div>").next().unwrap();
            assert!(summary.contains(&format!(r##"href="#{field}""##)), "{changes:?}: {summary}");
            assert!(summary.to_lowercase().contains(said), "{changes:?}: {summary}");
            assert!(page.contains(&format!(r#"id="{field}-error""#)), "{changes:?}: {page}");
            assert_eq!(page.matches(&format!(r#" id="{field}""#)).count(), 1, "{page}");
        }
    }
    assert_eq!(entries(&server, ORGANIZATION).await, before);
}

async fn a_change_of_somebody_else_is_shown_first(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(DEPLOYMENT, &FORM).await;
    let edit = format!("{DEPLOYMENT}/read-invoices/edit");
    let base = base_of(&browser.page(&edit).await);
    let path = format!("{}/read-invoices", api(DEPLOYMENT));
    server.admin().patch(&path, &json!({"group": "Theirs"})).await.done(200);
    let late = browser.post(&edit, &form(&[("name", "Mine"), ("base", &base)])).await;
    assert_eq!(late.status, 412, "{}", late.text);
    assert!(late.text.contains("Changed by someone else") && late.text.contains("Theirs"), "{}", late.text);
    assert!(late.text.contains(r#"value="Mine""#), "what was typed is still there: {}", late.text);
    let base = base_of(&late.text);
    let fields = form(&[("name", "Mine"), ("group", "Theirs"), ("base", &base)]);
    assert_eq!(browser.post(&edit, &fields).await.status, 303);
    let stored = entries(&server, DEPLOYMENT).await.pop().unwrap();
    assert_eq!((&stored["name"], &stored["group"]), (&json!("Mine"), &json!("Theirs")));
}

async fn rights_are_those_of_the_management_api(backend: Backend) {
    let server = Server::start(backend).await;
    for list in [DEPLOYMENT, ORGANIZATION] {
        for (id, scope) in [("one", "read:one"), ("two", "read:two")] {
            server.admin().post_json(&api(list), &named_scope(id, scope)).await.done(201);
        }
    }
    // Whoever reads one entry sees that one.
    let (_, reader) =
        server.key(&["read:claviger/orgs/default/scopes/one", "read:claviger/scopes/one"]).await;
    let reader = Browser::signed_in(&server, &reader).await;
    for (list, above) in [(DEPLOYMENT, "claviger/scopes"), (ORGANIZATION, "claviger/orgs/default/scopes")] {
        let page = reader.page(list).await;
        assert!(page.contains("<code>one</code>") && !page.contains("<code>two</code>"), "{page}");
        assert!(!page.contains("Add a scope") && !page.contains("/scopes/one/"), "{page}");
        for act in ["edit", "remove"] {
            let path = format!("{list}/one/{act}");
            assert_eq!(reader.get(&path).await.status, 403, "{path}");
            let refused = reader.post(&path, &form(&[])).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.text.contains(&format!("write:{above}/one")), "{}", refused.text);
        }
        let refused = reader.post(list, &form(&[("id", "mine")])).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains(&format!("write:{above}/mine")), "{}", refused.text);
        assert_eq!(entries(&server, list).await.len(), 2);
    }
    // Whoever may change one changes that one, and is offered nothing else.
    let one = ["write:claviger/orgs/default/scopes/one", "read:claviger/orgs/default/scopes/*"];
    let (_, editor) = server.key(&one).await;
    let editor = Browser::signed_in(&server, &editor).await;
    let page = editor.page(ORGANIZATION).await;
    assert!(page.contains("/scopes/one/edit") && !page.contains("/scopes/two/edit"), "{page}");
    assert!(!page.contains("Add a scope"), "{page}");
    let edit = format!("{ORGANIZATION}/one/edit");
    assert_eq!(editor.post(&edit, &form(&[("resource", "one/**")])).await.status, 303);
    // Somebody else sees no tab and nothing behind it.
    let (_, stranger) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let stranger = Browser::signed_in(&server, &stranger).await;
    let keys = stranger.page("/console/orgs/default/keys").await;
    assert!(!keys.contains(ORGANIZATION) && !keys.contains(DEPLOYMENT), "{keys}");
    for list in [DEPLOYMENT, ORGANIZATION] {
        assert!(!stranger.page(list).await.contains("<code>one</code>"), "{list}");
    }
    server.admin().post_json("/v1/orgs", &json!({"id": "acme"})).await.done(201);
    let acme = "/console/orgs/acme/scopes";
    assert_eq!(stranger.get(acme).await.status, 404);
    assert_eq!(stranger.get(&format!("{acme}/one/edit")).await.status, 404);
    assert_eq!(stranger.post(acme, &FORM).await.status, 404);
}

async fn the_form_of_a_key_leads_to_an_empty_catalogue(backend: Backend) {
    let server = Server::start(backend).await;
    let hint = format!(r#"href="{ORGANIZATION}#add""#);
    let new = "/console/orgs/default/keys/new";
    let admin = Browser::signed_in(&server, &server.admin_key).await;
    assert!(admin.page(new).await.contains(&hint));
    // Not for those who may not write it.
    let (_, maker) = server.key(&["*:claviger/orgs/default/projects/**"]).await;
    let maker = Browser::signed_in(&server, &maker).await;
    assert!(!maker.page(new).await.contains(&hint));
    admin.post(ORGANIZATION, &FORM).await;
    let page = admin.page(new).await;
    assert!(!page.contains(&hint) && page.contains(r#"value="read:invoices/**""#), "{page}");
}

async fn a_form_of_another_page_changes_nothing(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    browser.post(ORGANIZATION, &FORM).await;
    let before = entries(&server, ORGANIZATION).await;
    let token = browser.token().await;
    let another = Browser::signed_in(&server, &server.admin_key).await.token().await;
    let own = format!("{ORGANIZATION}/read-invoices");
    let fields = "&id=forged&name=Forged&action=read&resource=forged";
    for path in [ORGANIZATION.to_owned(), format!("{own}/edit"), format!("{own}/remove")] {
        let elsewhere = browser.with_cookie().with("origin", "https://elsewhere.example");
        let cross = elsewhere.post_form(&path, &format!("token={token}{fields}")).await;
        assert_eq!(cross.status, 403, "{path}");
        for forged in ["", "AAAA", &another] {
            let here = browser.with_cookie().with("origin", &browser.origin);
            let refused = here.post_form(&path, &format!("token={forged}{fields}")).await;
            assert_eq!(refused.status, 403, "{path}");
        }
    }
    assert_eq!(entries(&server, ORGANIZATION).await, before);
}
