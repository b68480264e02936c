//! Client authentication at the OAuth endpoints (RFC 6749 §2.3.1): in one place, whole, and well-formed.

use super::{MALFORMED, NO_CLIENT, OAUTH, OK, Scene, assert_oauth, basic};
use crate::support::{Answer, Backend, on_both};

on_both!(
    credentials_are_in_one_place,
    what_is_wrong_with_credentials_is_said_as_far_as_anybody_may_know,
    basic_is_base64_of_two_form_encoded_parts,
    a_bearer_is_taken_where_it_may_be,
);

async fn credentials_are_in_one_place(backend: Backend) {
    let scene = Scene::set(backend).await;
    let wrong = basic(&scene.id, scene.key.to_lowercase());
    let anonymous = basic("", &scene.key);
    let reversed = basic(&scene.key, "");
    for (target, form) in OAUTH {
        for (what, fields, more, verdict) in [
            ("in the body", "", "&client_secret={key}", OK),
            ("in the body with the id", "", "&client_secret={key}&client_id={id}", OK),
            ("Basic", "{basic}", "", OK),
            ("Basic and an equal id", "{basic}", "&client_id={id}", OK),
            ("Basic and empty parameters", "{basic}", "&client_id=&client_secret=", OK),
            ("a header that is for /v1 only", "X-Api-Key: x\r\n", "&client_secret={key}", OK),
            ("Basic and another id", "{basic}", "&client_id=key_0123456789abcdef", MALFORMED),
            ("Basic and the same secret", "{basic}", "&client_secret={key}", MALFORMED),
            ("Basic and another secret", "{basic}", "&client_secret=x", MALFORMED),
            ("wrong Basic and a good secret", &wrong, "&client_secret={key}", MALFORMED),
            ("Basic twice", "{basic}{basic}", "", MALFORMED),
            ("nothing", "", "", NO_CLIENT),
            ("an id alone", "", "&client_id={id}", NO_CLIENT),
            ("an empty secret", "", "&client_id={id}&client_secret=", NO_CLIENT),
            ("a wrong secret", "", "&client_id={id}&client_secret=x", NO_CLIENT),
            ("wrong Basic", &wrong, "", NO_CLIENT),
            ("another id", "", "&client_id=key_0123456789abcdef&client_secret={key}", NO_CLIENT),
            ("an id in capitals", "", "&client_id=KEY_0123456789abcdef&client_secret={key}", NO_CLIENT),
            ("the key for /v1", "X-Api-Key: {key}\r\n", "", NO_CLIENT),
            ("no user", &anonymous, "", NO_CLIENT),
            ("the key for a user", &reversed, "", NO_CLIENT),
        ] {
            let what = format!("{target}: {what}");
            let answer = scene.post(target, fields, &format!("{form}{more}")).await;
            assert_oauth(&what, &answer, verdict);
            if verdict == NO_CLIENT {
                assert_challenged(&scene, &what, &answer);
            }
        }
    }
}

/// Some libraries show their users the challenge and nothing else.
#[track_caller]
fn assert_challenged(scene: &Scene, what: &str, answer: &Answer) {
    let (realm, body) = (scene.server.url(""), answer.json());
    let why = body["error_description"].as_str().expect("a description");
    let challenge = format!(r#"Basic realm="{realm}", error="invalid_client", error_description="{why}""#);
    assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
}

async fn what_is_wrong_with_credentials_is_said_as_far_as_anybody_may_know(backend: Backend) {
    const IN_BODY: &str = "&client_id={id}&client_secret={key}";
    const WRONG: &str = "client authentication failed";
    let scene = Scene::set(backend).await;
    let forged = crate::support::forged(&scene.key);
    let by_user = basic(&scene.key, "");
    let both_times = basic(&scene.key, &scene.key);
    for (target, form) in OAUTH {
        for (fields, more, said) in [
            ("", "", "no client credentials were sent"),
            ("", "&client_id={id}", "client_secret is missing"),
            ("", "&client_id={key}", "was sent as client_id: send it as client_secret"),
            ("", "&client_id={key}&client_secret={key}", "was sent as client_id: send it as client_secret"),
            ("{empty_password}", "", "the client secret is empty"),
            ("{no_user}", "", "the user name is empty"),
            (&*by_user, "", "send -u key_...:KEY"),
            (&*both_times, "", "send -u key_...:KEY"),
            ("Authorization:\r\n", IN_BODY, "the Authorization header is empty"),
            ("Authorization: Negotiate YIIB\r\n", IN_BODY, "the Authorization header is not Basic"),
            ("Authorization: {key}\r\n", IN_BODY, "the Authorization header is not Basic"),
            ("Authorization: Basic\r\n", IN_BODY, "the Authorization header has nothing after Basic"),
            ("Authorization: Bearer\r\n", IN_BODY, "the Authorization header is Bearer"),
            ("", "&client_id={id}&client_secret={forged}", WRONG),
            ("", "&client_id=key_0123456789abcdef&client_secret={key}", WRONG),
            ("{wrong_basic}", "", WRONG),
        ] {
            let fill = |text: &str| {
                text.replace("{empty_password}", &basic(&scene.id, ""))
                    .replace("{no_user}", &basic("", &scene.key))
                    .replace("{wrong_basic}", &basic(&scene.id, &forged))
                    .replace("{forged}", &forged)
            };
            let what = format!("{target} {fields} {more}");
            let answer = scene.post(target, &fill(fields), &fill(&format!("{form}{more}"))).await;
            assert_oauth(&what, &answer, NO_CLIENT);
            assert_challenged(&scene, &what, &answer);
            let body = answer.json();
            let why = body["error_description"].as_str().expect("a description");
            assert!(why.contains(said), "{what}: {why}");
            assert!(!answer.text.contains(&scene.key), "{what}: {why}");
        }
    }
    // Elsewhere a Bearer may be good.
    let undefined = scene.post("/oauth/token", "Authorization: Bearer undefined\r\n", OAUTH[0].1).await;
    let why = undefined.json()["error_description"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("is Bearer, which does not")), "{why}");
    // None of it counts as a guess.
    for _ in 0..12 {
        assert_oauth(
            "no guess",
            &scene.post("/oauth/token", &basic(&scene.id, ""), OAUTH[0].1).await,
            NO_CLIENT,
        );
    }
    assert_oauth("the owner", &scene.post("/oauth/token", "{basic}", OAUTH[0].1).await, OK);
}

