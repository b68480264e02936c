//! Answers of providers that fail, or that nobody should believe, and people who bring what is not theirs.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde_json::{Value, json};

use super::provider::Reply;
use super::{Begun, CALLBACK, Scene, begun, refused, session};
use crate::support::{Answer, Backend, Options, on_both};

on_both!(
    a_token_that_the_clients_secret_signed_opens_nothing,
    claims_of_another_kind_open_nothing,
    a_token_endpoint_that_refuses_opens_nothing,
    a_provider_that_fails_is_to_blame_and_nobody_is_counted,
    a_provider_that_is_silent_is_given_up,
    documents_have_a_bound,
    a_code_is_taken_once_whoever_brings_it,
    an_attempt_is_answered_once_from_whatever_address,
    an_answer_without_its_state_or_with_more_than_one_is_refused,
    a_session_that_somebody_planted_is_not_the_one_after,
);

const NOT_BELIEVED: &str = "was not accepted";
const AWAY: &str = "cannot sign anybody in at the moment";

/// A scene with a member, `ada`.
async fn with_a_member(backend: Backend) -> Scene {
    let scene = Scene::set(backend).await;
    scene.member("ada@example.com", &json!({})).await;
    scene
}

async fn a_token_that_the_clients_secret_signed_opens_nothing(backend: Backend) {
    let scene = with_a_member(backend).await;
    for header in [json!({ "alg": "HS256" }), json!({ "alg": "HS256", "kid": scene.sso.holder.kid() })] {
        let begun = scene.begin("sso").await;
        let claims = scene.sso.claims(&begun.nonce, scene.now(), &json!({}));
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(&claims));
        let signature = sign(&Key::new(HMAC_SHA256, b"hidden"), input.as_bytes());
        scene.sso.says(format!("{input}.{}", BASE64URL.encode(signature))).await;
        refused(&scene.call_back(&begun).await, NOT_BELIEVED);
    }
}

async fn claims_of_another_kind_open_nothing(backend: Backend) {
    let scene = with_a_member(backend).await;
    let now = scene.now();
    for claims in [
        json!({ "sub": null }),
        json!({ "sub": 1 }),
        json!({ "sub": "" }),
        json!({ "iss": null }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "aud": ["console", "another"], "azp": "another" }),
        json!({ "nonce": [] }),
        json!({ "iat": null }),
        json!({ "exp": null }),
        json!({ "exp": now - 1 }),
        json!({ "iat": now.to_string() }),
        json!({ "nbf": now + 3_600 }),
        json!({ "auth_time": "now" }),
    ] {
        refused(&scene.answer(&scene.begin("sso").await, &claims).await, NOT_BELIEVED);
        scene.server.clock.advance(7);
    }
    for claims in [json!({ "aud": ["console"] }), json!({ "aud": ["another", "console"], "azp": "console" })]
    {
        assert!(session(&scene.answer(&scene.begin("sso").await, &claims).await).is_some(), "{claims}");
    }
    let code = scene.invite("bob@example.com").await;
    for verified in [json!(1), json!("true"), json!(["true"]), json!({}), json!(false), json!(null)] {
        let claims = json!({ "sub": "2", "email": "bob@example.com", "email_verified": verified });
        refused(&scene.answer(&begun(&scene.redeem(&code).await), &claims).await, "is verified");
        scene.server.clock.advance(7);
    }
}

async fn a_token_endpoint_that_refuses_opens_nothing(backend: Backend) {
    let scene = with_a_member(backend).await;
    let html = |status: u16| Reply::Text(status, "Content-Type: text/html\r\n", "<h1>No</h1>".into());
    for (reply, said) in [
        (Reply::Json(400, json!({ "error": "invalid_grant" })), NOT_BELIEVED),
        (Reply::Json(400, json!({ "error": "made_up", "error_description": "<script>" })), NOT_BELIEVED),
        (Reply::Json(400, json!({ "error": 1 })), NOT_BELIEVED),
        (Reply::Json(401, json!({ "error": "invalid_client" })), AWAY),
        (Reply::Json(403, json!({ "error": "unauthorized_client" })), AWAY),
        (html(400), NOT_BELIEVED),
        (html(200), NOT_BELIEVED),
        (Reply::Text(200, "", String::new()), NOT_BELIEVED),
        (Reply::Json(200, json!({ "access_token": "x", "token_type": "Bearer" })), NOT_BELIEVED),
        (
            Reply::Json(200, json!({ "access_token": "x", "token_type": "Bearer", "id_token": 1 })),
            NOT_BELIEVED,
        ),
        (
            Reply::Json(200, json!({ "access_token": "x", "token_type": "Bearer", "id_token": "a.b" })),
            NOT_BELIEVED,
        ),
    ] {
        let begun = scene.begin("sso").await;
        scene.sso.replies(reply).await;
        let answer = scene.call_back(&begun).await;
        refused(&answer, said);
        assert!(!answer.text.contains("<script>") && !answer.text.contains("made_up"), "{}", answer.text);
        scene.server.clock.advance(7);
    }
    assert!(session(&scene.answer(&scene.begin("sso").await, &json!({})).await).is_some());
}

