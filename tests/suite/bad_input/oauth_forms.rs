//! What holds of a form at every OAuth endpoint, before anybody asks what it is for.

use tokio::io::AsyncWriteExt as _;

use super::{FORM, MALFORMED, OAUTH, OK, Scene, Verdict, assert_oauth, exchange, raw, read, request};
use crate::support::{Backend, on_both};

on_both!(
    a_parameter_comes_at_most_once,
    what_is_not_percent_encoded_utf8_is_refused,
    a_body_is_a_form_and_says_so,
    a_body_that_is_compressed_is_refused_as_that,
    other_methods_are_refused,
    parameters_in_the_url_are_refused,
    a_body_has_16_kib_and_no_more,
    a_body_without_its_end_is_refused,
);

const MAX_BODY: usize = 16 * 1024;
const TOO_LARGE: Verdict = (413, "invalid_request");
const NOT_THIS_METHOD: Verdict = (405, "invalid_request");

/// The endpoints, each with a form that it accepts.
fn endpoints(scene: &Scene) -> [(&'static str, String); 3] {
    OAUTH.map(|(target, form)| (target, format!("{form}&client_secret={}", scene.key)))
}

async fn a_parameter_comes_at_most_once(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        for (more, verdict) in [
            ("", OK),
            ("&unknown=1&other=2", OK),
            ("&client_id=&scope=&resource=&audience=&token_type_hint=&empty=&bare", OK),
            ("&&&", OK),
            ("&=", OK),
            ("&client_secret={key}", MALFORMED),
            ("&client_secret=", MALFORMED),
            ("&%63lient_secret={key}", MALFORMED),
            ("&client_id={id}&client_id={id}", MALFORMED),
            ("&unknown=1&unknown=1", MALFORMED),
            ("&unknown=&unknown=", MALFORMED),
            ("&bare&bare", MALFORMED),
            ("&=1&=2", MALFORMED),
        ] {
            let answer = scene.post(target, "", &format!("{form}{more}")).await;
            assert_oauth(&format!("{target} {more}"), &answer, verdict);
        }
    }
}

async fn what_is_not_percent_encoded_utf8_is_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    let bad: [&[u8]; 11] =
        [b"%", b"a%", b"%4", b"%4z", b"%zz", b"%%41", b"%00", b"a\0b", b"%ff", b"\xff", b"%c0%af"];
    for (target, form) in endpoints(&scene) {
        for piece in bad {
            let in_a_name = [form.as_bytes(), b"&", piece, b"=x"].concat();
            let in_a_value = [form.as_bytes(), b"&x=", piece].concat();
            for body in [in_a_name, in_a_value] {
                let answer = scene.post_bytes(target, "", &body).await;
                assert_oauth(&body.escape_ascii().to_string(), &answer, MALFORMED);
            }
        }
        let every_script = format!("{form}&%E2%82%AC=%f0%9f%94%91+%2B&ключ=🔑");
        assert_oauth("every script", &scene.post(target, "", &every_script).await, OK);
    }
}

async fn a_body_is_a_form_and_says_so(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        for (fields, verdict) in [
            (FORM, OK),
            ("Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n", OK),
            ("content-type:APPLICATION/X-WWW-Form-URLEncoded  ;charset=\"utf-8\"\r\n", OK),
            ("Content-Type: application/x-www-form-urlencoded; charset=iso-8859-1\r\n", MALFORMED),
            ("Content-Type: application/x-www-form-urlencoded;CHARSET=\"utf-16\"\r\n", MALFORMED),
            ("", MALFORMED),
            ("Content-Type:\r\n", MALFORMED),
            ("Content-Type: application/json\r\n", MALFORMED),
            ("Content-Type: text/plain\r\n", MALFORMED),
            ("Content-Type: multipart/form-data; boundary=x\r\n", MALFORMED),
            ("Content-Type: application/x-www-form-urlencodeds\r\n", MALFORMED),
            ("Content-Type: application/x-www-form-urlencoded, text/plain\r\n", MALFORMED),
            (&FORM.repeat(2), MALFORMED),
            (&format!("{FORM}Content-Type: application/json\r\n"), MALFORMED),
        ] {
            let answer = exchange(&scene.server, request("POST", target, fields, &form)).await;
            assert_oauth(&format!("{target} {fields:?}"), &answer, verdict);
        }
    }
}

