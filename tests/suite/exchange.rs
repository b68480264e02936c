//! Token exchange (RFC 8693) at `/oauth/token`.

use claviger::domain::scope::Scopes;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Server, forged, on_both};
use crate::token::claims;

on_both!(
    a_resource_server_acts_for_its_caller,
    an_api_key_is_exchanged_too,
    an_exchange_gives_no_scope_that_the_subject_lacks,
    an_unauthorized_client_and_a_malformed_exchange_are_refused,
    a_subject_with_ranges_is_exchanged_only_for_an_address_within_them,
    a_token_lives_no_longer_than_what_it_comes_from,
    an_exchanged_token_ends_with_each_key_and_token_behind_it,
    a_chain_is_four_deep_and_only_narrows,
    no_chain_allows_what_its_first_token_did_not,
);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const KEY: &str = "urn:claviger:token-type:api_key";
const MAY_EXCHANGE: &str = "write:claviger/orgs/default/projects/*/token-exchange";

/// Asks, as `client`, for a token for the holder of `subject`.
async fn exchange(server: &Server, client: &str, kind: &str, subject: &str, more: &str) -> Answer {
    let form = format!(
        "grant_type={GRANT}&client_secret={client}&subject_token_type={kind}&subject_token={subject}{more}"
    );
    server.client().post_form("/oauth/token", &form).await
}

async fn exchanged(server: &Server, client: &str, subject: &str, more: &str) -> String {
    let answer = exchange(server, client, TOKEN, subject, more).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().expect("a token").to_owned()
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, answer.oauth_error())
}

async fn is_active(server: &Server, token: &str) -> bool {
    server.admin().post_form("/oauth/introspect", &format!("token={token}")).await.json()["active"] == true
}

async fn a_resource_server_acts_for_its_caller(backend: Backend) {
    let server = Server::start(backend).await;
    let (subject_id, subject) = server.key(&["read:*", "write:orders/*"]).await;
    let members = json!({ "cidrs": ["127.0.0.0/8"], "environment": "stg", "scopes": [
        { "action": "write", "resource": "claviger/orgs/default/projects/*/token-exchange" } ] });
    let (client_id, client) = server.key_from(members).await;
    let token = server.client().access_token(&subject, "").await;
    let answer = exchange(&server, &client, TOKEN, &token, "&scope=write:orders/7").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    let mut body = answer.json();
    let new = claims(body["access_token"].take().as_str().expect("a token"));
    assert_eq!(
        body,
        json!({ "access_token": null, "issued_token_type": TOKEN, "token_type": "Bearer", "expires_in": 600,
                "scope": "write:orders/7" })
    );
    let was = claims(&token);
    let issuer = &server.node.deployment.issuer;
    assert_eq!(
        new,
        json!({
            "iss": issuer, "sub": subject_id, "client_id": client_id, "aud": format!("{issuer}/api"),
            "iat": was["iat"], "exp": was["exp"], "jti": new["jti"], "scope": "write:orders/7",
            "cidrs": ["127.0.0.0/8"], "org": "default", "project": "default", "env": "prd", "gen": 1,
            "act": { "sub": client_id, "gen": 1 }, "origin": [was["jti"]],
        })
    );
    assert_ne!(new["jti"], was["jti"]);
    let token = exchanged(&server, &client, &token, "").await;
    let seen = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await.json();
    assert_eq!(seen["act"], json!({ "sub": client_id, "gen": 1 }));
    assert_eq!((&seen["scope"], &seen["active"]), (&json!("read:* write:orders/*"), &json!(true)));
}

