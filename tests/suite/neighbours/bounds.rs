//! What one organization may have of what is shared, and that others have theirs.

use claviger::domain::address::{CallerAddress, Origin};
use claviger::domain::api_key::KeyId;
use claviger::domain::key::ApiKey;
use claviger::domain::principal::Principal;
use claviger::domain::refusal_reason::RefusalReason;
use serde_json::json;

use super::street::{Street, make_key};
use crate::matrix::operations::Fixture;
use crate::support::{Backend, Server, on_both};

on_both!(
    requests_of_one_organization_are_bounded_at_every_operation,
    refusals_of_one_organization_never_displace_those_of_another,
    a_key_has_so_many_sessions_and_the_oldest_ends,
);

async fn requests_of_one_organization_are_bounded_at_every_operation(backend: Backend) {
    let server = Server::start(backend).await;
    let fixture = Fixture::create(&server, "acme").await;
    let client = server.admin();
    let own = Principal { organization: Some("default".parse().unwrap()), caller: None };
    let mut taken = Vec::new();
    while let Ok(turn) = server.node.requests.try_acquire(&own) {
        taken.push(turn);
    }
    assert_eq!(taken.len(), 128);
    for operation in crate::matrix::operations() {
        let refused = operation.ask(&fixture, &client).await;
        refused.refused(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1", "{} {}", operation.method, operation.path);
    }
    // What its clients need goes on.
    assert_eq!(server.client().token(&server.admin_key, "").await.status, 200);
    drop(taken);
    client.get("/v1/self").await.done(200);
}

async fn refusals_of_one_organization_never_displace_those_of_another(backend: Backend) {
    let street = Street::new(backend).await;
    let (server, admin) = (&street.server, street.server.admin());
    let id = claviger::domain::api_key::claimed_id(&server.admin_key).unwrap();
    let template = server.node.records.store.key(&id).await.unwrap().unwrap().key;
    let origin = Origin { address: CallerAddress::Known([192, 0, 2, 1].into()), request_id: "r" };
    // More keys than there is room for, all of them refused.
    for _ in 0..2_000 {
        let id = KeyId::generate(&server.node.records.entropy).unwrap();
        let key = ApiKey { id, organization: "noisy".parse().unwrap(), ..template.clone() };
        server.node.usage.refusals.refused(&key, RefusalReason::Revoked, origin, server.clock.now());
    }
    let key = make_key(server, "quiet", "read:*").await;
    let id = claviger::domain::api_key::claimed_id(&key).unwrap();
    admin.post_json(&format!("/v1/orgs/quiet/keys/{id}/revoke"), &json!({})).await.done(200);
    assert_eq!(server.client().token(&key, "").await.status, 401);
    server.flush().await;
    let refused = |organization: &str| format!("/v1/orgs/{organization}/audit?action=key.refused&limit=200");
    let quiet = admin.get(&refused("quiet")).await.done(200);
    assert_eq!(quiet["data"].as_array().unwrap().len(), 1);
    let query = "SELECT COUNT(*) FROM audit_events WHERE action = 'key.refused' AND organization = 'noisy'";
    assert_eq!(server.database.number(query).await, 500, "at one flush");
}

async fn a_key_has_so_many_sessions_and_the_oldest_ends(backend: Backend) {
    let server = Server::start(backend).await;
    let (_, other) = server.key(&["*:claviger/**"]).await;
    let client = server.client().with("origin", &server.url(""));
    let sign_in = async |key: &str| {
        let answer = client.post_form("/console/sign-in", &format!("key={key}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        server.advance(1).await;
        client.with("cookie", &cookie)
    };
    let elsewhere = sign_in(&other).await;
    let mut sessions = Vec::new();
    for _ in 0..52 {
        sessions.push(sign_in(&server.admin_key).await);
    }
    server.node.catch_up().await.unwrap();
    let status =
        async |session: &crate::support::Client| session.get("/console/orgs/default/keys").await.status;
    assert_eq!(status(&sessions[1]).await, 303, "ended");
    assert_eq!(status(&sessions[2]).await, 200);
    assert_eq!(status(&sessions[51]).await, 200);
    assert_eq!(status(&elsewhere).await, 200, "another key's sessions are its own");
}
