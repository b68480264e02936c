//! Paths, queries, methods and credentials that the management API does not know.

use super::{
    FORBIDDEN, KEYS, MALFORMED, NOBODY, NOT_FOUND, OK, Scene, Verdict, assert_api, exchange, request,
};
use crate::support::{Backend, on_both};

on_both!(
    what_is_not_there_is_404,
    a_path_is_decoded_once,
    a_query_has_what_it_may_have_at_most_once,
    other_methods_are_refused,
    head_is_get_without_its_body,
    a_credential_is_one_and_whole,
    a_key_of_nobody_is_no_different_from_one_out_of_reach,
);

const NOT_THIS_METHOD: Verdict = (405, "method_not_allowed");

async fn what_is_not_there_is_404(backend: Backend) {
    let scene = Scene::set(backend).await;
    let long = format!("/{}", "a/".repeat(5_000));
    for path in [
        "//",
        "/v1",
        "/v1/",
        "/v2/self",
        "/V1/SELF",
        "/v1/self/",
        "//v1/self",
        "/v1//self",
        "/./v1/self",
        "/v1/../v1/self",
        "/v1/self;a=b",
        "/healthz/",
        "/oauth",
        "/oauth/",
        "/oauth/token/",
        "/oauth/authorize",
        "/.well-known",
        "/.well-known/jwks.json/",
        "/.well-known/oauth-authorization-server/",
        "/v1/orgs/default/keys/",
        "/v1/orgs//keys",
        "/v1/orgs/Default/keys",
        "/v1/orgs/*/keys",
        "/v1/orgs/nonesuch/keys",
        "/v1/orgs/%7Borg%7D/keys",
        "/v1/orgs/default/keys/{id}/",
        "/v1/orgs/default/keys/{id}/revoke/",
        "/v1/orgs/default/keys/{id}/nonesuch",
        "/v1/orgs/default/keys/{id}0",
        "/v1/orgs/default/keys/KEY_0123456789abcdef",
        "/v1/orgs/default/keys/key_0123456789abcdef",
        "/v1/orgs/default/keys/0123456789abcdef",
        "/v1/orgs/default/keys/key_0123456789abcde*",
        "/v1/orgs/nonesuch/keys/{id}",
        &long,
    ] {
        let answer = scene.ask("GET", path).await;
        assert_api(&path[..path.len().min(80)], &answer, NOT_FOUND);
    }
    let anonymous = scene.server.client();
    assert_api("a stranger", &anonymous.get("/v1/nonesuch").await, NOT_FOUND);
    assert_api("a stranger", &anonymous.get("/v1/orgs/nonesuch/keys").await, NOBODY);
}

async fn a_path_is_decoded_once(backend: Backend) {
    let scene = Scene::set(backend).await;
    let encoded: String = scene.id.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for (path, verdict) in [
        (format!("/v1/orgs/def%61ult/keys/{encoded}"), OK),
        ("/v1/orgs/default%2Fkeys".into(), NOT_FOUND),
        ("/v1/orgs/default%2fkeys/keys".into(), NOT_FOUND),
        ("/v1/orgs/def%2561ult/keys".into(), NOT_FOUND),
        ("/v1/orgs/default%00/keys".into(), NOT_FOUND),
        ("/v1/orgs/default%0a/keys".into(), NOT_FOUND),
        ("/v1/orgs/%ff/keys".into(), NOT_FOUND),
        ("/v1/orgs/%/keys".into(), NOT_FOUND),
        ("/v1/orgs/%zz/keys".into(), NOT_FOUND),
        ("/v1/orgs/%2e%2e/keys".into(), NOT_FOUND),
        (format!("{KEYS}/{{id}}%00"), NOT_FOUND),
        (format!("{KEYS}/{{id}}%2F"), NOT_FOUND),
        (format!("{KEYS}/..%2F{{id}}"), NOT_FOUND),
        (format!("{KEYS}/{{id}}%20"), NOT_FOUND),
        (format!("{KEYS}/{{id}}+"), NOT_FOUND),
        (format!("{KEYS}/%C3%A9"), NOT_FOUND),
        (format!("{KEYS}/{{id}}%2Frevoke"), NOT_FOUND),
    ] {
        assert_api(&path, &scene.ask("GET", &path).await, verdict);
    }
}

