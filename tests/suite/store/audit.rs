//! The audit trail: one event for each mutation, none for anything else.

use serde_json::{Value, json};

use super::mutation::{Mutation, Stage};
use crate::support::{Backend, Server, on_both};

on_both!(
    each_mutation_leaves_one_event,
    what_changes_nothing_leaves_no_trace,
    what_the_server_does_itself_is_audited
);

/// The events of a server, the oldest first.
async fn events(server: &Server) -> Vec<Event> {
    let columns =
        "action || '\n' || actor || '\n' || COALESCE(address, '') || '\n' || COALESCE(request_id, '') || '\n'
        || COALESCE(organization, '') || '\n' || subject || '\n' || COALESCE(before, 'null') || '\n'
        || COALESCE(after, 'null')";
    let lines = server.database.texts(&format!("SELECT {columns} FROM audit_events ORDER BY seq")).await;
    lines.iter().map(|line| Event::read(line)).collect()
}

struct Event {
    action: String,
    actor: String,
    address: String,
    request_id: String,
    organization: String,
    subject: String,
    before: Value,
    after: Value,
}

impl Event {
    fn read(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\n').collect();
        let [action, actor, address, request_id, organization, subject, before, after] =
            fields.try_into().expect("eight fields");
        let json = |text: &str| serde_json::from_str(text).expect("JSON");
        Self {
            action: action.into(),
            actor: actor.into(),
            address: address.into(),
            request_id: request_id.into(),
            organization: organization.into(),
            subject: subject.into(),
            before: json(before),
            after: json(after),
        }
    }
}

async fn each_mutation_leaves_one_event(backend: Backend) {
    for mutation in Mutation::ALL {
        let stage = Stage::set(backend).await;
        let admin = stage.server.admin().get("/v1/self").await.json()["id"].clone();
        let before = events(&stage.server).await.len();
        let answer = stage.ask(mutation).await;
        assert!(answer.status < 300, "{mutation:?}: {}", answer.text);
        let events = events(&stage.server).await;
        let [event] = &events[before..] else { panic!("{mutation:?}: {} events", events.len() - before) };
        assert_eq!(event.action, mutation.action());
        assert_eq!((&*event.actor, &*event.address), (admin.as_str().unwrap(), "127.0.0.1"), "{mutation:?}");
        assert_eq!(event.request_id, answer.header("x-request-id"), "{mutation:?}");

        let (organization, subject, before, after) = expected(mutation, &stage, &answer.text);
        assert_eq!((&*event.organization, &*event.subject), (organization, &*subject), "{mutation:?}");
        assert_eq!((&event.before, &event.after), (&before, &after), "{mutation:?}");
        let trail =
            stage.server.database.texts("SELECT COALESCE(after, '') FROM audit_events").await.concat();
        let secret = &stage.key[stage.key.len() - 49..stage.key.len() - 6];
        assert!(!trail.contains(secret) && !trail.contains("argon2"), "{mutation:?}: a secret in the trail");
    }
}

/// The organization, the subject, and how it was before and after.
fn expected(mutation: Mutation, stage: &Stage, answer: &str) -> (&'static str, String, Value, Value) {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let without = |member: &str| {
        let mut rest = answer.clone();
        rest.as_object_mut().expect("an object").remove(member);
        rest
    };
    let next = &answer["data"][0];
    let signing_key =
        json!({ "kid": next["kid"], "algorithm": "ES256", "activates_at": next["activates_at"] });
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    match mutation {
        Mutation::CreateKey => ("default", text(&answer["id"]), Value::Null, without("key")),
        Mutation::RevokeKey => {
            let mut before = answer.clone();
            before["status"] = "active".into();
            before["generation"] = 1.into();
            (before["revoked_at"], before["revoked_reason"]) = (Value::Null, Value::Null);
            ("default", stage.key_id.clone(), before, answer)
        }
        Mutation::RevokeToken => {
            let after = json!({ "key": stage.key_id, "expires_at": "2026-01-01T00:10:00Z" });
            ("default", stage.jti(), Value::Null, after)
        }
        Mutation::RotateSigningKey => ("", text(&next["kid"]), Value::Null, signing_key),
        Mutation::WithdrawSigningKey => ("", text(&next["kid"]), json!({ "kid": stage.kid }), signing_key),
    }
}

async fn what_changes_nothing_leaves_no_trace(backend: Backend) {
    let stage = Stage::set(backend).await;
    let server = &stage.server;
    for mutation in Mutation::ALL {
        assert!(stage.ask(mutation).await.status < 300, "{mutation:?}");
    }
    let before = server.database.dump().await;
    for mutation in
        [Mutation::RevokeKey, Mutation::RevokeToken, Mutation::RotateSigningKey, Mutation::WithdrawSigningKey]
    {
        let again = stage.ask(mutation).await;
        assert!(again.status < 500, "{mutation:?} again: {}", again.text);
    }
    let key = |project: &str, environment: &str| json!({ "name": "x", "project": project, "environment": environment, "preset": "query_only" });
    let (mine, other) = (server.client().bearer(&stage.key), "key_0123456789abcdef");
    for (client, path, body) in [
        (server.admin(), "/v1/orgs/default/keys", key("nowhere", "prd")),
        (server.admin(), "/v1/orgs/default/keys", key("default", "nowhere")),
        (server.admin(), "/v1/orgs/nowhere/keys", key("default", "prd")),
        (server.admin(), "/v1/orgs/default/keys", json!({})),
        (server.admin(), &format!("/v1/orgs/default/keys/{other}/revoke"), json!({})),
        (server.admin(), "/v1/signing-keys/rotate", json!({ "compromised": "nobody" })),
        (mine.clone(), "/v1/orgs/default/keys", key("default", "prd")),
        (mine, "/v1/signing-keys/rotate", json!({})),
        (server.client(), "/v1/signing-keys/rotate", json!({})),
    ] {
        let refused = client.post_json(path, &body).await;
        assert!((400..500).contains(&refused.status), "{path}: {} {}", refused.status, refused.text);
    }
    assert_eq!(server.database.dump().await, before);
}

async fn what_the_server_does_itself_is_audited(backend: Backend) {
    let server = Server::start(backend).await;
    let policy = &server.node.deployment.rotation;
    server.clock.advance(policy.every - policy.lead);
    server.node.tidy_once().await;
    server.node.tidy_once().await;
    let events = events(&server).await;
    let acts: Vec<_> = events.iter().map(|event| (&*event.action, &*event.actor)).collect();
    assert_eq!(acts, [("bootstrap", "bootstrap"), ("signing_key.rotate", "schedule")]);
    assert!(events.iter().all(|event| event.address.is_empty() && event.request_id.is_empty()));
}
