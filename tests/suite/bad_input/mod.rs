//! What is wrong in a request or in the settings, and what is said to it, rule by rule: status, headers, code.

mod addresses;
mod client_authentication;
mod echoes;
mod elsewhere;
mod every_operation;
mod json_bodies;
mod key_members;
mod key_operations;
mod key_paths;
mod oauth_forms;
mod process;
mod settings;
mod starts;
mod tenant_members;
mod token_requests;
mod wire;

#[path = "../../listener/client.rs"]
#[allow(dead_code, reason = "shared with the tests of the listener, which use all of it")]
mod raw;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::support::{Answer, Backend, Server};

/// A status and the code of an error, which what is accepted has not.
type Verdict = (u16, &'static str);

const OK: Verdict = (200, "");
const CREATED: Verdict = (201, "");
const MALFORMED: Verdict = (400, "invalid_request");
/// At the OAuth endpoints.
const NO_CLIENT: Verdict = (401, "invalid_client");
/// At the management API.
const NOBODY: Verdict = (401, "unauthenticated");
const FORBIDDEN: Verdict = (403, "forbidden");
const NOT_FOUND: Verdict = (404, "not_found");
const WRONG_TYPE: Verdict = (415, "unsupported_media_type");

/// The OAuth endpoints, each with a form that is all it needs but for a credential.
const OAUTH: [(&str, &str); 3] = [
    ("/oauth/token", "grant_type=client_credentials"),
    ("/oauth/introspect", "token=x"),
    ("/oauth/revoke", "token=x"),
];

/// The field that says of a body that it is a form, or JSON.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

const KEYS: &str = "/v1/orgs/default/keys";

/// A server, and a key in it that has `read:*` and `write:projects/web`.
struct Scene {
    server: Server,
    id: String,
    key: String,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        let server = Server::start(backend).await;
        let (id, key) = server.key(&["read:*", "write:projects/web"]).await;
        Self { server, id, key }
    }

    /// `text` with its `{key}`, `{id}`, `{issuer}` and `{basic}`, a whole header field, filled in.
    fn filled(&self, text: &str) -> String {
        text.replace("{basic}", &basic(&self.id, &self.key))
            .replace("{key}", &self.key)
            .replace("{id}", &self.id)
            .replace("{issuer}", &self.server.url(""))
    }

    /// Posts a form with these header fields besides, each ended by CRLF; all of it is filled in.
    async fn post(&self, target: &str, fields: &str, form: &str) -> Answer {
        self.post_bytes(&self.filled(target), &self.filled(fields), self.filled(form)).await
    }

    /// Posts these very bytes as a form.
    async fn post_bytes(&self, target: &str, fields: &str, form: impl AsRef<[u8]>) -> Answer {
        exchange(&self.server, request("POST", target, &format!("{fields}{FORM}"), form)).await
    }

    /// Asks without a body, as the administrator.
    async fn ask(&self, method: &str, target: &str) -> Answer {
        let fields = format!("X-Api-Key: {}\r\n", self.server.admin_key);
        exchange(&self.server, request(method, &self.filled(target), &fields, "")).await
    }
}

/// A whole request: its body goes with its length, also when it is empty.
fn request(method: &str, target: &str, fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{fields}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends bytes on a connection of their own, and reads one answer.
async fn exchange(server: &Server, request: impl AsRef<[u8]>) -> Answer {
    read(raw::Client::connect(server.address()).await.ask(request).await)
}

fn read(answer: raw::Answer) -> Answer {
    let fields = answer.head.lines().filter_map(|line| line.split_once(": "));
    let name = |name: &str| name.parse::<HeaderName>().expect("a name");
    let headers: HeaderMap =
        fields.map(|(key, value)| (name(key), HeaderValue::from_str(value).unwrap())).collect();
    Answer { status: answer.status, headers, text: String::from_utf8(answer.body).expect("text") }
}

/// `Authorization: Basic` with these two parts as they are, ended by CRLF.
fn basic(user: &str, password: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    let pair = [user.as_bytes(), b":", password.as_ref()].concat();
    format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Checks an answer of an OAuth endpoint, and of an error everything that RFC 6749 §5.2 and the contract promise
/// of each.
#[track_caller]
fn assert_oauth(what: &str, answer: &Answer, (status, code): Verdict) {
    assert_eq!((answer.status, answer.header("x-request-id").len()), (status, 24), "{what}: {answer:?}");
    if code.is_empty() {
        return;
    }
    assert_eq!(answer.oauth_error(), code, "{what}: {}", answer.text);
    let body = answer.json();
    let description = body["error_description"].as_str().expect("a description");
    let is_printable = |character| matches!(character, ' '..='~') && !matches!(character, '"' | '\\');
    assert!(description.chars().all(is_printable), "{what}: {description}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{what}: {body}");
    let uncached = ["content-type", "cache-control", "pragma"].map(|name| answer.header(name));
    assert_eq!(uncached, ["application/json", "no-store", "no-cache"], "{what}");
    assert_eq!(status == 401, answer.headers.contains_key("www-authenticate"), "{what}: {answer:?}");
}

/// The same for the management API.
#[track_caller]
fn assert_api(what: &str, answer: &Answer, (status, code): Verdict) {
    assert_eq!((answer.status, answer.header("x-request-id").len()), (status, 24), "{what}: {answer:?}");
    if code.is_empty() {
        return;
    }
    assert_eq!(answer.code(), code, "{what}: {}", answer.text);
    let body = answer.json();
    let members = (body.as_object().unwrap().len(), body["error"].as_object().unwrap().len());
    assert_eq!(members, (1, 3), "{what}: {body}");
    assert_eq!(body["error"]["request_id"], answer.header("x-request-id"), "{what}");
    assert_ne!(body["error"]["message"].as_str(), Some(""), "{what}: {body}");
    assert_eq!(answer.header("content-type"), "application/json", "{what}");
    let challenged = answer.header("www-authenticate").starts_with("Bearer realm=");
    assert!(challenged == (status == 401) || status == 403, "{what}: {answer:?}");
}
