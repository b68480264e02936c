//! Bad proofs of possession by name, each brought to every door where one is looked at: the token endpoint, introspection,
//! the management API, the gate, and a resource server.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::node::ProofRules;
use ring::hmac;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Holder, Options, Proof, on_both};
use crate::world::{World, ready};

on_both!(no_bad_proof_opens_a_door, a_stolen_token_is_of_no_use);

const SERVICE: &str = "https://api.example.com";
const TOKEN: &str = "grant_type=client_credentials&client_secret=";

/// Where a proof is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Token,
    Introspection,
    Management,
    Gate,
    Envoy,
    Service,
}

use Door::{Envoy, Gate, Introspection, Management, Service, Token};

const DOORS: [Door; 6] = [Token, Introspection, Management, Gate, Envoy, Service];

struct Scene {
    world: World,
    service: Client,
    holder: Holder,
    key: String,
    /// For the issuer, and for others. Both are bound to the holder.
    management: String,
    resources: String,
}

impl Scene {
    async fn new(backend: Backend) -> Self {
        let gate_origin = Some(SERVICE.parse().unwrap());
        let proofs = ProofRules { gate_origin, ..ProofRules::default() };
        let world = World::with(backend, Options { proofs, ..Options::default() }).await;
        let (_, key) = world.server.key(&["read:orders/*", "read:claviger/**"]).await;
        let verifier = ready(world.builder().public_url(SERVICE)).await;
        let guard = verifier.layer().peer(|request| {
            request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
        });
        let routes = Router::new().route("/orders/7", get(async || "an order")).layer(guard);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Client::new(listener.local_addr().unwrap());
        let app = routes.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut scene = Self {
            world,
            service,
            holder: Holder::new(),
            key,
            management: String::new(),
            resources: String::new(),
        };
        scene.management = scene.bound(&scene.holder, "&scope=read:claviger/**&resource={issuer}").await;
        scene.resources = scene.bound(&scene.holder, "").await;
        scene
    }

    /// A token that is bound to `holder`.
    async fn bound(&self, holder: &Holder, more: &str) -> String {
        let more = more.replace("{issuer}", &self.world.relay.url());
        let proof = holder.proof("POST", &self.url(Token), self.world.server.clock.now()).signed();
        let answer = self.world.server.client().proving(&proof).token(&self.key, &more).await;
        let answer = answer.done(200);
        assert_eq!(answer["token_type"], "DPoP");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// What a proof for this door has to name.
    fn url(&self, door: Door) -> String {
        let issuer = self.world.relay.url();
        match door {
            Token => format!("{issuer}/oauth/token"),
            Introspection => format!("{issuer}/oauth/introspect"),
            Management => format!("{issuer}/v1/self"),
            Gate | Envoy | Service => format!("{SERVICE}/orders/7"),
        }
    }

    fn method(door: Door) -> &'static str {
        if matches!(door, Token | Introspection) { "POST" } else { "GET" }
    }

    fn token(&self, door: Door) -> Option<&str> {
        match door {
            Token => None,
            Introspection | Management => Some(&self.management),
            Gate | Envoy | Service => Some(&self.resources),
        }
    }

    /// A good proof for this door.
    fn proof(&self, door: Door) -> Proof {
        let proof = self.holder.proof(Self::method(door), &self.url(door), self.world.server.clock.now());
        match self.token(door) {
            Some(token) => proof.of(token),
            None => proof,
        }
    }

    /// What is answered there to the right credential beside these headers `DPoP`.
    async fn answer(&self, door: Door, proofs: &[String]) -> Answer {
        let client = if door == Service { &self.service } else { &self.world.server.client() };
        let client = proofs.iter().fold(client.clone(), |client, proof| client.proving(proof));
        self.sent(door, &self.token(door).map_or_else(|| client.clone(), |token| client.dpop(token))).await
    }

    async fn sent(&self, door: Door, client: &Client) -> Answer {
        match door {
            Token => client.post_form("/oauth/token", &format!("{TOKEN}{}", self.key)).await,
            Introspection => client.post_form("/oauth/introspect", "token=x").await,
            Management => client.get("/v1/self").await,
            Gate => {
                let asking =
                    client.with("x-original-method", "GET").with("x-original-uri", "/orders/7?expand=1");
                asking.get("/v1/gate").await
            }
            Envoy => client.get("/v1/gate/envoy/token=0/orders/7?expand=1").await,
            Service => client.get("/orders/7?expand=1").await,
        }
    }

