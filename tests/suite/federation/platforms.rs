//! Tokens in the shapes that the platforms document, signed by a key of the test.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use claviger::domain::trust_rule::Preset;
use claviger::jose::jwk::{Algorithm, SigningKey};
use claviger::jose::pem;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{ISSUERS, KEYS, present, present_as_grant, told_nothing, trusting};
use crate::support::assertion::Holder;
use crate::support::{Backend, Server, on_both};

on_both!(
    github_actions,
    github_events_that_others_cause_need_a_name,
    gitlab,
    google,
    entra,
    kubernetes,
    a_cluster_is_found_by_its_discovery,
);

/// A server that trusts a platform, whose keys are in the record.
struct Platform {
    server: Server,
    holder: Holder,
    url: &'static str,
}

impl Platform {
    async fn at(backend: Backend, url: &'static str) -> Self {
        let (server, holder) = (Server::start(backend).await, Holder::new(Algorithm::Es256));
        let issuer = json!({ "id": "p", "issuer": url, "keys": { "jwks": { "keys": [holder.jwk] } } });
        server.admin().post_json(ISSUERS, &issuer).await.done(201);
        Self { server, holder, url }
    }

    /// A key with the rule that a preset makes of these values.
    async fn key(&self, preset: &str, values: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let rule = Preset::named(preset).unwrap().fill("p".parse().unwrap(), None, None, values).unwrap();
        trusting(&self.server, &json!(rule)).await.0
    }

    /// Whether a token with these claims, of which one is changed, opens the key.
    async fn opens(&self, id: &str, claims: &Value, change: Value) -> bool {
        let now = self.server.clock.now().unix();
        let mut whole =
            json!({ "iss": self.url, "aud": self.server.issuer(), "iat": now, "nbf": now, "exp": now + 300 });
        for (name, value) in claims.as_object().unwrap().iter().chain(change.as_object().unwrap()) {
            whole[name] = value.clone();
        }
        let header = json!({ "alg": "ES256", "kid": self.holder.kid(), "typ": "JWT", "x5t": "x" });
        let answer = present(&self.server.client(), id, &self.holder.sign(&header, &whole)).await;
        if answer.status != 200 {
            told_nothing(&answer, "a refused token");
        }
        answer.status == 200
    }
}

fn github() -> Value {
    json!({
        "jti": "example-id", "sub": "repo:octo-org/octo-repo:environment:prod", "environment": "prod",
        "ref": "refs/heads/main", "sha": "example-sha", "repository": "octo-org/octo-repo",
        "repository_owner": "octo-org", "actor_id": "12", "repository_visibility": "private",
        "repository_id": "74", "repository_owner_id": "65", "run_id": "example-run-id", "run_number": "10",
        "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat",
        "workflow": "example-workflow", "head_ref": "", "base_ref": "", "event_name": "workflow_dispatch",
        "ref_type": "branch", "ref_protected": "true", "enterprise": "avocado-corp",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "workflow_ref": "octo-org/octo-repo/.github/workflows/w.yml@refs/heads/main", "workflow_sha": "x",
        "job_workflow_sha": "x",
    })
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

async fn github_actions(backend: Backend) {
    let platform = Platform::at(backend, GITHUB).await;
    let id = platform.key("github", &[("repository_id", "74"), ("ref", "refs/heads/main")]).await;
    assert!(platform.opens(&id, &github(), json!({})).await);
    for change in [
        json!({ "repository_id": "75" }),
        json!({ "repository_id": ["74"] }),
        json!({ "ref": "refs/heads/maint" }),
        json!({ "ref": "refs/pull/1/merge" }),
    ] {
        assert!(!platform.opens(&id, &github(), change).await);
    }
}

async fn github_events_that_others_cause_need_a_name(backend: Backend) {
    let platform = Platform::at(backend, GITHUB).await;
    let open = platform.key("github", &[("repository_id", "74")]).await;
    let named = platform.key("github", &[("repository_id", "74"), ("event_name", "workflow_run")]).await;
    for event in ["pull_request_target", "workflow_run"] {
        assert!(!platform.opens(&open, &github(), json!({ "event_name": event })).await, "{event}");
    }
    assert!(platform.opens(&named, &github(), json!({ "event_name": "workflow_run" })).await);
    assert!(platform.opens(&open, &github(), json!({ "event_name": "push" })).await);
}

async fn gitlab(backend: Backend) {
    let platform = Platform::at(backend, "https://gitlab.com").await;
    let claims = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/my-project",
        "user_id": "1", "user_login": "sample-user", "user_email": "sample-user@example.com",
        "user_identities": [{ "provider": "github", "extern_uid": "2435223452345" }],
        "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "feature-branch-1",
        "ref_type": "branch", "ref_path": "refs/heads/feature-branch-1", "ref_protected": "false",
        "groups_direct": ["mygroup/mysubgroup"], "environment": "test-environment2",
        "environment_protected": "false", "deployment_tier": "testing", "environment_action": "start",
        "runner_id": 1, "runner_environment": "self-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "project_visibility": "public", "jti": "x", "sub": "project_path:my-group/my-project:ref_type:branch:ref:x",
    });
    let id = platform.key("gitlab", &[("project_id", "20"), ("ref_protected", "false")]).await;
    assert!(platform.opens(&id, &claims, json!({})).await);
    assert!(platform.opens(&id, &claims, json!({ "project_id": 20, "ref_protected": false })).await);
    for change in
        [json!({ "project_id": "2" }), json!({ "project_id": 20.5 }), json!({ "ref_protected": "true" })]
    {
        assert!(!platform.opens(&id, &claims, change).await);
    }
}

