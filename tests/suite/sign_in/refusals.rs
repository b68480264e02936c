//! Refused sign-ins in the audit trail, and their bounds.

use claviger::domain::member::{GroupMapping, Role};
use claviger::node::{GroupSettings, SignInSettings};
use serde_json::{Value, json};

use super::provider::Provider;
use super::{CALLBACK, Scene, begun, session, settings};
use crate::support::{Answer, Backend, Options, Server, on_both};

on_both!(
    a_refusal_is_in_the_trail_of_the_invitation,
    whom_nobody_vouched_for_is_in_no_trail,
    a_flood_from_one_address_is_counted,
    an_invitation_outside_the_domains_is_not_made,
);

async fn scene(backend: Backend) -> Scene {
    let (sso, other) = (Provider::start().await, Provider::start().await);
    let mut first = settings("sso", &sso);
    first.allowed_domains = vec!["example.com".into()];
    let mapping =
        GroupMapping::new("a".into(), Some("acme".parse().unwrap()), Role::Admin, Vec::new()).unwrap();
    first.groups = Some(GroupSettings { claim: "groups".into(), mappings: vec![mapping] });
    let providers = vec![first, settings("other", &other)];
    let sign_in_settings = SignInSettings { providers, ..SignInSettings::default() };
    let options = Options { sign_in_settings, has_metrics: true, ..Options::default() };
    Scene { server: Server::start_with(backend, options).await, sso, other }
}

impl Scene {
    /// The refusals in a trail, oldest first: reasons and subjects.
    async fn refusals(&self, trail: &str) -> Vec<(Value, Value)> {
        self.server.flush().await;
        let path = format!("{trail}?action=member.refuse");
        let found = self.server.admin().get(&path).await.done(200);
        let events = found["data"].as_array().unwrap().iter().rev();
        let read = |event: &Value| {
            assert_eq!(
                (&event["actor"], &event["actor_name"]),
                (&json!("provider:sso"), &json!("SSO")),
                "{event}"
            );
            assert_eq!(
                (&event["address"], &event["after"]["provider"]),
                (&json!("127.0.0.1"), &json!("sso")),
                "{event}"
            );
            assert!(event["request_id"].is_string() && event["before"].is_null(), "{event}");
            assert!(!event.to_string().contains('@') && !event.to_string().contains("Name of"), "{event}");
            (event["after"]["reason"].clone(), event["subject"].clone())
        };
        events.map(read).collect()
    }

    async fn metric(&self, name: &str) -> u64 {
        let text = self.server.metrics().get("/metrics").await.text;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}: {text}")).parse().unwrap()
    }

    async fn refused(&self, begun: &super::Begun, claims: &Value) -> Answer {
        let answer = self.answer(begun, claims).await;
        assert_eq!((answer.status, session(&answer)), (401, None), "{}", answer.text);
        answer
    }
}

