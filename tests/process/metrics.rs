//! The listener for metrics, as the binary starts and stops it.

use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::{Backend, Claviger, Client, Database, on_both};

on_both!(
    without_the_setting_there_is_no_listener,
    it_stops_with_the_server,
    it_is_there_while_the_store_waits_to_be_set_up,
    each_listener_has_connections_of_its_own,
);

fn with_metrics(database: &Database) -> Claviger {
    Claviger::over(database).set("CLAVIGER_METRICS_LISTEN", "127.0.0.1:0").set("CLAVIGER_LOG_FORMAT", "json")
}

/// Where the log says that metrics are served.
fn address(claviger: &Claviger) -> Option<SocketAddr> {
    let log = claviger.log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let line = lines.find(|line| line["message"] == "serving metrics")?;
    Some(line["address"].as_str().unwrap().parse().unwrap())
}

async fn without_the_setting_there_is_no_listener(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = Claviger::over(&database).set("CLAVIGER_LOG_FORMAT", "json");
    let server = claviger.serve();
    assert_eq!(address(&claviger), None);
    server.client().get("/metrics").await.refused(404, "not_found");
}

async fn it_stops_with_the_server(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = with_metrics(&database);
    let server = claviger.serve();
    let metrics = address(&claviger).expect("an address in the log");
    assert_ne!(metrics, server.address);
    let client = Client::new(metrics);
    assert_eq!(client.get("/readyz").await.status, 200);
    assert!(client.get("/metrics").await.text.contains("\nclaviger_signing_keys{stage=\"active\"} 1"));
    server.client().get("/metrics").await.refused(404, "not_found");
    // The client keeps its connection open, as Prometheus does.
    server.signal("TERM");
    let (status, _) = server.end();
    assert!(status.success());
    assert!(TcpStream::connect(metrics).is_err());
    assert!(!claviger.log().contains("did not respond in time"), "{}", claviger.log());
}

async fn it_is_there_while_the_store_waits_to_be_set_up(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = with_metrics(&database).set("CLAVIGER_BOOTSTRAP", "console");
    let mut server = claviger.wait();
    let metrics = Client::new(address(&claviger).expect("an address in the log"));
    assert_eq!(metrics.get("/healthz").await.status, 200);
    metrics.get("/readyz").await.refused(503, "unavailable");
    server.client().get("/readyz").await;
    let scrape = metrics.get("/metrics").await.text;
    let waited = "http_route=\"/readyz\",http_response_status_code=\"503\"} 1\n";
    assert!(scrape.contains(waited) && scrape.contains("\nprocess_start_time_seconds "), "{scrape}");
    assert!(!scrape.contains("claviger_signing_keys"), "{scrape}");
    let operator = crate::set_up::operator::Operator::at(&server);
    let code = crate::set_up::operator::code_in(&database);
    assert_eq!(operator.set_up(&code).await.status, 200);
    server.goes_on_to_serve();
    assert_eq!(metrics.get("/readyz").await.status, 200);
    let scrape = metrics.get("/metrics").await.text;
    assert!(
        scrape.contains("\nclaviger_signing_keys{stage=\"active\"} 1") && scrape.contains(waited),
        "{scrape}"
    );
}

async fn each_listener_has_connections_of_its_own(backend: Backend) {
    let database = backend.fresh().await;
    let claviger = with_metrics(&database).set("CLAVIGER_MAX_CONNECTIONS", "1");
    let server = claviger.serve();
    let metrics = address(&claviger).expect("an address in the log");
    let public = server.client();
    assert_eq!(public.get("/healthz").await.status, 200, "it keeps the only connection");
    let scrape = Client::new(metrics).get("/metrics").await.text;
    assert!(scrape.contains("\nclaviger_connections_open 1"), "{scrape}");
    assert!(scrape.contains("\nclaviger_connections_limit 1"), "{scrape}");
    // More than the listener for metrics accepts.
    let silent: Vec<_> = (0..40).map(|_| TcpStream::connect(metrics).unwrap()).collect();
    assert_eq!(public.get("/readyz").await.status, 200);
    drop(silent);
    assert_eq!(Client::new(metrics).get("/metrics").await.status, 200);
}

#[test]
fn an_address_that_is_in_use_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = Claviger::at(folder.path()).set("CLAVIGER_METRICS_LISTEN", &address).run(&["serve"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("CLAVIGER_METRICS_LISTEN: cannot listen on {address}: ")), "{said}");
}

#[test]
fn plain_http_is_allowed_beyond_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let claviger = Claviger::at(folder.path()).set("CLAVIGER_LOG_FORMAT", "json");
    let claviger = claviger.set("CLAVIGER_METRICS_LISTEN", "0.0.0.0:0");
    let _server = claviger.serve();
    let bound = address(&claviger).expect("an address in the log");
    assert!(bound.ip().is_unspecified() && bound.port() != 0);
    assert!(TcpStream::connect(("127.0.0.1", bound.port())).is_ok());
}
