//! Tokens that are bound to a key (RFC 9449), where the server issues, describes and takes them.

mod required;

use claviger::jose::jwk::Algorithm;
use claviger::node::ProofRules;
use serde_json::{Value, json};

use crate::support::{Answer, Backend, Client, Holder, Options, Server, assertion, on_both};
use crate::token::claims;

on_both!(
    a_proof_binds_the_token_that_it_comes_with,
    a_bound_token_manages_with_proofs_alone,
    the_gate_checks_the_original_request,
    a_gate_without_an_origin_takes_no_bound_tokens,
    a_bound_subject_is_exchanged_for_a_token_that_is_bound_to_the_client,
    a_nonce_is_asked_for_where_it_is_required,
    an_issuer_with_a_path_is_a_part_of_the_url,
    fewer_algorithms_are_announced_and_accepted,
    a_client_without_a_secret_gets_bound_tokens,
    where_a_proof_is_required_no_plain_token_is_issued,
);

mod nodes {
    use super::every_node_takes_every_nodes_nonce;
    use crate::support::on_postgres;

    on_postgres!(every_node_takes_every_nodes_nonce);
}

const API: &str = "https://api.example.com";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn start(backend: Backend, proofs: ProofRules) -> Server {
    Server::start_with(backend, Options { proofs, ..Options::default() }).await
}

fn with_gate() -> ProofRules {
    ProofRules { gate_origin: Some(API.parse().unwrap()), ..ProofRules::default() }
}

fn url(server: &Server, path: &str) -> String {
    format!("{}{path}", server.node.deployment.issuer)
}

/// A client that proves the holder's key for a request for a token.
fn asking(server: &Server, holder: &Holder) -> Client {
    let proof = holder.proof("POST", &url(server, "/oauth/token"), server.clock.now());
    server.client().proving(&proof.signed())
}

async fn bound(server: &Server, holder: &Holder, key: &str, more: &str) -> String {
    let answer = asking(server, holder).token(key, more).await.done(200);
    assert_eq!(answer["token_type"], "DPoP");
    answer["access_token"].as_str().unwrap().to_owned()
}

/// A client with this token and a proof for this request to the server.
fn proven(server: &Server, holder: &Holder, token: &str, method: &str, path: &str) -> Client {
    let proof = holder.proof(method, &url(server, path), server.clock.now()).of(token);
    server.client().dpop(token).proving(&proof.signed())
}

fn oauth(answer: &Answer) -> (u16, String) {
    (answer.status, answer.oauth_error())
}

async fn a_proof_binds_the_token_that_it_comes_with(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (_, key) = server.key(&["read:*"]).await;
    let holder = Holder::new();
    let token = bound(&server, &holder, &key, "").await;
    assert_eq!(claims(&token)["cnf"], json!({ "jkt": holder.thumbprint() }));
    let described = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await.json();
    assert_eq!(described["active"], true);
    assert_eq!(
        (&described["token_type"], &described["cnf"]),
        (&json!("DPoP"), &json!({ "jkt": holder.thumbprint() }))
    );
    // Without a proof, everything is as before.
    let plain = server.client().token(&key, "").await.done(200);
    assert_eq!(plain["token_type"], "Bearer");
    assert_eq!(claims(plain["access_token"].as_str().unwrap())["cnf"], Value::Null);
    // A refused request for a token doesn't bind anything, and the key can be used with another proof.
    let proof = holder.proof("POST", &url(&server, "/oauth/introspect"), server.clock.now()).signed();
    assert_eq!(
        oauth(&server.client().proving(&proof).token(&key, "").await),
        (400, "invalid_dpop_proof".into())
    );
    // Whoever is no client learns nothing of their proof.
    let stranger = server.client().proving(&proof).token("clv_prd_nonsense", "").await;
    assert_eq!(oauth(&stranger), (401, "invalid_client".into()));
}

