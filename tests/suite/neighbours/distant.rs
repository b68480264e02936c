//! The same with a database that is five milliseconds away.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::stops_nobody;
use super::street::{Noise, Street};
use crate::support::{Backend, Database, Distance, Options, far_from, on_postgres};

on_postgres!(
    nobody_stops_anybody_over_a_distant_database,
    a_large_document_keeps_other_writers_waiting_for_few_round_trips,
);

/// A street whose database is so far away.
async fn distant(backend: Backend, each_way: Duration) -> (Street, Distance) {
    let database = backend.fresh().await;
    let (before, behind) = database.url.split_once("127.0.0.1:").unwrap();
    let (port, name) = behind.split_once('/').unwrap();
    let server = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
    let way = far_from(server, each_way).await;
    let url = format!("{before}{}/{name}", way.address);
    (Street::on(Database { url, ..database }, Options::default()).await, way)
}

async fn nobody_stops_anybody_over_a_distant_database(backend: Backend) {
    let (street, _way) = distant(backend, Duration::from_micros(2_500)).await;
    for noise in Noise::ALL {
        stops_nobody(&street, noise).await;
    }
}

async fn a_large_document_keeps_other_writers_waiting_for_few_round_trips(backend: Backend) {
    let (street, way) = distant(backend, Duration::ZERO).await;
    let projects: Vec<Value> = (0..200).map(|at| json!({ "id": format!("p-{at}") })).collect();
    let keys: Vec<Value> = (0..400)
        .map(|at| {
            json!({
                "name": format!("k-{at}"), "project": format!("p-{}", at % 200), "environment": "dev",
                "scopes": [{ "action": "read" }],
            })
        })
        .collect();
    let renamed: Vec<Value> =
        (0..200).map(|at| json!({ "id": format!("p-{at}"), "name": format!("P {at}") })).collect();
    for document in [
        json!({ "organization": { "id": "noisy" }, "projects": projects, "keys": keys }),
        json!({ "organization": { "id": "noisy" }, "projects": renamed, "keys": keys }),
    ] {
        let before = way.sent();
        let admin = street.server.admin().with("content-type", "application/json");
        let path = "/v1/orgs/noisy/configuration";
        let answer = admin.send(reqwest::Method::PUT, path, Some(document.to_string())).await.done(200);
        let (changes, sent) = (answer["changes"].as_array().unwrap().len(), way.sent() - before);
        assert!(changes >= 200, "{changes}");
        // Each takes one at least when they are stored one by one.
        assert!(sent < changes / 2, "{sent} pieces for {changes} changes");
    }
}