async fn a_query_has_what_it_may_have_at_most_once(backend: Backend) {
    let scene = Scene::set(backend).await;
    let long = "%F0%9F%94%91".repeat(200);
    for (query, verdict) in [
        ("", OK),
        ("&&", OK),
        ("limit=1&status=all&q=&project=default&environment=prd", OK),
        ("limit=%32%30%30&%71=a", OK),
        (&format!("q={long}"), OK),
        (&format!("q={long}a"), MALFORMED),
        ("unknown=1", MALFORMED),
        ("unknown", MALFORMED),
        ("=", MALFORMED),
        ("Limit=1", MALFORMED),
        ("limit=1&limit=1", MALFORMED),
        ("q=&q=", MALFORMED),
        ("q=a&%71=b", MALFORMED),
        ("limit=", MALFORMED),
        ("limit", MALFORMED),
        ("limit=0", MALFORMED),
        ("limit=201", MALFORMED),
        ("limit=-1", MALFORMED),
        ("limit=1.5", MALFORMED),
        ("limit=+1", MALFORMED),
        ("limit=99999999999999999999", MALFORMED),
        ("status=", MALFORMED),
        ("status=Active", MALFORMED),
        ("project=", MALFORMED),
        ("project=DEFAULT", MALFORMED),
        ("environment=PRD", MALFORMED),
        ("cursor=", MALFORMED),
        ("cursor=x", MALFORMED),
        ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", MALFORMED),
        ("q=%", MALFORMED),
        ("q=%4", MALFORMED),
        ("q=%zz", MALFORMED),
        ("q=%00", MALFORMED),
        ("q=%ff", MALFORMED),
        ("q=a;limit=1", OK),
    ] {
        assert_api(query, &scene.ask("GET", &format!("{KEYS}?{query}")).await, verdict);
    }
    for (method, path) in [
        ("GET", "/v1/self"),
        ("POST", KEYS),
        ("GET", "/v1/orgs/default/keys/{id}"),
        ("POST", "/v1/orgs/default/keys/{id}/revoke"),
        ("GET", "/v1/signing-keys"),
        ("POST", "/v1/signing-keys/rotate"),
    ] {
        // Only a change has a dry run.
        let dry_run = if method == "GET" { "dry_run=true" } else { "dry_run=yes" };
        for query in [dry_run, "x", "access_token={key}"] {
            let answer = scene.ask(method, &format!("{path}?{query}")).await;
            assert_api(&format!("{method} {path}?{query}"), &answer, MALFORMED);
            let is_about_it =
                answer.text.contains("query") || answer.text.contains("dry_run must be true or false");
            assert!(is_about_it, "{method} {path}?{query}: {}", answer.text);
        }
    }
    let stands = scene.ask("GET", "/v1/orgs/default/keys/{id}?").await;
    assert_eq!(stands.json()["status"], "active", "nothing was done of what could not be asked");
}

async fn other_methods_are_refused(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (path, allowed) in [
        ("/v1/self", "GET,HEAD"),
        ("/v1/orgs/default/keys", "GET,HEAD,POST"),
        ("/v1/orgs/nonesuch/keys", "GET,HEAD,POST"),
        ("/v1/orgs/default/keys/{id}/revoke", "POST"),
        ("/v1/signing-keys", "GET,HEAD"),
        ("/v1/signing-keys/rotate", "POST"),
        ("/.well-known/jwks.json", "GET,HEAD"),
        ("/.well-known/oauth-authorization-server", "GET,HEAD"),
        ("/.well-known/openid-configuration", "GET,HEAD"),
        ("/healthz", "GET,HEAD"),
        ("/readyz", "GET,HEAD"),
    ] {
        for method in ["GET", "POST", "PUT", "OPTIONS", "TRACE", "get", "BREW"] {
            if allowed.split(',').any(|allowed| allowed == method) {
                continue;
            }
            let target = scene.filled(path);
            for fields in ["", "Authorization: Bearer {key}\r\n"] {
                let request = request(method, &target, &scene.filled(fields), "{}");
                let answer = exchange(&scene.server, request).await;
                let what = format!("{method} {path}");
                assert_api(&what, &answer, NOT_THIS_METHOD);
                assert_eq!(answer.header("allow"), allowed, "{what}");
            }
        }
    }
}