async fn a_bound_token_manages_with_proofs_alone(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let holder = Holder::new();
    let more = format!("&resource={}", server.node.deployment.issuer);
    let token = bound(&server, &holder, &server.admin_key.clone(), &more).await;
    let own = |client: Client| async move { client.get("/v1/self").await };
    assert_eq!(own(proven(&server, &holder, &token, "GET", "/v1/self")).await.status, 200);
    let refused = own(server.client().bearer(&token)).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthenticated"));
    let challenge = refused.header("www-authenticate");
    assert!(
        challenge
            .starts_with(&format!(r#"DPoP realm="{}", algs="ES256 ES384"#, server.node.deployment.issuer))
    );
    assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    // Without any credential, the challenge is Bearer's.
    assert!(own(server.client()).await.header("www-authenticate").starts_with("Bearer "));
    // A change has a proof of its own.
    let path = "/v1/orgs/default/keys";
    let body = json!({ "name": "new", "project": "default", "environment": "prd", "scopes": [{ "action": "read" }] });
    let of_reading = proven(&server, &holder, &token, "GET", path);
    of_reading.post_json(path, &body).await.refused(401, "invalid_dpop_proof");
    proven(&server, &holder, &token, "POST", path).post_json(path, &body).await.done(201);
    // Revocation takes bound tokens of callers, and ends bound tokens.
    let (_, key) = server.key(&["read:*"]).await;
    let other = bound(&server, &Holder::new(), &key, "").await;
    let revoking = proven(&server, &holder, &token, "POST", "/oauth/revoke");
    revoking.post_form("/oauth/revoke", &format!("token={other}")).await.done(200);
    let introspecting = proven(&server, &holder, &token, "POST", "/oauth/introspect");
    let described = introspecting.post_form("/oauth/introspect", &format!("token={other}")).await;
    assert_eq!(described.text, r#"{"active":false}"#);
    let secret_too = proven(&server, &holder, &token, "POST", "/oauth/introspect");
    let form = format!("token=x&client_secret={key}");
    assert_eq!(
        oauth(&secret_too.post_form("/oauth/introspect", &form).await),
        (400, "invalid_request".into())
    );
}

async fn the_gate_checks_the_original_request(backend: Backend) {
    let server = start(backend, with_gate()).await;
    let (id, key) = server.key(&["read:orders/*"]).await;
    let holder = Holder::new();
    let token = bound(&server, &holder, &key, "").await;
    let proof = |method: &str, path: &str| {
        let proof = holder.proof(method, &format!("{API}{path}"), server.clock.now()).of(&token);
        server.client().dpop(&token).proving(&proof.signed())
    };
    let from = |client: Client, method: &str, target: &str| {
        client.with("x-forwarded-method", method).with("x-forwarded-uri", target)
    };
    let passed = from(proof("GET", "/orders/7"), "GET", "/orders/7?a=b").get("/v1/gate?token=1").await;
    assert_eq!((passed.status, passed.header("x-claviger-sub")), (200, id.as_str()), "{}", passed.text);
    // It stays bound: the upstream gets the same token under the same scheme.
    assert_eq!(passed.header("authorization"), format!("DPoP {token}"));
    for question in ["?check=credential&token=1", "?action=read&resource=orders/7"] {
        let path = format!("/v1/gate{question}");
        from(proof("GET", "/any"), "GET", "/any").get(&path).await.done(200);
        let unnamed = proof("GET", "/any").get(&path).await.refused(401, "invalid_dpop_proof");
        assert_eq!(
            unnamed,
            "the gateway does not name the method and the path of the request that the proof is for"
        );
    }
    for (client, method, target) in [
        (proof("POST", "/orders/7"), "GET", "/orders/7"),
        (proof("GET", "/orders/8"), "GET", "/orders/7"),
        (proof("GET", "/orders/7"), "GET", "https://api.example.com/orders/7"),
    ] {
        let answer = from(client, method, target).get("/v1/gate?check=credential").await;
        answer.refused(401, "invalid_dpop_proof");
        assert_eq!(answer.header("x-claviger-error"), "invalid_dpop_proof");
    }
    // A proof for the gate itself is none for the service behind it.
    let own = holder.proof("GET", &url(&server, "/v1/gate"), server.clock.now()).of(&token).signed();
    let client = from(server.client().dpop(&token).proving(&own), "GET", "/orders/7");
    client.get("/v1/gate").await.refused(401, "invalid_dpop_proof");
}

async fn a_gate_without_an_origin_takes_no_bound_tokens(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (_, key) = server.key(&["read:orders/*"]).await;
    let holder = Holder::new();
    let token = bound(&server, &holder, &key, "").await;
    let proof = holder.proof("GET", &format!("{API}/orders/7"), server.clock.now()).of(&token).signed();
    let client = server.client().dpop(&token).proving(&proof).with("x-original-method", "GET");
    let why =
        client.with("x-original-uri", "/orders/7").get("/v1/gate").await.refused(401, "invalid_dpop_proof");
    assert!(why.contains("--gate-origin"), "{why}");
}

async fn a_bound_subject_is_exchanged_for_a_token_that_is_bound_to_the_client(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (_, subject) = server.key(&["read:orders/*"]).await;
    let (_, client) = server.key(&["write:claviger/orgs/default/projects/*/token-exchange"]).await;
    let (holder, service) = (Holder::new(), Holder::new());
    let form = |token: &str| {
        format!(
            "grant_type={GRANT}&client_secret={client}&subject_token_type={ACCESS_TOKEN}&subject_token={token}"
        )
    };
    let exchanged = async |asking: Client, token: &str| asking.post_form("/oauth/token", &form(token)).await;
    let token = bound(&server, &holder, &subject, "").await;
    let without = exchanged(server.client(), &token).await;
    assert_eq!(oauth(&without), (400, "invalid_dpop_proof".into()), "{}", without.text);
    let with = exchanged(asking(&server, &service), &token).await.done(200);
    assert_eq!(with["token_type"], "DPoP");
    let new = with["access_token"].as_str().unwrap();
    assert_eq!(claims(new)["cnf"]["jkt"], service.thumbprint());
    // So it goes on along the chain.
    assert_eq!(oauth(&exchanged(server.client(), new).await), (400, "invalid_dpop_proof".into()));
    // A plain token becomes a bound one, if the client likes.
    let plain = server.client().access_token(&subject, "").await;
    assert_eq!(exchanged(server.client(), &plain).await.done(200)["token_type"], "Bearer");
    assert_eq!(exchanged(asking(&server, &service), &plain).await.done(200)["token_type"], "DPoP");
}

async fn a_nonce_is_asked_for_where_it_is_required(backend: Backend) {
    let server = start(backend, ProofRules { needs_nonce: true, ..with_gate() }).await;
    let holder = Holder::new();
    let key = server.admin_key.clone();
    let proof = || holder.proof("POST", &url(&server, "/oauth/token"), server.clock.now());
    let more = format!("&resource={}", server.node.deployment.issuer);
    let asked = async |proof: String| server.client().proving(&proof).token(&key, &more).await;
    let first = asked(proof().signed()).await;
    assert_eq!(oauth(&first), (400, "use_dpop_nonce".into()));
    let nonce = first.header("dpop-nonce").to_owned();
    assert_eq!(oauth(&asked(proof().claim("nonce", "stale").signed()).await), (400, "use_dpop_nonce".into()));
    let token = asked(proof().claim("nonce", nonce.as_str()).signed()).await;
    assert_eq!(token.header("dpop-nonce"), nonce);
    let token = token.done(200)["access_token"].as_str().unwrap().to_owned();
    let own = async |nonce: Option<&str>| {
        let proof = holder.proof("GET", &url(&server, "/v1/self"), server.clock.now()).of(&token);
        server.client().dpop(&token).proving(&proof.claim("nonce", nonce).signed()).get("/v1/self").await
    };
    let refused = own(None).await;
    refused.refused(401, "use_dpop_nonce");
    assert_eq!(refused.header("dpop-nonce"), nonce);
    assert!(refused.header("www-authenticate").contains(r#"error="use_dpop_nonce""#));
    own(Some(&nonce)).await.done(200);
    // A nonce is good for a while, and the next one is told in time.
    server.advance(300).await;
    let later = own(Some(&nonce)).await;
    later.done(200);
    assert_ne!(later.header("dpop-nonce"), nonce);
    server.advance(299).await;
    own(Some(&nonce)).await.done(200);
    server.advance(1).await;
    // The token is over by now, but the proof is looked at first.
    own(Some(&nonce)).await.refused(401, "use_dpop_nonce");
    // Whoever sends no proof is not bothered.
    let plain = server.client().token(&key, "").await;
    assert_eq!((plain.status, plain.header("dpop-nonce")), (200, ""));
}

async fn every_node_takes_every_nodes_nonce(backend: Backend) {
    let server = start(backend, ProofRules { needs_nonce: true, ..ProofRules::default() }).await;
    let other = server.second_node().await;
    let holder = Holder::new();
    let key = server.admin_key.clone();
    let proof = || holder.proof("POST", &url(&server, "/oauth/token"), server.clock.now());
    let refused = server.client().proving(&proof().signed()).token(&key, "").await;
    let nonce = refused.header("dpop-nonce").to_owned();
    let answer = other.client().proving(&proof().claim("nonce", nonce).signed()).token(&key, "").await;
    assert_eq!(answer.done(200)["token_type"], "DPoP");
}

async fn an_issuer_with_a_path_is_a_part_of_the_url(backend: Backend) {
    let issuer = Some("https://auth.example.com/tenant".to_owned());
    let server = Server::start_with(backend, Options { issuer, ..Options::default() }).await;
    let holder = Holder::new();
    let (_, key) = server.key(&["read:*"]).await;
    for path in ["/oauth/token", "/tenant/oauth/token"] {
        let form = format!("grant_type=client_credentials&client_secret={key}");
        let asked = async |url: &str| {
            let proof = holder.proof("POST", url, server.clock.now()).signed();
            server.client().proving(&proof).post_form(path, &form).await
        };
        assert_eq!(asked("https://auth.example.com/tenant/oauth/token").await.status, 200, "{path}");
        assert_eq!(asked("https://auth.example.com/oauth/token").await.status, 400, "{path}");
    }
}

/// What the FAPI 2.0 profile has clients do: sign an assertion to authenticate, and a proof to bind the token.
async fn a_client_without_a_secret_gets_bound_tokens(backend: Backend) {
    let server = start(backend, ProofRules::default()).await;
    let (issuer, now) = (server.node.deployment.issuer.clone(), server.clock.now());
    let signer = assertion::Holder::new(Algorithm::Es256);
    let body = json!({ "name": "fapi", "project": "default", "environment": "prd", "scopes": [{ "action": "read" }],
        "secret": false, "public_keys": [{ "jwk": signer.jwk }] });
    let made = server.admin().post_json("/v1/orgs/default/keys", &body).await.done(201);
    let id = made["id"].as_str().unwrap();
    let holder = Holder::new();
    let assertion = || signer.assertion(id, &issuer, now.unix());
    let answer = asking(&server, &holder).token_by(&assertion(), "").await.done(200);
    assert_eq!(answer["token_type"], "DPoP");
    assert_eq!(claims(answer["access_token"].as_str().unwrap())["cnf"]["jkt"], holder.thumbprint());
    // Neither is good in the place of the other, whatever it says.
    let as_proof = server.client().proving(&assertion()).token_by(&assertion(), "").await;
    assert_eq!(oauth(&as_proof), (400, "invalid_dpop_proof".into()), "{}", as_proof.text);
    let proof = holder.proof("POST", &url(&server, "/oauth/token"), now);
    let proof =
        proof.claim("iss", id).claim("sub", id).claim("aud", issuer.as_str()).claim("exp", now.unix() + 60);
    let as_assertion = server.client().token_by(&proof.signed(), "").await;
    assert!(matches!(as_assertion.status, 400 | 401), "{}", as_assertion.text);
    assert!(
        ["invalid_request", "invalid_client"].contains(&&*as_assertion.oauth_error()),
        "{}",
        as_assertion.text
    );
}

async fn where_a_proof_is_required_no_plain_token_is_issued(backend: Backend) {
    let server = start(backend, ProofRules { required: true, ..ProofRules::default() }).await;
    let (_, subject) = server.key(&["read:orders/*"]).await;
    let (_, client) = server.key(&["write:claviger/orgs/default/projects/*/token-exchange"]).await;
    let holder = Holder::new();
    let token = bound(&server, &holder, &subject, "").await;
    let exchange = format!(
        "grant_type={GRANT}&client_secret={client}&subject_token_type={ACCESS_TOKEN}&subject_token={token}"
    );
    let by_key = format!(
        "grant_type={GRANT}&client_secret={client}&subject_token_type=urn:claviger:token-type:api_key&subject_token={subject}"
    );
    let credentials = format!("grant_type=client_credentials&client_secret={subject}");
    for form in [&credentials, &exchange, &by_key] {
        let plain = server.client().post_form("/oauth/token", form).await;
        assert_eq!(oauth(&plain), (400, "invalid_dpop_proof".into()), "{}", plain.text);
        let proven = asking(&server, &holder).post_form("/oauth/token", form).await.done(200);
        assert_eq!(proven["token_type"], "DPoP");
    }
    let plain = server.client().post_form("/oauth/token", &credentials).await.json();
    assert!(
        plain["error_description"].as_str().unwrap().contains("send a proof in the header DPoP"),
        "{plain}"
    );
    // Who does not authenticate is told that alone.
    let nobody =
        server.client().post_form("/oauth/token", "grant_type=client_credentials&client_secret=x").await;
    assert_eq!(oauth(&nobody), (401, "invalid_client".into()), "{}", nobody.text);
    // API keys are accepted where they were.
    server.admin().get("/v1/self").await.done(200);
}

async fn fewer_algorithms_are_announced_and_accepted(backend: Backend) {
    let algorithms = vec!["EdDSA".parse().unwrap(), "PS256".parse().unwrap()];
    let server = start(backend, ProofRules { algorithms, ..ProofRules::default() }).await;
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["EdDSA", "Ed25519", "PS256"]));
    let (_, key) = server.key(&["read:*"]).await;
    let refused = asking(&server, &Holder::new()).token(&key, "").await;
    assert_eq!(oauth(&refused), (400, "invalid_dpop_proof".into()), "{}", refused.text);
}
