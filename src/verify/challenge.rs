//! The responses to refused clients (RFC 6750 §3, RFC 9728 §5.1).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::refusal::Refusal;
use super::resource_metadata::ResourceMetadata;

/// The common beginning of all challenges of a resource server.
#[derive(Debug)]
pub(super) struct Challenge(String);

impl Challenge {
    pub(super) fn new(realm: &str, metadata: Option<&ResourceMetadata>) -> Self {
        let metadata = metadata.map(|metadata| format!(r#", resource_metadata="{}""#, metadata.url()));
        Self(format!(r#"Bearer realm="{realm}"{}"#, metadata.unwrap_or_default()))
    }

    pub(super) fn refused<B: From<String>>(&self, refusal: &Refusal) -> Response<B> {
        let challenge = match refusal {
            // A request without a credential gets no error code (RFC 6750 §3.1).
            Refusal::NoCredential => Some(self.0.clone()),
            refusal if refusal.status() == StatusCode::BAD_REQUEST => {
                Some(self.because("invalid_request", &refusal.to_string()))
            }
            refusal if refusal.status() == StatusCode::UNAUTHORIZED => {
                Some(self.because("invalid_token", &refusal.to_string()))
            }
            _ => None,
        };
        let mut response = answer(refusal.status(), refusal.code(), &refusal.to_string());
        let headers = response.headers_mut();
        insert(headers, WWW_AUTHENTICATE, challenge);
        insert(headers, RETRY_AFTER, refusal.retry_after().map(|seconds| seconds.to_string()));
        response
    }

    /// The response for a missing scope, or without a scope for text that is not a resource.
    pub(super) fn denied<B: From<String>>(&self, scope: Option<&str>, message: &str) -> Response<B> {
        let mut response = answer(StatusCode::FORBIDDEN, "forbidden", message);
        let challenge =
            scope.map(|scope| format!(r#"{}, error="insufficient_scope", scope="{scope}""#, self.0));
        insert(response.headers_mut(), WWW_AUTHENTICATE, challenge);
        response
    }

    fn because(&self, error: &str, why: &str) -> String {
        format!(r#"{}, error="{error}", error_description="{}""#, self.0, why.replace('"', "'"))
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

fn insert(headers: &mut HeaderMap, name: http::HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}