async fn an_api_key_is_exchanged_too(backend: Backend) {
    let server = Server::start(backend).await;
    let (subject_id, subject) =
        server.key(&["read:*", "read:claviger/orgs/default/projects/default/keys/*"]).await;
    let (_, client) = server.key(&[MAY_EXCHANGE]).await;
    let answer = exchange(&server, &client, KEY, &subject, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let new = claims(answer.json()["access_token"].as_str().expect("a token"));
    assert_eq!(
        (&new["sub"], &new["scope"], &new["origin"]),
        (&json!(subject_id), &json!("read:*"), &Value::Null)
    );
    let wrong = forged(&subject);
    assert_eq!(refused(&exchange(&server, &client, KEY, &wrong, "").await), (400, "invalid_request".into()));
    server.admin().post_json(&format!("/v1/orgs/default/keys/{subject_id}/revoke"), &json!({})).await;
    let revoked = exchange(&server, &client, KEY, &subject, "").await;
    assert_eq!(refused(&revoked), (400, "invalid_request".into()));
}

async fn an_exchange_gives_no_scope_that_the_subject_lacks(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, subject) = server.key(&["read:orders/**", "write:orders/*"]).await;
    // What the client itself may do is not what counts.
    let (_, client) = server.key(&["*:*", MAY_EXCHANGE]).await;
    let token = server.client().access_token(&subject, "").await;
    for (scope, is_covered) in [
        ("read:orders/7", true),
        ("read:orders/** write:orders/9", true),
        ("write:orders/**", false),
        ("read:*", false),
        ("admin:orders/7", false),
        ("read:claviger/orgs/default", false),
        ("read:orders/7 nonsense", false),
    ] {
        let answer = exchange(&server, &client, TOKEN, &token, &format!("&scope={scope}")).await;
        match is_covered {
            true => assert_eq!(answer.json()["scope"], scope, "{}", answer.text),
            false => assert_eq!(refused(&answer), (400, "invalid_scope".into()), "{scope}: {}", answer.text),
        }
    }
    let issuer = &server.node.deployment.issuer;
    for target in [issuer.clone(), format!("{issuer}/other")] {
        let answer = exchange(&server, &client, TOKEN, &token, &format!("&resource={target}")).await;
        assert_eq!(refused(&answer), (400, "invalid_target".into()), "{target}");
    }
}

async fn an_unauthorized_client_and_a_malformed_exchange_are_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, subject) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&subject, "").await;
    for scope in [
        "*:*",
        "read:claviger/orgs/default/projects/default/token-exchange",
        "write:claviger/orgs/default/projects/other/token-exchange",
        "write:claviger/orgs/other/projects/default/token-exchange",
    ] {
        let (_, client) = server.key(&[scope]).await;
        let answer = exchange(&server, &client, TOKEN, &token, "").await;
        assert_eq!(refused(&answer), (400, "unauthorized_client".into()), "{scope}");
    }
    let (_, client) = server.key(&[MAY_EXCHANGE]).await;
    assert_eq!(
        refused(&exchange(&server, "nobody", TOKEN, &token, "").await),
        (401, "invalid_client".into())
    );
    let issuer = server.node.deployment.issuer.clone();
    let for_management =
        server.client().access_token(&server.admin_key, &format!("&resource={issuer}")).await;
    let invalid = (400, "invalid_request".to_owned());
    for (kind, subject, more) in [
        (TOKEN, for_management.as_str(), ""),
        (TOKEN, "nonsense", ""),
        (TOKEN, &subject, ""),
        (KEY, &token, ""),
        ("urn:ietf:params:oauth:token-type:id_token", &token, ""),
        (TOKEN, &token, "&actor_token=x&actor_token_type=y"),
        (TOKEN, &token, "&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token"),
        (TOKEN, &token, "&subject_address=localhost"),
        (TOKEN, "", ""),
    ] {
        let answer = exchange(&server, &client, kind, subject, more).await;
        assert_eq!(refused(&answer), invalid, "{kind} {more}: {}", answer.text);
        assert!(subject.is_empty() || !answer.text.contains(subject), "{}", answer.text);
    }
    server.clock.advance(20);
    let other = server.client().access_token(&subject, "").await;
    server.admin().post_form("/oauth/revoke", &format!("token={other}")).await;
    assert_eq!(refused(&exchange(&server, &client, TOKEN, &other, "").await), invalid);
}

