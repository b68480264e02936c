//! Whether a store that was reopened has what was acknowledged, and nothing half done.

use std::collections::HashMap;

use serde_json::Value;

use super::journal::{Fact, Journal, Unanswered, essence};
use super::writer::KEYS;
use crate::support::{Client, Database, Process};

pub(super) struct Checker<'a> {
    database: &'a Database,
    /// The last audit event that was looked at.
    seen: i64,
}

/// What must not be, and how often it is.
const WRONG: &[(&str, &str)] = &[
    (
        "a change is missing",
        "(SELECT value FROM sequences WHERE name = 'changes') - (SELECT COUNT(*) FROM changes)",
    ),
    (
        "a change has no event",
        "(SELECT COUNT(*) FROM changes WHERE seq NOT IN (SELECT seq FROM audit_events))",
    ),
    (
        "keys that nobody made",
        "(SELECT COUNT(*) FROM api_keys)
         - (SELECT COUNT(*) FROM audit_events WHERE action IN ('bootstrap', 'key.create'))
         + (SELECT COUNT(*) FROM audit_events WHERE action = 'key.delete')",
    ),
    (
        "keys that nobody revoked",
        r#"(SELECT COUNT(*) FROM api_keys WHERE revoked_at IS NOT NULL)
           - (SELECT COUNT(*) FROM audit_events WHERE action = 'key.revoke')
           + (SELECT COUNT(*) FROM audit_events
              WHERE action = 'key.delete' AND before LIKE '%"status":"revoked"%')"#,
    ),
    (
        "secrets that nobody made",
        "(SELECT COUNT(*) FROM key_secrets) - 1
         - (SELECT COUNT(*) FROM audit_events
            WHERE action IN ('key.create', 'key.rotate') AND subject IN (SELECT id FROM api_keys))",
    ),
    (
        "keys without a secret",
        "(SELECT COUNT(*) FROM api_keys WHERE id NOT IN (SELECT key_id FROM key_secrets))",
    ),
    (
        "organizations that nobody made",
        "(SELECT COUNT(*) FROM organizations) - 1
         - (SELECT COUNT(*) FROM audit_events WHERE action = 'organization.create')",
    ),
    (
        "organizations that nobody deleted",
        "(SELECT COUNT(*) FROM organizations WHERE deleted_at IS NOT NULL)
         - (SELECT COUNT(*) FROM audit_events WHERE action = 'organization.delete')",
    ),
    (
        "projects that nobody made",
        "(SELECT COUNT(*) FROM projects) - 1
         - (SELECT COUNT(*) FROM audit_events WHERE action = 'project.create')",
    ),
    (
        "projects that nobody deleted",
        "(SELECT COUNT(*) FROM projects WHERE deleted_at IS NOT NULL)
         - (SELECT COUNT(*) FROM audit_events WHERE action = 'project.delete')",
    ),
];

/// The same where whatever is made has a name to be repeated by.
const WRONG_WITH_NAMES: &[(&str, &str)] = &[(
    "answers to what was not made",
    "(SELECT COUNT(*) FROM repeatable_requests)
     - (SELECT COUNT(*) FROM audit_events
        WHERE action IN ('key.create', 'organization.create', 'project.create'))",
)];

impl<'a> Checker<'a> {
    pub(super) fn over(database: &'a Database) -> Self {
        Self { database, seen: 0 }
    }

    /// Checks what the writers know of, and the whole store.
    pub(super) async fn check(&mut self, server: &Process, journals: &[Journal]) {
        // On PostgreSQL the last transaction of a killed server may still be on its way to its end: wait for that.
        self.database.execute("UPDATE sequences SET value = value").await;
        let last_events = self.last_events().await;
        for journal in journals {
            for fact in &journal.facts {
                check_fact(server, fact, &last_events).await;
            }
            if let Some(unanswered) = &journal.unanswered {
                make_again(&server.admin(), unanswered).await;
            }
        }
        assert_consistent(self.database).await;
        find_wrong(self.database, WRONG_WITH_NAMES).await;
    }

    /// How the trail says that each thing is since its last change, of those that were changed since the last check.
    async fn last_events(&mut self) -> HashMap<String, Value> {
        let events = format!(
            "SELECT subject || ' ' || COALESCE(after, 'null') FROM audit_events
             WHERE seq > {} AND action NOT IN ('bootstrap', 'key.refused') ORDER BY seq",
            self.seen
        );
        let events = self.database.texts(&events).await;
        self.seen = self.database.number("SELECT MAX(seq) FROM audit_events").await;
        let read = |event: String| {
            let (subject, after) = event.split_once(' ').expect("a subject");
            (subject.to_owned(), essence(&serde_json::from_str(after).expect("JSON")))
        };
        events.into_iter().map(read).collect()
    }
}

/// Nothing is half done.
pub(crate) async fn assert_consistent(database: &Database) {
    find_wrong(database, WRONG).await;
    if database.url.starts_with("sqlite") {
        assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    }
}

async fn find_wrong(database: &Database, wrong: &[(&str, &str)]) {
    let wrong: Vec<_> = wrong
        .iter()
        .map(|(what, count)| format!("SELECT '{what}: ' || CAST(({count}) AS TEXT) WHERE ({count}) <> 0"))
        .collect();
    assert_eq!(database.texts(&wrong.join(" UNION ALL ")).await, [""; 0]);
}

/// Whether things are as the journal says, and as the trail says.
async fn check_fact(server: &Process, fact: &Fact, last_events: &HashMap<String, Value>) {
    let mut found = Vec::new();
    for path in &fact.paths {
        let answer = server.admin().get(path).await;
        assert!(matches!(answer.status, 200 | 404), "{path}: {}", answer.text);
        let thing = if answer.status == 200 { essence(&answer.json()) } else { Value::Null };
        assert_eq!(last_events.get(&subject_of(path)), Some(&thing), "{path}: what the trail says");
        found.push(thing);
    }
    assert!(fact.possible.contains(&found), "{found:?} is none of {fact:?}");
    for (key, opens) in &fact.opens {
        let answer = server.client().token(key, "").await;
        assert_eq!(answer.status, if *opens { 200 } else { 401 }, "{}: {fact:?}", answer.text);
    }
}

/// What audit events call the thing at this path.
fn subject_of(path: &str) -> String {
    let id = path.rsplit('/').next().unwrap_or_default();
    if path.contains("/projects/") { format!("default/{id}") } else { id.to_owned() }
}

/// Makes what was not answered, as its client would: whether or not it was made before, there is one then.
async fn make_again(admin: &Client, unanswered: &Unanswered) {
    let Unanswered { name, path, body } = unanswered;
    let made = admin.with("idempotency-key", name).post_json(path, body).await.done(201);
    if path != KEYS {
        admin.get(&format!("{path}/{}", made["id"].as_str().expect("an id"))).await.done(200);
        return;
    }
    let found = admin.get(&format!("{KEYS}?status=all&q={}", body["name"].as_str().expect("a name"))).await;
    let found = found.done(200)["data"].clone();
    let of_name = found.as_array().expect("keys").iter().filter(|key| key["name"] == body["name"]);
    let ids: Vec<_> = of_name.map(|key| key["id"].clone()).collect();
    assert_eq!(ids, [made["id"].clone()], "{body}");
}
