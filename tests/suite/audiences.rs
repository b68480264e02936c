//! Which resource servers tokens can be for: the deployment's, narrowed by organization and by project.

use serde_json::{Value, json};

use crate::support::{Backend, Options, Server, on_both};
use crate::token::claims;

on_both!(each_level_narrows_what_a_token_can_be_for, a_level_names_what_the_one_above_has);

const ORG: &str = "/v1/orgs/default";
const PROJECT: &str = "/v1/orgs/default/projects/default";

/// A server with three resource servers.
async fn server(backend: Backend) -> Server {
    let audiences = Some(["a:1", "a:2", "a:3"].map(str::to_owned).to_vec());
    Server::start_with(backend, Options { audiences, ..Options::default() }).await
}

async fn each_level_narrows_what_a_token_can_be_for(backend: Backend) {
    let server = server(backend).await;
    let (admin, client) = (server.admin(), server.client());
    let (_, key) = server.key(&["read:*", "read:claviger/orgs/default"]).await;
    let none = Value::Null;
    for (organization, project, left) in [
        (none.clone(), none.clone(), &["a:1", "a:2", "a:3"][..]),
        (json!(["a:3", "a:2"]), none.clone(), &["a:3", "a:2"]),
        (json!(["a:3", "a:2"]), json!(["a:2"]), &["a:2"]),
        // The organization no longer has what its project names.
        (json!(["a:3", "a:1"]), json!(["a:2"]), &[]),
        (none.clone(), json!(["a:2"]), &["a:2"]),
        (none.clone(), none, &["a:1", "a:2", "a:3"]),
    ] {
        let what = format!("{organization}, {project}");
        // In an order in which the project's are always among the organization's.
        admin.patch(ORG, &json!({ "audiences": null })).await.done(200);
        admin.patch(PROJECT, &json!({ "audiences": project })).await.done(200);
        admin.patch(ORG, &json!({ "audiences": organization })).await.done(200);
        for audience in ["a:1", "a:2", "a:3"] {
            let answer = client.token(&key, &format!("&resource={audience}")).await;
            if left.contains(&audience) {
                let token = answer.done(200)["access_token"].clone();
                assert_eq!(claims(token.as_str().unwrap())["aud"], audience, "{what}");
            } else {
                assert_eq!((answer.status, &*answer.oauth_error()), (400, "invalid_target"), "{what}");
            }
        }
        let by_default = client.token(&key, "").await;
        match left.first() {
            Some(&first) => {
                let token = by_default.done(200)["access_token"].clone();
                assert_eq!(claims(token.as_str().unwrap())["aud"], first, "{what}");
            }
            None => assert_eq!(by_default.oauth_error(), "invalid_target", "{what}"),
        }
        let issuer = format!("&resource={}", server.url(""));
        client.token(&key, &issuer).await.done(200);
    }
}

async fn a_level_names_what_the_one_above_has(backend: Backend) {
    let server = server(backend).await;
    let admin = server.admin();
    admin.patch(ORG, &json!({ "audiences": ["a:1", "a:2"] })).await.done(200);
    let before = server.database.dump().await;
    for (path, audiences) in [
        (ORG, json!(["a:4"])),
        (ORG, json!([server.url("")])),
        (ORG, json!([])),
        (ORG, json!(["a:1", "a:1"])),
        (PROJECT, json!(["a:3"])),
        (PROJECT, json!(["a:1", "a:4"])),
        (PROJECT, json!([])),
    ] {
        let patch = json!({ "name": "x", "audiences": audiences });
        admin.patch(path, &patch).await.refused(400, "invalid_request");
        let dry_run = format!("{path}?dry_run=true");
        admin.patch(&dry_run, &patch).await.refused(400, "invalid_request");
        let (collection, _) = path.rsplit_once('/').unwrap();
        let new = json!({ "id": "new", "audiences": audiences });
        admin.post_json(collection, &new).await.refused(400, "invalid_request");
    }
    assert_eq!(server.database.dump().await, before);
}