    /// Asserts that the door stays closed, and says that it is the proof.
    async fn refuse(&self, door: Door, name: &str, proofs: &[String]) {
        let answer = self.answer(door, proofs).await;
        let code = match door {
            Token | Introspection => answer.oauth_error(),
            _ => answer.code(),
        };
        let expected = if door == Token { 400 } else { 401 };
        let said = (answer.status, code.as_str());
        assert_eq!(said, (expected, "invalid_dpop_proof"), "{door:?}, {name}: {}", answer.text);
        if door != Token {
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("DPoP realm="), "{door:?}, {name}: {challenge}");
            assert!(challenge.contains(r#"algs="ES256 ES384 EdDSA Ed25519 PS256 RS256""#), "{challenge}");
            assert!(challenge.contains(r#"error="invalid_dpop_proof""#), "{door:?}, {name}: {challenge}");
        }
    }
}

/// Proofs that break one rule each.
fn bad(scene: &Scene, door: Door) -> Vec<(&'static str, String)> {
    let good = || scene.proof(door);
    let now = scene.world.server.clock.now().unix();
    let url = scene.url(door);
    let (origin, path) = url.rsplit_once("/").unwrap();
    let mut private = scene.holder.jwk();
    private["d"] = BASE64URL.encode([7; 32]).into();
    let other = Holder::new();
    let with_hmac = {
        let unsigned = good().header("alg", "HS256").unsigned();
        let key = hmac::Key::new(hmac::HMAC_SHA256, scene.holder.jwk().to_string().as_bytes());
        format!("{unsigned}.{}", BASE64URL.encode(hmac::sign(&key, unsigned.as_bytes())))
    };
    let not_signed = format!("{}.", good().header("alg", "none").unsigned());
    let changed = {
        let (signed, signature) =
            { good().signed() }.rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let mut bytes = BASE64URL.decode(signature).unwrap();
        bytes[7] ^= 1;
        format!("{signed}.{}", BASE64URL.encode(bytes))
    };
    let mut bad = vec![
        ("another method", good().claim("htm", "PUT").signed()),
        ("no method", good().claim("htm", Value::Null).signed()),
        ("the method in small letters", good().claim("htm", Scene::method(door).to_lowercase()).signed()),
        ("another host", good().claim("htu", url.replacen("://", "://other.", 1)).signed()),
        ("another path", good().claim("htu", format!("{origin}/other")).signed()),
        ("a path more", good().claim("htu", format!("{url}/{path}")).signed()),
        ("another scheme", good().claim("htu", swapped_scheme(&url)).signed()),
        ("another port", good().claim("htu", with_port(&url)).signed()),
        ("a user in htu", good().claim("htu", url.replacen("://", "://user@", 1)).signed()),
        ("a path alone", good().claim("htu", "/orders/7").signed()),
        ("no htu", good().claim("htu", Value::Null).signed()),
        ("too old", good().claim("iat", now - 61).signed()),
        ("in the future", good().claim("iat", now + 61).signed()),
        ("in milliseconds", good().claim("iat", now * 1000).signed()),
        ("no iat", good().claim("iat", Value::Null).signed()),
        ("expired", good().claim("exp", now).signed()),
        ("no jti", good().claim("jti", Value::Null).signed()),
        ("an empty jti", good().claim("jti", "").signed()),
        ("a jti that is too long", good().claim("jti", "a".repeat(257)).signed()),
        ("no type", good().header("typ", Value::Null).signed()),
        ("another type", good().header("typ", "JWT").signed()),
        ("an access token's type", good().header("typ", "at+jwt").signed()),
        ("alg none", not_signed),
        ("HMAC with the public key", with_hmac),
        ("an algorithm that nobody accepts", good().header("alg", "RS512").signed()),
        ("an algorithm of another key", good().header("alg", "ES384").signed()),
        ("no jwk", good().header("jwk", Value::Null).signed()),
        ("a private jwk", good().header("jwk", private).signed()),
        ("a symmetric jwk", good().header("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })).signed()),
        ("the jwk of another", good().header("jwk", other.jwk()).signed()),
        ("signed by another", good().signed_by(&other)),
        ("a changed signature", changed),
        ("crit", good().header("crit", json!(["jti"])).signed()),
        ("nonsense", "nonsense".to_owned()),
        ("an access token as proof", scene.resources.clone()),
        ("an assertion as proof", good().header("typ", "JWT").claim("iss", "x").claim("sub", "x").signed()),
    ];
    if let Some(token) = scene.token(door) {
        let of_other = if token == scene.management { &scene.resources } else { &scene.management };
        bad.extend([
            ("no ath", good().claim("ath", Value::Null).signed()),
            ("an empty ath", good().claim("ath", "").signed()),
            ("the ath of another token", good().of(of_other).signed()),
        ]);
    }
    bad
}

fn swapped_scheme(url: &str) -> String {
    match url.strip_prefix("https:") {
        Some(rest) => format!("http:{rest}"),
        None => url.replacen("http:", "https:", 1),
    }
}

fn with_port(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let host = authority.split(':').next().unwrap();
    format!("{scheme}://{host}:1/{path}")
}

async fn no_bad_proof_opens_a_door(backend: Backend) {
    let scene = Scene::new(backend).await;
    for door in DOORS {
        for (name, proof) in bad(&scene, door) {
            scene.refuse(door, name, &[proof]).await;
        }
        let [one, two] = [scene.proof(door), scene.proof(door)].map(|proof| proof.signed());
        scene.refuse(door, "two proofs", &[one.clone(), two.clone()]).await;
        scene.refuse(door, "the same proof twice", &[one.clone(), one.clone()]).await;
        if door != Token {
            scene.refuse(door, "no proof", &[]).await;
        }
        // None of these was used up.
        assert_eq!(scene.answer(door, std::slice::from_ref(&one)).await.status, 200, "{door:?}");
        scene.refuse(door, "a proof that was used", &[one]).await;
        assert_eq!(scene.answer(door, &[two]).await.status, 200, "{door:?}");
        // Query and fragment count for nothing, nor do the host's letters.
        let spelled = scene.url(door).replacen("api.example.com", "API.example.com", 1);
        let proof = scene.proof(door).claim("htu", format!("{spelled}?a=b#c")).signed();
        assert_eq!(scene.answer(door, &[proof]).await.status, 200, "{door:?}");
    }
}

async fn a_stolen_token_is_of_no_use(backend: Backend) {
    let scene = Scene::new(backend).await;
    let thief = Holder::new();
    let now = scene.world.server.clock.now();
    let theirs = scene.bound(&thief, "").await;
    let (_, key) = scene.world.server.key(&["read:orders/*"]).await;
    let unbound = scene.world.server.client().access_token(&key, "").await;
    for door in [Introspection, Management, Gate, Envoy, Service] {
        let token = scene.token(door).unwrap();
        let client = if door == Service { scene.service.clone() } else { scene.world.server.client() };
        let (method, url) = (Scene::method(door), scene.url(door));
        let of_thief = thief.proof(method, &url, now).of(token).signed();
        let for_theirs = scene.holder.proof(method, &url, now).of(&theirs).signed();
        let for_unbound = thief.proof(method, &url, now).of(&unbound).signed();
        for (name, client) in [
            ("as Bearer", client.bearer(token)),
            ("as Bearer, with the holder's proof", client.bearer(token).proving(&scene.proof(door).signed())),
            ("with the thief's proof", client.dpop(token).proving(&of_thief)),
            ("the thief's token with the holder's proof", client.dpop(&theirs).proving(&for_theirs)),
            ("a token for whoever has it, under DPoP", client.dpop(&unbound).proving(&for_unbound)),
        ] {
            let answer = scene.sent(door, &client).await;
            let challenge = answer.header("www-authenticate");
            assert_eq!(answer.status, 401, "{door:?}, {name}: {}", answer.text);
            assert!(challenge.contains(r#"error="invalid_token""#), "{door:?}, {name}: {challenge}");
        }
        let good = client.dpop(token).proving(&scene.proof(door).signed());
        assert_eq!(scene.sent(door, &good).await.status, 200, "{door:?}");
    }
    // The proof is no credential of a client, nor is a token.
    let proof = scene.proof(Token).signed();
    let form = format!("grant_type=client_credentials&client_secret={proof}");
    let answer = scene.world.server.client().proving(&proof).post_form("/oauth/token", &form).await;
    assert_eq!((answer.status, answer.oauth_error().as_str()), (401, "invalid_client"));
}
