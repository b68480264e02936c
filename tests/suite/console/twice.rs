//! A form that is sent twice, as a double click does it: the secret that it makes is shown both times.

use serde_json::{Value, json};

use super::browser::{Browser, hidden};
use super::keys::shown;
use crate::support::{Backend, Server, on_both, on_postgres};

const KEYS: &str = "/console/orgs/default/keys";
const NEW: &str = "/console/orgs/default/keys/new";

on_both!(
    two_at_once_show_the_same_secret,
    a_secret_is_shown_again_for_a_minute_and_to_its_session_alone,
    a_session_that_ends_itself_sees_the_new_secret_all_the_same,
    a_form_makes_one_key_although_another_was_typed_since,
);

fn fields(form: &str) -> Vec<(&str, &str)> {
    vec![
        ("form", form),
        ("name", "Billing"),
        ("project", "default"),
        ("environment", "prd"),
        ("ends", "never"),
        ("access", "query_only"),
        ("cidrs", ""),
    ]
}

async fn secrets_of(server: &Server, id: &str) -> Value {
    server.admin().get(&format!("/v1/orgs/default/keys/{id}")).await.done(200)["secrets"].clone()
}

async fn two_at_once_show_the_same_secret(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let token = browser.token().await;
    let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
    let rotate = format!("{KEYS}/{id}/rotate");
    for round in 0..10 {
        let before = server.database.number("SELECT COUNT(*) FROM api_keys").await;
        let name = format!("round-{round}");
        let mut sent = fields(&name);
        sent.push(("token", &token));
        let send = || browser.send(NEW, &sent);
        let (a, b, c) = tokio::join!(send(), send(), send());
        let key = shown(&a);
        assert_eq!((&shown(&b), &shown(&c)), (&key, &key));
        server.client().token(&key, "").await.done(200);
        assert_eq!(server.database.number("SELECT COUNT(*) FROM api_keys").await, before + 1);

        let sent = [("form", &*name), ("overlap", "0"), ("token", &token)];
        let send = || browser.send(&rotate, &sent);
        let (a, b) = tokio::join!(send(), send());
        assert_eq!(shown(&a), shown(&b));
        server.client().token(&shown(&a), "").await.done(200);
        assert_eq!(secrets_of(&server, &id).await.as_array().unwrap().len(), 1);
    }
}

async fn a_secret_is_shown_again_for_a_minute_and_to_its_session_alone(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    let form = hidden(&browser.page(NEW).await, "form");
    let key = shown(&browser.post(NEW, &fields(&form)).await);

    let other = Browser::signed_in(&server, &server.admin_key).await;
    let refused = other.post(NEW, &fields(&form)).await;
    assert_eq!(refused.status, 409, "the token in the form is another one: {}", refused.text);
    let token = browser.token().await;
    let stolen = [&fields(&form)[..], &[("token", &*token)]].concat();
    assert_eq!(other.send(NEW, &stolen).await.status, 403);
    let away = Browser { cookie: None, ..browser.clone() };
    let asked = away.send(NEW, &stolen).await;
    assert_eq!(asked.status, 401);
    for answer in [&refused.text, &asked.text] {
        assert!(!answer.contains(&key), "{answer}");
    }
    assert!(!server.database.dump().await.concat().contains(&key[key.len() - 49..key.len() - 6]));

    server.advance(59).await;
    assert_eq!(shown(&browser.post(NEW, &fields(&form)).await), key);
    server.advance(1).await;
    let late = browser.post(NEW, &fields(&form)).await;
    let page = browser.followed(&late).await;
    assert!(page.contains("If nobody stored it, rotate it.") && !page.contains(&key), "{page}");
}

async fn a_session_that_ends_itself_sees_the_new_secret_all_the_same(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["*:claviger/**"]).await;
    let browser = Browser::signed_in(&server, &key).await;
    let token = browser.token().await;
    let rotate = format!("{KEYS}/{id}/rotate");
    let sent = [("form", "once"), ("overlap", "0"), ("token", &*token)];
    let first = browser.send(&rotate, &sent).await;
    assert_eq!(browser.get(KEYS).await.status, 303, "the session ended with the old secret");
    let again = browser.send(&rotate, &sent).await;
    assert_eq!(shown(&again), shown(&first));
    let other = browser.send(&rotate, &[("form", "two"), ("overlap", "0"), ("token", &token)]).await;
    assert_eq!(other.status, 401);
    server.advance(60).await;
    let late = browser.send(&rotate, &sent).await;
    assert_eq!(late.status, 401, "{}", late.text);
    assert!(!late.text.contains(&shown(&first)));
    server.client().token(&shown(&first), "").await.done(200);
}

async fn a_form_makes_one_key_although_another_was_typed_since(backend: Backend) {
    let server = Server::start(backend).await;
    let browser = Browser::signed_in(&server, &server.admin_key).await;
    shown(&browser.post(NEW, &fields("once")).await);
    let mut other = fields("once");
    other[1].1 = "Other";
    let refused = browser.post(NEW, &other).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_ne!(hidden(&refused.text, "form"), "once");
}

mod elsewhere {
    use super::*;

    on_postgres!(another_node_makes_nothing_and_says_so);

    async fn another_node_makes_nothing_and_says_so(backend: Backend) {
        let server = Server::start(backend).await;
        let second = server.second_node().await;
        let browser = Browser::signed_in(&server, &server.admin_key).await;
        let there = Browser {
            client: second.client(),
            origin: format!("http://{}", second.address()),
            cookie: browser.cookie.clone(),
        };
        let (id, _) = server.key_from(json!({"name": "the key", "preset": "query_only"})).await;
        let rotate = format!("{KEYS}/{id}/rotate");
        let sent = [("form", "once"), ("overlap", "3600")];
        let new = shown(&browser.post(&rotate, &sent).await);
        let again = there.post(&rotate, &sent).await;
        let page = there.followed(&again).await;
        assert!(page.contains("If nobody stored it, rotate it.") && !page.contains(&new), "{page}");
        assert_eq!(secrets_of(&server, &id).await.as_array().unwrap().len(), 2);

        let token = browser.token().await;
        let sent = [&fields("at-once")[..], &[("token", &*token)]].concat();
        let before = server.database.number("SELECT COUNT(*) FROM api_keys").await;
        let (a, b) = tokio::join!(browser.send(NEW, &sent), there.send(NEW, &sent));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 303], "one shows it, the other says that it was shown");
        assert_eq!(server.database.number("SELECT COUNT(*) FROM api_keys").await, before + 1);
    }
}
