//! `/metrics`: what each request moves, and what nobody can make of it.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Backend, Client, Options, Server, forged, on_both, until};

on_both!(
    a_request_to_each_kind_of_endpoint_moves_its_series,
    refusals_are_counted_by_reason,
    hostile_input_adds_no_series,
    each_listener_has_its_own_paths,
    nothing_in_a_scrape_names_anybody,
    routes_below_the_issuers_path_have_the_same_labels,
    the_store_and_its_confirmation_are_visible,
    what_waits_is_visible,
    signing_keys_and_the_clock_are_visible,
);

async fn start(backend: Backend) -> Server {
    Server::start_with(backend, Options { has_metrics: true, ..Options::default() }).await
}

/// One scrape.
struct Scrape(String);

impl Scrape {
    async fn of(server: &Server) -> Self {
        let answer = server.metrics().get("/metrics").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(answer.header("content-type"), kind);
        assert!(answer.text.ends_with("\n# EOF\n"));
        Self(answer.text)
    }

    /// The value of a series. 0 if a histogram has none yet.
    fn value(&self, series: &str) -> f64 {
        self.find(series).unwrap_or_default()
    }

    fn find(&self, series: &str) -> Option<f64> {
        let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        self.0.lines().find_map(value)
    }

    fn series(&self) -> usize {
        self.0.lines().filter(|line| !line.starts_with('#')).count()
    }
}

fn http(method: &str, route: &str, status: u16) -> String {
    format!(
        "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",http_route=\"{route}\",\
         http_response_status_code=\"{status}\"}}"
    )
}

fn tokens(grant: &str, result: &str) -> String {
    format!("claviger_token_requests_total{{grant_type=\"{grant}\",result=\"{result}\"}}")
}

fn gate(result: &str) -> String {
    format!("claviger_gate_answers_total{{result=\"{result}\"}}")
}

fn refusals(reason: &str) -> String {
    format!("claviger_refusals_total{{reason=\"{reason}\"}}")
}

async fn a_request_to_each_kind_of_endpoint_moves_its_series(backend: Backend) {
    let server = start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    let members = json!({ "scopes": [{ "action": "write",
        "resource": "claviger/orgs/default/projects/*/token-exchange" }] });
    let (_, exchanger) = server.key_from(members).await;
    let client = server.client();
    let token = client.access_token(&key, "").await;
    let exchange = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_secret={exchanger}&subject_token={token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    );
    let form = "/oauth/token";
    let mut before = Scrape::of(&server).await;
    let mut step = async |answer: Answer, moved: &[String]| {
        let after = Scrape::of(&server).await;
        for series in moved {
            let change = after.value(series) - before.value(series);
            assert!(change == 1.0, "{series} moved by {change}: {}", answer.text);
        }
        before = after;
    };
    let answered = client.token(&key, "").await;
    step(answered, &[tokens("client_credentials", "issued"), http("POST", form, 200)]).await;
    let answered = client.token(&key, "&scope=write:*").await;
    step(answered, &[tokens("client_credentials", "invalid_scope"), http("POST", form, 400)]).await;
    let answered = client.token(&forged(&key), "").await;
    step(answered, &[tokens("client_credentials", "invalid_client"), http("POST", form, 401)]).await;
    let answered = client.post_form(form, &exchange).await;
    step(answered, &[tokens("token_exchange", "issued"), http("POST", form, 200)]).await;
    let answered = client.post_form(form, &format!("grant_type=password&client_secret={key}")).await;
    step(answered, &[tokens("_OTHER", "unsupported_grant_type"), http("POST", form, 400)]).await;
    let answered = client.post_json(form, &json!({})).await;
    step(answered, &[tokens("_OTHER", "invalid_request"), http("POST", form, 400)]).await;
    let answered = client.get(form).await;
    step(answered, &[http("GET", form, 405)]).await;
    let answered = server.admin().post_form("/oauth/introspect", &format!("token={token}")).await;
    step(answered, &[http("POST", "/oauth/introspect", 200)]).await;
    let gate_path = "/v1/gate?action=read&resource=orders/7";
    let answered = client.bearer(&key).get(gate_path).await;
    step(answered, &[gate("passed"), http("GET", "/v1/gate", 200)]).await;
    let answered = client.bearer(&token).get("/v1/gate?action=write&resource=orders/7").await;
    step(answered, &[gate("forbidden"), http("GET", "/v1/gate", 403)]).await;
    let answered = client.get(gate_path).await;
    step(answered, &[gate("unauthenticated"), http("GET", "/v1/gate", 401)]).await;
    let answered = client.bearer(&key).get("/v1/gate/envoy/token=0/orders/7").await;
    step(answered, &[gate("passed"), http("GET", "/v1/gate/envoy/{options}/{*target}", 200)]).await;
    let answered = client.bearer(&key).get("/v1/self").await;
    step(answered, &[http("GET", "/v1/self", 200)]).await;
    let answered = server.admin().get("/v1/orgs/default/keys").await;
    step(answered, &[http("GET", "/v1/orgs/{org}/keys", 200)]).await;
    let answered = server.admin().get("/v1/orgs/other").await;
    step(answered, &[http("GET", "/v1/orgs/{org}", 404)]).await;
    let answered = client.get("/oauth/revocations").await;
    step(answered, &[http("GET", "/oauth/revocations", 200)]).await;
    let answered = client.send(Method::HEAD, "/healthz", None).await;
    step(answered, &[http("HEAD", "/healthz", 200)]).await;
    let answered = client.get("/console/sign-in").await;
    step(answered, &[http("GET", "/console/sign-in", 200)]).await;
    let answered = client.get("/nowhere").await;
    step(answered, &[http("GET", "_OTHER", 404)]).await;
    let scrape = Scrape::of(&server).await;
    assert!(scrape.value("claviger_feed_document_bytes") > 100.0);
    assert_eq!(scrape.value("claviger_feed_document_age_seconds"), 0.0);
    assert!(scrape.value("claviger_key_cache_keys") >= 3.0);
    assert!(scrape.value("claviger_key_cache_lookups_total{result=\"hit\"}") >= 8.0);
    assert!(scrape.value("claviger_key_cache_lookups_total{result=\"miss\"}") >= 3.0);
    assert!(scrape.value("claviger_connections_accepted_total") >= 1.0);
    assert!(scrape.value("claviger_connections_open") >= 1.0);
    assert!(scrape.value("process_resident_memory_bytes") > 1e6);
}

