//! Two users of the portal against each other: what one types, guesses or sends again shows nothing of the other.

use serde_json::json;

use super::browser::{Portal, session};
use crate::console::browser::hidden;
use crate::support::{Backend, Server, on_both};

const KEYS: &str = "/portal/orgs/default/keys";

on_both!(
    nothing_that_a_user_types_finds_anothers_key,
    a_secret_is_shown_to_the_session_that_made_it_alone,
    the_same_subject_of_another_organization_is_somebody_else,
    a_form_of_an_earlier_session_comes_back_with_what_was_typed,
);

async fn nothing_that_a_user_types_finds_anothers_key(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = Portal::open(&server, &session("ada")).await;
    let bob = Portal::open(&server, &session("bob")).await;
    let key = bob.new_key("Secret-project").await;
    let admin = server.admin();
    let path = format!("/v1/orgs/default/keys/{key}");
    admin
        .patch(&path, &json!({ "note": "of Bob alone", "tags": { "team": "b" }, "owner": "bob" }))
        .await
        .done(200);
    let rotate = format!("{path}/rotate");
    let rotated = admin.post_json(&rotate, &json!({ "overlap_seconds": 1_000 })).await.done(201);
    let prefix = rotated["prefix"].as_str().unwrap_or(&key).trim_end_matches('…').to_owned();
    let searches = [
        format!("q={key}"),
        format!("q={}", &key[..8]),
        format!("q={prefix}"),
        "q=Secret".into(),
        "q=of+Bob".into(),
        "tag=team:b".into(),
        "owner=bob".into(),
        "status=all".into(),
        "open=yes".into(),
        "stale=yes".into(),
    ];
    for search in searches {
        let listed = ada.get(&format!("{KEYS}?{search}")).await;
        assert_eq!(listed.status, 200, "{search}: {}", listed.text);
        let shown = listed.text.replace(&format!("value=\"{key}\""), "");
        for told in ["Secret-project", "of Bob alone", "1 key", "row-link"] {
            assert!(!shown.contains(told), "{search} tells {told}: {shown}");
        }
    }
    for secret in rotated["secrets"].as_array().unwrap() {
        let retire = format!("{KEYS}/{key}/secrets/{}/retire", secret["id"].as_str().unwrap());
        assert_eq!(ada.get(&retire).await.status, 404);
        assert_eq!(ada.post(&retire, "").await.status, 404);
    }
    for page in ["?span=days", "?span=months", "/edit", "/rotate", "/revoke"] {
        let (guessed, never_was) =
            (format!("{KEYS}/{key}{page}"), format!("{KEYS}/key_0123456789abcdef{page}"));
        let (guessed, never_was) = (ada.get(&guessed).await, ada.get(&never_was).await);
        assert_eq!((guessed.status, never_was.status), (404, 404), "{page}");
        let without_id =
            |text: &str| text.split("Request ID").next().unwrap().replace(&key, "key_0123456789abcdef");
        assert_eq!(
            without_id(&guessed.text),
            without_id(&never_was.text),
            "an id that exists looks like one that does not"
        );
    }
    // A page of a longer list belongs to whoever has seen the one before.
    let mut all = session("carol");
    (all["keys"], all["max_keys"]) = (json!("all"), json!(100));
    let carol = Portal::open(&server, &all).await;
    for at in 0..51 {
        carol.new_key(&format!("carol-{at}")).await;
    }
    let listed = carol.get(KEYS).await.text;
    let (_, next) = listed.split_once("cursor=").expect("a next page");
    let cursor = next.split(['"', '&']).next().unwrap();
    let next = ada.get(&format!("{KEYS}?cursor={cursor}")).await;
    assert!(next.status == 400 && !next.text.contains("Secret-project"), "{}", next.text);
}

