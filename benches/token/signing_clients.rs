//! Measures clients without a secret, compared with a floor that verifies as many signatures and signs once: clients that
//! sign assertions (`private_key_jwt`), the same with proofs of possession (DPoP), and workloads with a token of a trusted
//! issuer. The target is a rate of at least 1/1.15 of the floor's.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger::base::clock::Clock;
use claviger::jose::jwk::{Algorithm, SigningKey};
use serde_json::{Value, json};

use crate::Plan;
use crate::contender::{Contender, Requests};
use crate::floor::client_key;
use crate::load::form_request;
use crate::process::Server;
use crate::seed::{Database, Shape, Store};

/// The ids of used assertions are remembered, within bounds for each key and each organization, which this many stay below.
const ORGANIZATIONS: u32 = 10;
const STORED_KEYS: u32 = 1_000;
/// The keys that the load uses in turn.
const KEYS: u32 = 200;
/// No secret is hashed here.
const COST: (u32, u32) = (8, 1);
/// Requests per millisecond of a turn. A fast server ends its turn early.
const REQUESTS_PER_MS: u64 = 10;
/// Seconds that an assertion is valid.
const ASSERTION_LIFETIME: i64 = 60;
/// Seconds that a workload's token is valid.
const TOKEN_LIFETIME: i64 = 3_600;
/// The trusted issuer, whose keys are part of its record.
const ISSUER: &str = "https://issuer.example";
const SUBJECT: &str = "workload";

/// What clients present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Assertion,
    Federation,
    Dpop,
}

/// The client of all keys. It is the trusted issuer too.
struct Client {
    key: SigningKey,
    clock: Clock,
    next: u64,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Assertion, Self::Federation, Self::Dpop];

    /// The argument that measures this kind alone.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Assertion => "assertion",
            Self::Federation => "federation",
            Self::Dpop => "dpop",
        }
    }

    const fn floor_path(self) -> &'static str {
        match self {
            Self::Assertion | Self::Federation => "/oauth/token-by-assertion",
            Self::Dpop => "/oauth/token-with-proof",
        }
    }

    const fn floor(self) -> &'static str {
        match self {
            Self::Assertion | Self::Federation => {
                "floor: axum, the same form, ring verifies ES256 once and signs ES256 once"
            }
            Self::Dpop => {
                "floor: axum, the same form and header, ring verifies ES256 twice and signs ES256 once"
            }
        }
    }

    const fn described(self) -> &'static str {
        match self {
            Self::Assertion => "private_key_jwt (ES256)",
            Self::Federation => "a trusted issuer's token (ES256)",
            Self::Dpop => "private_key_jwt with DPoP (ES256)",
        }
    }
}

pub(crate) async fn measure(database: &Database, plan: Plan, kind: Kind) {
    let shape = match kind {
        Kind::Federation => Shape::Together,
        Kind::Assertion | Kind::Dpop => Shape::Apart { organizations: ORGANIZATIONS },
    };
    let store = Store::of(database, STORED_KEYS, COST, shape).await;
    let mut client = Client::new();
    if kind != Kind::Federation {
        store.register(&client.jwk().to_string()).await;
    }
    let mut floor = Contender::new(Server::floor(), Requests::default());
    let mut claviger =
        Contender::new(Server::claviger(store.folder.path(), &store.settings()), Requests::default());
    if kind == Kind::Federation {
        client.trust(&store, &claviger.server).await;
    }
    let requests = plan.turn_ms * REQUESTS_PER_MS;
    for (contender, path) in [(&floor, kind.floor_path()), (&claviger, "/oauth/token")] {
        contender.send_once(&client.requests(kind, &store, &contender.server, path, requests)).await;
    }
    for _ in 0..plan.turns {
        for (contender, path) in [(&mut floor, kind.floor_path()), (&mut claviger, "/oauth/token")] {
            let requests = client.requests(kind, &store, &contender.server, path, requests);
            contender.turn_once(&requests).await;
        }
    }
    floor.report(kind.floor(), None);
    claviger.report(
        &format!("claviger, {}, {STORED_KEYS} keys in the store", kind.described()),
        Some(("the floor", &floor)),
    );
}