async fn a_provider_that_fails_is_to_blame_and_nobody_is_counted(backend: Backend) {
    let scene = with_a_member(backend).await;
    let elsewhere = format!("Location: {}/token\r\n", scene.other.url);
    let elsewhere: &'static str = elsewhere.leak();
    for reply in [
        Reply::Text(302, elsewhere, String::new()),
        Reply::Text(307, elsewhere, String::new()),
        Reply::Text(500, "", "<h1>Oh</h1>".into()),
        Reply::Text(503, "Retry-After: 9\r\n", String::new()),
        Reply::Json(429, json!({ "error": "slow_down" })),
    ] {
        // More often than somebody may guess in a minute.
        for _ in 0..4 {
            let begun = scene.begin("sso").await;
            scene.sso.replies(reply.clone()).await;
            refused(&scene.call_back(&begun).await, AWAY);
        }
    }
    assert_eq!(scene.other.asked().await, 0, "no redirect is followed");
    assert!(session(&scene.answer(&scene.begin("sso").await, &json!({})).await).is_some());
    for path in ["/.well-known", "/keys"] {
        let scene = Scene::set(backend).await;
        scene.sso.always(Some((path, Reply::Text(302, elsewhere, String::new())))).await;
        let answer = match path {
            "/keys" => scene.answer(&scene.begin("sso").await, &json!({})).await,
            _ => scene.browser().post_form("/console/sign-in/with/sso", "next=").await,
        };
        assert_eq!(answer.status, 401, "{}", answer.text);
        assert!(answer.text.contains(AWAY), "{}", answer.text);
        assert_eq!(session(&answer), None);
    }
}

async fn a_provider_that_is_silent_is_given_up(backend: Backend) {
    let mut options = Options::default();
    options.issuers.time_limit = Duration::from_millis(100);
    let scene = Scene::set_with(backend, options, |_| ()).await;
    let begun = scene.begin("sso").await;
    scene.sso.replies(Reply::Silence).await;
    refused(&scene.call_back(&begun).await, AWAY);
    // Its keys, which are needed for the first token.
    scene.sso.always(Some(("/keys", Reply::Silence))).await;
    refused(&scene.answer(&scene.begin("sso").await, &json!({})).await, AWAY);
    // What it says about itself, for the other one.
    scene.other.always(Some(("/.well-known", Reply::Silence))).await;
    let answer = scene.browser().post_form("/console/sign-in/with/other", "next=").await;
    assert!(answer.status == 401 && answer.text.contains(AWAY), "{} {}", answer.status, answer.text);
}

async fn documents_have_a_bound(backend: Backend) {
    let scene = with_a_member(backend).await;
    let padded = |length: usize| "a".repeat(length);
    // The whole answer has at most 256 KiB.
    let begun = scene.begin("sso").await;
    let token = scene.sso.token(&begun.nonce, scene.now(), &json!({}));
    let granted = json!({ "access_token": padded(256 * 1024), "token_type": "Bearer", "id_token": token });
    scene.sso.replies(Reply::Json(200, granted)).await;
    refused(&scene.call_back(&begun).await, AWAY);
    // A token has at most 16 KiB.
    let groups = json!({ "groups": padded(16 * 1024) });
    refused(&scene.answer(&scene.begin("sso").await, &groups).await, NOT_BELIEVED);
    let many: Vec<String> = (0..200).map(|at| format!("group-{at:08}")).collect();
    assert!(session(&scene.answer(&scene.begin("sso").await, &json!({ "groups": many })).await).is_some());
    // What a browser brings has a bound, too.
    let begun = scene.begin("sso").await;
    let browser = scene.server.client().with("cookie", &begun.cookie);
    let code = padded(64 * 1024);
    let path = format!("{CALLBACK}?code={code}&state={}&iss={}", begun.state, scene.sso.url);
    let answer = browser.try_send(reqwest::Method::GET, &path, None).await;
    // The connection may end before there is an answer.
    assert!(answer.map_or(true, |answer| answer.status >= 400 && session(&answer).is_none()));
}

