//! An OpenID provider on this machine that says what a test tells it to say.

use std::collections::HashMap;
use std::sync::Arc;

use claviger::jose::jwk::Algorithm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::support::assertion::Holder;

/// A provider with one key, and the next answer of its token endpoint.
pub(crate) struct Provider {
    pub(crate) url: String,
    pub(crate) holder: Holder,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The answer to the next code, which is taken once. Any other code is refused.
    answer: Option<Reply>,
    /// The answers to these codes, each of which is taken once.
    codes: HashMap<String, Reply>,
    /// What has another answer than usual from now on: the beginning of the request's path.
    instead: Option<(&'static str, Reply)>,
    /// The requests to the token endpoint.
    asked: Vec<String>,
}

/// What a request is answered.
#[derive(Clone)]
pub(crate) enum Reply {
    /// A status, and a document.
    Json(u16, Value),
    /// A status with further headers, and a text.
    Text(u16, &'static str, String),
    /// Nothing, for ever.
    Silence,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let holder = Holder::new(Algorithm::Es256);
        let state = Arc::new(Mutex::new(State::default()));
        let described = json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "authorization_response_iss_parameter_supported": true,
        });
        let keys = json!({ "keys": [holder.jwk] });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (state, described, keys) = (Arc::clone(&shared), described.clone(), keys.clone());
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let path = request.split(' ').nth(1).unwrap_or_default();
                    let reply = state.lock().await.reply(path, &request, (described, keys));
                    let (status, headers, body) = match reply {
                        Reply::Json(status, body) => (status, "", body.to_string()),
                        Reply::Text(status, headers, body) => (status, headers, body),
                        Reply::Silence => return std::future::pending().await,
                    };
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\n\r\n");
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                });
            }
        });
        Self { url, holder, state }
    }

    /// The next code gives this ID token.
    pub(crate) async fn says(&self, token: String) {
        self.replies(Reply::granted(&token)).await;
    }

    /// The next code gets this answer.
    pub(crate) async fn replies(&self, reply: Reply) {
        self.state.lock().await.answer = Some(reply);
    }

    /// This code gets this answer, whatever others get.
    pub(crate) async fn replies_to(&self, code: &str, reply: Reply) {
        self.state.lock().await.codes.insert(code.to_owned(), reply);
    }

    /// Each request whose path begins so gets this answer from now on; `None` ends that.
    pub(crate) async fn always(&self, instead: Option<(&'static str, Reply)>) {
        self.state.lock().await.instead = instead;
    }

    /// How often somebody asked the token endpoint.
    pub(crate) async fn asked(&self) -> usize {
        self.state.lock().await.asked.len()
    }

    /// What the last one sent.
    pub(crate) async fn last(&self) -> String {
        self.state.lock().await.asked.last().cloned().unwrap_or_default()
    }

    /// An ID token with these claims besides the usual ones, which they replace. `null` takes one away.
    pub(crate) fn token(&self, nonce: &str, now: i64, more: &Value) -> String {
        self.holder.sign(&self.holder.header(), &self.claims(nonce, now, more))
    }

    pub(crate) fn claims(&self, nonce: &str, now: i64, more: &Value) -> Value {
        let mut claims = json!({
            "iss": self.url, "aud": "console", "sub": "1", "nonce": nonce, "iat": now, "exp": now + 300,
            "email": "Ada@example.com", "email_verified": true,
        });
        for (name, value) in more.as_object().expect("claims") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }
}

impl Reply {
    /// What a code is exchanged for.
    pub(crate) fn granted(token: &str) -> Self {
        Self::Json(200, json!({ "access_token": "x", "token_type": "Bearer", "id_token": token }))
    }
}

impl State {
    fn reply(&mut self, path: &str, request: &str, (described, keys): (Value, Value)) -> Reply {
        if path == "/token" {
            self.asked.push(request.to_owned());
        }
        if let Some((beginning, reply)) = &self.instead
            && path.starts_with(beginning)
        {
            return reply.clone();
        }
        match path {
            "/.well-known/openid-configuration" => Reply::Json(200, described),
            "/keys" => Reply::Json(200, keys),
            _ => self
                .coded(request)
                .or_else(|| self.answer.take())
                .unwrap_or(Reply::Json(400, json!({ "error": "invalid_grant" }))),
        }
    }

    /// The answer to the code in this request, if it has one of its own.
    fn coded(&mut self, request: &str) -> Option<Reply> {
        let (_, form) = request.split_once("\r\n\r\n")?;
        let code = form.split('&').find_map(|pair| pair.strip_prefix("code="))?;
        self.codes.remove(code)
    }
}

/// A whole request: its head, and as much body as the head says.
async fn read(stream: &mut tokio::net::TcpStream) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0usize) {
                return text;
            }
        }
        match stream.read(&mut piece).await {
            Ok(length) if length > 0 => all.extend_from_slice(&piece[..length]),
            _ => return text,
        }
    }
}