async fn head_is_get_without_its_body(backend: Backend) {
    let scene = Scene::set(backend).await;
    let admin = scene.server.admin();
    for path in [
        "/v1/self",
        KEYS,
        "/v1/signing-keys",
        "/.well-known/jwks.json",
        "/healthz",
        "/readyz",
        "/v1/nonesuch",
    ] {
        let (got, head) = (admin.get(path).await, admin.send(reqwest::Method::HEAD, path, None).await);
        assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{path}");
        assert_eq!(head.header("content-type"), got.header("content-type"), "{path}");
        assert_eq!(head.header("x-request-id").len(), 24, "{path}");
    }
    let head = scene.server.client().send(reqwest::Method::HEAD, "/v1/self", None).await;
    assert_eq!((head.status, head.text.as_str()), (401, ""));
}

async fn a_credential_is_one_and_whole(backend: Backend) {
    let scene = Scene::set(backend).await;
    let token = scene.server.client().access_token(&scene.key, "").await;
    let bearer = "Authorization: Bearer {key}\r\n";
    let api_key = "X-Api-Key: {key}\r\n";
    for (fields, verdict) in [
        (bearer.to_owned(), OK),
        (api_key.into(), OK),
        ("authorization:bearer   {key}  \r\n".into(), OK),
        (format!("{bearer}{api_key}"), MALFORMED),
        (format!("{bearer}X-Api-Key: x\r\n"), MALFORMED),
        (format!("{{basic}}{api_key}"), MALFORMED),
        (format!("{bearer}{bearer}"), MALFORMED),
        (format!("{bearer}{{basic}}"), MALFORMED),
        (format!("{api_key}{api_key}"), MALFORMED),
        (String::new(), NOBODY),
        ("{basic}".into(), NOBODY),
        ("Authorization: {key}\r\n".into(), NOBODY),
        ("Authorization: Bearer\r\n".into(), NOBODY),
        ("Authorization:\r\n".into(), NOBODY),
        ("Authorization: Bearer {key},{key}\r\n".into(), NOBODY),
        ("Authorization: Bearer {key} {key}\r\n".into(), NOBODY),
        ("Authorization: Bearer é\r\n".into(), NOBODY),
        ("Authorization: Bearer x.y.z\r\n".into(), NOBODY),
        ("Authorization: Digest {key}\r\n".into(), NOBODY),
        ("X-Api-Key:\r\n".into(), NOBODY),
        ("X-Api-Key: {key}x\r\n".into(), NOBODY),
        ("X-Api-Key: é\r\n".into(), NOBODY),
        (format!("X-Api-Key: {token}\r\n"), NOBODY),
        (format!("Authorization: Bearer {token}\r\n"), NOBODY),
        ("Cookie: key={key}\r\nProxy-Authorization: Bearer {key}\r\n".into(), NOBODY),
    ] {
        let fields = scene.filled(&fields);
        let answer = exchange(&scene.server, request("GET", "/v1/self", &fields, "")).await;
        assert_api(&fields, &answer, verdict);
        let is_told = answer.header("www-authenticate").contains(r#"error="invalid_token""#);
        // RFC 6750 §3.1: no error code for a request without a credential.
        let shows_one =
            ["authorization", "x-api-key"].iter().any(|name| fields.to_lowercase().starts_with(name));
        assert_eq!(is_told, verdict == NOBODY && shows_one, "{fields:?}: {answer:?}");
    }
}

async fn a_key_of_nobody_is_no_different_from_one_out_of_reach(backend: Backend) {
    let scene = Scene::set(backend).await;
    let (_, reader) = scene.server.key(&["read:claviger/orgs/default/projects/other/keys/*"]).await;
    let (_, foreigner) = scene.server.key(&["*:claviger/orgs/other/**"]).await;
    for id in [scene.id.as_str(), "key_0123456789abcdef"] {
        let of_default = format!("{KEYS}/{id}");
        let of_other = of_default.replace("default", "other");
        for (key, method, target, verdict) in [
            (&reader, "GET", of_default.clone(), FORBIDDEN),
            (&reader, "POST", format!("{of_default}/revoke"), FORBIDDEN),
            (&scene.key, "GET", of_default, FORBIDDEN),
            (&foreigner, "GET", of_other.clone(), NOT_FOUND),
            (&foreigner, "POST", format!("{of_other}/revoke"), NOT_FOUND),
        ] {
            let fields = format!("X-Api-Key: {key}\r\n");
            let answer = exchange(&scene.server, request(method, &target, &fields, "")).await;
            let what = format!("{method} {target}");
            assert_api(&what, &answer, verdict);
            let names_it =
                answer.header("www-authenticate").contains(r#"error="insufficient_scope", scope=""#);
            assert_eq!(names_it, verdict == FORBIDDEN, "{what}: {answer:?}");
        }
    }
}