async fn a_subject_with_ranges_is_exchanged_only_for_an_address_within_them(backend: Backend) {
    let server = Server::start(backend).await;
    let members = json!({ "preset": "query_only", "cidrs": ["127.0.0.0/8", "203.0.113.0/24"] });
    let (_, subject) = server.key_from(members).await;
    let (_, client) = server.key(&[MAY_EXCHANGE]).await;
    let token = server.client().access_token(&subject, "").await;
    for (kind, subject) in [(TOKEN, &token), (KEY, &subject)] {
        for (address, is_admitted) in [
            ("", false),
            ("&subject_address=203.0.113.7", true),
            ("&subject_address=::ffff:203.0.113.7", true),
            ("&subject_address=198.51.100.1", false),
            ("&subject_address=::1", false),
        ] {
            let answer = exchange(&server, &client, kind, subject, address).await;
            let expected = if is_admitted { (200, String::new()) } else { (400, "invalid_request".into()) };
            assert_eq!(refused(&answer), expected, "{kind} {address}: {}", answer.text);
        }
    }
}

async fn a_token_lives_no_longer_than_what_it_comes_from(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, subject) = server.key(&["read:*"]).await;
    let (_, client) = server.key(&[MAY_EXCHANGE]).await;
    let (_, ending) = server
        .key_from(json!({ "expires_in": 100, "scopes": [
            { "action": "write", "resource": "claviger/orgs/default/projects/*/token-exchange" } ] }))
        .await;
    let token = server.client().access_token(&subject, "").await;
    let end = |token: &str| claims(token)["exp"].as_i64().expect("an end");
    assert_eq!(end(&exchanged(&server, &ending, &token, "").await), server.clock.now().unix() + 100);
    server.clock.advance(20);
    assert_eq!(end(&exchanged(&server, &client, &token, "").await), end(&token));
}

async fn an_exchanged_token_ends_with_each_key_and_token_behind_it(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin();
    let revoke_key = async |id: &str| {
        admin.post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    };
    let revoke_token = async |token: &str| {
        admin.post_form("/oauth/revoke", &format!("token={token}")).await;
    };
    for cause in ["subject", "first actor", "last actor", "first token", "token between", "itself"] {
        let (subject_id, subject) = server.key(&["read:*"]).await;
        let (first_id, first) = server.key(&[MAY_EXCHANGE]).await;
        let (last_id, last) = server.key(&[MAY_EXCHANGE]).await;
        let token = server.client().access_token(&subject, "").await;
        let between = exchanged(&server, &first, &token, "").await;
        let end = exchanged(&server, &last, &between, "").await;
        assert!(is_active(&server, &end).await, "{cause}");
        match cause {
            "subject" => revoke_key(&subject_id).await,
            "first actor" => revoke_key(&first_id).await,
            "last actor" => revoke_key(&last_id).await,
            "first token" => revoke_token(&token).await,
            "token between" => revoke_token(&between).await,
            _ => revoke_token(&end).await,
        }
        assert!(!is_active(&server, &end).await, "{cause}");
        let (_, another) = server.key(&[MAY_EXCHANGE]).await;
        let answer = exchange(&server, &another, TOKEN, &end, "").await;
        assert_eq!(refused(&answer), (400, "invalid_request".into()), "{cause}");
    }
}

async fn a_chain_is_four_deep_and_only_narrows(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, subject) = server.key(&["read:a/**", "write:a/*", "*:b/*/c"]).await;
    let (client_id, client) = server.key(&[MAY_EXCHANGE]).await;
    let wishes = [
        "read:a/**",
        "read:a/x/*",
        "read:a/x/y",
        "write:a/*",
        "write:a/z",
        "*:b/*/c",
        "admin:b/q/c",
        "read:*",
    ];
    let mut random = 1_u32;
    for _ in 0..40 {
        let first = server.client().access_token(&subject, "").await;
        let mut token = first.clone();
        for depth in 1..=4 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wish = wishes[random as usize / 7 % wishes.len()];
            let answer = exchange(&server, &client, TOKEN, &token, &format!("&scope={wish}")).await;
            let had = scopes(&token);
            assert_eq!(
                answer.status == 200,
                had.covers_all(&Scopes::parse_list(wish).unwrap()),
                "{wish} of {had}"
            );
            if answer.status == 200 {
                token = answer.json()["access_token"].as_str().unwrap().to_owned();
            } else {
                token = exchanged(&server, &client, &token, "").await;
            }
            let (now, start) = (claims(&token), claims(&first));
            assert!(scopes(&first).covers_all(&scopes(&token)), "{now} out of {start}");
            assert!(now["exp"].as_i64() <= start["exp"].as_i64());
            assert_eq!(now["origin"].as_array().unwrap().len(), depth);
        }
        let nested = (0..3).fold(
            json!({ "sub": client_id, "gen": 1 }),
            |act, _| json!({ "sub": client_id, "gen": 1, "act": act }),
        );
        assert_eq!(claims(&token)["act"], nested);
        let deeper = exchange(&server, &client, TOKEN, &token, "").await;
        assert_eq!(refused(&deeper), (400, "invalid_request".into()), "{}", deeper.text);
    }
}

