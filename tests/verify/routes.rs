//! Routes of axum's behind the layer.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path};
use axum::routing::get;
use claviger::domain::gate_mapping::GateMapping;
use claviger::domain::scope::Verb;
use claviger::verify::{Access, ApiKeys, BuildError, Denied, Protect, Verifier};
use serde_json::json;

use crate::support::{Answer, Backend, Client, Holder, on_both, until};
use crate::world::{World, ready};

on_both!(
    three_lines_protect_a_route,
    a_refusal_says_what_rfc_6750_has_it_say,
    a_layer_requires_a_scope_or_what_the_path_says,
    the_layer_serves_the_metadata_of_the_resource,
    the_layer_protects_every_route_of_a_whole_service,
    a_bound_token_passes_with_a_proof_of_its_request,
    without_a_public_url_no_bound_token_passes,
    where_bound_tokens_are_required_nothing_else_passes,
);

const METADATA: &str = "/.well-known/oauth-protected-resource/api";

async fn order(Path(id): Path<String>, access: Access) -> Result<String, Denied> {
    access.require(Verb::Read, &format!("orders/{id}"))?;
    Ok(format!("order {id} for {}", access.organization()))
}

/// A resource server with this in front of it.
async fn serve(protect: Protect) -> Client {
    let protect = protect.peer(|request| {
        request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
    });
    let routes = Router::new().route("/orders/{id}", get(order).post(async || "done"));
    run(routes.layer(protect)).await
}

async fn run(routes: Router) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Client::new(address)
}

fn challenge(answer: &Answer) -> String {
    answer.header("www-authenticate").to_owned()
}

