//! A vendor, and browsers of its users.

use serde_json::{Value, json};

use crate::support::{Answer, Client, Server};

/// What a session gives unless a test says otherwise.
pub(super) fn session(subject: &str) -> Value {
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
pub(super) struct Portal {
    pub(super) client: Client,
    cookie: String,
}

/// The code of a new session.
pub(super) async fn code(vendor: &Client, session: &Value) -> String {
    let made = vendor.post_json(SESSIONS, session).await.done(201);
    made["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

/// Sends a code from a page of the portal.
pub(super) async fn redeem(server: &Server, code: &str) -> Answer {
    let client = server.client().with("origin", &server.url(""));
    client.post_form("/portal", &format!("code={code}")).await
}

impl Portal {
    /// A browser that has opened this session.
    pub(super) async fn open(server: &Server, session: &Value) -> Self {
        let code = code(&server.admin(), session).await;
        let opened = redeem(server, &code).await;
        assert_eq!(
            (opened.status, opened.header("location")),
            (303, "/portal/orgs/default/keys"),
            "{}",
            opened.text
        );
        let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { client: server.client().with("origin", &server.url("")), cookie }
    }

    pub(super) fn with_cookie(&self) -> Client {
        self.client.with("cookie", &self.cookie)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.with_cookie().get(path).await
    }

    /// Sends a form with the session's token.
    pub(super) async fn post(&self, path: &str, fields: &str) -> Answer {
        let token = self.token().await;
        self.with_cookie().post_form(path, &format!("{fields}&token={token}")).await
    }

    async fn token(&self) -> String {
        let page = self.get("/portal/orgs/default/keys/new").await.text;
        let (_, rest) =
            page.split_once(r#"name="token" value=""#).unwrap_or_else(|| panic!("no token in {page}"));
        rest.split('"').next().unwrap().to_owned()
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
