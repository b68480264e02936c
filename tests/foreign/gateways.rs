//! The gateways of docs/gateways.md, configured as it says, between clients who try what they can and an upstream that
//! writes down what it sees.

mod client;
mod documented;
mod gateway;
mod scene;
mod upstream;

use serde_json::json;

use self::client::{Request, get};
use self::gateway::Gateway;
use self::scene::{ELSEWHERE, ORIGIN, Scene};
use crate::support::Holder;

/// Writes each test once for each gateway.
macro_rules! with_each_gateway {
    ($($name:ident),* $(,)?) => {
        with_each_gateway!(@with nginx Nginx $($name),*);
        with_each_gateway!(@with caddy Caddy $($name),*);
        with_each_gateway!(@with traefik Traefik $($name),*);
        with_each_gateway!(@with envoy Envoy $($name),*);
    };
    (@with $module:ident $gateway:ident $($name:ident),*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    if let Some(scene) = super::Scene::set(super::Gateway::$gateway) {
                        super::$name(&scene);
                    }
                }
            )*
        }
    };
}

with_each_gateway!(
    a_key_is_turned_into_a_token,
    who_may_not_is_told_why,
    a_revoked_key_is_refused_at_once,
    what_a_client_says_of_itself_counts_for_nothing,
    the_address_is_the_clients,
    no_path_is_judged_as_another,
    without_the_gate_nobody_passes,
);

/// Writes one test for each gateway, which sets the scene itself.
macro_rules! for_each_gateway {
    ($test:ident) => {
        #[test]
        fn nginx() {
            $test(Gateway::Nginx);
        }

        #[test]
        fn caddy() {
            $test(Gateway::Caddy);
        }

        #[test]
        fn traefik() {
            $test(Gateway::Traefik);
        }

        #[test]
        fn envoy() {
            $test(Gateway::Envoy);
        }
    };
}

/// What a browser asks before it sends a request of another origin's with a credential.
fn preflight(target: &str) -> Request {
    let asking = Request::new("OPTIONS", target).with("Origin", "https://app.example");
    asking
        .with("Access-Control-Request-Method", "POST")
        .with("Access-Control-Request-Headers", "authorization")
}

/// With `CLAVIGER_GATE_PREFLIGHTS`, upstream answers preflights, and sees nobody behind them.
mod browsers {
    use super::*;

    for_each_gateway!(preflights_pass_and_nothing_else);

    fn preflights_pass_and_nothing_else(gateway: Gateway) {
        let Some(scene) = Scene::set_with(gateway, &[("CLAVIGER_GATE_PREFLIGHTS", "1")]) else { return };
        assert_eq!(scene.passes_as_nobody(&preflight("/orders/7?notify=1")), "OPTIONS");
        let pretending = preflight("/orders/7").with("X-Claviger-Sub", "key_x").with("X_Claviger_Org", "y");
        assert_eq!(scene.passes_as_nobody(&pretending), "OPTIONS");
        // The request itself still needs its credential, whatever it calls itself.
        let origin = |request: Request| {
            request.with("Origin", "https://app.example").with("Access-Control-Request-Method", "POST")
        };
        for method in ["GET", "POST", "DELETE", "options"] {
            let posing = origin(Request::new(method, "/orders/7"));
            let posing = posing.with("X-Original-Method", "OPTIONS").with("X-Forwarded-Method", "OPTIONS");
            scene.refused_somehow(&posing.with("X-HTTP-Method-Override", "OPTIONS"));
        }
        scene.refused_somehow(&Request::new("OPTIONS", "/orders/7"));
        scene.refused_somehow(&Request::new("OPTIONS", "/orders/7").with("Origin", "https://app.example"));
        scene.refused_somehow(&preflight("/orders/7;x=1"));
        // One with a credential is judged by it.
        scene.refused(&preflight("/orders/7").bearer("nonsense"), 401);
        let key = scene.key(json!({ "scopes": [{ "action": "*", "resource": "orders/*" }] }));
        assert_eq!(scene.passes(&preflight("/orders/7").with("X-Api-Key", &key.text)).sub, key.id);
        scene.kill_the_gate();
        scene.refused_somehow(&preflight("/orders/7"));
    }
}

/// With `CLAVIGER_GATE_ORIGIN`, tokens that are bound to a key pass with a proof, and stay bound.
mod bound_tokens {
    use super::*;

    for_each_gateway!(pass_with_a_proof_alone);