async fn refusals_are_counted_by_reason(backend: Backend) {
    let server = start(backend).await;
    let admin = server.admin();
    let (id, key) = server.key(&["read:*"]).await;
    let (elsewhere_id, elsewhere) = server
        .key_from(json!({ "scopes": [{ "action": "read", "resource": "*" }], "cidrs": ["192.0.2.0/24"] }))
        .await;
    let token = server.client().access_token(&key, "").await;
    let wrong = |id: &str| format!("grant_type=client_credentials&client_id={id}&client_secret={elsewhere}");
    let before = Scrape::of(&server).await;
    server.client().token(&forged(&key), "").await;
    server.client().post_form("/oauth/token", &wrong(&id)).await;
    server.client().token(&elsewhere, "").await;
    server.client().bearer("not.a.token").get("/v1/self").await;
    admin.post_json(&format!("/v1/orgs/default/keys/{id}/revoke"), &json!({})).await.done(200);
    server.client().token(&key, "").await;
    server.client().bearer(&token).get("/v1/gate?check=credential").await;
    let after = Scrape::of(&server).await;
    let moved = |reason| after.value(&refusals(reason)) - before.value(&refusals(reason));
    assert_eq!(moved("unknown"), 2.0, "a wrong tag, and another key's id");
    assert_eq!(moved("address"), 1.0, "{elsewhere_id}");
    assert_eq!(moved("token_invalid"), 1.0);
    assert_eq!(moved("revoked"), 2.0, "the key and its token");
    // More than thirty seconds after the last answer of the store, memory is not relied on.
    server.clock.advance(40);
    assert_eq!(server.client().token(&elsewhere, "").await.status, 503);
    let stale = Scrape::of(&server).await;
    assert_eq!(stale.value(&refusals("stale")) - after.value(&refusals("stale")), 1.0);
    assert_eq!(stale.value("claviger_store_confirmation_age_seconds"), 40.0);
}

async fn hostile_input_adds_no_series(backend: Backend) {
    let server = start(backend).await;
    let client = Client::new(server.address());
    let odd = async |number: u32| {
        client.get(&format!("/{number}")).await;
        client.get(&format!("/v1/orgs/o{number}/keys/{number}")).await;
        client.get(&format!("/console/orgs/o{number}/keys")).await;
        client.send(Method::from_bytes(format!("M{number}").as_bytes()).unwrap(), "/oauth/token", None).await;
        client.post_form("/oauth/token", &format!("grant_type=g{number}&client_secret=s{number}")).await;
        client.bearer(&format!("b{number}")).get("/v1/gate?check=credential").await;
    };
    odd(0).await;
    let before = Scrape::of(&server).await;
    for number in 1..50 {
        odd(number).await;
    }
    for number in 0..10_000 {
        client.get(&format!("/{number:x}/{number}")).await;
    }
    let after = Scrape::of(&server).await;
    assert_eq!(after.series(), before.series());
    assert_eq!(
        after.value(&http("GET", "_OTHER", 404)) - before.value(&http("GET", "_OTHER", 404)),
        10_049.0
    );
    let other = http("_OTHER", "/oauth/token", 405);
    assert_eq!(after.value(&other) - before.value(&other), 49.0);
}

