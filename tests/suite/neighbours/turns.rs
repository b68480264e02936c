//! Turns at the store: readers never take the writers', and both are divided among organizations.

use claviger::domain::principal::{CallerId, Principal};
use claviger::store::{KeyFilter, StatusFilter};
use serde_json::json;
use tokio::task::JoinSet;

use super::street::{Street, make_key};
use crate::support::{Backend, Server, in_time, on_both, until};

on_both!(
    a_snapshot_keeps_no_writer_waiting_and_sees_one_moment,
    exports_of_one_organization_are_bounded,
    writers_of_one_organization_are_bounded,
    readers_of_one_organization_are_bounded,
);

fn of(organization: &str) -> Principal {
    Principal { organization: Some(organization.parse().unwrap()), caller: None }
}

async fn a_snapshot_keeps_no_writer_waiting_and_sees_one_moment(backend: Backend) {
    let server = Server::start(backend).await;
    let id = "default".parse().unwrap();
    let mut snapshot = server.node.records.store.snapshot(&of("default"), server.clock.now()).await.unwrap();
    assert!(snapshot.organization(&id).await.unwrap().is_some());
    // It would wait for ever behind a turn that this test holds.
    in_time("a key is made", server.key(&["read:*"])).await;
    let filter = KeyFilter { status: StatusFilter::All, ..KeyFilter::all_of(id) };
    assert_eq!(snapshot.keys(&filter, 100).await.unwrap().items.len(), 1, "the administrator's alone");
    drop(snapshot);
    let document = server.admin().get("/v1/orgs/default/configuration").await.done(200);
    assert_eq!(document["keys"].as_array().unwrap().len(), 2);
}

async fn exports_of_one_organization_are_bounded(backend: Backend) {
    let street = Street::new(backend).await;
    let server = &street.server;
    let key = |organization| make_key(server, organization, "*:claviger/**");
    let (noisy, quiet) = (key("noisy").await, key("quiet").await);
    let (noisy, quiet) = (server.client().bearer(&noisy), server.client().bearer(&quiet));
    // As many as clients that take their time.
    let mut taken = Vec::new();
    while let Ok(turn) = server.node.records.exports.try_acquire(&of("noisy")) {
        taken.push(turn);
    }
    assert_eq!(taken.len(), 4);
    for export in ["/v1/orgs/noisy/configuration", "/v1/orgs/noisy/audit?format=jsonl"] {
        let refused = noisy.get(export).await;
        let message = refused.refused(429, "rate_limited");
        assert!(message.contains("too many requests of this organization"), "{message}");
        assert_eq!(refused.header("retry-after"), "1");
    }
    quiet.get("/v1/orgs/quiet/configuration").await.done(200);
    noisy.get("/v1/orgs/noisy/keys").await.done(200);
    drop(taken);
    noisy.get("/v1/orgs/noisy/configuration").await.done(200);
    until("what was taken is given back", async || {
        server.node.records.exports.try_acquire(&of("noisy")).is_ok()
    })
    .await;
}

async fn writers_of_one_organization_are_bounded(backend: Backend) {
    let street = Street::new(backend).await;
    let server = &street.server;
    let noisy = server.client().bearer(&make_key(server, "noisy", "*:claviger/orgs/noisy/**").await);
    let quiet = server.client().bearer(&make_key(server, "quiet", "*:claviger/orgs/quiet/**").await);
    // A writer in front that takes its time, for as long as this test needs to fill the line.
    let admin = claviger::domain::api_key::claimed_id(&server.admin_key).unwrap();
    let actor = claviger::domain::audit::Actor {
        who: claviger::domain::audit::Who::Caller(CallerId::Key(admin)),
        name: None,
        organization: Some("noisy".parse().unwrap()),
        address: None,
        request_id: None,
        dry_run: false,
    };
    let in_front = server.node.records.store.write(server.clock.now(), &actor).await.unwrap();
    let mut waiting = JoinSet::new();
    for at in 0..100 {
        let noisy = noisy.clone();
        waiting.spawn(async move {
            noisy.patch("/v1/orgs/noisy/projects/default", &json!({ "name": format!("N{at}") })).await
        });
    }
    let mut refused = 0;
    while refused < 36 {
        let answer = in_time("who is too many is told at once", waiting.join_next()).await.unwrap().unwrap();
        answer.refused(429, "rate_limited");
        refused += 1;
    }
    let quiet =
        tokio::spawn(
            async move { quiet.patch("/v1/orgs/quiet/projects/default", &json!({ "name": "Q" })).await },
        );
    drop(in_front);
    quiet.await.unwrap().done(200);
    for answer in in_time("those who wait have their turn", waiting.join_all()).await {
        answer.done(200);
    }
}

async fn readers_of_one_organization_are_bounded(backend: Backend) {
    let street = Street::new(backend).await;
    let server = &street.server;
    let noisy = server.client().bearer(&make_key(server, "noisy", "read:claviger/orgs/noisy/**").await);
    let quiet = server.client().bearer(&make_key(server, "quiet", "read:claviger/orgs/quiet/**").await);
    let mut held = Vec::new();
    let mut asking = JoinSet::new();
    // All the turns that one organization may have.
    let most = if backend == Backend::Sqlite { 1 } else { 3 };
    for _ in 0..most {
        held.push(server.node.records.store.reading(&of("noisy")).await.unwrap());
    }
    for _ in 0..100 {
        let noisy = noisy.clone();
        asking.spawn(async move { noisy.get("/v1/orgs/noisy/projects").await });
    }
    for _ in 0..36 {
        let answer = in_time("who is too many is told at once", asking.join_next()).await.unwrap().unwrap();
        answer.refused(429, "rate_limited");
    }
    quiet.get("/v1/orgs/quiet/projects").await.done(200);
    drop(held);
    for answer in in_time("those who wait have their turn", asking.join_all()).await {
        answer.done(200);
    }
}
