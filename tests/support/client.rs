//! A client that says what it sends and shows all that comes back.

use std::net::SocketAddr;

use serde_json::{Value, json};

/// A client of one server, with or without a credential.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    headers: Vec<(String, String)>,
    observer: fn(&str, &str, &Answer),
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header as text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The `error.code` of a management answer.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What was answered, which has this status; `null` without a body.
    #[track_caller]
    pub fn done(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// An error of the management API, which has this status and code: what it says to people.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> String {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{}", self.text);
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The `error` of an OAuth answer.
    pub fn oauth_error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// The key with another character at its end, so that its tag is wrong.
pub fn forged(key: &str) -> String {
    let (rest, last) = key.split_at(key.len() - 1);
    format!("{rest}{}", if last == "x" { "y" } else { "x" })
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Self {
            http: http.expect("a client"),
            base: format!("http://{address}"),
            headers: Vec::new(),
            observer: |_, _, _| {},
        }
    }

    /// The same client, whose every answer is shown to `observer` after its method and its path.
    pub fn observed(&self, observer: fn(&str, &str, &Answer)) -> Self {
        Self { observer, ..self.clone() }
    }

    /// The same client with `Authorization: Bearer`.
    pub fn bearer(&self, credential: &str) -> Self {
        self.with("authorization", &format!("Bearer {credential}"))
    }

    /// The same client with HTTP Basic.
    pub fn basic(&self, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        self.with("authorization", &format!("Basic {pair}"))
    }

    /// The same client with one header more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.into(), value.into()));
        client
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, None).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.with("content-type", "application/json")
            .send(reqwest::Method::POST, path, Some(body.to_string()))
            .await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with("content-type", "application/json")
            .send(reqwest::Method::PATCH, path, Some(body.to_string()))
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(reqwest::Method::DELETE, path, None).await
    }

    /// Posts a form whose body is already encoded.
    pub async fn post_form(&self, path: &str, body: &str) -> Answer {
        self.with("content-type", "application/x-www-form-urlencoded")
            .send(reqwest::Method::POST, path, Some(body.to_owned()))
            .await
    }

    /// Asks for a token with this key in the body and more parameters behind it (`&scope=…`).
    pub async fn token(&self, key: &str, more: &str) -> Answer {
        self.post_form("/oauth/token", &format!("grant_type=client_credentials&client_secret={key}{more}"))
            .await
    }

    /// The access token that this key gets.
    pub async fn access_token(&self, key: &str, more: &str) -> String {
        let answer = self.token(key, more).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }

    /// A new key in `default`/`default`/`prd` with these scopes; its id and its text. The client must be an
    /// administrator's.
    pub async fn create_key(&self, scopes: &[&str]) -> (String, String) {
        let scopes: Vec<_> = scopes
            .iter()
            .map(|scope| {
                let (action, resource) = scope.split_once(':').expect("action:resource");
                json!({ "action": action, "resource": resource })
            })
            .collect();
        self.create_key_from(json!({ "scopes": scopes })).await
    }

    /// The same from these members, and those that it needs besides.
    pub async fn create_key_from(&self, members: Value) -> (String, String) {
        let mut body = json!({ "name": "test", "project": "default", "environment": "prd" });
        for (name, value) in members.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let created = self.post_json("/v1/orgs/default/keys", &body).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let text = |name: &str| created.json()[name].as_str().expect("text").to_owned();
        (text("id"), text("key"))
    }

    pub async fn send(&self, method: reqwest::Method, path: &str, body: Option<String>) -> Answer {
        self.try_send(method, path, body).await.expect("an answer")
    }

    /// # Errors
    /// When there is no answer, or none that is whole.
    pub async fn try_send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<String>,
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, text: response.text().await? };
        (self.observer)(method.as_str(), path, &answer);
        Ok(answer)
    }
}
