//! A few months in the life of a deployment, so that there is something to look at.

use claviger::domain::api_key::KeyId;
use claviger::domain::refusal_reason::RefusalReason;
use claviger::domain::usage::UseKind;
use serde_json::{Value, json};

use crate::support::Server;

const DAY: i64 = 86_400;

/// Name, project, environment, what it may do and from where, days that it lives, and its use a day.
type Told = (&'static str, &'static str, &'static str, Value, Value, Option<u64>, u32);

fn told() -> Vec<Told> {
    let scopes = |texts: &[&str]| {
        let scope = |text: &&str| {
            let (action, resource) = text.split_once(':').expect("a scope");
            json!({"action": action, "resource": resource})
        };
        json!(texts.iter().map(scope).collect::<Vec<_>>())
    };
    let office = json!(["203.0.113.0/24", "2001:db8:40::/48"]);
    let all = json!([]);
    vec![
        ("Old importer", "web", "prd", scopes(&["read:*"]), all.clone(), None, 0),
        ("Nightly report", "analytics", "prd", scopes(&["read:reports/**"]), office.clone(), None, 3),
        (
            "Billing service",
            "web",
            "prd",
            scopes(&["read:customers/*", "write:invoices/**"]),
            office.clone(),
            None,
            41,
        ),
        ("Search indexer", "web", "prd", scopes(&["read:projects/**"]), json!(["198.51.100.7"]), None, 96),
        ("Mobile app, staging", "mobile", "stg", scopes(&["*:*"]), all.clone(), Some(9), 12),
        (
            "CI: deploy previews",
            "web",
            "dev",
            scopes(&["read:builds/*", "write:builds/*", "write:previews/**"]),
            all,
            Some(60),
            22,
        ),
        ("Partner: Northwind", "analytics", "prd", scopes(&["read:reports/northwind/**"]), office, None, 7),
    ]
}

/// Another organization, with so many keys that a search goes through them a part at a time. What it finds at last is
/// the first one.
async fn lay_many(server: &Server) {
    let admin = server.admin();
    admin.post_json("/v1/orgs", &json!({"id": "acme", "name": "Acme"})).await.done(201);
    admin.post_json("/v1/orgs/acme/projects", &json!({"id": "default", "name": "Default"})).await.done(201);
    let first = json!({"name": "Needle", "project": "default", "environment": "prd", "preset": "query_only"});
    admin.post_json("/v1/orgs/acme/keys", &first).await.done(201);
    server.database.add_keys("acme", 40_000).await;
}

/// Makes a project, and in it a key with a name as long as a name can be, which is used more each day; returns its id.
pub(crate) async fn lay_a_long_name(server: &Server) -> String {
    let (admin, days) = (server.admin(), 20);
    let project = json!({"id": "web", "environments": ["prd", "qa"]});
    admin.post_json("/v1/orgs/default/projects", &project).await.done(201);
    let body = json!({
        "name": "Wide".repeat(50), "note": "n".repeat(2_000), "project": "web", "environment": "qa", "preset": "query_only",
    });
    let made = admin.post_json("/v1/orgs/default/keys", &body).await.done(201);
    let id = made["id"].as_str().expect("an id").to_owned();
    for day in 0..days {
        use_key(server, &id.parse().expect("an id"), day * 100, day % 5 == 0).await;
        server.flush().await;
        server.advance(DAY).await;
    }
    id
}

/// Makes projects and keys, and has them used for a while.
pub(crate) async fn seed(server: &Server) {
    lay_many(server).await;
    let admin = server.admin();
    for (id, name) in [("web", "Web"), ("mobile", "Mobile"), ("analytics", "Analytics")] {
        admin.post_json("/v1/orgs/default/projects", &json!({"id": id, "name": name})).await.done(201);
    }
    let mut keys: Vec<(KeyId, u32)> = Vec::new();
    let later = told();
    for (name, project, environment, scopes, cidrs, lives, daily) in later {
        let mut body = json!({"name": name, "project": project, "environment": environment, "scopes": scopes, "cidrs": cidrs});
        if name == "Billing service" {
            body["note"] = json!("Owned by finance. Used by the invoice worker.");
        }
        if name == "Old importer" {
            admin.post_json("/v1/orgs/default/keys", &body).await.done(201);
            server.advance(100 * DAY).await;
            continue;
        }
        if let Some(days) = lives {
            body["expires_in"] = json!((days + 30) * DAY.unsigned_abs());
        }
        let made = admin.post_json("/v1/orgs/default/keys", &body).await.done(201);
        keys.push((made["id"].as_str().expect("an id").parse().expect("an id"), daily));
        server.advance(3_600).await;
    }
    let doomed =
        json!({"name": "Leaked on a laptop", "project": "web", "environment": "prd", "preset": "query_only"});
    let doomed = admin.post_json("/v1/orgs/default/keys", &doomed).await.done(201);
    for day in 0..30_u32 {
        for (at, (id, daily)) in keys.iter().enumerate() {
            let weekday = if day % 7 > 4 { 3 } else { 10 };
            use_key(server, id, (*daily * weekday + day * 3 + at as u32) / 10, at == 4 && day % 9 == 0).await;
        }
        server.flush().await;
        server.advance(DAY).await;
    }
    let path = format!("/v1/orgs/default/keys/{}/revoke", doomed["id"].as_str().expect("an id"));
    admin.post_json(&path, &json!({"reason": "found in a public repository"})).await.done(200);
    let billing = keys[1].0;
    let path = format!("/v1/orgs/default/keys/{billing}/rotate");
    admin.post_json(&path, &json!({"overlap_seconds": 7 * DAY})).await.done(201);
    server.advance(5_400).await;
}

async fn use_key(server: &Server, id: &KeyId, times: u32, is_refused: bool) {
    let (node, now) = (&server.node, server.clock.now());
    let Ok(Some(held)) = node.authenticator.key(id).await else { return };
    let secret = held.secrets.first().map(|secret| secret.id.into());
    for at in 0..times {
        node.usage.count(&held, secret, if at % 3 == 0 { UseKind::Direct } else { UseKind::Token }, now);
    }
    if is_refused {
        for _ in 0..6 {
            node.usage.count(&held, secret, UseKind::Refused(RefusalReason::Address), now);
        }
    }
}