async fn each_listener_has_its_own_paths(backend: Backend) {
    let server = start(backend).await;
    for path in ["/metrics", "/metrics/", "/v1/metrics"] {
        server.client().get(path).await.refused(404, "not_found");
        server.admin().get(path).await.refused(404, "not_found");
    }
    let metrics = server.metrics();
    assert_eq!(metrics.get("/healthz").await.done(200), json!({ "status": "ok" }));
    assert_eq!(metrics.get("/readyz").await.done(200)["status"], "ready");
    for path in ["/", "/metrics/", "/v1/self", "/oauth/token", "/console", "/openapi.yaml", "/docs"] {
        metrics.get(path).await.refused(404, "not_found");
        metrics.post_json(path, &json!({})).await.refused(404, "not_found");
    }
    for path in ["/metrics", "/healthz", "/readyz"] {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = metrics.send(method, path, None).await;
            answer.refused(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), "GET,HEAD");
        }
        assert_eq!(metrics.send(Method::HEAD, path, None).await.status, 200);
    }
    server.clock.advance(40);
    metrics.get("/readyz").await.refused(503, "unavailable");
    assert_eq!(metrics.get("/metrics").await.status, 200);
}

async fn nothing_in_a_scrape_names_anybody(backend: Backend) {
    let server = start(backend).await;
    let admin = server.admin();
    admin.post_json("/v1/orgs", &json!({ "id": "umbrella", "name": "Umbrella" })).await.done(201);
    let project = json!({ "id": "raccoon", "name": "Raccoon", "environments": ["zoo"] });
    admin.post_json("/v1/orgs/umbrella/projects", &project).await.done(201);
    let (id, key) = server.key(&["read:*"]).await;
    let token = server.client().access_token(&key, "").await;
    server.client().bearer(&token).get("/v1/gate?check=credential").await.done(200);
    admin.get(&format!("/v1/orgs/umbrella/keys/{id}")).await;
    admin.post_form("/oauth/revoke", &format!("token={token}")).await.done(200);
    server.client().token(&forged(&key), "").await;
    server.client().get("/oauth/revocations").await;
    server.flush().await;
    let scrape = Scrape::of(&server).await.0;
    let ring = server.node.signer.keyring.ring();
    let kid = ring.keys()[0].kid();
    for secret in [
        "umbrella",
        "Umbrella",
        "raccoon",
        "zoo",
        "127.0.0.1",
        "clv_",
        "sec_",
        "eyJ",
        "default",
        "http://",
        &id,
        &key,
        &token,
        kid,
        &server.admin_key,
        &server.database.url,
    ] {
        assert!(!scrape.contains(secret), "{secret} is in {scrape}");
    }
}

async fn routes_below_the_issuers_path_have_the_same_labels(backend: Backend) {
    let issuer = Some("http://127.0.0.1/auth".to_owned());
    let options = Options { issuer, has_metrics: true, ..Options::default() };
    let server = Server::start_with(backend, options).await;
    let client = Client::new(server.address());
    for path in ["/v1/self", "/auth/v1/self", "/auth/v1/orgs/x", "/auth", "/auth/nowhere"] {
        client.get(path).await;
    }
    client.get("/.well-known/oauth-authorization-server/auth").await.done(200);
    let scrape = Scrape::of(&server).await;
    assert_eq!(scrape.value(&http("GET", "/v1/self", 401)), 2.0);
    assert_eq!(scrape.value(&http("GET", "/v1/orgs/{org}", 401)), 1.0);
    assert_eq!(scrape.value(&http("GET", "/", 303)), 1.0);
    assert_eq!(scrape.value(&http("GET", "_OTHER", 404)), 1.0);
    assert_eq!(scrape.value(&http("GET", "/.well-known/oauth-authorization-server", 200)), 1.0);
}