async fn a_body_that_is_compressed_is_refused_as_that(backend: Backend) {
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00";
    const COMPRESSED: Verdict = (415, "invalid_request");
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        for (fields, body, verdict) in [
            ("Content-Encoding: identity\r\n", form.as_bytes(), OK),
            ("Content-Encoding: gzip\r\n", GZIPPED, COMPRESSED),
            ("Content-Encoding: br\r\n", form.as_bytes(), COMPRESSED),
            ("Content-Encoding: identity\r\nContent-Encoding: deflate\r\n", form.as_bytes(), COMPRESSED),
            ("", GZIPPED, COMPRESSED),
        ] {
            let answer = scene.post_bytes(target, fields, body).await;
            assert_oauth(&format!("{target} {fields:?}"), &answer, verdict);
            if verdict == COMPRESSED {
                assert_eq!(answer.header("accept-encoding"), "identity");
                let why = answer.json()["error_description"].clone();
                assert_eq!(why, "the request body must not be compressed; send it without Content-Encoding");
            }
        }
    }
}

async fn other_methods_are_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "BREW"] {
            for target in [target.to_owned(), format!("{target}?{form}")] {
                let answer = exchange(&scene.server, request(method, &target, "", &form)).await;
                assert_oauth(&format!("{method} {target}"), &answer, NOT_THIS_METHOD);
                assert_eq!(answer.header("allow"), "POST");
            }
        }
        let head = scene.server.client().send(reqwest::Method::HEAD, target, None).await;
        assert_eq!((head.status, head.header("allow"), head.text.as_str()), (405, "POST", ""));
    }
}

/// RFC 6749 §2.3.1 of credentials; here it holds for all, so that nobody finds out by chance what is read.
async fn parameters_in_the_url_are_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        for (query, body, verdict) in [
            (form.as_str(), "", MALFORMED),
            (&form, form.as_str(), MALFORMED),
            ("client_secret=x", &form, MALFORMED),
            ("unknown", &form, MALFORMED),
            ("", &form, OK),
        ] {
            let answer = scene.post(&format!("{target}?{query}"), "", body).await;
            assert_oauth(&format!("{target}?{query}"), &answer, verdict);
        }
    }
}

async fn a_body_has_16_kib_and_no_more(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        let head = format!("POST {target} HTTP/1.1\r\nHost: test\r\n{FORM}");
        for (length, verdict) in [(MAX_BODY, OK), (MAX_BODY + 1, TOO_LARGE)] {
            let body = format!("{form}&x={}", "x".repeat(length - form.len() - "&x=".len()));
            assert_oauth("with its length", &scene.post(target, "", &body).await, verdict);
            let (first, second) = body.split_at(length / 2);
            let chunks = [first, second, ""].map(|part| format!("{:x}\r\n{part}\r\n", part.len())).concat();
            let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}");
            assert_oauth("in chunks", &exchange(&scene.server, chunked).await, verdict);
        }
        let announced = format!("{head}Expect: 100-continue\r\nContent-Length: 1000000000000\r\n\r\n");
        assert_oauth("not sent yet", &exchange(&scene.server, announced).await, TOO_LARGE);
    }
}

async fn a_body_without_its_end_is_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (target, form) in endpoints(&scene) {
        let whole = request("POST", target, FORM, &form);
        let mut client = raw::Client::connect(scene.server.address()).await;
        client.send(&whole[..whole.len() - 1]).await;
        client.stream.shutdown().await.expect("a half-closed connection");
        assert_oauth(target, &read(client.answer().await), MALFORMED);
    }
}
