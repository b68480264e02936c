//! As much of a browser as these tests need: a cookie, forms that are sent from the page that they are on, and
//! nothing that follows by itself.

use std::net::SocketAddr;

use crate::support::{Answer, Client, Server};

/// A browser at the console of a server.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(super) client: Client,
    pub(super) origin: String,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    /// One that is signed in with this key.
    pub(super) async fn signed_in(server: &Server, key: &str) -> Self {
        let mut browser = Self::at(server.client(), server.address());
        let answer = browser.sign_in(key).await;
        assert_eq!((answer.status, browser.cookie.is_some()), (303, true), "{}", answer.text);
        browser
    }

    pub(super) fn at(client: Client, address: SocketAddr) -> Self {
        Self { client, origin: format!("http://{address}"), cookie: None }
    }

    /// Sends the form of the sign-in page, and keeps the cookie.
    pub(super) async fn sign_in(&mut self, key: &str) -> Answer {
        let answer = self.send("/console/sign-in", &[("key", key)]).await;
        if let Some(set) = answer.headers.get("set-cookie") {
            let set = set.to_str().unwrap();
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        answer
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.with_cookie().get(path).await
    }

    /// The page at `path`, which is there.
    pub(super) async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.text
    }

    /// The page that an answer leads to, with the cookies that the answer sets.
    #[track_caller]
    pub(super) fn followed(&self, answer: &Answer) -> impl Future<Output = String> {
        assert_eq!(answer.status, 303, "{}", answer.text);
        let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap());
        let set = set.filter_map(|set| set.split(';').next().map(str::to_owned));
        let cookies = self.cookie.iter().cloned().chain(set).collect::<Vec<_>>().join("; ");
        let browser = Self { cookie: Some(cookies), ..self.clone() };
        let path = answer.header("location").to_owned();
        async move { browser.page(&path).await }
    }

    /// Sends a form of the session's, its token included.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        self.send(path, &[fields, &[("token", &token)]].concat()).await
    }

    /// Sends a form, as it is.
    pub(super) async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.with_cookie().with("origin", &self.origin).post_form(path, &encoded(fields)).await
    }

    /// What the forms of this session's have in them.
    pub(super) async fn token(&self) -> String {
        hidden(&self.page("/console/orgs/default/keys").await, "token")
    }

    pub(super) fn with_cookie(&self) -> Client {
        match &self.cookie {
            Some(cookie) => self.client.with("cookie", cookie),
            None => self.client.clone(),
        }
    }
}

/// The value of the first hidden field of this name.
#[track_caller]
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let field = format!(r#"<input type="hidden" name="{name}" value=""#);
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

pub(super) fn escaped(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