    fn pass_with_a_proof_alone(gateway: Gateway) {
        let Some(scene) = Scene::set_with(gateway, &[("CLAVIGER_GATE_ORIGIN", ORIGIN)]) else { return };
        let key = scene.key(json!({ "scopes": [{ "action": "*", "resource": "orders/*" }] }));
        let (holder, thief) = (Holder::new(), Holder::new());
        let (token, plain) = (scene.token(&key, Some(&holder)), scene.token(&key, None));
        let proof = |method: &str, path: &str| scene.proof(&holder, method, path).of(&token).signed();
        let with = |request: Request, proof: &str| {
            request.with("Authorization", &format!("DPoP {token}")).with("DPoP", proof)
        };

        let used = proof("GET", "/orders/7");
        let seen = scene.passes(&with(get("/orders/7?expand=lines"), &used));
        let seen = (seen.target.as_str(), seen.scheme.as_str(), seen.token.as_str(), seen.sub.as_str());
        assert_eq!(seen, ("/orders/7?expand=lines", "DPoP", token.as_str(), key.id.as_str()));
        let writing = Request::new("POST", "/orders/7").body("{}");
        assert_eq!(scene.passes(&with(writing.clone(), &proof("POST", "/orders/7"))).body, "{}");

        // Whatever the client says of the request, the proof is for the one that the gateway has.
        let elsewhere = [("X-Original-URI", "/orders/8"), ("X-Forwarded-Uri", "/orders/8")];
        let posing =
            elsewhere.iter().fold(get("/orders/7"), |request, (name, value)| request.with(name, value));
        for (why, request) in [
            ("a used proof", with(get("/orders/7"), &used)),
            ("another path", with(get("/orders/7"), &proof("GET", "/orders/8"))),
            ("another method", with(writing, &proof("GET", "/orders/7"))),
            ("a path that the client names", with(posing, &proof("GET", "/orders/8"))),
            ("another origin", {
                let url = format!("http://{}/orders/7", scene.address());
                let proof = scene.proof(&holder, "GET", "/orders/7").of(&token).claim("htu", url);
                with(get("/orders/7"), &proof.signed())
            }),
            ("no proof", get("/orders/7").with("Authorization", &format!("DPoP {token}"))),
        ] {
            let code = scene.refused(&request, 401).code();
            assert_eq!(code, "invalid_dpop_proof", "{why}");
        }
        // Two proofs: refused, or one of them is taken for all purposes.
        let twice =
            with(get("/orders/7"), &proof("GET", "/orders/7")).with("DPoP", &proof("GET", "/orders/8"));
        scene.is_sound(&twice);
        let by_thief = scene.proof(&thief, "GET", "/orders/7").of(&token).signed();
        let of_plain = scene.proof(&holder, "GET", "/orders/7").of(&plain).signed();
        for (why, request) in [
            ("another's proof", with(get("/orders/7"), &by_thief)),
            ("as Bearer", get("/orders/7").bearer(&token)),
            (
                "as Bearer, with a proof",
                get("/orders/7").bearer(&token).with("DPoP", &proof("GET", "/orders/7")),
            ),
            (
                "a plain token",
                get("/orders/7").with("Authorization", &format!("DPoP {plain}")).with("DPoP", &of_plain),
            ),
        ] {
            assert_eq!(scene.refused(&request, 401).code(), "unauthenticated", "{why}");
        }
        assert_eq!(scene.passes(&get("/orders/7").bearer(&plain)).scheme, "Bearer");
        assert_eq!(scene.passes(&get("/orders/7").bearer(&key.text)).scheme, "Bearer");
    }

    mod nonces {
        use super::*;

        for_each_gateway!(reach_refused_clients);

        fn reach_refused_clients(gateway: Gateway) {
            let settings = [("CLAVIGER_GATE_ORIGIN", ORIGIN), ("CLAVIGER_DPOP_NONCES", "true")];
            let Some(scene) = Scene::set_with(gateway, &settings) else { return };
            let key = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
            let (holder, token) = (Holder::new(), scene.token(&key, None));
            let proof = scene.proof(&holder, "GET", "/orders/7").of(&token).signed();
            let request =
                get("/orders/7").with("Authorization", &format!("DPoP {token}")).with("DPoP", &proof);
            let refused = scene.refused(&request, 401);
            assert_eq!(refused.code(), "use_dpop_nonce");
            assert!(!refused.header("dpop-nonce").is_empty(), "{refused:?}");
        }
    }
}

