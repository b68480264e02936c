//! A secret in the wrong place is never said back, whatever the answer is.

use serde_json::json;

use super::{FORBIDDEN, FORM, JSON, KEYS, MALFORMED, OAUTH, Scene, assert_api, basic, exchange, request};
use crate::support::{Answer, Backend, on_both};

on_both!(
    the_oauth_endpoints_do_not_repeat_a_secret,
    the_management_api_does_not_repeat_a_secret,
    a_body_is_not_quoted,
);

/// No part of the secret that is worth anything is in the answer.
#[track_caller]
fn assert_silent(what: &str, answer: &Answer, secret: &str) {
    let said = format!("{:?} {}", answer.headers, answer.text);
    // What is public of a key comes first: brand, environment, id.
    let parts = secret.as_bytes().windows(16).skip("clv_prd_0123456789abcdef".len());
    for part in parts.filter_map(|part| std::str::from_utf8(part).ok()) {
        assert!(!said.contains(part), "{what}: {said}");
    }
}

async fn the_oauth_endpoints_do_not_repeat_a_secret(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.server.client().access_token(&scene.key, "").await;
    for secret in [scene.key.as_str(), &token] {
        for (endpoint, _) in OAUTH {
            for (tail, fields, form) in [
                (format!("?client_secret={secret}").as_str(), "", "x=y"),
                (&format!("?{secret}"), "", "x=y"),
                (&format!("/{secret}"), "", "x=y"),
                ("", "", &format!("{secret}=1&{secret}=2")),
                ("", "", secret),
                ("", "", &format!("x={secret}%")),
                ("", "", &format!("client_id={secret}")),
                ("", "", &format!("client_id={secret}&client_secret=x")),
                ("", "", &format!("client_id={secret}&client_secret={secret}")),
                ("", "", &format!("client_secret={secret}&client_secret={secret}")),
                ("", "", &format!("client_secret={{key}}&grant_type={secret}")),
                ("", &format!("Authorization: {secret}\r\n"), "x=y"),
                ("", &format!("Authorization: Basic {secret}\r\n"), "x=y"),
                ("", &format!("Authorization: Digest {secret}\r\n"), "x=y"),
                ("", &basic(secret, secret), "x=y"),
                ("", "{basic}", &format!("client_id={secret}")),
                ("", "{basic}", &format!("client_secret={secret}")),
                ("", &format!("X-Request-Id: {secret}\r\n{secret}: x\r\n"), "x=y"),
            ] {
                let what = format!("{endpoint}{tail} {fields} {form}");
                let answer = scene.post(&format!("{endpoint}{tail}"), fields, form).await;
                assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
                assert_silent(&what, &answer, secret);
            }
            let typed = request("POST", endpoint, &format!("Content-Type: {secret}\r\n"), secret);
            assert_silent("a type", &exchange(&scene.server, typed).await, secret);
            let method = request(secret, endpoint, FORM, "");
            assert_silent("a method", &exchange(&scene.server, method).await, secret);
        }
        for more in [
            format!("scope={secret}"),
            format!("scope=read:{secret}"),
            format!("scope=write:{secret}"),
            format!("scope=write:projects/{secret}/*+read"),
            format!("scope={secret}:*"),
            format!("resource={secret}"),
            format!("audience=https://example.com/?key={secret}"),
            format!("token_type_hint={secret}&scope=x"),
        ] {
            let form = format!("grant_type=client_credentials&client_secret={{key}}&{more}");
            let answer = scene.post("/oauth/token", "", &form).await;
            match answer.status {
                // What was granted is said: it has a scope of that name.
                200 => assert!(more.starts_with("scope=read:"), "{more}"),
                _ => assert_silent(&more, &answer, secret),
            }
        }
    }
}

