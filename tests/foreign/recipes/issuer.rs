//! An issuer whose feed is as old as a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use claviger::base::clock::Clock;
use claviger::jose::claims::ACCESS_TOKEN_TYPE;
use claviger::jose::jwk::{Algorithm, SigningKey};
use claviger::jose::jws::sign_compact;
use claviger::jose::revocation_feed::{FEED_AUDIENCE, FEED_TYPE};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::orders::AUDIENCE;

#[derive(Clone)]
pub(crate) struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    key: SigningKey,
    age: AtomicI64,
    asked: AtomicU64,
}

impl Issuer {
    /// Serves until the test ends; its feed was last confirmed `age` seconds ago.
    pub(crate) async fn start(age: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (key, _) = SigningKey::generate(Algorithm::Es256).expect("a key");
        let (age, asked) = (AtomicI64::new(age), AtomicU64::new(0));
        let issuer = Self(Arc::new(Inner { url, key, age, asked }));
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/feed", get(feed))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// From now on the feed was last confirmed `age` seconds ago.
    pub(crate) fn set_age(&self, age: i64) {
        self.0.age.store(age, Ordering::Release);
    }

    /// How many times the feed was asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::Acquire)
    }

    /// A good token.
    pub(crate) fn token(&self) -> String {
        let iat = now();
        let claims = json!({
            "iss": self.url(), "aud": AUDIENCE, "sub": "key_a", "client_id": "key_a", "iat": iat, "exp": iat + 600,
            "jti": "token", "scope": "read:*", "cidrs": ["0.0.0.0/0", "::/0"], "org": "default",
            "project": "default", "env": "prd", "gen": 1,
        });
        self.sign(ACCESS_TOKEN_TYPE, &claims)
    }

    fn sign(&self, typ: &str, claims: &Value) -> String {
        sign_compact(&self.0.key, typ, claims.to_string().as_bytes()).expect("a signature")
    }
}

async fn metadata(State(issuer): State<Issuer>) -> Json<Value> {
    let url = issuer.url();
    Json(json!({
        "issuer": url, "jwks_uri": format!("{url}/jwks"), "revocation_feed_endpoint": format!("{url}/feed"),
    }))
}

async fn jwks(State(issuer): State<Issuer>) -> Json<Value> {
    Json(json!({ "keys": [issuer.0.key.public_jwk()] }))
}

async fn feed(State(issuer): State<Issuer>) -> String {
    issuer.0.asked.fetch_add(1, Ordering::AcqRel);
    let as_of = now() - issuer.0.age.load(Ordering::Acquire);
    let document = json!({
        "iss": issuer.url(), "aud": FEED_AUDIENCE, "iat": now(), "epoch": "epoch", "seq": 1, "as_of": as_of,
        "max_stale": 30, "keys": {}, "jtis": [], "kids": [],
    });
    issuer.sign(FEED_TYPE, &document)
}

fn now() -> i64 {
    Clock::system().now().unix()
}
