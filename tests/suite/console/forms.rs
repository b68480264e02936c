//! The form of a key: the catalogue, rows, the summary, and a key that is like another one.

use serde_json::json;

use super::browser::{Browser, hidden};
use crate::matrix::operations::named_scope;
use crate::support::{Backend, Server, on_both};

const KEYS: &str = "/console/orgs/default/keys";
const NEW: &str = "/console/orgs/default/keys/new";

on_both!(
    scopes_are_chosen_from_the_catalogue,
    a_form_offers_only_what_the_visitor_could_give,
    a_key_begins_like_another_one,
    the_form_is_told_in_words,
    rows_are_added_and_removed_without_scripts,
    owner_tags_and_the_end_are_edited,
);

async fn scopes_are_chosen_from_the_catalogue(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let entry = json!({ "id": "read-invoices", "scope": "read:invoices/**", "name": "Read <invoices>",
        "description": "Lists invoices.", "group": "Billing" });
    admin.post_json("/v1/scopes", &entry).await.done(201);
    let own = json!({ "id": "own", "scope": "write:orders/*", "name": "Change orders" });
    admin.post_json("/v1/orgs/default/scopes", &own).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(NEW).await;
    assert!(page.contains("Read &#60;invoices&#62;") && page.contains("Lists invoices."), "{page}");
    let (billing, other) = (page.find("<bdi>Billing</bdi>").unwrap(), page.find(">Other</legend>").unwrap());
    assert!(billing < other && page.find("Change orders").unwrap() > other, "{page}");
    let fields = [
        ("name", "Chosen"),
        ("project", "default"),
        ("environment", "dev"),
        ("ends", "7d"),
        ("access", "scopes"),
        ("scope", "read:invoices/**"),
        ("action", "write"),
        ("resource", "reports"),
    ];
    let made = browser.post(NEW, &fields).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let listed = admin.get("/v1/orgs/default/keys?q=Chosen").await.done(200);
    let key = &listed["data"][0];
    let scope = |action, resource| json!({ "action": action, "resource": resource });
    assert_eq!(key["scopes"], json!([scope("read", "invoices/**"), scope("write", "reports")]));
    assert_eq!(key["expires_at"], "2026-01-08T00:00:00Z");
    let edit = format!("{KEYS}/{}/edit", key["id"].as_str().unwrap());
    let page = browser.page(&edit).await;
    assert!(page.contains(r#"name="scope" value="read:invoices/**" checked"#), "{page}");
    assert_eq!(page.matches(r#"name="resource""#).count(), 1, "{page}");
    // What has left the catalogue in the meantime stays in the form.
    admin.delete("/v1/scopes/read-invoices").await.done(204);
    let again = browser.post(NEW, &[&fields[..], &[("more", "row")]].concat()).await;
    assert!(again.text.contains(r#"value="invoices/**""#), "{}", again.text);
}

async fn a_form_offers_only_what_the_visitor_could_give(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (id, scope) in
        [("plain", "read:web"), ("own", "read:claviger/orgs/default/usage"), ("not", "*:claviger/**")]
    {
        admin.post_json("/v1/scopes", &named_scope(id, scope)).await.done(201);
    }
    let scopes = ["write:claviger/orgs/default/projects/*/keys/*", "read:claviger/orgs/default/usage"];
    let (_, key) = server.key(&scopes).await;
    let page = Browser::signed_in(&server, &key).await.page(NEW).await;
    assert!(page.contains(r#"value="read:web""#), "{page}");
    assert!(page.contains(r#"value="read:claviger/orgs/default/usage""#), "{page}");
    assert!(!page.contains(r#"value="*:claviger/**""#), "{page}");
    // Whoever may only read keys sees no form, and so no catalogue.
    let (_, key) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let refused = Browser::signed_in(&server, &key).await.get(NEW).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(!refused.text.contains("data-picker"), "{}", refused.text);
}

async fn a_key_begins_like_another_one(backend: Backend) {
    let server = Server::start(backend).await;
    let members = json!({ "name": "Billing", "note": "two\nlines", "owner": "Payments", "tags": { "team": "x" },
        "scopes": [{ "action": "read", "resource": "invoices/**" }], "cidrs": ["192.0.2.0/24"],
        "environment": "stg", "expires_at": "2027-02-28T14:00:00Z", "dpop": "required" });
    let (id, secret) = server.key_from(members).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(&format!("{NEW}?from={id}")).await;
    for part in [
        r#"value="Copy of Billing""#,
        "two\nlines</textarea>",
        r#"value="Payments""#,
        r#"value="team""#,
        r#"value="invoices/**""#,
        r#"name="cidrs" value="192.0.2.0/24""#,
        "<option selected>stg</option>",
        r#"value="2027-02-28""#,
        r#"value="14:00""#,
        r#"<option value="required" selected>"#,
        "begins with what <bdi>Billing</bdi> has",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(&secret));
    // Only for those who may read it.
    let (_, other) = server.key(&["write:claviger/orgs/default/projects/other/keys/*"]).await;
    let other = Browser::signed_in(&server, &other).await;
    assert_eq!(other.get(&format!("{NEW}?from={id}")).await.status, 403);
    for gone in ["key_0123456789abcdef", "x"] {
        assert_eq!(browser.get(&format!("{NEW}?from={gone}")).await.status, 404, "{gone}");
    }
}

async fn the_form_is_told_in_words(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/scopes", &named_scope("all-of-it", "read:web/**")).await.done(201);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let fields = [
        ("name", "Billing service"),
        ("project", "default"),
        ("environment", "dev"),
        ("access", "scopes"),
        ("scope", "read:web/**"),
        ("action", "write"),
        ("resource", "invoices/*"),
        ("cidrs", "203.0.113.0/24"),
        ("ends", "date"),
        ("date", "2027-02-28"),
        ("time", "14:00"),
        ("offset", "60"),
    ];
    let said = browser.post("/console/orgs/default/keys/summary", &fields).await;
    let without = browser.post(NEW, &[&fields[..], &[("summary", "show")]].concat()).await;
    for text in [said.text, without.text] {
        for part in [
            "Billing service",
            "default · dev",
            "all-of-it",
            "Write everything directly under invoices",
            "<code>203.0.113.0/24</code>",
            r#"datetime="2027-02-28T13:00:00Z""#,
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("Any address is allowed"), "{text}");
    }
    let bare = browser.post("/console/orgs/default/keys/summary", &[("ends", "never")]).await;
    for part in ["Unnamed key", "nothing yet", "any address", "Any address is allowed", "never expires"] {
        assert!(bare.text.contains(part), "{part}: {}", bare.text);
    }
    let stranger = Browser::at(server.client(), server.address());
    let refused = stranger.send("/console/orgs/default/keys/summary", &fields).await;
    assert!(refused.text.contains("Sign in"), "{}", refused.text);
}

async fn rows_are_added_and_removed_without_scripts(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let fields = [
        ("name", "Rows"),
        ("cidrs", "192.0.2.1"),
        ("cidrs", "192.0.2.2"),
        ("tag", "a"),
        ("tag-value", "1"),
        ("owner", ""),
    ];
    for (button, value, ranges, tags) in [
        ("more-ranges", "row", 3, 1),
        ("drop-range", "1", 1, 1),
        ("more-tags", "row", 2, 2),
        ("drop-tag", "1", 2, 1),
        ("mine", "yes", 3, 1),
        ("drop-range", "9", 2, 1),
    ] {
        let page = browser.post(NEW, &[&fields[..], &[(button, value)]].concat()).await;
        assert_eq!(page.status, 200, "{button}: {}", page.text);
        assert_eq!(page.text.matches(r#"name="cidrs""#).count(), ranges, "{button}: {}", page.text);
        assert_eq!(page.text.matches(r#"name="tag""#).count(), tags, "{button}: {}", page.text);
    }
}

async fn owner_tags_and_the_end_are_edited(backend: Backend) {
    let server = Server::start(backend).await;
    let members = json!({ "name": "Edited", "preset": "query_only", "owner": "A", "tags": { "team": "a" } });
    let (id, _) = server.key_from(members).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let path = format!("{KEYS}/{id}/edit");
    let fields = [
        ("name", "Edited"),
        ("access", "scopes"),
        ("action", "read"),
        ("resource", "*"),
        ("ends", "date"),
        ("date", "2027-02-28"),
        ("owner", ""),
        ("tag", "tier"),
        ("tag-value", "gold"),
    ];
    let review = browser.post(&path, &fields).await;
    assert_eq!(review.status, 200, "{}", review.text);
    let carried = [
        "version",
        "base",
        "name",
        "access",
        "action",
        "resource",
        "ends",
        "date",
        "owner",
        "tag",
        "tag-value",
    ];
    let values: Vec<_> = carried.iter().map(|name| (*name, hidden(&review.text, name))).collect();
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.replace("&#34;", "\""))).collect();
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = browser.post(&path, &values).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let key = server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200);
    assert_eq!((&key["owner"], &key["tags"]), (&json!(null), &json!({ "tier": "gold" })));
    assert_eq!(key["expires_at"], "2027-03-01T00:00:00Z");
}