async fn google(backend: Backend) {
    let platform = Platform::at(backend, "https://accounts.google.com").await;
    let claims = json!({ "azp": "102030405060708090100", "email": "ci@project.iam.gserviceaccount.com",
        "email_verified": true, "sub": "102030405060708090100",
        "google": { "compute_engine": { "project_id": "project", "zone": "us-central1-a" } } });
    let id = platform.key("google", &[("subject", "102030405060708090100")]).await;
    assert!(platform.opens(&id, &claims, json!({})).await);
    assert!(!platform.opens(&id, &claims, json!({ "sub": "102030405060708090101" })).await);
    let by_email = json!({ "issuer": "p", "claims": { "/email": "ci@project.iam.gserviceaccount.com" } });
    let path = format!("{KEYS}/{id}/trust-rules");
    let message = platform.server.admin().post_json(&path, &by_email).await.refused(400, "invalid_request");
    assert!(message.contains("an email address can be given to somebody else"), "{message}");
}

async fn entra(backend: Backend) {
    let tenant = "5f1f4a3e-6a3c-4b1c-9a0e-1c2d3e4f5a6b";
    let url = "https://login.microsoftonline.com/5f1f4a3e-6a3c-4b1c-9a0e-1c2d3e4f5a6b/v2.0";
    let platform = Platform::at(backend, url).await;
    let claims = json!({ "aio": "x", "azp": "app", "azpacr": "2", "idtyp": "app", "oid": "object", "rh": "x",
        "sub": "object", "tid": tenant, "uti": "x", "ver": "2.0" });
    let id = platform.key("entra", &[("tid", tenant), ("oid", "object")]).await;
    assert!(platform.opens(&id, &claims, json!({})).await);
    for change in [json!({ "oid": "other" }), json!({ "tid": "other" }), json!({ "tid": null })] {
        assert!(!platform.opens(&id, &claims, change).await);
    }
    // As the platform issues them: for an application, and for up to a day.
    let application = "6731de76-14a6-49ae-97bc-6eba6914391e";
    let now = platform.server.clock.now().unix();
    let real = json!({ "aud": application, "exp": now + 86_400 });
    let rule =
        json!({ "issuer": "p", "audience": application, "claims": { "/tid": tenant, "/oid": "object" } });
    let (of_application, _) = trusting(&platform.server, &rule).await;
    assert!(!platform.opens(&of_application, &claims, real.clone()).await, "it lasts too long");
    let longer = json!({ "max_lifetime": 86_400 });
    platform.server.admin().patch(&format!("{ISSUERS}/p"), &longer).await.done(200);
    assert!(platform.opens(&of_application, &claims, real.clone()).await);
    assert!(!platform.opens(&id, &claims, real).await, "the other key's rule is for tokens for this server");
    assert!(!platform.opens(&of_application, &claims, json!({ "aud": "other" })).await);
}

/// The `uid` of a service account.
const UID: &str = "3c9e2b1e-6a6b-4b0c-9f61-0b4c5f7f9f10";

