//! A client that keeps its access token fresh. It exchanges its API key for a token every few minutes, and calls an API
//! with the token every second.
//!
//! ```sh
//! CLAVIGER_API_KEY=… cargo run --example fresh_token http://127.0.0.1:9090/orders/7
//! ```
//!
//! | variable | meaning |
//! |---|---|
//! | `CLAVIGER_API_KEY` | the API key |
//! | `CLAVIGER_URL` | the server that issues tokens [http://127.0.0.1:8080] |

#![allow(clippy::print_stderr, reason = "a program that has no log")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own, with no clock to inject"
)]

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use claviger::client::{BaseUrl, BearerCredential, Client, Request, RequestLimits, Transport, Trust};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

type Fault = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let url = std::env::args().nth(1).ok_or("usage: fresh_token URL")?.parse::<BaseUrl>()?;
    let server = std::env::var("CLAVIGER_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".to_owned());
    let key = std::env::var("CLAVIGER_API_KEY").map_err(|_| "CLAVIGER_API_KEY is not set")?;
    let tokens = FreshToken::new(server.parse()?, key.parse()?)?;
    let api = Client::new(url.clone().origin(), &Trust::default(), RequestLimits::default())?;
    loop {
        match call(&tokens, &api, &url).await {
            Ok(answer) => println!("{answer}"),
            Err(fault) => eprintln!("{fault}"),
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn call(tokens: &FreshToken, api: &Client, url: &BaseUrl) -> Result<String, Fault> {
    let token = tokens.get().await?.parse::<BearerCredential>()?;
    let api = api.clone().with_credential(token, Transport::Private)?;
    let answer = api.send(Request::get_url(url)).await?;
    Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body).trim_end()))
}

/// A token that is renewed before it expires.
struct FreshToken {
    server: Client,
    key: BearerCredential,
    held: RwLock<Option<Held>>,
    /// Held during a renewal. If a hundred concurrent calls find the token old, only one requests another.
    renewing: Mutex<()>,
}

#[derive(Clone)]
struct Held {
    token: Arc<str>,
    /// The token should be renewed from this time on.
    renew_at: Instant,
    /// The token must not be used from this time on.
    ends_at: Instant,
}

/// RFC 6749 §5.1.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u64,
}

impl FreshToken {
    /// The time between two attempts while the server is unavailable.
    const PAUSE: Duration = Duration::from_secs(5);

    fn new(server: BaseUrl, key: BearerCredential) -> Result<Self, Fault> {
        // The key goes only to this server, and never over a network in plain text.
        if !server.is_private() {
            return Err(format!("{server} is plain http beyond this machine").into());
        }
        let limits = RequestLimits { answer: Duration::from_secs(10), ..RequestLimits::default() };
        let server = Client::new(server, &Trust::default(), limits)?;
        Ok(Self { server, key, held: RwLock::default(), renewing: Mutex::default() })
    }

    /// A valid token. While the current token is valid, only the call that renews it waits.
    async fn get(&self) -> Result<Arc<str>, Fault> {
        match self.held() {
            Some(held) if Instant::now() < held.renew_at => Ok(held.token),
            Some(held) => {
                let Ok(_turn) = self.renewing.try_lock() else { return Ok(held.token) };
                Ok(self.renew().await.unwrap_or_else(|fault| self.put_off(held, fault.as_ref())))
            }
            None => {
                let _turn = self.renewing.lock().await;
                match self.held() {
                    Some(held) => Ok(held.token),
                    None => self.renew().await,
                }
            }
        }
    }

    fn held(&self) -> Option<Held> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner).clone();
        held.filter(|held| Instant::now() < held.ends_at)
    }

    fn hold(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    /// RFC 6749 §4.4.2.
    async fn renew(&self) -> Result<Arc<str>, Fault> {
        let asked_at = Instant::now();
        let form = [("grant_type", "client_credentials"), ("client_secret", self.key.expose())];
        let answer = self.server.send(Request::post(&["oauth", "token"]).form(&form)).await?;
        if !answer.status.is_success() {
            let said = String::from_utf8_lossy(&answer.body);
            return Err(format!("no token: {} {said}", answer.status).into());
        }
        let TokenAnswer { access_token, expires_in } = serde_json::from_slice(&answer.body)?;
        let token = Arc::from(access_token);
        // The lifetime counts from the request, with a tenth to spare, since the token must still be valid when it
        // arrives.
        let lifetime = Duration::from_secs(expires_in);
        let (renew_at, ends_at) = (asked_at + lifetime.mul_f32(0.7), asked_at + lifetime.mul_f32(0.9));
        self.hold(Held { token: Arc::clone(&token), renew_at, ends_at });
        Ok(token)
    }

    /// Continues with the current token.
    fn put_off(&self, held: Held, fault: &dyn Error) -> Arc<str> {
        eprintln!("the token is not renewed yet: {fault}");
        self.hold(Held { renew_at: Instant::now() + Self::PAUSE, ..held.clone() });
        held.token
    }
}
