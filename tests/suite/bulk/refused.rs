//! What changes no key, though it would change some.

use serde_json::json;

use super::{KEYS, RESCOPE, REVOKE, names, server_with};
use crate::support::{Backend, on_both};

on_both!(
    what_is_no_choice_is_refused,
    one_key_out_of_reach_keeps_all_as_they_are,
    a_key_that_would_be_left_without_scopes_keeps_all_as_they_are,
    there_is_a_most_that_is_changed_at_once,
);

async fn what_is_no_choice_is_refused(backend: Backend) {
    let server = server_with(backend, &[("one", json!({}))]).await;
    let admin = server.admin();
    let (scopes, q) = (json!([{ "action": "read" }]), json!({ "q": "one" }));
    let before = server.database.dump().await;
    for (path, body) in [
        (REVOKE, json!({})),
        (REVOKE, json!({ "filter": {} })),
        (REVOKE, json!({ "filter": null })),
        (REVOKE, json!({ "filter": { "project": null } })),
        (REVOKE, json!({ "filter": { "q": "" } })),
        (RESCOPE, json!({ "filter": {}, "scopes": scopes })),
        (RESCOPE, json!({ "filter": q })),
        (RESCOPE, json!({ "filter": q, "scopes": [] })),
        (RESCOPE, json!({ "filter": q, "scopes": scopes, "add": scopes })),
        (RESCOPE, json!({ "filter": q, "scopes": scopes, "remove": [] })),
        (RESCOPE, json!({ "filter": q, "reason": "x", "scopes": scopes })),
    ] {
        let answer = admin.post_json(path, &body).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (400, "invalid_request"),
            "{path} {body}: {}",
            answer.text
        );
    }
    assert_eq!(server.database.dump().await, before);
}

async fn one_key_out_of_reach_keeps_all_as_they_are(backend: Backend) {
    let server = server_with(
        backend,
        &[("a", json!({ "project": "web" })), ("b", json!({ "project": "web" })), ("c", json!({}))],
    )
    .await;
    let (admin_like, _) =
        server.key_from(json!({ "name": "keeper", "project": "web", "preset": "key_admin" })).await;
    let of_web = "write:claviger/orgs/default/projects/web/keys/*";
    let (_, of_web) = server.key(&[of_web]).await;
    let (_, of_none) = server.key(&["read:claviger/**"]).await;
    let (_, foreign) = server.key(&["*:claviger/orgs/acme/**"]).await;
    let before = server.database.dump().await;
    let all = "write:claviger/orgs/default/projects/*/keys/*";
    let web = "write:claviger/orgs/default/projects/web/keys/*";
    let scopes = json!([{ "action": "read", "resource": "x" }]);
    for (key, path, filter, missing) in [
        (&of_web, REVOKE, json!({ "environment": "prd" }), all),
        (&of_web, RESCOPE, json!({ "environment": "prd" }), all),
        (
            &of_web,
            REVOKE,
            json!({ "project": "default" }),
            "write:claviger/orgs/default/projects/default/keys/*",
        ),
        (&of_none, REVOKE, json!({ "q": "a" }), all),
        // Before existence: nothing would be found.
        (&of_none, REVOKE, json!({ "q": "nonesuch" }), all),
        (&of_none, RESCOPE, json!({ "project": "web" }), web),
        // It may write to each, but one has scopes that the caller lacks.
        (&of_web, RESCOPE, json!({ "project": "web" }), "read:claviger/orgs/default/**"),
        (&foreign, REVOKE, json!({ "q": "a" }), all),
    ] {
        let mut body = json!({ "filter": filter });
        if path == RESCOPE {
            body["scopes"] = scopes.clone();
        }
        for query in ["", "?dry_run=true", "?force=true"] {
            let answer = server.client().bearer(key).post_json(&format!("{path}{query}"), &body).await;
            let message = answer.refused(403, "forbidden");
            assert!(message.contains(missing), "{path} {body}: {message}");
        }
    }
    assert_eq!(server.database.dump().await, before);
    // Revoking needs only write.
    let web = json!({ "filter": { "project": "web" } });
    let done = server.client().bearer(&of_web).post_json(REVOKE, &web).await.done(200);
    assert_eq!(names(&done), ["a", "b", "keeper"]);
    assert_eq!(server.admin().get(&format!("{KEYS}/{admin_like}")).await.done(200)["status"], "revoked");
}

async fn a_key_that_would_be_left_without_scopes_keeps_all_as_they_are(backend: Backend) {
    let server =
        server_with(backend, &[("one", json!({})), ("two", json!({ "preset": "full_access" }))]).await;
    let before = server.database.dump().await;
    let reading = json!([{ "action": "read" }]);
    let request = json!({ "filter": { "project": "default" }, "remove": reading });
    let message = server.admin().post_json(RESCOPE, &request).await.refused(400, "invalid_request");
    let one = server.admin().get(&format!("{KEYS}?q=one")).await.done(200)["data"][0]["id"].clone();
    assert!(message.contains(one.as_str().unwrap()), "it says which: {message}");
    let many: Vec<_> = (0..64).map(|at| json!({ "action": "read", "resource": format!("a{at}") })).collect();
    let request = json!({ "filter": { "project": "default" }, "add": many });
    server.admin().post_json(RESCOPE, &request).await.refused(400, "invalid_request");
    assert_eq!(server.database.dump().await, before);
}

async fn there_is_a_most_that_is_changed_at_once(backend: Backend) {
    let server = server_with(backend, &[("seed", json!({ "project": "web" }))]).await;
    let admin = server.admin();
    // Copies of that key and its secret, past the management API.
    let copies = |last: u32| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})
             INSERT INTO api_keys
                 (id, created_seq, organization, project, environment, brand, name, name_folded, scopes, cidrs,
                  generation, created_at, created_by)
             SELECT 'key_' || CAST(1000000000000000 + i AS TEXT), 1000000 + i, organization, project,
                    environment, brand, name, name_folded, scopes, cidrs, generation, created_at, created_by
             FROM api_keys, n WHERE name = 'seed' AND created_seq < 1000000;
             INSERT INTO key_secrets (id, key_id, hash, created_at)
             SELECT 'sec_' || SUBSTR(k.id, 5), k.id, 'x', 0 FROM api_keys k WHERE created_seq > 1000000"
        )
    };
    server.database.execute(&copies(10_000)).await;
    let web = json!({ "filter": { "project": "web" } });
    for query in ["", "?dry_run=true"] {
        admin.post_json(&format!("{REVOKE}{query}"), &web).await.refused(400, "invalid_request");
    }
    let first = "key_1000000000000001";
    admin.delete(&format!("{KEYS}/{first}")).await.done(204);
    let done = admin.post_json(REVOKE, &web).await.done(200);
    assert_eq!(done["count"], 10_000);
    for (table, count) in [
        ("api_keys WHERE revoked_at IS NOT NULL", 10_000),
        ("audit_events WHERE action = 'key.revoke'", 10_000),
    ] {
        assert_eq!(server.database.number(&format!("SELECT COUNT(*) FROM {table}")).await, count, "{table}");
    }
}
