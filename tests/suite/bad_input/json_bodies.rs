//! What a body at the management API can't be, whatever it is for.

use serde_json::json;

use super::key_members::with;
use super::{
    CREATED, JSON, KEYS, MALFORMED, NOBODY, NOT_FOUND, OK, Verdict, WRONG_TYPE, assert_api, exchange, request,
};
use crate::support::{Answer, Backend, Server, on_both};

on_both!(
    a_body_is_one_json_object,
    a_body_is_json_and_says_so,
    a_body_has_256_kib_and_no_more,
    a_revocation_has_at_most_a_reason,
    a_rotation_names_a_key_of_ours,
);

const MAX_BODY: usize = 256 * 1024;
const TOO_LARGE: Verdict = (413, "too_large");

/// Posts these very bytes, with these header fields.
async fn post(server: &Server, target: &str, fields: &str, body: impl AsRef<[u8]>) -> Answer {
    let fields = format!("X-Api-Key: {}\r\n{fields}", server.admin_key);
    exchange(server, request("POST", target, &fields, body)).await
}

async fn a_body_is_one_json_object(backend: Backend) {
    let server = Server::start(backend).await;
    let good = with(json!({})).to_string();
    let deep = format!(r#"{{"name":{}"#, "[".repeat(200_000));
    let deep_and_unknown = format!(r#"{{"x":{}"#, r#"{"x":"#.repeat(40_000));
    let deep_span =
        good.replace('{', &format!(r#"{{"expires_in":{}{},"#, "[".repeat(60_000), "]".repeat(60_000)));
    let changed = |from: &str, to: &[u8]| {
        let at = good.find(from).expect("it is there");
        [&good.as_bytes()[..at], to, &good.as_bytes()[at + from.len()..]].concat()
    };
    let (name, preset) = (r#""a""#, r#""preset":"query_only""#);
    for (what, body, verdict) in [
        ("good", good.clone().into_bytes(), CREATED),
        ("with white space", format!(" \r\n\t{good}\n ").into_bytes(), CREATED),
        ("after a byte order mark", format!("\u{feff}{good}").into_bytes(), CREATED),
        ("after two", format!("\u{feff}\u{feff}{good}").into_bytes(), MALFORMED),
        ("escaped", changed("query", br"\u0071uery"), CREATED),
        ("empty", vec![], MALFORMED),
        ("blank", b" \n".to_vec(), MALFORMED),
        ("null", b"null".to_vec(), MALFORMED),
        ("an array", format!("[{good}]").into_bytes(), MALFORMED),
        (
            "an array by position",
            br#"["a",null,"default","prd",null,"query_only",null,null,null]"#.to_vec(),
            MALFORMED,
        ),
        ("a string", b"\"a\"".to_vec(), MALFORMED),
        ("a form", b"name=a&project=default&environment=prd&preset=query_only".to_vec(), MALFORMED),
        ("half of it", good.as_bytes()[..good.len() - 1].to_vec(), MALFORMED),
        ("more behind it", format!("{good}{good}").into_bytes(), MALFORMED),
        ("a comma too many", changed("}", b",}"), MALFORMED),
        ("a comment", changed("{", b"{/**/"), MALFORMED),
        ("single quotes", good.replace('"', "'").into_bytes(), MALFORMED),
        ("a member twice", changed("{", br#"{"name":"b","#), MALFORMED),
        ("a member twice, once escaped", changed("{", br#"{"n\u0061me":"b","#), MALFORMED),
        ("a member twice, equal", changed("{", br#"{"preset":"query_only","#), MALFORMED),
        (
            "a member of a scope twice",
            changed(preset, br#""scopes":[{"action":"read","action":"read"}]"#),
            MALFORMED,
        ),
        ("not UTF-8", changed(name, b"\"\xff\""), MALFORMED),
        ("half a surrogate", changed(name, br#""\ud800""#), MALFORMED),
        ("a raw control character", changed(name, b"\"a\nb\""), MALFORMED),
        ("a raw NUL", changed(name, b"\"a\0b\""), MALFORMED),
        ("an escaped NUL", changed(name, br#""\u0000""#), MALFORMED),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), MALFORMED),
        ("no number", changed(name, b"NaN"), MALFORMED),
        ("too large a number", changed("{", br#"{"expires_in":1e999,"#), MALFORMED),
        ("deep", deep.into_bytes(), MALFORMED),
        ("deep and unknown", deep_and_unknown.into_bytes(), MALFORMED),
        ("a deep span", deep_span.into_bytes(), MALFORMED),
    ] {
        assert_api(what, &post(&server, KEYS, JSON, body).await, verdict);
    }
}

async fn a_body_is_json_and_says_so(backend: Backend) {
    let server = Server::start(backend).await;
    let good = with(json!({})).to_string();
    for (content_type, verdict) in [
        (JSON, CREATED),
        ("content-type: Application/JSON ; charset=utf-8\r\n", CREATED),
        ("Content-Type: application/json; charset=iso-8859-1\r\n", MALFORMED),
        ("Content-Type: application/json\r\nContent-Encoding: identity\r\n", CREATED),
        ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", WRONG_TYPE),
        ("", WRONG_TYPE),
        ("Content-Type:\r\n", WRONG_TYPE),
        ("Content-Type: text/json\r\n", WRONG_TYPE),
        ("Content-Type: application/jsonp\r\n", WRONG_TYPE),
        ("Content-Type: application/merge-patch+json\r\n", WRONG_TYPE),
        ("Content-Type: application/x-www-form-urlencoded\r\n", WRONG_TYPE),
        ("Content-Type: application/json, text/plain\r\n", WRONG_TYPE),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", WRONG_TYPE),
    ] {
        assert_api(content_type, &post(&server, KEYS, content_type, &good).await, verdict);
    }
    let stranger = request("POST", KEYS, "Content-Type: text/plain\r\n", "garbage");
    assert_api("a stranger", &exchange(&server, stranger).await, NOBODY);
}

async fn a_body_has_256_kib_and_no_more(backend: Backend) {
    let server = Server::start(backend).await;
    let good = with(json!({})).to_string();
    for (length, verdict) in [(MAX_BODY, CREATED), (MAX_BODY + 1, TOO_LARGE)] {
        let body = format!("{good}{}", " ".repeat(length - good.len()));
        assert_api("with its length", &post(&server, KEYS, JSON, &body).await, verdict);
        let chunked = format!(
            "POST {KEYS} HTTP/1.1\r\nHost: test\r\nX-Api-Key: {}\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n\
             {length:x}\r\n{body}\r\n0\r\n\r\n",
            server.admin_key
        );
        assert_api("in a chunk", &exchange(&server, chunked).await, verdict);
    }
}

async fn a_revocation_has_at_most_a_reason(backend: Backend) {
    let server = Server::start(backend).await;
    let long = |length: usize| json!({ "reason": "é".repeat(length) }).to_string();
    for (what, fields, body, verdict) in [
        ("a reason", JSON, long(500), OK),
        ("none", JSON, "{}".into(), OK),
        ("null", JSON, r#"{"reason":null}"#.into(), OK),
        ("nothing at all", "", String::new(), OK),
        ("too long a reason", JSON, long(501), MALFORMED),
        ("two lines", JSON, r#"{"reason":"a\nb"}"#.into(), MALFORMED),
        ("a NUL", JSON, r#"{"reason":"a\u0000b"}"#.into(), MALFORMED),
        ("another order", JSON, r#"{"reason":"\u202eb"}"#.into(), MALFORMED),
        ("a number", JSON, r#"{"reason":1}"#.into(), MALFORMED),
        ("something unknown", JSON, r#"{"cause":"a"}"#.into(), MALFORMED),
        ("twice", JSON, r#"{"reason":"a","reason":"a"}"#.into(), MALFORMED),
        ("an array", JSON, "[null]".into(), MALFORMED),
        ("a form", "", "reason=a".into(), WRONG_TYPE),
    ] {
        let path = format!("{KEYS}/{}", server.key(&["read:*"]).await.0);
        assert_api(what, &post(&server, &format!("{path}/revoke"), fields, body).await, verdict);
        let stands = server.admin().get(&path).await.json()["status"].clone();
        assert_eq!(stands, if verdict == OK { "revoked" } else { "active" }, "{what}");
    }
}

async fn a_rotation_names_a_key_of_ours(backend: Backend) {
    let server = Server::start(backend).await;
    for (body, verdict) in [
        (json!({ "compromised": "nonesuch" }), NOT_FOUND),
        (json!({ "compromised": "" }), NOT_FOUND),
        (json!({ "compromised": "A".repeat(43) }), NOT_FOUND),
        (json!({ "compromised": "a\0b" }), NOT_FOUND),
        (json!({ "compromised": 1 }), MALFORMED),
        (json!({ "compromised": ["a"] }), MALFORMED),
        (json!({ "comprised": "a" }), MALFORMED),
        (json!([]), MALFORMED),
        (json!({ "compromised": null }), CREATED),
    ] {
        let answer = server.admin().post_json("/v1/signing-keys/rotate", &body).await;
        assert_api(&body.to_string(), &answer, verdict);
    }
}
