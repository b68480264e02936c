//! Attacks that other software fell to, where no other test has them: `docs/known-attacks.md` names all.

use serde_json::json;

use crate::support::{Answer, Backend, Client, Server, forged, on_both};

on_both!(
    no_grant_serves_a_disabled_key,
    a_guess_at_any_endpoint_counts_at_all_others,
    no_answer_is_compressed
);

const KEYS: &str = "/v1/orgs/default/keys";

async fn asked(server: &Server, grant: &str, client: &str, subject: &str) -> Answer {
    let form = match grant {
        "client_credentials" => format!("grant_type={grant}&client_secret={client}"),
        "urn:ietf:params:oauth:grant-type:token-exchange" => {
            let kind = if subject.matches('.').count() == 2 {
                "urn:ietf:params:oauth:token-type:access_token"
            } else {
                "urn:claviger:token-type:api_key"
            };
            format!(
                "grant_type={grant}&client_secret={client}&subject_token={subject}&subject_token_type={kind}"
            )
        }
        new => panic!("{new}: a grant that this test does not know yet"),
    };
    server.client().post_form("/oauth/token", &form).await
}

async fn set_disabled(server: &Server, id: &str, disabled: bool) {
    server.admin().patch(&format!("{KEYS}/{id}"), &json!({ "disabled": disabled })).await.done(200);
}

/// The grants are those that the metadata names, so that a new one has to come by here.
async fn no_grant_serves_a_disabled_key(backend: Backend) {
    let server = Server::start(backend).await;
    let (subject_id, subject) = server.key(&["read:*"]).await;
    let exchange = "write:claviger/orgs/default/projects/default/token-exchange";
    let metadata = server.client().get("/.well-known/oauth-authorization-server").await.done(200);
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert!(!grants.is_empty());
    for grant in grants {
        let grant = grant.as_str().unwrap();
        // Its client has no secret. `federation::ends::a_key_that_ended_is_not_opened` has it disabled, at both doors.
        if grant == "urn:ietf:params:oauth:grant-type:jwt-bearer" {
            continue;
        }
        let (client_id, client) = server.key(&["read:*", exchange]).await;
        let token = server.client().access_token(&subject, "").await;
        for presented in [&subject, &token] {
            asked(&server, grant, &client, presented).await.done(200);
        }
        if grant != "client_credentials" {
            set_disabled(&server, &subject_id, true).await;
            for presented in [&subject, &token] {
                let refused = asked(&server, grant, &client, presented).await;
                assert_eq!((refused.status, &*refused.oauth_error()), (400, "invalid_request"), "{grant}");
            }
            set_disabled(&server, &subject_id, false).await;
        }
        set_disabled(&server, &client_id, true).await;
        let token = server.client().access_token(&subject, "").await;
        for presented in [&subject, &token] {
            let refused = asked(&server, grant, &client, presented).await;
            assert_eq!((refused.status, &*refused.oauth_error()), (401, "invalid_client"), "{grant}");
        }
        set_disabled(&server, &client_id, false).await;
        asked(&server, grant, &client, &token).await.done(200);
    }
}

/// Every endpoint that takes an API key.
const ENDPOINTS: [&str; 8] =
    ["token", "Basic", "introspect", "revoke", "Bearer", "X-Api-Key", "gate", "console"];

async fn status_of_key(server: &Server, endpoint: &str, id: &str, key: &str) -> u16 {
    let client = server.client();
    let gate = "/v1/gate?action=read&resource=orders/7";
    let answer = match endpoint {
        "token" => client.token(key, "").await,
        "Basic" => client.basic(id, key).post_form("/oauth/token", "grant_type=client_credentials").await,
        "introspect" => client.post_form("/oauth/introspect", &format!("token=x&client_secret={key}")).await,
        "revoke" => client.post_form("/oauth/revoke", &format!("token=x&client_secret={key}")).await,
        "Bearer" => client.bearer(key).get("/v1/self").await,
        "X-Api-Key" => client.with("x-api-key", key).get("/v1/self").await,
        "gate" => client.bearer(key).get(gate).await,
        "console" => {
            let page = client.with("origin", &server.url(""));
            page.post_form("/console/sign-in", &format!("key={key}")).await
        }
        _ => unreachable!("{endpoint}"),
    };
    answer.status
}

/// A client that guessed too often at one endpoint is refused at all.
async fn a_guess_at_any_endpoint_counts_at_all_others(backend: Backend) {
    let server = Server::start(backend).await;
    for endpoint in ENDPOINTS {
        let (id, key) = server.key(&["read:*", "read:claviger/orgs/default/**"]).await;
        for other in ENDPOINTS {
            assert!([200, 303].contains(&status_of_key(&server, other, &id, &key).await), "{other}");
        }
        for _ in 0..10 {
            assert_eq!(status_of_key(&server, endpoint, &id, &forged(&key)).await, 401, "{endpoint}");
        }
        for other in ENDPOINTS {
            assert_eq!(
                status_of_key(&server, other, &id, &key).await,
                429,
                "guessed at {endpoint}, then {other}"
            );
        }
    }
}

/// What is compressed together with something that a stranger chose says by its length what else is in it.
async fn no_answer_is_compressed(backend: Backend) {
    let server = Server::start(backend).await;
    let willing = |client: Client| client.with("accept-encoding", "gzip, deflate, br, zstd");
    let (id, key) = server.key(&["read:*"]).await;
    let signed_in = server.client().with("origin", &server.url(""));
    let signed_in = signed_in.post_form("/console/sign-in", &format!("key={}", server.admin_key)).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let browser = willing(server.client().with("cookie", &cookie));
    let admin = willing(server.admin());
    let long = json!({ "name": "a".repeat(200), "note": "a".repeat(2_000), "project": "default",
        "environment": "prd", "preset": "query_only" });
    for (what, answer, status) in [
        ("a token", willing(server.client()).token(&key, "").await, 200),
        ("a new key", admin.post_json(KEYS, &long).await, 201),
        ("keys", admin.get(KEYS).await, 200),
        ("an export", admin.get("/v1/orgs/default/audit?format=csv").await, 200),
        ("a configuration", admin.get("/v1/orgs/default/configuration").await, 200),
        ("the feed", willing(server.client()).get("/oauth/revocations").await, 200),
        ("an error", admin.get(&format!("{KEYS}?limit={}", "a".repeat(2_000))).await, 400),
        ("a page", browser.get("/console/orgs/default/keys").await, 200),
        ("a page with a form", browser.get(&format!("/console/orgs/default/keys/{id}/edit")).await, 200),
        ("a page with a search", browser.get("/console/orgs/default/keys?q=token").await, 200),
    ] {
        assert_eq!(answer.status, status, "{what}: {}", answer.text);
        assert_eq!(answer.header("content-encoding"), "", "{what}");
        assert!(answer.text.len() > 10, "{what}");
    }
    let page = browser.get("/console/orgs/default/keys").await.text;
    assert!(page.contains(r#"name="token""#), "there is a secret in a page: {page}");
}