fn a_key_is_turned_into_a_token(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "*", "resource": "orders/*" }] }));
    let first = scene.passes(&get("/orders/7?expand=lines").with("X-Api-Key", &key.text));
    assert_eq!((first.method.as_str(), first.target.as_str()), ("GET", "/orders/7?expand=lines"));
    assert_eq!(first.sub, key.id);
    // The same one as long as it is fresh, wherever the key stands.
    let again = scene.passes(&get("/orders/8").bearer(&key.text));
    assert_eq!(again.token, first.token);
    // A token goes on as it is.
    let by_token = scene.passes(&get("/orders/7").bearer(&first.token));
    assert_eq!(by_token.token, first.token);
    // A body goes upstream, and so do methods that are not GET.
    for (method, body) in [("POST", "{\"count\":1}"), ("PUT", ""), ("DELETE", ""), ("HEAD", "")] {
        let written = scene.passes(&Request::new(method, "/orders/7").bearer(&key.text).body(body));
        assert_eq!((written.method.as_str(), written.body.as_str()), (method, body));
    }
}

fn who_may_not_is_told_why(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
    let nobody = scene.refused(&get("/orders/7"), 401);
    assert_eq!(nobody.code(), "unauthenticated");
    let realm = format!(r#"Bearer realm="{}""#, scene.issuer());
    assert_eq!(nobody.header("www-authenticate"), realm);
    assert_eq!(scene.refused(&preflight("/orders/7"), 401).code(), "unauthenticated");
    let writing = scene.refused(&Request::new("POST", "/orders/7").bearer(&key.text).body("{}"), 403);
    assert_eq!(writing.code(), "forbidden");
    let challenge = format!(r#"{realm}, error="insufficient_scope", scope="write:orders/7""#);
    assert_eq!(writing.header("www-authenticate"), challenge);
    assert_eq!(scene.refused(&get("/customers/7").bearer(&key.text), 403).code(), "forbidden");
    assert_eq!(scene.refused(&get("/orders/7").bearer("nonsense"), 401).code(), "unauthenticated");
    // Guessing is slowed down, and the guesser told for how long. A secret that was retired is a wrong one.
    scene.rotate(&key);
    let wrong = get("/orders/7").bearer(&key.text);
    for _ in 0..10 {
        scene.refused(&wrong, 401);
    }
    let slowed = scene.refused(&wrong, 429);
    assert_eq!(slowed.code(), "rate_limited");
    assert!(slowed.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds <= 60), "{slowed:?}");
}

fn a_revoked_key_is_refused_at_once(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
    let asking = get("/orders/7").bearer(&key.text);
    let token = scene.passes(&asking).token;
    scene.revoke(&key);
    for credential in [&key.text, &token] {
        let refused = scene.refused(&get("/orders/7").bearer(credential), 401);
        assert_eq!(refused.code(), "key_revoked");
        assert!(refused.header("www-authenticate").contains(r#"error="invalid_token""#), "{refused:?}");
    }
}

fn what_a_client_says_of_itself_counts_for_nothing(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
    let other = scene.key(json!({ "scopes": [{ "action": "*" }] }));
    let pretending = |request: Request| {
        let names =
            ["X-Claviger-Sub", "X-Claviger-Scope", "X_Claviger_Sub", "X.Claviger.Sub", "X-Claviger-Error"];
        let request = names.iter().fold(request, |request, name| request.with(name, "key_pretender"));
        ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL"]
            .iter()
            .fold(request, |request, name| request.with(name, "/pretender"))
    };
    assert_eq!(scene.passes(&pretending(get("/orders/7").bearer(&key.text))).sub, key.id);
    // Whatever it says that it asks for, is not what is judged.
    for (method, target) in [
        ("X-Original-Method", "X-Original-URI"),
        ("X-Forwarded-Method", "X-Forwarded-Uri"),
        ("x_original_method", "x_forwarded_uri"),
    ] {
        let asking =
            |request: Request| request.bearer(&key.text).with(method, "GET").with(target, "/orders/7");
        scene.refused(&asking(get("/customers/7")), 403);
        scene.refused(&asking(Request::new("POST", "/orders/7")), 403);
        let other_way =
            get("/orders/7").bearer(&key.text).with(method, "DELETE").with(target, "/customers/7");
        assert_eq!(scene.passes(&other_way).sub, key.id);
    }
    // Two credentials: refused, or one of them is taken for all purposes.
    let credentials = [format!("Bearer {}", key.text), format!("Bearer {}", other.text)];
    let twice = |first: &str, second: &str| {
        get("/customers/7").with("Authorization", first).with("Authorization", second)
    };
    scene.is_sound(&twice(&credentials[0], &credentials[1]));
    scene.is_sound(&twice(&credentials[1], &credentials[0]));
    scene.is_sound(&get("/orders/7").with("X-Api-Key", &key.text).with("X-Api-Key", &other.text));
    scene.is_sound(&get("/orders/7").bearer(&key.text).with("X-Api-Key", &other.text));
    // Names that a proxy is told to drop (RFC 9110 §7.6.1).
    for name in ["Authorization", "X-Api-Key", "X-Claviger-Sub", "X-Forwarded-Uri", "X-Original-URI"] {
        let dropping = |request: Request| request.with("Connection", &format!("close, {name}"));
        scene.is_sound(&dropping(get("/orders/7").bearer(&key.text)));
        scene.refused_somehow(&dropping(get("/customers/7").bearer(&key.text)));
        scene.refused_somehow(&dropping(get("/customers/7").with("X-Api-Key", &key.text)));
    }
}

fn the_address_is_the_clients(scene: &Scene) {
    let scopes = json!([{ "action": "read", "resource": "orders/*" }]);
    let key = scene.key(json!({ "scopes": scopes, "cidrs": ["127.0.9.0/24"] }));
    let asking = get("/orders/7").bearer(&key.text);
    assert_eq!(scene.passes(&asking).sub, key.id);
    let from_elsewhere = asking.clone().from(ELSEWHERE);
    let refused = scene.refused(&from_elsewhere, 403);
    assert_eq!(refused.code(), "address_not_allowed");
    // A key for the gateway's own address is for nobody behind it, whatever is done to the header.
    let of_the_gateway = scene.key(json!({ "scopes": scopes, "cidrs": ["127.0.0.1"] }));
    for name in ["X-Forwarded-For", "x_forwarded_for", "Forwarded", "X-Real-IP", "X-Envoy-External-Address"] {
        for value in ["127.0.9.1", "127.0.0.1", "for=127.0.9.1", "", "127.0.9.1, 127.0.0.1"] {
            scene.refused(&from_elsewhere.clone().with(name, value), 403);
            scene.refused(&get("/orders/7").bearer(&of_the_gateway.text).with(name, value), 403);
        }
        let dropping = format!("close, {name}");
        scene.refused_somehow(&from_elsewhere.clone().with("Connection", &dropping));
        scene.refused_somehow(&get("/orders/7").bearer(&of_the_gateway.text).with("Connection", &dropping));
    }
}

/// Whatever upstream sees, it is what the key may see: its path is the one that was judged.
fn no_path_is_judged_as_another(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "*", "resource": "orders/*" }] }));
    for target in [
        "/",
        "/orders",
        "/orders/",
        "//orders/7",
        "/orders//7",
        "/orders/7/",
        "/orders/7/lines",
        "/orders/../customers/7",
        "/orders/7/../../customers/7",
        "/orders/7/../../../../etc/passwd",
        "/orders/./7",
        "/customers/../orders/7",
        "/orders/%2e%2e/customers/7",
        "/orders/..%2fcustomers%2f7",
        "/orders%2f7",
        "/orders/%37",
        "/orders/7%00",
        "/orders/7;x=/../../customers/7",
        "/orders/7#/../../customers/7",
        "/orders/7#",
        "/orders\\7",
        "/orders/..\\customers",
        "/ORDERS/7",
        "/orders/*",
        "/token=1/orders/7",
        "/_claviger",
        "/v1/gate/envoy/token=1/orders/7",
        "*",
        "orders/7",
        "http://orders.example/customers/7",
        "http://orders.example",
        "http://orders.example//orders/7",
        "http://orders.example/orders/../customers/7",
        "@orders/7",
        "?/orders/7",
    ] {
        for method in ["GET", "OPTIONS", "POST"] {
            let request = Request::new(method, target).bearer(&key.text);
            if let Some(seen) = scene.is_sound(&request) {
                assert_eq!(seen.target, "/orders/7", "{method} {target}");
            }
        }
    }
    let absolute = scene.passes(&get("http://orders.example/orders/7").bearer(&key.text));
    assert_eq!(absolute.target, "/orders/7");
    // A method is what it is; names of methods are case-sensitive.
    let reading = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
    for method in ["get", "PURGE", "DELETE", "TRACE", "CONNECT"] {
        scene.refused_somehow(&Request::new(method, "/orders/7").bearer(&reading.text));
    }
}

fn without_the_gate_nobody_passes(scene: &Scene) {
    let key = scene.key(json!({ "scopes": [{ "action": "read", "resource": "orders/*" }] }));
    let asking = get("/orders/7").bearer(&key.text);
    let token = scene.passes(&asking).token;
    scene.kill_the_gate();
    for request in [&asking, &get("/orders/7").bearer(&token), &get("/orders/7")] {
        let answer = scene.refused_somehow(request);
        assert!(answer.status >= 500, "{answer:?}");
    }
}