async fn basic_is_base64_of_two_form_encoded_parts(backend: Backend) {
    let scene = Scene::set(backend).await;
    let good = basic(&scene.id, &scene.key);
    let pair = good.trim_start_matches("Authorization: Basic ").trim_end();
    for (target, form) in OAUTH {
        for (value, verdict) in [
            (format!("Basic {pair}"), OK),
            (format!("bAsIc {pair}"), OK),
            (format!("Basic  {pair}"), OK),
            ("Basic !!!!".into(), MALFORMED),
            (format!("Basic {pair} {pair}"), MALFORMED),
            ("Basic bm9jb2xvbg==".into(), MALFORMED),
            ("Basic a2V5Ong".into(), MALFORMED),
            ("Basic €".into(), MALFORMED),
            ("Basic".into(), NO_CLIENT),
            ("Digest x".into(), NO_CLIENT),
            ("Basic,x".into(), NO_CLIENT),
            ("".into(), NO_CLIENT),
        ] {
            let answer = scene.post(target, &format!("Authorization: {value}\r\n"), form).await;
            assert_oauth(&format!("{target} {value}"), &answer, verdict);
        }
        let malformed: [(&str, &[u8]); 7] = [
            ("%", b"x"),
            ("x", b"%4"),
            ("%zz", b"x"),
            ("x", b"%00"),
            ("a\0b", b"x"),
            ("x", b"%ff"),
            ("x", b"\xff"),
        ];
        for (user, password) in malformed {
            let what = format!("{target} {user}:{}", password.escape_ascii());
            assert_oauth(&what, &scene.post(target, &basic(user, password), form).await, MALFORMED);
        }
    }
}

/// RFC 7662 §2.1 lets introspection take a token or a key by Bearer; the token endpoint does not.
async fn a_bearer_is_taken_where_it_may_be(backend: Backend) {
    const BEARER: &str = "Authorization: Bearer {key}\r\n";
    let scene = Scene::set(backend).await;
    for (what, fields, more, of_token, of_others) in [
        ("a key", BEARER.to_owned(), "", NO_CLIENT, OK),
        ("nonsense", "Authorization: Bearer x\r\n".into(), "", NO_CLIENT, (401, "invalid_token")),
        ("nothing", "Authorization: Bearer\r\n".into(), "", NO_CLIENT, NO_CLIENT),
        ("a secret too", BEARER.into(), "&client_secret={key}", NO_CLIENT, MALFORMED),
        ("twice", format!("{BEARER}{BEARER}"), "", MALFORMED, MALFORMED),
        ("before Basic", format!("{BEARER}{{basic}}"), "", MALFORMED, MALFORMED),
        ("after Basic", format!("{{basic}}{BEARER}"), "", MALFORMED, MALFORMED),
    ] {
        for (target, form) in OAUTH {
            let verdict = if target == "/oauth/token" { of_token } else { of_others };
            let answer = scene.post(target, &fields, &format!("{form}{more}")).await;
            assert_oauth(&format!("{target}: {what}"), &answer, verdict);
        }
    }
}