async fn a_secret_is_shown_to_the_session_that_made_it_alone(backend: Backend) {
    let server = Server::start(backend).await;
    let ada = Portal::open(&server, &session("ada")).await;
    let bob = Portal::open(&server, &session("bob")).await;
    let made = ada.create("mine", "orders/1", "&form=one").await;
    let key = shown(&made.text).expect("a key");
    let again = ada.create("mine", "orders/1", "&form=one").await;
    assert_eq!(shown(&again.text), Some(key.clone()), "a form that is sent twice shows the same key");
    // The same form, with Ada's token, in Bob's browser.
    let fields = "name=mine&project=default&environment=prd&access=scopes&action=read&resource=orders/1&ends=never&form=one";
    let sent = format!("{fields}&token={}", ada.token);
    let stolen = bob.with_cookie().post_form(&format!("{KEYS}/new"), &sent).await;
    assert!(stolen.status == 403 && shown(&stolen.text).is_none(), "{}", stolen.text);
    // With a token of his own, the same form makes a key of his own.
    let own = bob.create("mine", "orders/1", "&form=one").await;
    assert!(shown(&own.text).is_some_and(|other| other != key), "{}", own.text);
    // In another session of Ada's, the form has been sent, and its secret is not shown.
    let later = Portal::open(&server, &session("ada")).await;
    let replayed = later.create("mine", "orders/1", "&form=one").await;
    assert!(shown(&replayed.text).is_none(), "{}", replayed.text);
    server.advance(61).await;
    let late = ada.create("mine", "orders/1", "&form=one").await;
    assert!(shown(&late.text).is_none(), "{}", late.text);
    assert_eq!(server.database.number("SELECT COUNT(*) FROM api_keys WHERE name = 'mine'").await, 2);
}

/// The key that a page shows.
fn shown(page: &str) -> Option<String> {
    let (_, rest) = page.split_once(r#"id="secret""#)?;
    let (_, rest) = rest.split_once('>')?;
    rest.split('<').next().map(str::to_owned)
}

async fn the_same_subject_of_another_organization_is_somebody_else(backend: Backend) {
    let server = Server::start(backend).await;
    server.admin().post_json("/v1/orgs", &json!({ "id": "acme" })).await.done(201);
    server.admin().post_json("/v1/orgs/acme/projects", &json!({ "id": "default" })).await.done(201);
    let here = Portal::open(&server, &session("ada")).await;
    let there = Portal::open_in(&server, "acme", &session("ada")).await;
    let key = here.new_key("Here").await;
    for path in [KEYS.to_owned(), format!("{KEYS}/{key}"), format!("/portal/orgs/acme/keys/{key}")] {
        assert_eq!(there.get(&path).await.status, 404, "{path}");
    }
    assert!(!there.get("/portal/orgs/acme/keys").await.text.contains("Here"));
    // To end the sessions of one is not to end those of the other.
    let end = json!({ "subject": "ada" });
    server.admin().post_json("/v1/orgs/default/portal-sessions/end", &end).await.done(200);
    assert_eq!(here.get(KEYS).await.status, 401);
    assert_eq!(there.get("/portal/orgs/acme/keys").await.status, 200);
}

async fn a_form_of_an_earlier_session_comes_back_with_what_was_typed(backend: Backend) {
    let server = Server::start(backend).await;
    let earlier = Portal::open(&server, &session("ada")).await;
    let later = Portal::open(&server, &session("ada")).await;
    let path = format!("{KEYS}/new");
    let fields = "name=Half+a+key&project=default&environment=prd&access=scopes&action=read&resource=orders/1&ends=never";
    let sent = format!("{fields}&token={}", earlier.token);
    let kept = later.with_cookie().post_form(&path, &sent).await;
    assert_eq!(kept.status, 403, "{}", kept.text);
    assert!(
        kept.text.contains("Half a key") && kept.text.contains(&format!(r#"action="{path}""#)),
        "{}",
        kept.text
    );
    assert!(!kept.text.contains("Claviger") && !kept.text.contains("signed in"), "{}", kept.text);
    let token = hidden(&kept.text, "token");
    let shown = later.with_cookie().post_form(&path, &format!("{fields}&resume=yes&token={token}")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains(r#"value="Half a key""#), "{}", shown.text);
    assert_eq!(server.database.number("SELECT COUNT(*) FROM api_keys WHERE name = 'Half a key'").await, 0);
}