/// What a projected token says of the pod and its service account.
fn inside(uid: &str) -> Value {
    json!({ "namespace": "web", "node": { "name": "n1", "uid": "x" }, "pod": { "name": "api-1", "uid": "y" },
        "serviceaccount": { "name": "api", "uid": uid }, "warnafter": 1 })
}

async fn kubernetes(backend: Backend) {
    let platform = Platform::at(backend, "https://kubernetes.default.svc.cluster.local").await;
    let claims = json!({ "aud": [platform.server.issuer()], "jti": "x", "kubernetes.io": inside(UID),
        "sub": "system:serviceaccount:web:api" });
    let id = platform.key("kubernetes", &[("namespace", "web"), ("serviceaccount_uid", UID)]).await;
    assert!(platform.opens(&id, &claims, json!({})).await);
    assert!(!platform.opens(&id, &claims, json!({ "kubernetes.io": inside("recreated") })).await);
    assert!(!platform.opens(&id, &claims, json!({ "kubernetes.io": "web" })).await);
}

/// What a cluster signs with, in the form that kube-apiserver has it.
struct Cluster {
    url: String,
    key: SigningKey,
}

impl Cluster {
    /// Serves its discovery and its key set, where kube-apiserver has them, and nothing else: there are no other endpoints
    /// in its description.
    async fn start() -> Self {
        let (key, _) = pem::import(include_str!("../../vectors/pem/rsa-2048.pem")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let description = json!({
            "issuer": url, "jwks_uri": format!("{url}/openid/v1/jwks"), "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        });
        let keys = json!({ "keys": [key.public_jwk()] });
        let serve = |media_type: &'static str, body: Value| {
            get(move || std::future::ready(([(CONTENT_TYPE, media_type)], body.to_string())))
        };
        let routes = Router::new()
            .route("/.well-known/openid-configuration", serve("application/json", description))
            .route("/openid/v1/jwks", serve("application/jwk-set+json", keys))
            .fallback(async || StatusCode::FORBIDDEN);
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { url, key }
    }

    /// A projected token, with this claim changed.
    fn token(&self, audience: &str, now: i64, change: &Value) -> String {
        // The header has no type.
        let header = json!({ "alg": "RS256", "kid": self.key.kid() });
        let claims = json!({
            "aud": [audience], "exp": now + 3_600, "iat": now, "iss": self.url, "jti": "x", "nbf": now,
            "kubernetes.io": inside(UID), "sub": "system:serviceaccount:web:api",
        });
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(&super::merged(claims, change)));
        format!("{input}.{}", BASE64URL.encode(self.key.sign(input.as_bytes()).unwrap()))
    }
}

async fn a_cluster_is_found_by_its_discovery(backend: Backend) {
    let (server, cluster) = (Server::start(backend).await, Cluster::start().await);
    let issuer =
        json!({ "id": "p", "issuer": cluster.url, "keys": { "discovery": true }, "algorithms": ["RS256"] });
    server.admin().post_json(ISSUERS, &issuer).await.done(201);
    let looked = server.admin().post_json(&format!("{ISSUERS}/p/check"), &json!({})).await.done(200);
    assert_eq!(looked["keys"], json!({ "ok": true, "reason": null, "usable": 1 }));
    let rule = json!({ "issuer": "p", "subject": "system:serviceaccount:web:api",
        "claims": { "/kubernetes.io/serviceaccount/uid": UID } });
    let (id, _) = trusting(&server, &rule).await;
    let now = server.clock.now().unix();
    let (client, own) = (server.client(), server.issuer());
    for answer in [
        present(&client, &id, &cluster.token(&own, now, &json!({}))).await,
        present_as_grant(&client, &id, &cluster.token(&own, now, &json!({}))).await,
    ] {
        answer.done(200);
    }
    for change in [
        json!({ "sub": "system:serviceaccount:web:api2" }),
        json!({ "kubernetes.io": inside("recreated") }),
        json!({ "aud": ["https://kubernetes.default.svc.cluster.local"] }),
        json!({ "iss": "https://kubernetes.default.svc.cluster.local" }),
        json!({ "exp": now }),
    ] {
        told_nothing(&present(&client, &id, &cluster.token(&own, now, &change)).await, &change.to_string());
    }
}