async fn a_code_is_taken_once_whoever_brings_it(backend: Backend) {
    let scene = with_a_member(backend).await;
    let (first, second) = (scene.begin("sso").await, scene.begin("sso").await);
    assert!(session(&scene.answer(&first, &json!({})).await).is_some());
    // The provider refuses it the second time; and if it did not, the token has the nonce of the first attempt.
    refused(&scene.call_back(&second).await, NOT_BELIEVED);
    let third = scene.begin("sso").await;
    scene.sso.says(scene.sso.token(&first.nonce, scene.now(), &json!({}))).await;
    refused(&scene.call_back(&third).await, NOT_BELIEVED);
}

async fn an_attempt_is_answered_once_from_whatever_address(backend: Backend) {
    let scene = Scene::behind_a_proxy(backend, Options::default()).await;
    scene.member("ada@example.com", &json!({})).await;
    let begun = scene.begin("sso").await;
    let from = async |address: &str| {
        scene.sso.says(scene.sso.token(&begun.nonce, scene.now(), &json!({}))).await;
        let browser = scene.server.client().with("cookie", &begun.cookie).with("x-forwarded-for", address);
        browser.get(&format!("{CALLBACK}?code=c&state={}&iss={}", begun.state, scene.sso.url)).await
    };
    assert!(session(&from("192.0.2.1").await).is_some());
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        refused(&from(address).await, "has ended, or it began in another browser");
    }
}

async fn an_answer_without_its_state_or_with_more_than_one_is_refused(backend: Backend) {
    let scene = with_a_member(backend).await;
    let Begun { cookie, state, nonce, .. } = scene.begin("sso").await;
    let issuer = format!("iss={}", scene.sso.url);
    for (query, status) in [
        (format!("code=c&{issuer}"), 401),
        (format!("code=c&state=&{issuer}"), 401),
        (format!("code=c&state={}&{issuer}", &state[1..]), 401),
        (format!("code=c&state={state}x&{issuer}"), 401),
        (format!("code=c&state={state}&state={state}&{issuer}"), 400),
        (format!("code=c&code=d&state={state}&{issuer}"), 400),
        (format!("code=c&state={state}&{issuer}&iss=https://elsewhere.example"), 400),
    ] {
        scene.sso.says(scene.sso.token(&nonce, scene.now(), &json!({}))).await;
        let answer = scene.server.client().with("cookie", &cookie).get(&format!("{CALLBACK}?{query}")).await;
        assert_eq!((answer.status, session(&answer)), (status, None), "{query}: {}", answer.text);
    }
    assert_eq!(scene.sso.asked().await, 1, "nobody asks the provider for them");
}

async fn a_session_that_somebody_planted_is_not_the_one_after(backend: Backend) {
    let scene = with_a_member(backend).await;
    let planted = session(&scene.answer(&scene.begin("sso").await, &json!({})).await).unwrap();
    // A browser has it before it begins, or has it only when the answer comes.
    for has_it_before in [true, false] {
        let browser = scene.browser().with("cookie", &planted);
        let attempt = match has_it_before {
            true => begun(&browser.post_form("/console/sign-in/with/sso", "next=").await),
            false => scene.begin("sso").await,
        };
        scene.sso.says(scene.sso.token(&attempt.nonce, scene.now(), &json!({}))).await;
        let both = scene.server.client().with("cookie", &format!("{planted}; {}", attempt.cookie));
        let path = format!("{CALLBACK}?code=c&state={}&iss={}", attempt.state, scene.sso.url);
        let after = session(&both.get(&path).await).expect("a session");
        assert_ne!(after, planted);
        assert_eq!(list(&scene, &after).await.status, 200);
        if has_it_before {
            assert_eq!(list(&scene, &planted).await.status, 303, "it is over");
        }
    }
}

async fn list(scene: &Scene, cookie: &str) -> Answer {
    scene.server.client().with("cookie", cookie).get("/console/orgs/default/keys").await
}
