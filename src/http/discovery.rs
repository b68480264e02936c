//! Discovery for clients and resource servers: the signing keys (RFC 7517) and the metadata (RFC 8414).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::failure::Failure;
use super::published::{CACHE, Published};
use crate::jose::foreign::Algorithm;
use crate::jose::jwk::PublicJwk;
use crate::node::Node;
use crate::use_cases::management::ApiError;
use crate::use_cases::token::{JWT_BEARER_GRANT, TOKEN_EXCHANGE};

pub(crate) const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
pub(crate) const OPENID_METADATA: &str = "/.well-known/openid-configuration";

#[derive(Serialize)]
struct JwksView<'a> {
    keys: Vec<&'a PublicJwk>,
}

#[derive(Serialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
    jwks_uri: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    // Not a registered member. openapi.yaml describes it.
    revocation_feed_endpoint: String,
    grant_types_supported: [&'static str; 3],
    // RFC 8414 §2 requires this member. It is empty because no grant here has a response type.
    response_types_supported: [&'static str; 0],
    // An OpenID Connect member, although this server does not implement OpenID Connect. Spring reads the
    // `openid-configuration` alias and fails without it.
    subject_types_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: &'static [&'static str],
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    // RFC 9449 §5.1.
    dpop_signing_alg_values_supported: Vec<&'static str>,
}

/// `GET /.well-known/jwks.json`.
pub(crate) async fn jwks(State(node): State<Arc<Node>>, headers: HeaderMap) -> Result<Response, Failure> {
    let ring = node.signer.keyring.ring();
    let keys = ring.published(node.clock.now()).collect();
    let body = serde_json::to_vec(&JwksView { keys }).map_err(ApiError::internal)?;
    // RFC 7517 §8.5.2 registers `application/jwk-set+json`, but many clients insist on this type.
    Ok(Published { media_type: "application/json", body: body.into() }.answer(&headers))
}

/// `GET /.well-known/oauth-authorization-server`, and its alias.
pub(crate) async fn metadata(State(node): State<Arc<Node>>) -> Response {
    let at = |path: &str| format!("{}{path}", node.deployment.issuer);
    let algorithms = names(node.authenticator.assertions.algorithms());
    let metadata = Metadata {
        issuer: node.deployment.issuer.clone(),
        token_endpoint: at("/oauth/token"),
        jwks_uri: at("/.well-known/jwks.json"),
        introspection_endpoint: at("/oauth/introspect"),
        revocation_endpoint: at("/oauth/revoke"),
        revocation_feed_endpoint: at("/oauth/revocations"),
        grant_types_supported: ["client_credentials", JWT_BEARER_GRANT, TOKEN_EXCHANGE],
        response_types_supported: [],
        subject_types_supported: ["public"],
        token_endpoint_auth_methods_supported: &AUTH_METHODS,
        token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
        // RFC 8414 §2 allows a registered access token type beside the methods of introspection. It does not for
        // revocation.
        introspection_endpoint_auth_methods_supported: &[
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "Bearer",
            "DPoP",
        ],
        introspection_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
        revocation_endpoint_auth_methods_supported: &AUTH_METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: algorithms,
        dpop_signing_alg_values_supported: node.deployment.proofs.algorithms(),
    };
    ([(header::CACHE_CONTROL, CACHE)], Json(metadata)).into_response()
}

/// How clients authenticate at the token endpoint and for revocation.
const AUTH_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

/// The names under which clients look for algorithms. Ed25519 has two (RFC 9864 §2.2).
fn names(algorithms: &[Algorithm]) -> Vec<&'static str> {
    let mut names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
    if algorithms.contains(&Algorithm::EdDsa) {
        names.push("Ed25519");
    }
    names
}

/// The path of the issuer's URL, or an empty string.
pub(crate) fn path_of(issuer: &str) -> &str {
    let authority = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    authority.find('/').map_or("", |at| authority[at..].trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_may_have_a_path() {
        assert_eq!(path_of("https://auth.example.com"), "");
        assert_eq!(path_of("https://example.com/auth"), "/auth");
        assert_eq!(path_of("https://example.com/a/b"), "/a/b");
    }
}