impl Client {
    fn new() -> Self {
        let key = SigningKey::from_pkcs8(Algorithm::Es256, client_key().secret_pkcs8_der()).expect("a key");
        Self { key, clock: Clock::system(), next: 0 }
    }

    /// The public key as it is registered.
    fn jwk(&self) -> Value {
        json!(self.key.public_jwk())
    }

    /// Makes the used keys trust the issuer.
    async fn trust(&self, store: &Store, server: &Server) {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let post = async |path: String, body: Value| {
            let url = format!("http://{}/v1/orgs/default/{path}", server.address);
            let answer =
                http.post(url).bearer_auth(&store.admin).json(&body).send().await.expect("an answer");
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
        };
        let issuer =
            json!({ "id": "issuer", "issuer": ISSUER, "keys": { "jwks": { "keys": [self.jwk()] } } });
        post("issuers".to_owned(), issuer).await;
        for number in 0..KEYS {
            let rule = json!({ "issuer": "issuer", "subject": SUBJECT });
            post(format!("keys/{}/trust-rules", store.key(number).0), rule).await;
        }
    }

    /// Requests of each key in turn. Nobody has used their assertions and proofs.
    fn requests(&mut self, kind: Kind, store: &Store, server: &Server, path: &str, count: u64) -> Requests {
        let ids: Vec<String> = (0..KEYS).map(|number| store.key(number).0).collect();
        let own_issuer = format!("http://{}", server.address);
        let workload = self.workload_token(&own_issuer);
        let requests = ids.iter().cycle().zip(0..count).map(|(id, _)| {
            let (assertion, more) = match kind {
                Kind::Federation => (workload.clone(), format!("&client_id={id}")),
                Kind::Assertion | Kind::Dpop => (self.assertion(id, &own_issuer), String::new()),
            };
            let proof = match kind {
                Kind::Dpop => format!("dpop: {}\r\n", self.proof(&format!("{own_issuer}/oauth/token"))),
                Kind::Assertion | Kind::Federation => String::new(),
            };
            let form = format!(
                "grant_type=client_credentials\
                 &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
                 &client_assertion={assertion}{more}"
            );
            form_request(path, &proof, &form)
        });
        Arc::new(requests.collect())
    }

    fn assertion(&mut self, id: &str, issuer: &str) -> String {
        let now = self.clock.now().unix();
        let header = json!({ "alg": "ES256", "kid": self.key.kid() });
        let claims = json!({ "iss": id, "sub": id, "aud": issuer, "iat": now, "exp": now + ASSERTION_LIFETIME,
            "jti": self.unused_id() });
        self.sign(&header, &claims)
    }

    /// A token of the trusted issuer. It may be used any number of times.
    fn workload_token(&self, audience: &str) -> String {
        let now = self.clock.now().unix();
        let header = json!({ "alg": "ES256", "kid": self.key.kid() });
        let claims = json!({ "iss": ISSUER, "sub": SUBJECT, "aud": audience, "iat": now, "exp": now + TOKEN_LIFETIME,
            "repository": "octo-org/octo-repo", "repository_id": "74", "ref": "refs/heads/main" });
        self.sign(&header, &claims)
    }

    /// A proof of possession for a POST to this URL (RFC 9449 §4.2).
    fn proof(&mut self, url: &str) -> String {
        let mut jwk = self.jwk();
        jwk.as_object_mut().expect("an object").retain(|name, _| ["kty", "crv", "x", "y"].contains(&&**name));
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let iat = self.clock.now().unix();
        let claims = json!({ "jti": self.unused_id(), "htm": "POST", "htu": url, "iat": iat });
        self.sign(&header, &claims)
    }

    fn unused_id(&mut self) -> String {
        self.next += 1;
        format!("{:022}", self.next)
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(input.as_bytes()).expect("a signature");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
