//! How one gets in, and how long one stays.

use serde_json::json;

use super::browser::Browser;
use crate::support::{Backend, Options, Server, forged, on_both};

const KEYS: &str = "/console/orgs/default/keys";

on_both!(
    a_key_is_exchanged_for_a_session_and_not_kept,
    what_is_refused_is_said_on_the_page_and_no_secret_with_it,
    a_session_gets_a_new_id_at_each_sign_in,
    signing_out_ends_the_session_on_the_server,
    a_session_ends_when_it_is_idle_and_when_it_is_old,
    a_session_of_a_disabled_key_is_over_for_good,
    a_session_ends_with_the_key_or_its_secret,
    a_session_is_bound_to_the_keys_addresses,
    sessions_are_forgotten_and_in_no_backup,
    a_page_says_how_long_the_session_lasts,
    a_session_that_was_not_issued_here_asks_nothing_of_the_store,
);

async fn a_key_is_exchanged_for_a_session_and_not_kept(backend: Backend) {
    let server = Server::start(backend).await;
    let mut browser = Browser::at(server.client(), server.address());
    let away = browser.get(KEYS).await;
    assert_eq!(
        (away.status, away.header("location")),
        (303, "/console/sign-in?next=%2Fconsole%2Forgs%2Fdefault%2Fkeys")
    );

    let answer = browser.sign_in(&server.admin_key).await;
    assert_eq!((answer.status, answer.header("location"), answer.text.as_str()), (303, "/console", ""));
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let (name, id) = pair.split_once('=').unwrap();
    assert_eq!((name, id.len()), ("claviger", 43 + 6), "256 bits and a tag");
    assert_eq!(attributes, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    assert!(!server.admin_key.contains(id));

    let page = browser.page(KEYS).await;
    assert!(!page.contains(&server.admin_key) && !page.contains(id));
    assert_eq!(browser.get("/console").await.header("location"), "/console/orgs/default");
    assert_eq!(browser.get("/console/sign-in").await.header("location"), "/console");
    let trail = server.admin().get("/v1/orgs/default/audit?action=console.*").await.json();
    assert_eq!(trail["data"][0]["action"], "console.sign_in");
    assert_eq!(trail["data"][0]["address"], "127.0.0.1");
}

async fn what_is_refused_is_said_on_the_page_and_no_secret_with_it(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, plain) = server.key(&["read:*"]).await;
    let (elsewhere, _) =
        (json!({"scopes": [{"action": "*", "resource": "claviger/**"}], "cidrs": ["192.0.2.1"]}), ());
    let (_, far) = server.key_from(elsewhere).await;
    let mut browser = Browser::at(server.client(), server.address());
    for (key, status, said) in [
        ("", 401, "This key is not valid"),
        ("nonsense", 401, "This key is not valid"),
        (&*forged(&server.admin_key), 401, "This key is not valid"),
        (&*plain, 403, "no scope under claviger/"),
        (&*far, 403, "is not allowed from address 127.0.0.1"),
    ] {
        let answer = browser.sign_in(key).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(said), "{}", answer.text);
        assert!(key.is_empty() || !answer.text.contains(key), "{}", answer.text);
        assert_eq!(answer.header("set-cookie"), "");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
}

async fn a_session_gets_a_new_id_at_each_sign_in(backend: Backend) {
    let server = Server::start(backend).await;
    let mut browser = Browser::at(server.client(), server.address());
    // Somebody put a cookie of theirs there before.
    let planted = format!("claviger={}", "A".repeat(43));
    browser.cookie = Some(planted.clone());
    browser.sign_in(&server.admin_key).await;
    let first = browser.clone();
    assert_ne!(first.cookie.as_deref(), Some(&*planted));
    browser.sign_in(&server.admin_key).await;
    assert_ne!(browser.cookie, first.cookie);
    assert_eq!(browser.get(KEYS).await.status, 200);
    assert_eq!(first.get(KEYS).await.status, 303, "the earlier session is over");
    let both = browser.client.with("cookie", &format!("{planted}; {}", browser.cookie.unwrap()));
    assert_eq!(both.get(KEYS).await.status, 303, "of two cookies at most one is from here");
}

async fn signing_out_ends_the_session_on_the_server(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    assert_eq!(browser.get("/console/sign-out").await.status, 405);
    assert_eq!(browser.get(KEYS).await.status, 200);
    let out = browser.post("/console/sign-out", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, "/console/sign-in"));
    let set: Vec<_> = out.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).collect();
    assert!(set.iter().any(|set| set.starts_with("claviger=; Path=/; Max-Age=0;")), "{out:?}");
    let away = Browser { cookie: None, ..browser.clone() };
    assert!(away.followed(&out).await.contains("You have signed out."));
    let again = browser.get(KEYS).await;
    assert_eq!(again.header("location"), "/console/sign-in?next=%2Fconsole%2Forgs%2Fdefault%2Fkeys");
    assert!(away.followed(&again).await.contains("Your session has ended."));
}

