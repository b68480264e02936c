//! The audit trail: an event for each thing that a mutation changes, none for anything else.

use serde_json::{Value, json};

use super::mutation::{Mutation, Scenario};
use crate::support::{Backend, Server, on_both};

on_both!(
    each_mutation_leaves_its_events,
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

    fn into_said(self) -> Said {
        (self.organization, self.subject, self.before, self.after)
    }
}

async fn each_mutation_leaves_its_events(backend: Backend) {
    let server = Server::start(backend).await;
    let admin = server.admin().get("/v1/self").await.done(200)["id"].clone();
    for (at, mutation) in Mutation::all().iter().enumerate() {
        let scenario = Scenario::set(&server, &format!("org-{at}"), mutation).await;
        let (past, before) = (events(&server).await.len(), scenario.look(None).await);
        let answer = scenario.ask().await;
        assert!(answer.status < 300, "{mutation:?}: {}", answer.text);
        let after = scenario.look(Some(&answer)).await;
        let events = events(&server).await.split_off(past);
        let mut actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
        actions.sort_unstable();
        assert_eq!(actions, mutation.actions, "{mutation:?}");
        for event in &events {
            assert_eq!(
                (&*event.actor, &*event.address),
                (admin.as_str().unwrap(), "127.0.0.1"),
                "{mutation:?}"
            );
            assert_eq!(event.request_id, answer.header("x-request-id"), "{mutation:?}");
        }
        let mut said: Vec<_> = events.into_iter().map(Event::into_said).collect();
        if mutation.actions[0].starts_with("portal_session.") {
            is_of_the_portal(&scenario, &said, &answer.text);
            continue;
        }
        let mut expected = expected(&scenario, &before, &after, &answer.text);
        said.sort_by(|one, other| one.1.cmp(&other.1));
        expected.sort_by(|one, other| one.1.cmp(&other.1));
        assert_eq!(said, expected, "{mutation:?}");
    }
    let trail =
        server.database.texts("SELECT COALESCE(before, '') || COALESCE(after, '') FROM audit_events").await;
    assert!(!trail.concat().contains("argon2"));
}

/// The event of a portal's session says whose it is, and never the code that opens it.
fn is_of_the_portal(scenario: &Scenario<'_>, said: &[Said], answer: &str) {
    let [(organization, subject, _, after)] = said else { panic!("{said:?}") };
    assert_eq!((&**organization, &**subject), (scenario.subjects().0, "portal:user-1"));
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    if let Some((_, code)) = answer["url"].as_str().and_then(|url| url.split_once('#')) {
        assert_eq!(after["projects"], json!(["web"]));
        assert!(!after.to_string().contains(code), "{after}");
    }
}

/// The organization and the subject of an event, and how that was before and after.
type Said = (String, String, Value, Value);

/// What the events have to say of what was looked at before and after, or else of a token or a signing key.
fn expected(
    scenario: &Scenario<'_>,
    before: &[(String, Value)],
    after: &[(String, Value)],
    answer: &str,
) -> Vec<Said> {
    let (organization, jti, kid) = scenario.subjects();
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    if !after.is_empty() {
        let was = |path: &String| before.iter().find(|(other, _)| other == path).map(|(_, was)| was.clone());
        return after.iter().map(|(path, is)| said(was(path).unwrap_or_default(), is.clone())).collect();
    }
    if let Some(number) = answer["active"]["number"].as_i64() {
        let state = |key: &Value| json!({ "number": key["number"], "check": key["check"] });
        let replaced = &answer["replaced"][0];
        if replaced["tags_ended_at"].is_string() {
            return vec![(String::new(), replaced["number"].to_string(), Value::Null, Value::Null)];
        }
        let mut is = state(&answer["active"]);
        is["compromised"] = false.into();
        return vec![(String::new(), number.to_string(), state(replaced), is)];
    }
    let Some(keys) = answer["data"].as_array() else {
        return vec![(organization.to_owned(), jti, Value::Null, scenario.token_said())];
    };
    // The one in the place of what was withdrawn, or the one that waits.
    let is_withdrawn = keys.iter().any(|key| key["kid"] == kid && key["status"] == "withdrawn");
    let (status, before) =
        if is_withdrawn { ("active", json!({ "kid": kid })) } else { ("next", Value::Null) };
    let new = keys.iter().find(|key| key["status"] == status).unwrap();
    let after = json!({ "kid": new["kid"], "algorithm": "ES256", "activates_at": new["activates_at"] });
    vec![(String::new(), new["kid"].as_str().unwrap().to_owned(), before, after)]
}

/// What the trail says of a member, which leaves the address out, and of the deployment's the name too.
fn of_member(member: &Value) -> Value {
    let Some(mut said) = member.as_object().cloned() else { return Value::Null };
    let kept = ["id", "role", "projects", "status", "provider"];
    let is_named = said["organization"].is_string();
    said.retain(|name, _| kept.contains(&name.as_str()) || (is_named && name == "name"));
    said.into()
}

/// The event of an organization, a project or a key that was so and is so now.
fn said(before: Value, after: Value) -> Said {
    let thing = if after.is_null() { &before } else { &after };
    let text = |member: &str| thing[member].as_str().unwrap_or_default().to_owned();
    if thing.get("email").is_some() {
        return (text("organization"), text("id"), of_member(&before), of_member(&after));
    }
    let (id, organization) = (text("id"), text("organization"));
    if organization.is_empty() {
        // A named scope is the deployment's.
        let organization = if thing.get("scope").is_some() { String::new() } else { id.clone() };
        return (organization, id, before, after);
    }
    // Projects, named scopes and trusted issuers are named within their organization.
    let is_within = ["environments", "scope", "issuer"].iter().any(|member| thing.get(member).is_some());
    let subject = if is_within { format!("{organization}/{id}") } else { id };
    (organization, subject, before, after)
}

async fn what_changes_nothing_leaves_no_trace(backend: Backend) {
    let server = Server::start(backend).await;
    for (at, mutation) in Mutation::all().iter().enumerate() {
        let scenario = Scenario::set(&server, &format!("org-{at}"), mutation).await;
        let done = scenario.ask().await;
        assert!(done.status < 300, "{mutation:?}: {}", done.text);
        // Each link of an invitation is another one.
        if mutation.is_invitation() {
            continue;
        }
        let before = server.database.dump().await;
        let again = scenario.ask().await;
        assert!(again.status < 500, "{mutation:?} again: {}", again.text);
        assert_eq!(server.database.dump().await, before, "{mutation:?} again");
    }
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
