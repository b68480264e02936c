//! What only `POST /oauth/token` is asked for: a grant, scopes, audiences.

use super::{MALFORMED, NO_CLIENT, OK, Scene, Verdict, assert_oauth};
use crate::support::{Backend, on_both};

on_both!(a_grant_type_is_client_credentials, scopes_are_well_formed_and_covered, audiences_are_known);

const BAD_GRANT: Verdict = (400, "unsupported_grant_type");
const BAD_SCOPE: Verdict = (400, "invalid_scope");
const BAD_TARGET: Verdict = (400, "invalid_target");
const TOO_LARGE: Verdict = (413, "invalid_request");

async fn a_grant_type_is_client_credentials(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (grant, verdict) in [
        ("grant_type=client_credentials", OK),
        ("grant_type=client%5Fcredentials", OK),
        ("", MALFORMED),
        ("grant_type", MALFORMED),
        ("grant_type=", MALFORMED),
        ("Grant_Type=client_credentials", MALFORMED),
        ("grant_type=password", BAD_GRANT),
        ("grant_type=authorization_code", BAD_GRANT),
        ("grant_type=refresh_token", BAD_GRANT),
        ("grant_type=Client_Credentials", BAD_GRANT),
        ("grant_type=client_credentials+", BAD_GRANT),
        ("grant_type=%F0%9F%94%91", BAD_GRANT),
    ] {
        let answer = scene.post("/oauth/token", "", &format!("client_secret={{key}}&{grant}")).await;
        assert_oauth(grant, &answer, verdict);
    }
    let nobody = scene.post("/oauth/token", "", "grant_type=password").await;
    assert_oauth("a stranger is not told about grants", &nobody, NO_CLIENT);
}

async fn scopes_are_well_formed_and_covered(backend: Backend) {
    let scene = Scene::set(backend).await;
    let numbered = |count: usize| (0..count).map(|at| format!("read:a{at}")).collect::<Vec<_>>().join("+");
    let segments = |count: usize| format!("read:{}", vec!["a"; count].join("/"));
    let sized = |bytes: usize| {
        let full: Vec<_> = (0..16).map(|at| format!("read:{at:0>120}")).collect();
        let full = full.join("+");
        format!("{full}+read:{}", "a".repeat(bytes - full.len() - "+read:".len()))
    };
    let (many, too_many) = (numbered(64), numbered(65));
    let (deep, too_deep) = (segments(16), segments(17));
    let literals = [128, 129].map(|length| format!("read:{}", "a".repeat(length)));
    let (long, too_long) = (sized(2_048), sized(2_049));
    let same = vec!["read"; 400].join("+");
    let beyond_the_body = vec!["read"; 10_000].join("+");
    for (scope, verdict) in [
        ("", OK),
        ("read", OK),
        ("read:*+read:x+read:*", OK),
        (&many, OK),
        (&same, OK),
        (&deep, OK),
        (&literals[0], OK),
        (&long, OK),
        (&too_many, BAD_SCOPE),
        (&too_deep, BAD_SCOPE),
        (&literals[1], BAD_SCOPE),
        (&too_long, BAD_SCOPE),
        (&beyond_the_body, TOO_LARGE),
        ("+", BAD_SCOPE),
        ("read++write", BAD_SCOPE),
        ("+read", BAD_SCOPE),
        ("read+", BAD_SCOPE),
        ("read%09read", BAD_SCOPE),
        ("read%0Aread", BAD_SCOPE),
        ("read,write", BAD_SCOPE),
        ("READ", BAD_SCOPE),
        ("delete", BAD_SCOPE),
        (":", BAD_SCOPE),
        ("read:", BAD_SCOPE),
        (":*", BAD_SCOPE),
        ("read:/a", BAD_SCOPE),
        ("read:a/", BAD_SCOPE),
        ("read:a//b", BAD_SCOPE),
        ("read:a/../b", BAD_SCOPE),
        ("read:a*", BAD_SCOPE),
        ("read:**/a", BAD_SCOPE),
        ("read:%C3%A9", BAD_SCOPE),
        ("read:a%2525b", BAD_SCOPE),
        ("read:%22%5C", BAD_SCOPE),
        ("write", BAD_SCOPE),
        ("write:projects/web/x", BAD_SCOPE),
        ("admin:projects/web", BAD_SCOPE),
        ("*", BAD_SCOPE),
        ("read:claviger/**", BAD_SCOPE),
        ("read:x+write:y", BAD_SCOPE),
    ] {
        let form = format!("grant_type=client_credentials&client_secret={{key}}&scope={scope}");
        let answer = scene.post("/oauth/token", "", &form).await;
        assert_oauth(&scope[..scope.len().min(80)], &answer, verdict);
    }
}

/// RFC 8707 §2.
async fn audiences_are_known(backend: Backend) {
    let scene = Scene::set(backend).await;
    for (targets, verdict) in [
        ("resource={issuer}/api", OK),
        ("audience={issuer}/api", OK),
        ("resource={issuer}/api&resource={issuer}/api&audience={issuer}/api&audience=", OK),
        ("resource={issuer}/api/", BAD_TARGET),
        ("resource={issuer}/API", BAD_TARGET),
        ("resource={issuer}/api%23", BAD_TARGET),
        ("resource=/api", BAD_TARGET),
        ("resource=api", BAD_TARGET),
        ("resource=+", BAD_TARGET),
        ("resource=https://example.com", BAD_TARGET),
        ("resource={issuer}/api&audience=https://example.com", BAD_TARGET),
        ("resource={issuer}/api+https://example.com", BAD_TARGET),
        ("resource={issuer}/api&resource={issuer}", BAD_TARGET),
        ("resource={issuer}", BAD_SCOPE),
        ("resource=%F0%9F%94%91", BAD_TARGET),
    ] {
        let form = format!("grant_type=client_credentials&client_secret={{key}}&{targets}");
        assert_oauth(targets, &scene.post("/oauth/token", "", &form).await, verdict);
    }
}
