//! `/v1/gate`: what gateways ask.

use claviger::domain::gate_mapping::GateMapping;
use serde_json::json;

use crate::support::{Answer, Backend, Options, Server, on_both};
use crate::token::claims;

on_both!(
    a_key_or_a_token_passes_by_its_scopes,
    an_invalid_credential_is_refused_before_its_scopes_are_checked,
    the_mapping_decides_action_and_resource,
    a_key_is_exchanged_for_a_token_that_is_cached,
    a_token_passes_only_at_its_audience,
    malformed_requests_to_the_gate_are_refused,
    check_credential_ignores_the_gateways_headers,
    headers_of_a_client_are_not_taken_for_the_gateways,
    envoy_asks_with_the_request_itself,
    envoy_asks_below_the_issuers_path,
    a_preflight_passes_where_that_is_set,
);

const READ: &str = "/v1/gate?action=read&resource=orders/7";

fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("x-claviger-error"), answer.code());
    (answer.status, answer.code())
}

async fn a_key_or_a_token_passes_by_its_scopes(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:orders/*", "write:orders/7", "read:claviger/**"]).await;
    let token = server.client().access_token(&key, "&scope=read:orders/7").await;
    let passed = server.client().with("x-api-key", &key).get(READ).await;
    assert_eq!((passed.status, passed.text.as_str()), (200, ""));
    for (header, value) in [
        ("x-claviger-sub", id.as_str()),
        ("x-claviger-org", "default"),
        ("x-claviger-project", "default"),
        ("x-claviger-env", "prd"),
        ("x-claviger-scope", "read:orders/* write:orders/7"),
        ("x-claviger-error", ""),
        ("authorization", ""),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(passed.header(header), value, "{header}");
    }
    let by_token = server.client().bearer(&token).get(READ).await;
    assert_eq!((by_token.status, by_token.header("x-claviger-scope")), (200, "read:orders/7"));
    for (credential, question, scope) in [
        (&key, "action=write&resource=orders/8", "write:orders/8"),
        (&key, "action=admin&resource=orders/7", "admin:orders/7"),
        (&key, "action=read&resource=orders/7/lines", "read:orders/7/lines"),
        // What this server guards is no affair of a gateway's.
        (&key, "action=read&resource=claviger/orgs/default", "read:claviger/orgs/default"),
        (&token, "action=write&resource=orders/7", "write:orders/7"),
    ] {
        let answer = server.client().bearer(credential).get(&format!("/v1/gate?{question}")).await;
        assert_eq!(refused(&answer), (403, "forbidden".into()), "{question}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{challenge}");
    }
}

/// Fetch §3.2.2: a browser asks with a preflight, which never has a credential.
async fn a_preflight_passes_where_that_is_set(backend: Backend) {
    let usual = Server::start(backend).await;
    let gate = GateMapping::new(Some(&["GET=read".to_owned()]), None).unwrap().with_preflights(true);
    let server = Server::start_with(backend, Options { gate, ..Options::default() }).await;
    let (_, key) = server.key(&["read:orders/*"]).await;
    let asking = |server: &Server, method: &str, target: &str| {
        let client = server.client().with("origin", "https://app.example");
        let client = client.with("access-control-request-method", "POST");
        client.with("x-original-method", method).with("x-original-uri", target)
    };
    let passed = asking(&server, "OPTIONS", "/orders/7?x=1").get("/v1/gate?token=1").await;
    assert_eq!((passed.status, passed.text.as_str()), (200, ""));
    for nothing in ["x-claviger-sub", "x-claviger-scope", "authorization", "x-claviger-error"] {
        assert_eq!(passed.header(nothing), "", "{nothing}");
    }
    let envoy = |server: &Server| {
        let client = server.client().with("origin", "https://app.example");
        client.with("access-control-request-method", "POST")
    };
    const ENVOY: &str = "/v1/gate/envoy/token=1/orders/7";
    assert_eq!(envoy(&server).send(reqwest::Method::OPTIONS, ENVOY, None).await.status, 200);
    // It is off unless it is set.
    assert_eq!(asking(&usual, "OPTIONS", "/orders/7").get("/v1/gate").await.status, 401);
    assert_eq!(envoy(&usual).send(reqwest::Method::OPTIONS, ENVOY, None).await.status, 401);
    // Nothing else passes for one.
    for (client, path, status) in [
        (asking(&server, "GET", "/orders/7"), "/v1/gate", 401),
        (asking(&server, "options", "/orders/7"), "/v1/gate", 403),
        (asking(&server, "OPTIONS", "/orders//7"), "/v1/gate", 403),
        (asking(&server, "OPTIONS", "/orders/7"), READ, 401),
        (asking(&server, "OPTIONS", "/orders/7"), "/v1/gate?check=credential", 401),
        (asking(&server, "OPTIONS", "/orders/7").with("x-forwarded-method", "OPTIONS"), "/v1/gate", 400),
        (asking(&server, "OPTIONS", "/orders/7").bearer("nonsense"), "/v1/gate", 403),
        (asking(&server, "OPTIONS", "/orders/7").with("x-api-key", &key), "/v1/gate", 403),
        (
            server.client().with("x-original-method", "OPTIONS").with("x-original-uri", "/orders/7"),
            "/v1/gate",
            403,
        ),
    ] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
}

async fn an_invalid_credential_is_refused_before_its_scopes_are_checked(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:*"]).await;
    let (_, elsewhere) =
        server.key_from(json!({ "preset": "query_only", "cidrs": ["203.0.113.0/24"] })).await;
    let nobody = server.client().get(READ).await;
    assert_eq!(refused(&nobody), (401, "unauthenticated".into()));
    assert!(!nobody.header("www-authenticate").contains("error="), "{}", nobody.header("www-authenticate"));
    assert_eq!(refused(&server.client().bearer("nonsense").get(READ).await), (401, "unauthenticated".into()));
    let outside = server.client().bearer(&elsewhere).get(READ).await;
    assert_eq!(refused(&outside), (403, "address_not_allowed".into()));
    let token = server.client().access_token(&key, "").await;
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    for credential in [&key, &token] {
        let revoked = server.client().bearer(credential).get(READ).await;
        assert_eq!(refused(&revoked), (401, "key_revoked".into()));
    }
}

async fn the_mapping_decides_action_and_resource(backend: Backend) {
    let gate = GateMapping::new(None, Some("/api")).unwrap();
    let server = Server::start_with(backend, Options { gate, ..Options::default() }).await;
    let (_, key) = server.key(&["read:orders/*"]).await;
    let asking = server.client().bearer(&key);
    for (method, uri, status) in [
        ("GET", "/api/orders/7?expand=1", 200),
        ("HEAD", "/api/orders/7", 200),
        ("POST", "/api/orders/7", 403),
        ("GET", "/orders/7", 403),
        ("GET", "/api/orders/../admin", 403),
        ("GET", "/api/orders/%37", 403),
        ("GET", "/api/", 403),
    ] {
        for (method_header, uri_header) in
            [("x-original-method", "x-original-uri"), ("x-forwarded-method", "x-forwarded-uri")]
        {
            let answer = asking.with(method_header, method).with(uri_header, uri).get("/v1/gate").await;
            assert_eq!(answer.status, status, "{method} {uri}: {}", answer.text);
        }
    }
}

async fn a_key_is_exchanged_for_a_token_that_is_cached(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:orders/*"]).await;
    let path = format!("{READ}&token=1");
    let swapped = async || {
        let answer = server.client().with("x-api-key", &key).get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.header("authorization").strip_prefix("Bearer ").expect("a token").to_owned()
    };
    let first = swapped().await;
    let said = claims(&first);
    assert_eq!((&said["sub"], &said["scope"]), (&json!(id), &json!("read:orders/*")));
    assert_eq!(said["aud"], format!("{}/api", server.node.deployment.issuer));
    assert_eq!(swapped().await, first);
    // Not when it was revoked, not when the key has another scope, and not when half of its life is over.
    server.admin().post_form("/oauth/revoke", &format!("token={first}")).await;
    let second = swapped().await;
    assert_ne!(second, first);
    let wider = json!({ "scopes": [{ "action": "read", "resource": "orders/**" }] });
    let admin = server.admin().with("content-type", "application/json");
    let path = format!("/v1/orgs/default/keys/{id}");
    admin.send(reqwest::Method::PATCH, &path, Some(wider.to_string())).await;
    let third = swapped().await;
    assert_eq!(claims(&third)["scope"], "read:orders/**");
    for _ in 0..16 {
        server.clock.advance(20);
        server.node.catch_up().await.expect("a store that answers");
    }
    let fourth = swapped().await;
    assert_ne!(fourth, third);
    // A token is handed on as it is.
    let same = server.client().bearer(&fourth).get(&format!("{READ}&token=1")).await;
    assert_eq!(same.header("authorization"), format!("Bearer {fourth}"));
}

async fn a_token_passes_only_at_its_audience(backend: Backend) {
    let audiences = ["https://one.example", "https://two.example"].map(str::to_owned);
    let options = Options { audiences: Some(audiences.to_vec()), ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let (_, key) = server.key(&["read:*"]).await;
    for (of, at, passes) in [
        ("https://one.example", "", true),
        ("https://one.example", "&audience=https://one.example", true),
        ("https://one.example", "&audience=https://two.example", false),
        ("https://two.example", "", false),
        ("https://two.example", "&audience=https://two.example", true),
    ] {
        let token = server.client().access_token(&key, &format!("&resource={of}")).await;
        let answer = server.client().bearer(&token).get(&format!("{READ}{at}")).await;
        let expected = if passes { 200 } else { 401 };
        assert_eq!(answer.status, expected, "{of} {at}: {}", answer.text);
    }
    // A project that is held to one of them.
    let held = json!({ "id": "held", "audiences": ["https://two.example"] });
    assert_eq!(server.admin().post_json("/v1/orgs/default/projects", &held).await.status, 201);
    let (_, key) = server.key_from(json!({ "preset": "query_only", "project": "held" })).await;
    let asking = server.client().bearer(&key);
    assert_eq!(refused(&asking.get(READ).await), (403, "forbidden".into()));
    assert_eq!(asking.get(&format!("{READ}&audience=https://two.example")).await.status, 200);
}

async fn malformed_requests_to_the_gate_are_refused(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["*:*"]).await;
    let asking = server.client().bearer(&key);
    for (question, code) in [
        ("", "invalid_request"),
        ("?action=read", "invalid_request"),
        ("?resource=orders", "invalid_request"),
        ("?action=delete&resource=orders", "invalid_request"),
        ("?action=*&resource=orders", "invalid_request"),
        ("?action=read&resource=orders&token=yes", "invalid_request"),
        ("?action=read&resource=orders&audience=https://nobody.example", "invalid_request"),
        ("?action=read&resource=orders&more=1", "invalid_request"),
        ("?check=credential&action=read&resource=orders", "invalid_request"),
        ("?check=credential&resource=orders", "invalid_request"),
        ("?check=scopes", "invalid_request"),
        ("?check=", "invalid_request"),
        ("?action=read&resource=", "forbidden"),
        ("?action=read&resource=*", "forbidden"),
        ("?action=read&resource=/orders", "forbidden"),
        ("?action=read&resource=orders/..", "forbidden"),
    ] {
        let answer = asking.get(&format!("/v1/gate{question}")).await;
        assert_eq!(answer.code(), code, "{question}: {}", answer.text);
    }
    let twice =
        asking.with("x-original-method", "GET").with("x-original-uri", "/a").with("x-original-uri", "/b");
    assert_eq!(refused(&twice.get("/v1/gate").await), (400, "invalid_request".into()));
}

async fn check_credential_ignores_the_gateways_headers(backend: Backend) {
    let server = Server::start(backend).await;
    let (id, key) = server.key(&["read:orders/*"]).await;
    let alone = "/v1/gate?check=credential&token=1";
    // What is asked about else does not count, and neither does that nobody may do it.
    let asking =
        server.client().bearer(&key).with("x-original-method", "DELETE").with("x-forwarded-uri", "/..");
    let passed = asking.get(alone).await;
    assert_eq!(passed.status, 200, "{}", passed.text);
    assert_eq!(
        (passed.header("x-claviger-sub"), passed.header("x-claviger-scope")),
        (id.as_str(), "read:orders/*")
    );
    let token = passed.header("authorization").strip_prefix("Bearer ").expect("a token");
    assert_eq!(claims(token)["sub"], json!(id));
    assert_eq!(server.client().bearer(token).get(alone).await.status, 200);
    assert_eq!(refused(&server.client().get(alone).await), (401, "unauthenticated".into()));
    let of_management = server.client().access_token(&server.admin_key, "").await;
    assert_eq!(server.client().bearer(&of_management).get(alone).await.status, 401);
    server.admin().post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await;
    assert_eq!(refused(&server.client().bearer(token).get(alone).await), (401, "key_revoked".into()));
}

async fn headers_of_a_client_are_not_taken_for_the_gateways(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, key) = server.key(&["read:orders/*"]).await;
    let asking = server.client().bearer(&key);
    let of_nginx = asking.with("x-original-method", "GET").with("x-original-uri", "/admin");
    let of_caddy = asking.with("x-forwarded-method", "GET").with("x-forwarded-uri", "/admin");
    for (gateway, name, value) in [
        (&of_nginx, "x-forwarded-uri", "/orders/7"),
        (&of_nginx, "x-forwarded-method", "GET"),
        (&of_nginx, "x-original-uri", "/orders/7"),
        (&of_caddy, "x-original-uri", "/orders/7"),
        (&of_caddy, "x-original-method", "GET"),
        (&of_caddy, "x-forwarded-uri", "/orders/7"),
        // One half of a pair is no question.
        (&asking, "x-original-uri", "/orders/7"),
        (&asking, "x-forwarded-method", "GET"),
    ] {
        let answer = gateway.with(name, value).get("/v1/gate").await;
        assert_eq!(refused(&answer), (400, "invalid_request".into()), "{name}");
    }
}

async fn envoy_asks_with_the_request_itself(backend: Backend) {
    let gate = GateMapping::new(None, Some("/api")).unwrap();
    let server = Server::start_with(backend, Options { gate, ..Options::default() }).await;
    let (id, key) = server.key(&["read:orders/*"]).await;
    let asking = server.client().bearer(&key);
    let ask = async |method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        asking.send(method, &format!("/v1/gate/envoy{path}"), None).await
    };
    for (method, path, status) in [
        ("GET", "/token=0/api/orders/7", 200),
        ("HEAD", "/token=0/api/orders/7", 200),
        ("OPTIONS", "/token=0/api/orders/7", 200),
        // The query is the client's.
        ("GET", "/token=0/api/orders/7?token=1&audience=x&action=read&resource=x", 200),
        ("POST", "/token=0/api/orders/7", 403),
        ("PURGE", "/token=0/api/orders/7", 403),
        ("GET", "/token=0/orders/7", 403),
        ("GET", "/token=0/api/customers/7", 403),
        ("GET", "/token=0/api/orders/%37", 403),
        ("GET", "/token=0/api//orders/7", 403),
        ("GET", "/token=0//api/orders/7", 403),
        ("GET", "/token=0/api/orders%2f7", 403),
        ("GET", "/token=0/api/orders/7/", 403),
        ("GET", "/token=0/", 404),
        ("GET", "/token=0", 404),
        ("GET", "//api/orders/7", 404),
        ("GET", "/token=2/api/orders/7", 400),
        ("GET", "/token=1&token=0/api/orders/7", 400),
        ("GET", "/check=credential/api/orders/7", 400),
        ("GET", "/audience=https%3A%2F%2Fnobody.example/api/orders/7", 400),
    ] {
        let answer = ask(method, path).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
        assert_eq!(answer.header("authorization"), "", "{method} {path}");
    }
    let audience = format!("{}/api", server.node.deployment.issuer).replace(':', "%3A").replace('/', "%2F");
    let passed = ask("GET", &format!("/token=1&audience={audience}/api/orders/7?x=1")).await;
    assert_eq!((passed.status, passed.header("x-claviger-sub")), (200, id.as_str()));
    assert!(passed.header("authorization").starts_with("Bearer ey"), "{:?}", passed.headers);
    let spoofed = asking.with("x-original-method", "GET").with("x-original-uri", "/api/orders/7");
    let spoofed = spoofed.with("x-forwarded-uri", "/api/orders/7");
    assert_eq!(spoofed.get("/v1/gate/envoy/token=0/api/customers/7").await.status, 403);
    let nobody = server.client().get("/v1/gate/envoy/token=1/api/orders/7").await;
    assert_eq!(refused(&nobody), (401, "unauthenticated".into()));
}

async fn envoy_asks_below_the_issuers_path(backend: Backend) {
    let options = Options { issuer: Some("https://example.com/auth".into()), ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let (_, key) = server.key(&["read:orders/*"]).await;
    let asking = server.client().bearer(&key);
    for below in ["", "/auth"] {
        assert_eq!(
            asking.get(&format!("{below}/v1/gate/envoy/token=0/orders/7")).await.status,
            200,
            "{below}"
        );
        assert_eq!(asking.get(&format!("{below}/v1/gate/envoy/token=0/auth/7")).await.status, 403, "{below}");
    }
}
