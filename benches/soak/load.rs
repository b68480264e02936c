//! The load: each kind of request has its own rate.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::seed::Store;

/// Concurrent requests of one kind.
const WORKERS: u32 = 4;

/// The maximum number of tokens to revoke, and of keys to delete, that wait.
const WAITING: usize = 500;

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Requests tokens with API keys.
    Tokens,
    /// Checks at the gate that exchange an API key for a token.
    Gate,
    /// Revokes tokens.
    Revocations,
    /// Creates keys.
    Creations,
    /// Deletes keys, which revokes them.
    Deletions,
    /// Requests pages of lists.
    Lists,
    /// Follows the revocation feed.
    Feed,
    /// Follows the feed and reads slowly.
    Slow,
    /// Presents wrong secrets.
    Wrong,
}

/// The state that all kinds share.
pub(crate) struct Load {
    http: Client,
    base: String,
    admin: String,
    keys: Vec<String>,
    next: AtomicU32,
    tokens: Mutex<VecDeque<(String, String)>>,
    made: Mutex<VecDeque<String>>,
    answers: AtomicU64,
    refused: AtomicU64,
}

impl Kind {
    pub(crate) const ALL: [Self; 9] = [
        Self::Tokens,
        Self::Gate,
        Self::Revocations,
        Self::Creations,
        Self::Deletions,
        Self::Lists,
        Self::Feed,
        Self::Slow,
        Self::Wrong,
    ];

    /// The argument that selects this kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Gate => "gate",
            Self::Revocations => "revocations",
            Self::Creations => "creations",
            Self::Deletions => "deletions",
            Self::Lists => "lists",
            Self::Feed => "feed",
            Self::Slow => "slow",
            Self::Wrong => "wrong",
        }
    }

    /// Requests per second.
    fn rate(self) -> u32 {
        match self {
            Self::Tokens => 200,
            Self::Gate => 200,
            Self::Revocations | Self::Creations => 20,
            Self::Deletions => 18,
            Self::Lists => 10,
            Self::Feed => 90,
            Self::Slow => 2,
            Self::Wrong => 20,
        }
    }
}

impl Load {
    pub(crate) fn new(address: SocketAddr, store: &Store) -> Self {
        Self {
            http: Client::builder().no_proxy().build().expect("a client"),
            base: format!("http://{address}"),
            admin: store.admin.clone(),
            keys: (0..crate::KEYS).map(|number| store.key(number).1).collect(),
            next: AtomicU32::default(),
            tokens: Mutex::default(),
            made: Mutex::default(),
            answers: AtomicU64::default(),
            refused: AtomicU64::default(),
        }
    }

    /// Runs these kinds of load until the result is dropped.
    pub(crate) fn start(self: &Arc<Self>, kinds: &[Kind]) -> JoinSet<()> {
        let mut work = JoinSet::new();
        for &kind in kinds {
            for _ in 0..WORKERS {
                let load = Arc::clone(self);
                work.spawn(async move {
                    let mut ticks = tokio::time::interval(Duration::from_secs(1) * WORKERS / kind.rate());
                    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    loop {
                        ticks.tick().await;
                        load.once(kind).await;
                    }
                });
            }
        }
        work
    }

    /// The number of responses, and of those that failed unexpectedly.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.answers.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    async fn once(&self, kind: Kind) {
        match kind {
            Kind::Tokens => self.token().await,
            Kind::Gate => {
                let asked = self.get("/v1/gate?token=1&action=read&resource=a/b");
                self.text(asked.header("X-Api-Key", self.key())).await;
            }
            Kind::Revocations => {
                let waiting = self.tokens.lock().expect("a lock").pop_front();
                let Some((key, token)) = waiting else { return self.token().await };
                let form = [("client_secret", &*key), ("token", &*token)];
                self.text(self.post("/oauth/revoke").form(&form)).await;
            }
            Kind::Creations => {
                let body = json!({
                    "name": format!("soak {}", self.number()), "project": "default", "environment": "prd",
                    "preset": "query_only",
                });
                let made = self.text(self.post("/v1/orgs/default/keys").bearer_auth(&self.admin).json(&body));
                let made: Value = serde_json::from_str(&made.await).unwrap_or_default();
                if let (Some(id), Some(key)) = (made["id"].as_str(), made["key"].as_str()) {
                    let form = [("grant_type", "client_credentials"), ("client_secret", key)];
                    self.text(self.post("/oauth/token").form(&form)).await;
                    keep(&self.made, id.to_owned());
                }
            }
            Kind::Deletions => {
                let Some(id) = self.made.lock().expect("a lock").pop_front() else { return };
                let path = format!("{}/v1/orgs/default/keys/{id}", self.base);
                self.text(self.http.delete(path).bearer_auth(&self.admin)).await;
            }
            Kind::Lists => {
                let path = match self.number() % 4 {
                    0 => "/v1/orgs/default/keys?limit=200",
                    1 => "/v1/orgs/default/keys?q=nothing",
                    2 => "/v1/orgs/default/audit?limit=200",
                    _ => "/v1/orgs/default/usage",
                };
                self.text(self.get(path).bearer_auth(&self.admin)).await;
            }
            Kind::Feed => drop(self.text(self.get("/oauth/revocations")).await),
            Kind::Slow => self.read_slowly().await,
            Kind::Wrong => {
                let mut key = self.key().to_owned();
                // A secret whose tag does not match, so that it is refused without a query.
                key.replace_range(24..28, "0000");
                let form = [("grant_type", "client_credentials"), ("client_secret", &key)];
                drop(self.post("/oauth/token").form(&form).send().await);
            }
        }
    }

    async fn token(&self) {
        let key = self.key();
        let form = [("grant_type", "client_credentials"), ("client_secret", key)];
        let answer = self.text(self.post("/oauth/token").form(&form)).await;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        if let Some(token) = answer["access_token"].as_str() {
            keep(&self.tokens, (key.to_owned(), token.to_owned()));
        }
    }

    /// Reads one document over several seconds.
    async fn read_slowly(&self) {
        let Ok(mut answer) = self.get("/oauth/revocations").send().await else { return };
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if !matches!(answer.chunk().await, Ok(Some(_))) {
                return;
            }
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    async fn text(&self, request: RequestBuilder) -> String {
        let Ok(answer) = request.send().await else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return String::new();
        };
        let is_good = answer.status() < StatusCode::BAD_REQUEST;
        let text = answer.text().await.unwrap_or_default();
        self.answers.fetch_add(1, Ordering::Relaxed);
        if !is_good && self.refused.fetch_add(1, Ordering::Relaxed) == 0 {
            println!("the first refusal: {text}");
        }
        text
    }

    fn number(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn key(&self) -> &str {
        &self.keys[self.number() as usize % self.keys.len()]
    }
}

fn keep<T>(queue: &Mutex<VecDeque<T>>, item: T) {
    let mut queue = queue.lock().expect("a lock");
    queue.push_back(item);
    let surplus = queue.len().saturating_sub(WAITING);
    queue.drain(..surplus);
}
