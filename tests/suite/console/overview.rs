//! An organization at a glance, and where each number leads.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Server, on_both};

const ROOT: &str = "/console/orgs/default";
const DAY: i64 = 86_400;

on_both!(keys_are_counted_by_their_state, only_who_may_read_them_has_numbers);

/// The number of the tile that leads to `href`.
fn number<'p>(page: &'p str, href: &str) -> &'p str {
    let link = format!(r#"<a href="{}"><span class="count number">"#, href.replace('&', "&#38;"));
    let (_, rest) = page.split_once(&link).unwrap_or_else(|| panic!("{href}: {page}"));
    rest.split('<').next().unwrap()
}

async fn keys_are_counted_by_their_state(backend: Backend) {
    let server = Server::start(backend).await;
    let key = async |cidrs: &str, expires_in: i64| {
        let body = json!({"preset": "query_only", "cidrs": [cidrs], "expires_in": expires_in});
        server.key_from(body).await
    };
    let (disabled, _) = key("192.0.2.1", 400 * DAY).await;
    let (expired_while_disabled, _) = key("192.0.2.1", DAY).await;
    let (revoked, _) = key("*", 400 * DAY).await;
    let (_, confined) = key("192.0.2.1", 400 * DAY).await;
    key("192.0.2.1", 2 * DAY).await;
    key("0.0.0.0/0", 100 * DAY).await;
    for id in [&disabled, &expired_while_disabled] {
        let path = format!("/v1/orgs/default/keys/{id}");
        server.admin().patch(&path, &json!({"disabled": true})).await.done(200);
    }
    let revoke = format!("/v1/orgs/default/keys/{revoked}/revoke");
    server.admin().post_json(&revoke, &json!({})).await.done(200);
    server.advance(91 * DAY).await;
    server.client().token(&confined, "").await.done(401);
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    server.flush().await;

    assert_eq!(browser.get("/console").await.header("location"), ROOT);
    let page = browser.page(ROOT).await;
    let links = [
        // The administrator's, the one that was refused and the open one.
        ("/keys", "3"),
        ("/keys?status=disabled", "1"),
        ("/keys?status=expired", "2"),
        ("/keys?status=revoked", "1"),
        ("/keys?soon=yes", "1"),
        ("/keys?stale=yes", "2"),
        ("/keys?open=yes", "2"),
        ("/audit?action=key.refused&from=2026-04-01", "1"),
    ];
    for (href, expected) in links {
        assert_eq!(number(&page, &format!("{ROOT}{href}")), expected, "{href}: {page}");
        assert_eq!(browser.get(&format!("{ROOT}{href}")).await.status, 200, "{href}");
    }
    assert!(page.contains("The next signing key has been due since <time"), "{page}");
    assert!(page.contains(&format!(r#"<a href="{ROOT}" aria-current="page">Overview</a>"#)), "{page}");
}

async fn only_who_may_read_them_has_numbers(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, reader) = server.key(&["read:claviger/orgs/default/projects/default/keys/*"]).await;
    let page = Browser::signed_in(&server, &reader).await.page(ROOT).await;
    assert!(!page.contains("count number") && page.contains(&format!("{ROOT}/keys?soon=yes")), "{page}");
    for other in ["Refusals", "signing key", "Edit organization"] {
        assert!(!page.contains(other), "{other}: {page}");
    }
}
