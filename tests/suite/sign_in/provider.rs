//! An OpenID provider on this machine that says what a test tells it to say.

use std::sync::Arc;

use claviger::jose::jwk::Algorithm;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::support::assertion::Holder;

/// A provider with one key, and the next answer of its token endpoint.
pub(super) struct Provider {
    pub(super) url: String,
    pub(super) holder: Holder,
    /// The ID token for the next code, which is taken once.
    answer: Arc<Mutex<Option<String>>>,
    /// The requests to the token endpoint.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let holder = Holder::new(Algorithm::Es256);
        let (answer, asked) = (Arc::new(Mutex::new(None::<String>)), Arc::new(Mutex::new(Vec::new())));
        let described = json!({
            "issuer": url, "jwks_uri": format!("{url}/keys"), "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "authorization_response_iss_parameter_supported": true,
        });
        let keys = json!({ "keys": [holder.jwk] });
        let (answers, requests) = (Arc::clone(&answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answers, requests) = (Arc::clone(&answers), Arc::clone(&requests));
                let (described, keys) = (described.clone(), keys.clone());
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let (status, body) = if request.starts_with("GET /.well-known/") {
                        ("200 OK", described)
                    } else if request.starts_with("GET /keys") {
                        ("200 OK", keys)
                    } else {
                        requests.lock().await.push(request);
                        match answers.lock().await.take() {
                            Some(token) => (
                                "200 OK",
                                json!({ "access_token": "x", "token_type": "Bearer", "id_token": token }),
                            ),
                            None => ("400 Bad Request", json!({ "error": "invalid_grant" })),
                        }
                    };
                    let body = body.to_string();
                    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                });
            }
        });
        Self { url, holder, answer, asked }
    }

    /// The next code gives this ID token.
    pub(super) async fn says(&self, token: String) {
        *self.answer.lock().await = Some(token);
    }

    /// How often somebody asked the token endpoint.
    pub(super) async fn asked(&self) -> usize {
        self.asked.lock().await.len()
    }

    /// What the last one sent.
    pub(super) async fn last(&self) -> String {
        self.asked.lock().await.last().cloned().unwrap_or_default()
    }

    /// An ID token with these claims besides the usual ones, which they replace. `null` takes one away.
    pub(super) fn token(&self, nonce: &str, now: i64, more: &Value) -> String {
        self.holder.sign(&self.holder.header(), &self.claims(nonce, now, more))
    }

    pub(super) fn claims(&self, nonce: &str, now: i64, more: &Value) -> Value {
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
