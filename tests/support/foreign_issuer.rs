//! Another issuer, on this machine, whose tokens may open keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger::jose::jwk::{Algorithm, SigningKey};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::assertion::Holder;

/// An issuer with one key, which describes itself and publishes its key set.
pub struct ForeignIssuer {
    pub url: String,
    pub holder: Holder,
    published: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl ForeignIssuer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let holder = Holder::new(Algorithm::Es256);
        let published = Arc::new(Mutex::new(Some(json!({ "keys": [holder.jwk] }).to_string())));
        let asked = Arc::new(AtomicUsize::new(0));
        let described = json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string();
        let (keys, count) = (Arc::clone(&published), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (keys, described, count) = (Arc::clone(&keys), described.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let length = stream.read(&mut request).await.unwrap_or_default();
                    count.fetch_add(1, Ordering::SeqCst);
                    let Some(keys) = keys.lock().await.clone() else {
                        return std::future::pending().await;
                    };
                    let asks_description = request[..length].starts_with(b"GET /.well-known/");
                    let body = if asks_description { described } else { keys };
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    let _ = stream.write_all((head + &body).as_bytes()).await;
                });
            }
        });
        Self { url, holder, published, asked }
    }

    /// Publishes another document as its key set.
    pub async fn publish(&self, keys: &str) {
        *self.published.lock().await = Some(keys.to_owned());
    }

    /// Answers nobody from now on.
    pub async fn hang(&self) {
        *self.published.lock().await = None;
    }

    /// How often somebody asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A token with these claims besides the usual ones, which they replace.
    pub fn token(&self, audience: &str, now: i64, claims: &Value) -> String {
        self.holder.sign(&self.holder.header(), &self.claims(audience, now, claims))
    }

    /// The claims of a token. `null` takes one away.
    pub fn claims(&self, audience: &str, now: i64, more: &Value) -> Value {
        let mut claims =
            json!({ "iss": self.url, "aud": audience, "sub": "workload", "iat": now, "exp": now + 300 });
        for (name, value) in more.as_object().expect("claims") {
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }
}

/// A key set with this key under this id.
pub fn key_set(key: &SigningKey, kid: &str) -> Value {
    let mut jwk = serde_json::to_value(key.public_jwk()).expect("JSON");
    jwk["kid"] = kid.into();
    json!({ "keys": [jwk] })
}