async fn the_management_api_does_not_repeat_a_secret(backend: Backend) {
    let scene = Scene::set(backend).await;
    let secret = &scene.key;
    let (_, limited) = scene.server.key(&["*:claviger/orgs/default/projects/*/keys/*"]).await;
    for (target, fields) in [
        (format!("/{secret}"), String::new()),
        (format!("/v1/{secret}"), String::new()),
        (format!("/v1/self?access_token={secret}"), "{admin}".into()),
        (format!("/v1/orgs/{secret}/keys"), "{admin}".into()),
        (format!("{KEYS}/{secret}"), "{admin}".into()),
        (format!("{KEYS}/{secret}/revoke"), "{admin}".into()),
        (format!("{KEYS}/key_{}", &secret[8..24]), format!("X-Api-Key: {secret}\r\n")),
        (format!("{KEYS}?{secret}=1"), "{admin}".into()),
        (format!("{KEYS}?q=1&q={secret}"), "{admin}".into()),
        (format!("{KEYS}?limit={secret}"), "{admin}".into()),
        (format!("{KEYS}?status={secret}"), "{admin}".into()),
        (format!("{KEYS}?project={secret}"), "{admin}".into()),
        (format!("{KEYS}?environment={secret}"), "{admin}".into()),
        (format!("{KEYS}?cursor={secret}"), "{admin}".into()),
        ("/v1/self".into(), format!("Authorization: {secret}\r\n")),
        ("/v1/self".into(), format!("Authorization: Bearer {secret}x\r\n")),
        ("/v1/self".into(), format!("Authorization: Bearer {secret}.x\r\n")),
        ("/v1/self".into(), format!("Authorization: Bearer {secret}\r\nX-Api-Key: {secret}\r\n")),
        ("/v1/self".into(), format!("X-Api-Key: {secret}\r\nX-Api-Key: {secret}\r\n")),
        ("/v1/self".into(), format!("X-Api-Key: x\r\nX-Forwarded-For: {secret}\r\n")),
    ] {
        let fields = fields.replace("{admin}", &format!("X-Api-Key: {}\r\n", scene.server.admin_key));
        let answer = exchange(&scene.server, request("GET", &target, &fields, "")).await;
        assert!((400..500).contains(&answer.status), "{target} {fields}: {answer:?}");
        assert_silent(&format!("{target} {fields}"), &answer, secret);
    }
    let resource = format!("claviger/{secret}");
    let body = json!({
        "name": "a", "project": "default", "environment": "prd",
        "scopes": [{ "action": "read", "resource": resource }],
    });
    let beyond = scene.server.client().bearer(&limited).post_json(KEYS, &body).await;
    assert_api("a scope that the caller lacks", &beyond, FORBIDDEN);
    assert_silent("a scope that the caller lacks", &beyond, secret);
}

async fn a_body_is_not_quoted(backend: Backend) {
    let scene = Scene::set(backend).await;
    let secret = &scene.key;
    let good = json!({ "name": "a", "project": "default", "environment": "prd", "preset": "query_only" });
    let mut bodies: Vec<String> = vec![
        secret.clone(),
        json!(secret).to_string(),
        json!([secret]).to_string(),
        format!("{{{secret}"),
        format!(r#"{{"name":"{secret}"#),
        format!(r#"{{"name":"a","{secret}"#),
    ];
    for (member, value) in [
        (secret.as_str(), json!(1)),
        (&format!("`{secret}`, expected {secret}"), json!(1)),
        ("name", json!([secret])),
        ("name", json!({ secret.as_str(): secret })),
        ("name", json!(format!("{secret}\n"))),
        ("note", json!([secret])),
        ("project", json!(secret)),
        ("environment", json!(secret)),
        ("preset", json!(secret)),
        ("preset", json!({ secret.as_str(): 1 })),
        ("scopes", json!(secret)),
        ("scopes", json!([secret])),
        ("scopes", json!([{ "action": secret }])),
        ("scopes", json!([{ "action": "read", "resource": format!("{secret}*") }])),
        ("scopes", json!([{ "action": "read", secret.as_str(): 1 }])),
        ("cidrs", json!(secret)),
        ("cidrs", json!([secret])),
        ("cidrs", json!([{ secret.as_str(): 1 }])),
        ("expires_at", json!(secret)),
        ("expires_at", json!([secret])),
        ("expires_in", json!(secret)),
        ("expires_in", json!({ secret.as_str(): [secret] })),
    ] {
        let mut body = good.clone();
        body[member] = value;
        bodies.push(body.to_string());
    }
    let admin = format!("X-Api-Key: {}\r\n{JSON}", scene.server.admin_key);
    for body in &bodies {
        for target in [KEYS, "/v1/orgs/default/keys/{id}/revoke", "/v1/signing-keys/rotate"] {
            let target = scene.filled(target);
            let answer = exchange(&scene.server, request("POST", &target, &admin, body)).await;
            assert_api(&format!("{target} {body}"), &answer, MALFORMED);
            assert_silent(body, &answer, secret);
        }
    }
}
