//! The floor: axum handlers that parse the same forms and sign prebuilt claims. Those for assertions and
//! proofs also verify the signatures of the client.

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Form, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;

#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct IntrospectionForm {
    client_secret: String,
    token: String,
}

#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct TokenForm {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

#[derive(serde::Deserialize)]
#[allow(dead_code)]
struct AssertionForm {
    grant_type: String,
    client_assertion_type: String,
    client_assertion: String,
}

struct Floor {
    random: SystemRandom,
    key: EcdsaKeyPair,
    signing_input: String,
    client: UnparsedPublicKey<Vec<u8>>,
}

/// The private key of the clients that sign assertions.
pub(crate) fn client_key() -> PrivatePkcs8KeyDer<'static> {
    PrivatePkcs8KeyDer::from_pem_slice(include_bytes!("../../tests/vectors/pem/p256.pem")).expect("a key")
}

/// An introspection response of realistic length.
const INTROSPECTION: &str = r#"{"active":true,"scope":"read:*","client_id":"key_joD8iZYvV1ZoBZGw","sub":"key_joD8iZYvV1ZoBZGw","aud":"http://127.0.0.1:18080/api","iss":"http://127.0.0.1:18080","exp":1795260154,"iat":1795259554,"jti":"TXcYAhb2wmWuQ2mVoeWbKA","token_type":"Bearer","cidrs":["0.0.0.0/0","::/0"],"org":"default","project":"default","env":"prd","gen":1}"#;

/// Claims of realistic length.
const CLAIMS: &str = r#"{"iss":"http://127.0.0.1:18080","sub":"key_joD8iZYvV1ZoBZGw","client_id":"key_joD8iZYvV1ZoBZGw","aud":"http://127.0.0.1:18080/api","iat":1795259554,"exp":1795260154,"jti":"TXcYAhb2wmWuQ2mVoeWbKA","scope":"read:*","cidrs":["0.0.0.0/0","::/0"],"org":"default","project":"default","env":"prd","gen":1}"#;

/// Serves the floor until killed.
pub(crate) fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .expect("a key");
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"}}"#, "k".repeat(43));
        let signing_input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(CLAIMS));
        let client = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            client_key().secret_pkcs8_der(),
            &random,
        )
        .expect("a key");
        let client = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, client.public_key().as_ref().to_vec());
        let floor = Arc::new(Floor { random, key, signing_input, client });
        let router = Router::new()
            .route("/oauth/token", post(token))
            .route("/oauth/token-by-assertion", post(token_by_assertion))
            .route("/oauth/token-with-proof", post(token_with_proof))
            .route("/oauth/introspect", post(introspect))
            .route("/v1/gate", get(gate))
            .route("/v1/self", get(own))
            .with_state(floor);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("floor on {}", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("it serves");
    });
    ExitCode::SUCCESS
}

async fn token(State(floor): State<Arc<Floor>>, Form(_): Form<TokenForm>) -> impl IntoResponse {
    floor.token()
}

async fn token_by_assertion(
    State(floor): State<Arc<Floor>>,
    Form(form): Form<AssertionForm>,
) -> impl IntoResponse {
    floor.verify(&form.client_assertion);
    floor.token()
}

async fn token_with_proof(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    Form(form): Form<AssertionForm>,
) -> impl IntoResponse {
    floor.verify(&form.client_assertion);
    floor.verify(headers["dpop"].to_str().expect("ASCII"));
    floor.token()
}

impl Floor {
    fn verify(&self, signed: &str) {
        let (input, signature) = signed.rsplit_once('.').expect("a signed text");
        let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        self.client.verify(input.as_bytes(), &signature).expect("the client's signature");
    }

    fn token(&self) -> impl IntoResponse + use<> {
        let signature = self.key.sign(&self.random, self.signing_input.as_bytes()).expect("a signature");
        let token = format!("{}.{}", self.signing_input, URL_SAFE_NO_PAD.encode(signature));
        let body = format!(
            r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":600,"scope":"read:*"}}"#
        );
        (
            [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-store"),
                (header::PRAGMA, "no-cache"),
            ],
            body,
        )
    }
}

/// Reads the credential, and answers as if it were valid.
async fn gate(headers: HeaderMap) -> impl IntoResponse {
    assert!(headers.contains_key(header::AUTHORIZATION), "a credential is presented");
    [
        ("x-claviger-sub", "key_joD8iZYvV1ZoBZGw"),
        ("x-claviger-org", "default"),
        ("x-claviger-project", "default"),
        ("x-claviger-env", "prd"),
        ("x-claviger-scope", "read:*"),
        ("cache-control", "no-store"),
    ]
}

async fn own(headers: HeaderMap) -> impl IntoResponse {
    assert!(headers.contains_key(header::AUTHORIZATION), "a credential is presented");
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], INTROSPECTION)
}

async fn introspect(Form(_): Form<IntrospectionForm>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], INTROSPECTION)
}