async fn a_refusal_is_in_the_trail_of_the_invitation(backend: Backend) {
    let scene = scene(backend).await;
    let (here, deployment) = ("/v1/orgs/default/audit", "/v1/audit");
    let named = json!({ "name": "Name of a person", "sub": "1" });
    scene.refused(&scene.begin("sso").await, &named).await;
    scene.server.advance(60).await;
    let code = scene.invite("ada@example.com").await;
    for claims in [
        json!({ "email_verified": false }),
        json!({ "email": "eve@example.com" }),
        json!({ "groups": 1 }),
        json!({ "hasgroups": true }),
    ] {
        scene.refused(&begun(&scene.redeem(&code).await), &claims).await;
    }
    let outside = scene.invite("ada@example.org").await;
    scene.refused(&begun(&scene.redeem(&outside).await), &json!({ "email": "ada@example.org" })).await;
    scene.server.advance(60).await;
    let (first, second) = (begun(&scene.redeem(&code).await), begun(&scene.redeem(&code).await));
    assert!(session(&scene.answer(&first, &json!({})).await).is_some());
    scene.refused(&second, &json!({ "sub": "2" })).await;

    let of_organization = scene.refusals(here).await;
    let reasons: Vec<_> = of_organization.iter().map(|(reason, _)| reason.as_str().unwrap()).collect();
    assert_eq!(reasons, ["unverified", "other_address", "groups_form", "groups_left_out", "outside"]);
    assert!(of_organization.iter().all(|(_, subject)| subject.as_str().unwrap().starts_with("usr_")));
    let of_all = scene.refusals(deployment).await;
    let elsewhere: Vec<_> = of_all.iter().filter(|refusal| !of_organization.contains(refusal)).collect();
    // Nobody knows any more whose invitation a used code was.
    let provider = json!("provider:sso");
    let expected = [(json!("not_a_member"), provider.clone()), (json!("invitation"), provider)];
    assert_eq!(elsewhere, expected.iter().collect::<Vec<_>>());
    let page = scene
        .server
        .client()
        .with("cookie", &session_of(&scene).await)
        .get("/console/orgs/default/audit")
        .await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("Sign-in refused") && page.text.contains("other_address"), "{}", page.text);
    assert_eq!(scene.metric("claviger_sign_in_refusals_total{reason=\"unverified\"}").await, 1);
}

async fn session_of(scene: &Scene) -> String {
    session(&scene.answer(&scene.begin("sso").await, &json!({})).await).expect("a session")
}

async fn whom_nobody_vouched_for_is_in_no_trail(backend: Backend) {
    let scene = scene(backend).await;
    for claims in [json!({ "nonce": "another" }), json!({ "aud": "another" })] {
        scene.refused(&scene.begin("sso").await, &claims).await;
    }
    let unknown = scene.server.client().get(&format!("{CALLBACK}?code=c&state=s")).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(scene.refusals("/v1/audit").await, []);
}

async fn a_flood_from_one_address_is_counted(backend: Backend) {
    let scene = scene(backend).await;
    for _ in 0..9 {
        scene.refused(&scene.begin("sso").await, &json!({})).await;
    }
    assert_eq!(scene.refusals("/v1/audit").await.len(), 1, "the same once an hour");
    assert_eq!(scene.metric("claviger_sign_in_refusals_total{reason=\"not_a_member\"}").await, 9);
    assert_eq!(scene.metric("claviger_audit_sign_ins_omitted_total").await, 8);
    scene.server.advance(60).await;
    for subject in 0..7 {
        let code = scene.invite(&format!("person{subject}@example.com")).await;
        scene.refused(&begun(&scene.redeem(&code).await), &json!({})).await;
    }
    assert_eq!(scene.refusals("/v1/orgs/default/audit").await.len(), 5, "five in a minute");
    assert_eq!(scene.metric("claviger_audit_sign_ins_omitted_total").await, 10);
    scene.server.advance(3_600).await;
    scene.refused(&scene.begin("sso").await, &json!({})).await;
    assert_eq!(scene.refusals("/v1/audit").await.len(), 7);
}

async fn an_invitation_outside_the_domains_is_not_made(backend: Backend) {
    let scene = scene(backend).await;
    let invite = async |email: &str, provider: &str| {
        let body = json!({ "email": email, "role": "admin", "provider": provider });
        scene.server.admin().post_json("/v1/orgs/default/members", &body).await
    };
    for email in ["ada@example.org", "ada@sub.example.com", "ada@notexample.com", "ada@example.com.evil"] {
        let refused = invite(email, "sso").await;
        refused.refused(400, "invalid_request");
        assert!(
            refused.text.contains("provider sso") && refused.text.contains("of example.com"),
            "{}",
            refused.text
        );
    }
    assert_eq!(scene.server.database.number("SELECT COUNT(*) FROM members").await, 0);
    invite("ada@Example.COM", "sso").await.done(201);
    invite("ada@example.org", "other").await.done(201);
}
