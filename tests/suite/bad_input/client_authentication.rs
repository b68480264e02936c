//! Client authentication at the OAuth endpoints (RFC 6749 §2.3.1): in one place, whole, and well-formed.

use super::{MALFORMED, NO_CLIENT, OAUTH, OK, Scene, assert_oauth, basic};
use crate::support::{Backend, on_both};

on_both!(
    credentials_are_in_one_place,
    basic_is_base64_of_two_form_encoded_parts,
    a_bearer_is_taken_where_it_may_be,
);

async fn credentials_are_in_one_place(backend: Backend) {
    let scene = Scene::set(backend).await;
    let challenge = format!(r#"Basic realm="{}", error="invalid_client""#, scene.server.url(""));
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
                assert_eq!(answer.header("www-authenticate"), challenge, "{what}");
            }
        }
    }
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
