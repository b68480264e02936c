//! Measures clients that sign assertions (`private_key_jwt`), compared with a floor that verifies once and signs once. The
//! target is a rate of at least 1/1.15 of the floor's.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger::base::clock::Clock;
use claviger::jose::jwk::{Algorithm, SigningKey};
use serde_json::json;

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
const LIFETIME: i64 = 60;
const PATH: &str = "/oauth/token";
const FLOOR_PATH: &str = "/oauth/token-by-assertion";

/// The client of all keys: they have the same public key.
struct Client {
    key: SigningKey,
    clock: Clock,
    next: u64,
}

pub(crate) async fn measure(database: &Database, plan: Plan) {
    let store = Store::of(database, STORED_KEYS, COST, Shape::Apart { organizations: ORGANIZATIONS }).await;
    let mut client = Client::new();
    store.register(&client.jwk()).await;
    let mut floor = Contender::new(Server::floor(), Requests::default());
    let mut claviger =
        Contender::new(Server::claviger(store.folder.path(), &store.settings()), Requests::default());
    let requests = plan.turn_ms * REQUESTS_PER_MS;
    for (contender, path) in [(&floor, FLOOR_PATH), (&claviger, PATH)] {
        contender.send_once(&client.requests(&store, &contender.server, path, requests)).await;
    }
    for _ in 0..plan.turns {
        for (contender, path) in [(&mut floor, FLOOR_PATH), (&mut claviger, PATH)] {
            let requests = client.requests(&store, &contender.server, path, requests);
            contender.turn_once(&requests).await;
        }
    }
    floor.report("floor: axum, the same form, ring verifies ES256 once and signs ES256 once", None);
    claviger.report(
        &format!("claviger, private_key_jwt (ES256), {STORED_KEYS} keys in the store"),
        Some(("the floor", &floor)),
    );
}

impl Client {
    fn new() -> Self {
        let key = SigningKey::from_pkcs8(Algorithm::Es256, client_key().secret_pkcs8_der()).expect("a key");
        Self { key, clock: Clock::system(), next: 0 }
    }

    /// The public key as it is registered.
    fn jwk(&self) -> String {
        serde_json::to_string(self.key.public_jwk()).expect("JSON")
    }

    /// Requests whose assertions nobody has used, of each key in turn.
    fn requests(&mut self, store: &Store, server: &Server, path: &str, count: u64) -> Requests {
        let ids: Vec<String> = (0..KEYS).map(|number| store.key(number).0).collect();
        let issuer = format!("http://{}", server.address);
        let requests = ids.iter().cycle().zip(0..count).map(|(id, _)| {
            let form = format!(
                "grant_type=client_credentials\
                 &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={}",
                self.assertion(id, &issuer)
            );
            form_request(path, &form)
        });
        Arc::new(requests.collect())
    }

    fn assertion(&mut self, id: &str, issuer: &str) -> String {
        self.next += 1;
        let now = self.clock.now().unix();
        let header = json!({ "alg": "ES256", "kid": self.key.kid() });
        let claims = json!({ "iss": id, "sub": id, "aud": issuer, "iat": now, "exp": now + LIFETIME,
            "jti": format!("{:022}", self.next) });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(input.as_bytes()).expect("a signature");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