async fn the_store_and_its_confirmation_are_visible(backend: Backend) {
    let server = start(backend).await;
    let call = |kind: &str| format!("claviger_store_call_duration_seconds_count{{call=\"{kind}\"}}");
    let before = Scrape::of(&server).await;
    server.key(&["read:*"]).await;
    server.advance(7).await;
    let after = Scrape::of(&server).await;
    for kind in ["write", "follow"] {
        assert!(after.value(&call(kind)) > before.value(&call(kind)), "{kind}");
    }
    assert!(after.value(&call("statement")) > 0.0 && after.value(&call("connect")) > 0.0);
    for kind in ["write", "follow", "statement", "connect"] {
        assert_eq!(after.find(&format!("claviger_store_call_failures_total{{call=\"{kind}\"}}")), Some(0.0));
    }
    assert!(after.value("claviger_changes_followed_total") > before.value("claviger_changes_followed_total"));
    assert_eq!(after.find("claviger_changes_behind"), Some(0.0));
    assert_eq!(after.find("claviger_store_confirmation_age_seconds"), Some(0.0));
    assert_eq!(after.find("claviger_store_writes_failing"), Some(0.0));
    let main = "db_client_connection_pool_name=\"main\"";
    let limit = if backend == Backend::Sqlite { 3.0 } else { 16.0 };
    assert_eq!(after.find(&format!("db_client_connection_max{{{main}}}")), Some(limit));
    assert_eq!(after.find(&format!("db_client_connection_pending_requests{{{main}}}")), Some(0.0));
    let state =
        |state: &str| format!("db_client_connection_count{{{main},db_client_connection_state=\"{state}\"}}");
    assert!(after.value(&state("idle")) + after.value(&state("used")) >= 1.0);
    let has_own = after.0.contains("db_client_connection_pool_name=\"background\"");
    assert_eq!(has_own, backend == Backend::Sqlite);
    // The database goes away.
    server.node.records.store.close().await;
    let made = server.admin().post_json("/v1/orgs", &json!({ "id": "late", "name": "Late" })).await;
    made.refused(503, "unavailable");
    let gone = Scrape::of(&server).await;
    assert!(gone.value("claviger_store_call_failures_total{call=\"write\"}") > 0.0, "{}", gone.0);
    assert_eq!(gone.find("claviger_store_confirmation_age_seconds"), Some(0.0));
}

async fn what_waits_is_visible(backend: Backend) {
    let server = start(backend).await;
    let (_, key) = server.key(&["read:*"]).await;
    server.flush().await;
    server.client().access_token(&key, "").await;
    let scrape = Scrape::of(&server).await;
    assert_eq!(scrape.find("claviger_usage_records_waiting"), Some(1.0));
    server.clock.advance(5);
    server.flush().await;
    let scrape = Scrape::of(&server).await;
    assert_eq!(scrape.find("claviger_usage_records_waiting"), Some(0.0));
    let now = server.clock.now().unix() as f64;
    assert_eq!(scrape.find("claviger_usage_last_flush_timestamp_seconds"), Some(now));
    assert_eq!(scrape.find("claviger_usage_flush_failures_total"), Some(0.0));
    assert_eq!(scrape.find("claviger_queue_permits_limit{queue=\"hashes\"}"), Some(2.0));
    assert_eq!(scrape.find("claviger_queue_waiting{queue=\"hashes\"}"), Some(0.0));

    let waiting = async || Scrape::of(&server).await.value("claviger_feed_followers_waiting");
    assert_eq!(waiting().await, 0.0);
    let follower = server.client().with("prefer", "wait=10");
    let following = tokio::spawn(async move { follower.get("/oauth/revocations").await });
    until("a follower waits", async || waiting().await == 1.0).await;
    server.node.revocations.feed.close();
    assert_eq!(following.await.unwrap().status, 200);
    until("the follower is answered", async || waiting().await == 0.0).await;
}

async fn signing_keys_and_the_clock_are_visible(backend: Backend) {
    let server = start(backend).await;
    let stage = |stage: &str| format!("claviger_signing_keys{{stage=\"{stage}\"}}");
    let first = Scrape::of(&server).await;
    assert_eq!((first.find(&stage("active")), first.find(&stage("next"))), (Some(1.0), Some(0.0)));
    assert_eq!(first.find("claviger_signing_key_next_activation_seconds"), None);
    let now = server.clock.now().unix() as f64;
    let due = first.value("claviger_signing_key_next_due_timestamp_seconds");
    assert_eq!(due - now, 90.0 * 86_400.0 - 7_200.0);
    server.admin().post_json("/v1/signing-keys/rotate", &json!({})).await;
    let rotated = Scrape::of(&server).await;
    assert_eq!(rotated.find(&stage("next")), Some(1.0));
    assert_eq!(rotated.find("claviger_signing_key_next_activation_seconds"), Some(7_200.0));

    server.node.tidy_once().await;
    let steady = Scrape::of(&server).await;
    assert_eq!(steady.find("claviger_clock_jumps_total"), Some(0.0));
    assert_eq!(steady.find("claviger_clock_trusted"), Some(1.0));
    server.clock.step(10 * 86_400);
    server.node.tidy_once().await;
    let jumped = Scrape::of(&server).await;
    assert_eq!(jumped.find("claviger_clock_jumps_total"), Some(1.0));
    assert_eq!(jumped.find("claviger_clock_trusted"), Some(0.0));
}
