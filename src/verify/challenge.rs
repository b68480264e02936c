//! The responses to refused clients (RFC 6750 §3, RFC 9728 §5.1, RFC 9449 §7.1).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::refusal::{KeyFault, Refusal};
use super::resource_metadata::{ResourceMetadata, Schemes};
use crate::jose::claims::TokenFault;

/// The common beginnings of all challenges of a resource server, by scheme.
#[derive(Debug)]
pub(super) struct Challenge {
    /// Only if plain tokens are accepted.
    bearer: Option<String>,
    /// Only if bound tokens are accepted.
    dpop: Option<String>,
}

impl Challenge {
    pub(super) fn new(realm: &str, metadata: Option<&ResourceMetadata>, schemes: Schemes<'_>) -> Self {
        let metadata = metadata.map(|metadata| format!(r#", resource_metadata="{}""#, metadata.url()));
        let parameters = format!(r#"realm="{realm}"{}"#, metadata.unwrap_or_default());
        Self {
            dpop: schemes.dpop.map(|names| format!(r#"DPoP {parameters}, algs="{}""#, names.join(" "))),
            bearer: schemes.bearer.then(|| format!("Bearer {parameters}")),
        }
    }

    pub(super) fn refused<B: From<String>>(&self, refusal: &Refusal) -> Response<B> {
        let why = refusal.to_string();
        let because =
            |error: &str| format!(r#", error="{error}", error_description="{}""#, why.replace('"', "'"));
        let challenges = match refusal {
            // A request without a credential gets no error code (RFC 6750 §3.1).
            Refusal::NoCredential => self.all(""),
            refusal if refusal.code() == "invalid_dpop_proof" => self.of_dpop(&because("invalid_dpop_proof")),
            Refusal::Token(TokenFault::Bound) | Refusal::Key(KeyFault::ProofRequired) => {
                self.of_dpop(&because("invalid_token"))
            }
            refusal if refusal.status() == StatusCode::BAD_REQUEST => self.all(&because("invalid_request")),
            refusal if refusal.status() == StatusCode::UNAUTHORIZED => self.all(&because("invalid_token")),
            _ => Vec::new(),
        };
        let mut response = answer(refusal.status(), refusal.code(), &why);
        let headers = response.headers_mut();
        append(headers, challenges);
        if let Some(seconds) = refusal.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// The response for a missing scope, or without a scope for text that is not a resource.
    pub(super) fn denied<B: From<String>>(&self, scope: Option<&str>, message: &str) -> Response<B> {
        let mut response = answer(StatusCode::FORBIDDEN, "forbidden", message);
        let challenges =
            scope.map(|scope| self.all(&format!(r#", error="insufficient_scope", scope="{scope}""#)));
        append(response.headers_mut(), challenges.unwrap_or_default());
        response
    }

    /// A challenge for each scheme that is accepted.
    fn all(&self, parameters: &str) -> Vec<String> {
        let schemes = [&self.bearer, &self.dpop].into_iter().flatten();
        schemes.map(|scheme| format!("{scheme}{parameters}")).collect()
    }

    /// A challenge for the scheme DPoP. Where bound tokens are not accepted, it is one for Bearer.
    fn of_dpop(&self, parameters: &str) -> Vec<String> {
        let scheme = self.dpop.as_ref().or(self.bearer.as_ref());
        scheme.map(|scheme| format!("{scheme}{parameters}")).into_iter().collect()
    }
}

/// A response in the form of the issuer's own API.
fn answer<B: From<String>>(status: StatusCode, code: &str, message: &str) -> Response<B> {
    let body = serde_json::json!({ "error": { "code": code, "message": message } });
    let mut response = Response::new(B::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds challenges, each in a line of its own.
fn append(headers: &mut HeaderMap, challenges: Vec<String>) {
    for value in challenges.into_iter().filter_map(|value| HeaderValue::try_from(value).ok()) {
        headers.append(WWW_AUTHENTICATE, value);
    }
}
