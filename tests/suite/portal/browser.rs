//! A vendor, and browsers of its users.

use serde_json::{Value, json};

use crate::form_token::form_token;
use crate::support::{Answer, Client, Server};

/// What a session gives unless a test says otherwise.
pub(crate) fn session(subject: &str) -> Value {
    json!({ "subject": subject, "name": format!("Name of {subject}"), "projects": ["default"],
        "may": ["list", "create", "rotate", "revoke", "edit", "usage"],
        "scopes_within": [{ "action": "read", "resource": "orders/**" }], "max_keys": 3, "keys": "own" })
}

pub(super) const SESSIONS: &str = "/v1/orgs/default/portal-sessions";

/// The scopes of a vendor's key.
pub(super) const VENDOR: [&str; 2] =
    ["write:claviger/orgs/default/portal-sessions", "*:claviger/orgs/default/projects/default/keys/*"];

/// A browser with a session of the portal.
#[derive(Clone)]
pub(crate) struct Portal {
    pub(super) client: Client,
    pub(crate) cookie: String,
    /// What the forms of the session have in them.
    pub(super) token: String,
}

/// The code of a new session.
pub(super) async fn code(vendor: &Client, session: &Value) -> String {
    code_in("default", vendor, session).await
}

async fn code_in(org: &str, vendor: &Client, session: &Value) -> String {
    let made = vendor.post_json(&format!("/v1/orgs/{org}/portal-sessions"), session).await.done(201);
    made["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

/// Sends a code from a page of the portal.
pub(super) async fn redeem(server: &Server, code: &str) -> Answer {
    let client = server.client().with("origin", &server.url(""));
    client.post_form("/portal", &format!("code={code}")).await
}

/// The value of the first hidden field of this name.
#[track_caller]
pub(super) fn hidden(page: &str, name: &str) -> String {
    let field = format!(r#"name="{name}" value=""#);
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

impl Portal {
    /// A browser that has opened this session.
    pub(super) async fn open(server: &Server, session: &Value) -> Self {
        Self::open_in(server, "default", session).await
    }

    /// The same in another organization.
    pub(crate) async fn open_in(server: &Server, org: &str, session: &Value) -> Self {
        let code = code_in(org, &server.admin(), session).await;
        let opened = redeem(server, &code).await;
        let list = format!("/portal/orgs/{org}/keys");
        assert_eq!((opened.status, opened.header("location")), (303, &*list), "{}", opened.text);
        let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = form_token(server, &cookie);
        Self { client: server.client().with("origin", &server.url("")), cookie, token }
    }

    pub(super) fn with_cookie(&self) -> Client {
        self.client.with("cookie", &self.cookie)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.with_cookie().get(path).await
    }

    /// Sends a form with the session's token.
    pub(super) async fn post(&self, path: &str, fields: &str) -> Answer {
        self.with_cookie().post_form(path, &format!("{fields}&token={}", self.token)).await
    }

    /// Creates a key with this scope, as `read` on a resource. Returns its id.
    pub(super) async fn create(&self, name: &str, resource: &str, more: &str) -> Answer {
        let fields = format!(
            "name={name}&project=default&environment=prd&access=scopes&action=read&resource={resource}&ends=never{more}"
        );
        self.post("/portal/orgs/default/keys/new", &fields).await
    }

    /// The id of a new key.
    pub(super) async fn new_key(&self, name: &str) -> String {
        let made = self.create(name, "orders/*", "").await;
        assert_eq!(made.status, 200, "{}", made.text);
        let (_, rest) = made.text.split_once("key_").unwrap();
        format!("key_{}", &rest[..16])
    }
}
