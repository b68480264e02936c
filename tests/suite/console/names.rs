//! Keys stand by their names, with their ids at hand, and a key's page says why it was refused.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

const ROOT: &str = "/console/orgs/default";

on_both!(
    a_key_that_acted_is_named,
    only_keys_that_one_may_read_are_named,
    a_key_says_why_it_was_refused,
    a_trust_rule_leads_to_its_issuer,
    a_key_has_the_address_of_its_last_success
);

async fn a_key_that_acted_is_named(backend: Backend) {
    let server = Server::start(backend).await;
    let everything = json!({"action": "*", "resource": "claviger/orgs/default/**"});
    let maker = json!({"name": "Deploy <robot>", "scopes": [everything]});
    let (maker, key) = server.key_from(maker).await;
    let by_robot = server.client().bearer(&key);
    let body = json!({"name": "made", "project": "default", "environment": "prd", "preset": "query_only"});
    let made = by_robot.post_json("/v1/orgs/default/keys", &body).await.done(201);
    let made = made["id"].as_str().unwrap();
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let link = format!(r#"<a href="{ROOT}/keys/{maker}"><bdi>Deploy &#60;robot&#62;</bdi></a>"#);
    let copied = format!(r#"data-copy-text="{maker}" aria-label="Copy {maker}""#);
    let (page, log) =
        (browser.page(&format!("{ROOT}/keys/{made}")).await, browser.page(&format!("{ROOT}/audit")).await);
    for page in [&page, &log] {
        assert!(page.contains(&link) && page.contains(&copied), "{page}");
    }
    assert!(page.contains(&format!("<code>{made}</code>")), "the key's own id is at hand: {page}");

    server.admin().delete(&format!("/v1/orgs/default/keys/{maker}")).await.done(204);
    let page = browser.page(&format!("{ROOT}/keys/{made}")).await;
    assert!(page.contains("<bdi>Deploy &#60;robot&#62;</bdi> <span"), "as it was called then: {page}");
    assert!(page.contains(&copied) && !page.contains(&link), "{page}");
}

async fn only_keys_that_one_may_read_are_named(backend: Backend) {
    let server = Server::start(backend).await;
    let (auditor, key) = server.key(&["read:claviger/orgs/default/audit"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    let page = browser.page(&format!("{ROOT}/audit")).await;
    let (_, log) = page.split_once("<main").unwrap();
    assert!(log.contains(&auditor) && !log.contains("<a href=\"/console/orgs/default/keys/"), "{log}");
}

async fn a_key_says_why_it_was_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let body = json!({"name": "confined", "preset": "query_only", "cidrs": ["192.0.2.1"]});
    let (id, key) = server.key_from(body).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let own = format!("{ROOT}/keys/{id}");
    assert!(browser.page(&own).await.contains("No refusals in the last 30 days."));
    for _ in 0..2 {
        server.client().token(&key, "").await.done(401);
    }
    server.flush().await;
    let page = browser.page(&own).await;
    let (_, refusals) = page.split_once("<h2>Refusals</h2>").unwrap();
    assert!(refusals.contains(r#"The address was not allowed</th><td class="number">2</td>"#), "{refusals}");
    assert!(refusals.contains("The address was not allowed, from 127.0.0.1"), "{refusals}");
    assert!(refusals.contains(&format!("{ROOT}/audit?key={id}&amp;action=key.refused")), "{refusals}");
    let (_, log) = page.split_once("<h2>Audit log</h2>").unwrap();
    assert!(log.contains("Key created") && !log.contains("Key refused"), "refusals stand apart: {log}");

    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let page = Browser::signed_in(&server, &reader).await.page(&own).await;
    assert!(page.contains("The address was not allowed</th>") && !page.contains("127.0.0.1"), "{page}");
}

async fn a_trust_rule_leads_to_its_issuer(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, _) = server.key(&["read:*"]).await;
    let admin = server.admin();
    let issuer =
        json!({"id": "ci", "issuer": "https://ci.example", "keys": {"jwks_uri": "https://ci.example/keys"}});
    admin.post_json("/v1/orgs/default/issuers", &issuer).await.done(201);
    let rule = json!({"issuer": "ci", "subject": "job"});
    admin.post_json(&format!("/v1/orgs/default/keys/{id}/trust-rules"), &rule).await.done(201);
    let own = format!("{ROOT}/keys/{id}");
    let page = Browser::signed_in(&server, &server.admin_key).await.page(&own).await;
    let links =
        [format!(r#"<a href="{ROOT}/issuers/ci">"#), format!(r#"<a href="{ROOT}/issuers/ci/check">"#)];
    assert!(links.iter().all(|link| page.contains(link)), "{page}");
    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/*/keys/*"]).await;
    let page = Browser::signed_in(&server, &reader).await.page(&own).await;
    assert!(!page.contains("/issuers/ci"), "{page}");
}

async fn a_key_has_the_address_of_its_last_success(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (path, own) = (format!("/v1/orgs/default/keys/{id}"), format!("{ROOT}/keys/{id}"));
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    assert_eq!(server.admin().get(&path).await.json()["last_used_address"], json!(null));
    assert!(!browser.page(&own).await.contains("Last success"));
    let token = server.client().access_token(&key, "").await;
    server.flush().await;
    assert_eq!(server.admin().get(&path).await.json()["last_used_address"], "127.0.0.1");
    let page = browser.page(&own).await;
    let seen =
        r#"<dt>Last success</dt><dd>From <code>127.0.0.1</code> <time datetime="2026-01-01T00:00:00Z""#;
    assert!(page.contains(seen), "{page}");

    // A resource server's check is a use, and no success of the client's.
    server.advance(60).await;
    let check = format!("token={token}");
    server.client().bearer(&server.admin_key).post_form("/oauth/introspect", &check).await.done(200);
    server.flush().await;
    let page = browser.page(&own).await;
    assert!(
        page.contains(seen)
            && page.contains(r#"<dt>Last used</dt><dd><time datetime="2026-01-01T00:01:00Z""#),
        "{page}"
    );
    // The audit trail does not have it.
    server.admin().patch(&path, &json!({"name": "renamed"})).await.done(200);
    let trail =
        server.admin().get(&format!("/v1/orgs/default/audit?key={id}&action=key.change")).await.json();
    assert_eq!(trail["data"][0]["after"]["last_used_address"], json!(null), "{trail}");
}