async fn a_session_ends_when_it_is_idle_and_when_it_is_old(backend: Backend) {
    let server = Server::start(backend).await;
    let idle = Browser::signed_in(&server, &server.admin_key).await;
    server.advance(1_799).await;
    assert_eq!(idle.get(KEYS).await.status, 200);
    server.advance(1_799).await;
    assert_eq!(idle.get(KEYS).await.status, 200, "each use begins the time anew");
    server.advance(1_800).await;
    assert_eq!(idle.get(KEYS).await.status, 303);

    let busy = Browser::signed_in(&server, &server.admin_key).await;
    for _ in 0..47 {
        server.advance(900).await;
        assert_eq!(busy.get(KEYS).await.status, 200);
    }
    server.advance(900).await;
    assert_eq!(busy.get(KEYS).await.status, 303, "after twelve hours, whoever is there");
}

async fn a_session_of_a_disabled_key_is_over_for_good(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["*:claviger/**"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    assert_eq!(browser.get(KEYS).await.status, 200);
    for disabled in [true, false] {
        let path = format!("/v1/orgs/default/keys/{id}");
        server.admin().patch(&path, &serde_json::json!({ "disabled": disabled })).await.done(200);
        // A new sign-in is needed, also when the key works again.
        assert_eq!(browser.get(KEYS).await.status, 303);
    }
    assert_eq!(Browser::signed_in(&server, &key).await.get(KEYS).await.status, 200);
}

async fn a_session_ends_with_the_key_or_its_secret(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    for (end, body) in [("revoke", json!({})), ("rotate", json!({"overlap_seconds": 0}))] {
        let (id, key) = server.key(&["*:claviger/**"]).await;
        let browser = Browser::signed_in(&server, &key).await;
        assert_eq!(browser.get(KEYS).await.status, 200);
        admin.post_json(&format!("/v1/orgs/default/keys/{id}/{end}"), &body).await;
        assert_eq!(browser.get(KEYS).await.status, 303, "{end}");
    }
    let (id, key) = server.key(&["*:claviger/**"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    admin.delete(&format!("/v1/orgs/default/keys/{id}")).await;
    assert_eq!(browser.get(KEYS).await.status, 303, "deleted");

    let members = json!({"scopes": [{"action": "*", "resource": "claviger/**"}], "expires_in": 60});
    let (_, key) = server.key_from(members).await;
    let browser = Browser::signed_in(&server, &key).await;
    server.advance(60).await;
    assert_eq!(browser.get(KEYS).await.status, 303, "expired");
}

async fn a_session_is_bound_to_the_keys_addresses(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["*:claviger/**"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    let path = format!("/v1/orgs/default/keys/{id}");
    server.admin().patch(&path, &json!({"cidrs": ["192.0.2.0/24"]})).await.done(200);
    let refused = browser.get(KEYS).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("is not allowed from address 127.0.0.1"), "{}", refused.text);
}

async fn a_page_says_how_long_the_session_lasts(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let page = browser.page(KEYS).await;
    assert!(page.contains(r#"data-idle="1800" data-longest="43200" data-stay="/console/session""#), "{page}");
    let token = browser.token().await;
    server.advance(1_790).await;
    let kept = browser.send("/console/session", &[("token", &token)]).await;
    assert_eq!(kept.done(200), json!({"idle_seconds": 1_800, "longest_seconds": 43_200 - 1_790}));
    assert_eq!(kept.header("cache-control"), "no-store");
    server.advance(59).await;
    assert!(browser.page(KEYS).await.contains(r#"data-idle="1741""#), "a use is stored once a minute");
    assert_eq!(browser.send("/console/session", &[("token", "another")]).await.status, 403);
    server.advance(1_741).await;
    assert_eq!(browser.send("/console/session", &[("token", &token)]).await.status, 401);

    let short = json!({"expires_in": 600, "scopes": [{"action": "read", "resource": "claviger/**"}]});
    let (_, short) = server.key_from(short).await;
    let page = Browser::signed_in(&server, &short).await.page(KEYS).await;
    assert!(page.contains(r#"data-longest="600""#), "no session outlives its key: {page}");
}

async fn a_session_that_was_not_issued_here_asks_nothing_of_the_store(backend: Backend) {
    let server = Server::start(backend).await;
    let mut browser = Browser::signed_in(&server, &server.admin_key).await;
    let good = browser.cookie.clone().unwrap();
    server.node.records.store.close().await;
    assert_eq!(browser.get(KEYS).await.status, 503, "a good one does");
    for cookie in [forged(&good), format!("claviger={}", "A".repeat(49)), "claviger=".into()] {
        browser.cookie = Some(cookie);
        assert_eq!(browser.get(KEYS).await.status, 303);
    }
}

async fn sessions_are_forgotten_and_in_no_backup(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let store = &server.node.records.store;
    assert_eq!(store.delete_expired_console_sessions(server.clock.now()).await.unwrap(), 0);
    assert_eq!(browser.get(KEYS).await.status, 200);
    server.advance(1_800).await;
    assert_eq!(store.delete_expired_console_sessions(server.clock.now()).await.unwrap(), 1);
}

#[tokio::test]
async fn under_tls_the_cookie_is_for_this_host_alone() {
    let issuer = Some("https://keys.example.com/auth".to_owned());
    let options = Options { issuer, ..Options::default() };
    let server = Server::start_with(Backend::Sqlite, options).await;
    let mut browser = Browser::at(server.client(), server.address());
    "https://keys.example.com".clone_into(&mut browser.origin);
    let answer = browser.sign_in(&server.admin_key).await;
    assert_eq!(answer.header("location"), "/auth/console");
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-claviger="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    for path in ["/console", "/auth/console"] {
        assert_eq!(browser.get(path).await.header("location"), "/auth/console/orgs/default");
    }
}