async fn three_lines_protect_a_route(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let client = serve(verifier.layer()).await;
    let (_, token) = world.key_and_token(&["read:orders/7"]).await;
    let seven = client.bearer(&token).get("/orders/7").await;
    assert_eq!((seven.status, seven.text.as_str()), (200, "order 7 for default"));
    let eight = client.bearer(&token).get("/orders/8").await;
    assert_eq!((eight.status, eight.code().as_str()), (403, "forbidden"));
    assert!(challenge(&eight).ends_with(r#", error="insufficient_scope", scope="read:orders/8""#));
    // The address is the peer's, which the layer was told how to find.
    let members = json!({ "cidrs": ["127.0.0.1"], "scopes": [{ "action": "read" }] });
    let (_, key) = world.server.key_from(members).await;
    let bound = world.server.client().access_token(&key, "").await;
    assert_eq!(client.bearer(&bound).get("/orders/7").await.status, 200);
    let nowhere = Router::new().route("/orders/{id}", get(order)).layer(verifier.layer());
    let elsewhere = run(nowhere).await.bearer(&bound).get("/orders/7").await;
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (403, "address_not_allowed"));
    // Nobody answers for a handler that nothing guards.
    let unguarded = run(Router::new().route("/orders/{id}", get(order))).await;
    assert_eq!(unguarded.bearer(&token).get("/orders/7").await.status, 500);
}

async fn a_refusal_says_what_rfc_6750_has_it_say(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let client = serve(verifier.layer()).await;
    let (id, token) = world.key_and_token(&["read:*"]).await;
    let realm = format!(
        r#"Bearer realm="{0}/api", resource_metadata="{0}/.well-known/oauth-protected-resource/api""#,
        world.relay.url()
    );
    let nothing = client.get("/orders/7").await;
    assert_eq!((nothing.status, nothing.code().as_str()), (401, "unauthenticated"));
    assert_eq!(challenge(&nothing), realm);
    assert_eq!(nothing.header("cache-control"), "no-store");
    let key = world.server.admin_key.as_str();
    for (sent, status, code, error) in [
        (client.bearer("nonsense.x.y"), 401, "unauthenticated", "invalid_token"),
        (client.bearer(key), 401, "unauthenticated", "invalid_token"),
        (client.with("authorization", "Basic YTpi"), 401, "unauthenticated", "invalid_token"),
        (client.bearer(&token).with("x-api-key", key), 400, "invalid_request", "invalid_request"),
    ] {
        let answer = sent.get("/orders/7").await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{}", answer.text);
        let begins = format!(r#"{realm}, error="{error}", error_description=""#);
        assert!(challenge(&answer).starts_with(&begins), "{}", challenge(&answer));
        assert!(!answer.text.contains(key));
    }
    world.revoke(&id).await;
    crate::world::until_refused(&verifier, &token, claviger::verify::Refusal::Revoked).await;
    let revoked = client.bearer(&token).get("/orders/7").await;
    assert_eq!((revoked.status, revoked.code().as_str()), (401, "token_revoked"));
    world.relay.cut();
    let (_, token) = world.key_and_token(&["read:*"]).await;
    world.server.clock.advance(31);
    let stale = client.bearer(&token).get("/orders/7").await;
    assert_eq!((stale.status, stale.code().as_str()), (503, "unavailable"));
    assert_eq!((stale.header("retry-after"), challenge(&stale).as_str()), ("1", ""));
}

/// A key and a token of it that is bound to `holder`.
async fn bound(world: &World, holder: &Holder) -> (String, String) {
    let (id, key) = world.server.key(&["read:orders/*"]).await;
    let url = format!("{}/oauth/token", world.relay.url());
    let proof = holder.proof("POST", &url, world.server.clock.now()).signed();
    let token = world.server.client().proving(&proof).access_token(&key, "").await;
    (id, token)
}

async fn a_bound_token_passes_with_a_proof_of_its_request(backend: Backend) {
    const API: &str = "https://api.example.com/shop";
    let world = World::new(backend).await;
    let verifier = ready(world.builder().public_url(API)).await;
    let client = serve(verifier.layer()).await;
    let holder = Holder::new();
    let (id, token) = bound(&world, &holder).await;
    let proof = |method: &str, url: &str| {
        holder.proof(method, &format!("{API}{url}"), world.server.clock.now()).of(&token).signed()
    };
    let good = proof("GET", "/orders/7");
    let sent = client.dpop(&token).proving(&good);
    let seven = sent.get("/orders/7?expand=1").await;
    assert_eq!((seven.status, seven.text.as_str()), (200, "order 7 for default"));
    let again = sent.get("/orders/7").await;
    assert_eq!((again.status, again.code().as_str()), (401, "invalid_dpop_proof"));
    let other = client.dpop(&token).proving(&proof("GET", "/orders/7")).get("/orders/8").await;
    assert_eq!((other.status, other.code().as_str()), (401, "invalid_dpop_proof"));
    assert!(challenge(&other).starts_with("DPoP realm="), "{}", challenge(&other));
    // Both schemes are named to whoever comes without a credential.
    let nothing = client.get("/orders/7").await;
    let schemes: Vec<_> =
        nothing.headers.get_all("www-authenticate").iter().map(|line| line.to_str().unwrap()).collect();
    assert!(schemes[0].starts_with("Bearer realm=") && schemes[1].starts_with("DPoP realm="), "{schemes:?}");
    assert!(schemes[1].ends_with(r#", algs="ES256 ES384 EdDSA Ed25519 PS256 RS256""#), "{schemes:?}");
    let metadata = client.get(METADATA).await.json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"][0], "ES256");
    // Plain tokens go on as before, and a bound one ends as any other.
    let (_, plain) = world.key_and_token(&["read:orders/*"]).await;
    assert_eq!(client.bearer(&plain).get("/orders/7").await.status, 200);
    assert_eq!(client.bearer(&token).get("/orders/7").await.status, 401);
    world.revoke(&id).await;
    until("the token is revoked", async || {
        let answer = client.dpop(&token).proving(&proof("GET", "/orders/7")).get("/orders/7").await;
        answer.status == 401 && answer.code() == "token_revoked"
    })
    .await;
}

async fn without_a_public_url_no_bound_token_passes(backend: Backend) {
    let world = World::new(backend).await;
    let client = serve(world.verifier().await.layer()).await;
    let holder = Holder::new();
    let (_, token) = bound(&world, &holder).await;
    let proof = holder.proof("GET", "https://api.example.com/orders/7", world.server.clock.now()).of(&token);
    for sent in [
        client.bearer(&token),
        client.dpop(&token),
        client.dpop(&token).proving(&proof.signed()),
        client.bearer(&token).proving(&proof.signed()),
    ] {
        let refused = sent.get("/orders/7").await;
        assert_eq!((refused.status, refused.code().as_str()), (401, "unauthenticated"), "{}", refused.text);
        assert!(challenge(&refused).starts_with("Bearer realm="), "{}", challenge(&refused));
    }
    assert_eq!(client.get(METADATA).await.json()["dpop_signing_alg_values_supported"], json!(null));
    let refused = world.builder().public_url("api.example.com").build().err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("the public URL is not an absolute http or https URL"));
}

async fn where_bound_tokens_are_required_nothing_else_passes(backend: Backend) {
    const API: &str = "https://api.example.com";
    let world = World::new(backend).await;
    let verifier = ready(world.builder().public_url(API).bound_tokens_only()).await;
    let client = serve(verifier.layer()).await;
    let holder = Holder::new();
    let (_, token) = bound(&world, &holder).await;
    let (_, key) = world.server.key(&["read:orders/*"]).await;
    let plain = world.server.client().access_token(&key, "").await;
    for credential in [&plain, &token, &key] {
        let refused = client.bearer(credential).get("/orders/7").await;
        assert_eq!((refused.status, refused.code().as_str()), (401, "unauthenticated"), "{}", refused.text);
        let challenges = refused.headers.get_all("www-authenticate");
        assert!(challenges.iter().all(|line| line.to_str().unwrap().starts_with("DPoP realm=")));
        assert!(challenge(&refused).contains(r#"error="invalid_token""#), "{}", challenge(&refused));
    }
    let proof = holder.proof("GET", &format!("{API}/orders/7"), world.server.clock.now()).of(&token).signed();
    assert_eq!(client.dpop(&token).proving(&proof).get("/orders/7").await.status, 200);
    let metadata = client.get(METADATA).await.json();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], json!(true));
    assert_eq!(metadata["bearer_methods_supported"], json!([]));
    let without = world.builder().bound_tokens_only().build();
    assert!(matches!(without, Err(BuildError::NoPublicUrl)));
    let with_keys = world.builder().public_url(API).bound_tokens_only().api_keys(ApiKeys::default()).build();
    assert!(matches!(with_keys, Err(BuildError::UnboundApiKeys)));
}

async fn a_layer_requires_a_scope_or_what_the_path_says(backend: Backend) {
    let world = World::new(backend).await;
    let verifier = world.verifier().await;
    let (_, token) = world.key_and_token(&["read:orders/7", "write:orders/8"]).await;
    let one = serve(verifier.layer().require(Verb::Write, "orders/8".parse().unwrap())).await;
    assert_eq!(one.bearer(&token).get("/orders/7").await.status, 200);
    let other = serve(verifier.layer().require(Verb::Admin, "orders/8".parse().unwrap())).await;
    assert_eq!(other.bearer(&token).get("/orders/7").await.status, 403);
    let mapped = serve(verifier.layer().require_by(GateMapping::default())).await.bearer(&token);
    for (method, path, status) in [
        (reqwest::Method::GET, "/orders/7", 200),
        (reqwest::Method::POST, "/orders/7", 403),
        (reqwest::Method::POST, "/orders/8", 200),
        (reqwest::Method::GET, "/orders/8?x=y", 403),
        (reqwest::Method::GET, "/orders/%37", 403),
        (reqwest::Method::GET, "/orders//7", 403),
        (reqwest::Method::GET, "/orders/7/", 403),
    ] {
        let answer = mapped.send(method.clone(), path, None).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
}

async fn the_layer_serves_the_metadata_of_the_resource(backend: Backend) {
    let world = World::new(backend).await;
    let verifier: Verifier = world.verifier().await;
    let client = serve(verifier.layer()).await;
    let metadata = client.get(METADATA).await;
    assert_eq!((metadata.status, metadata.header("content-type")), (200, "application/json"));
    assert_eq!(
        metadata.json(),
        json!({
            "resource": world.audience(), "authorization_servers": [world.relay.url()],
            "bearer_methods_supported": ["header"],
        })
    );
}

/// However the routes were put together: merged, nested, with fallbacks of their own or without.
async fn the_layer_protects_every_route_of_a_whole_service(backend: Backend) {
    let world = World::new(backend).await;
    let verifier: Verifier = world.verifier().await;
    let (_, token) = world.key_and_token(&["read:orders/7"]).await;
    let orders = || Router::new().route("/orders/{id}", get(order));
    let health = || Router::new().route("/ready", get(async || "ready"));
    let gone = async || axum::http::StatusCode::GONE;
    for routes in [
        orders().merge(health()),
        health().merge(orders()),
        orders().fallback(gone).merge(health()),
        health().fallback(gone).merge(orders()),
        Router::new().nest("/v1", Router::new()).merge(orders()).merge(health()),
    ] {
        let guard = verifier.layer().open(["/ready"]);
        let client = run(routes.layer(guard)).await;
        let challenge = challenge(&client.get("/orders/7").await);
        let named = format!(r#"resource_metadata="{}{METADATA}""#, world.relay.url());
        assert!(challenge.contains(&named), "{challenge}");
        assert_eq!(client.get(METADATA).await.json()["resource"], world.audience());
        assert_eq!(client.get("/ready").await.text, "ready");
        assert_eq!(client.bearer(&token).get("/orders/7").await.status, 200);
        for guarded in ["/nothing", "/ready/", "/%72eady", "/READY", "//ready"] {
            assert_eq!(client.get(guarded).await.status, 401, "{guarded}");
        }
    }
}