/// A scope over few names, so that many of them have to do with each other.
pub(crate) fn any_scope() -> impl Strategy<Value = String> {
    let segment = prop_oneof![3 => "[ab]", 1 => Just("*".to_owned())];
    let path = (prop::collection::vec(segment, 1..4), any::<bool>()).prop_map(|(mut segments, goes_on)| {
        segments.extend(goes_on.then(|| "**".to_owned()));
        segments.join("/")
    });
    let filter = prop_oneof![6 => path, 1 => Just("*".to_owned())];
    ("read|write|\\*", filter).prop_map(|(action, filter)| format!("{action}:{filter}"))
}

/// One link of a chain: what is asked for, which of two clients asks, and how many seconds later.
fn any_link() -> impl Strategy<Value = (Option<Vec<String>>, usize, i64)> {
    (prop::option::weighted(0.8, prop::collection::vec(any_scope(), 1..3)), 0..2_usize, 0..25_i64)
}

async fn no_chain_allows_what_its_first_token_did_not(backend: Backend) {
    let server = Server::start(backend).await;
    let scope = json!({ "action": "write", "resource": "claviger/orgs/default/projects/*/token-exchange" });
    let mut random = TestRunner::deterministic();
    let mut narrowed = 0;
    for _ in 0..60 {
        // A client that has a week, and one that ends before the token does.
        let mut clients = Vec::new();
        for seconds in [604_800, 300] {
            let members = json!({ "scopes": [scope], "expires_in": seconds });
            clients.push(server.key_from(members).await.1);
        }
        let of_key = prop::collection::vec(any_scope(), 1..4).new_tree(&mut random).unwrap().current();
        let of_key: Vec<&str> = of_key.iter().map(String::as_str).collect();
        let (_, subject) = server.key(&of_key).await;
        let first = server.client().access_token(&subject, "").await;
        let mut token = first.clone();
        let links = prop::collection::vec(any_link(), 4).new_tree(&mut random).unwrap().current();
        for (wish, client, seconds) in links {
            server.advance(seconds).await;
            let more = wish.map(|wish| format!("&scope={}", wish.join(" "))).unwrap_or_default();
            let answer = exchange(&server, &clients[client], TOKEN, &token, &more).await;
            if answer.status != 200 {
                assert_eq!(refused(&answer), (400, "invalid_scope".into()), "{more} of {of_key:?}");
                continue;
            }
            let before = claims(&token);
            token = answer.json()["access_token"].as_str().unwrap().to_owned();
            let (now, start) = (claims(&token), claims(&first));
            for earlier in [&start, &before] {
                let had = Scopes::parse_list(earlier["scope"].as_str().unwrap()).unwrap();
                assert!(had.covers_all(&scopes(&token)), "{now} out of {earlier}");
                assert!(now["exp"].as_i64() <= earlier["exp"].as_i64(), "{now} out of {earlier}");
            }
            narrowed += usize::from(now["scope"] != before["scope"]);
        }
    }
    assert!(narrowed > 20, "{narrowed}: hardly anything was narrowed");
}

fn scopes(token: &str) -> Scopes {
    Scopes::parse_list(claims(token)["scope"].as_str().unwrap()).unwrap()
}
