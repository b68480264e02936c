//! The one place that turns errors into responses.
//!
//! A handler's error travels in the response's extensions until [`super::Front`] renders it, because only
//! there is the request's id at hand for whichever form it takes.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::request_id::RequestId;
use crate::use_cases::management::ApiError;
use crate::use_cases::token::OAuthError;

/// Seconds after which a client should try again when nothing better is known.
const RETRY_AFTER: i64 = 1;

const JSON: &str = "application/json";

/// An error of either of the two kinds of endpoints.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// OAuth JSON (RFC 6749 §5.2).
    OAuth(OAuthError),
    /// OAuth JSON, for a caller that authenticates by Bearer (RFC 7662 §2.3): status, code and challenge
    /// are RFC 6750's.
    Bearer(ApiError),
    /// The management API's JSON.
    Api(ApiError),
    /// A page of the console's.
    Page {
        /// What it says.
        error: ApiError,
        /// How it says it.
        html: String,
    },
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// No route has this path.
pub(crate) async fn not_found() -> Failure {
    ApiError::NotFound.into()
}

/// A route has this path, for other methods; axum says which in `Allow`.
pub(crate) async fn api_method_not_allowed() -> Failure {
    ApiError::MethodNotAllowed.into()
}

/// An OAuth endpoint was asked with another method than POST.
pub(crate) async fn oauth_method_not_allowed() -> Failure {
    OAuthError::MethodNotAllowed.into()
}

impl Failure {
    /// The error's code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OAuth(error) => error.code(),
            Self::Bearer(error) => bearer_code(error),
            Self::Api(error) | Self::Page { error, .. } => error.code(),
        }
    }

    /// Whether somebody without any good credential can cause it, as far as the error tells.
    pub(super) fn is_anonymous(&self) -> bool {
        match self {
            Self::OAuth(error) => !matches!(
                error,
                OAuthError::UnauthorizedClient(_)
                    | OAuthError::InvalidScope(_)
                    | OAuthError::InvalidTarget(_)
                    | OAuthError::UnsupportedTokenType
                    | OAuthError::Internal { .. }
            ),
            Self::Bearer(error) | Self::Api(error) | Self::Page { error, .. } => !matches!(
                error,
                ApiError::OtherAudience
                    | ApiError::KeyRevoked
                    | ApiError::KeyExpired
                    | ApiError::TokenExpired
                    | ApiError::TokenRevoked
                    | ApiError::AddressNotAllowed(_)
                    | ApiError::Forbidden { scope: Some(_), .. }
                    | ApiError::Internal(_)
            ),
        }
    }

    /// What the log says of it: the cause that the client is not told, or else what it is told.
    pub(crate) fn log_line(&self) -> String {
        match self {
            Self::OAuth(error) => error.cause().map_or_else(|| error.description(), str::to_owned),
            Self::Bearer(error) | Self::Api(error) | Self::Page { error, .. } => {
                error.cause().map_or_else(|| error.message(), str::to_owned)
            }
        }
    }

    /// Fills `response` in.
    pub(crate) fn render(&self, response: &mut Response, id: RequestId, realm: &str) {
        let (media_type, body) = match self {
            Self::OAuth(error) => (JSON, oauth_body(error.code(), &error.description()).to_string()),
            Self::Bearer(error) => (JSON, oauth_body(bearer_code(error), &error.message()).to_string()),
            Self::Api(error) => {
                let (code, message) = (error.code(), error.message());
                let body = json!({"error": {"code": code, "message": message, "request_id": id.as_str()}});
                (JSON, body.to_string())
            }
            Self::Page { html, .. } => ("text/html; charset=utf-8", html.clone()),
        };
        *response.status_mut() = self.status();
        *response.body_mut() = Body::from(body);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        // RFC 6749 §5.1 asks it of tokens; no answer about credentials is worth keeping.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers(realm) {
            insert(headers, name, &value);
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::OAuth(error) => oauth_status(error),
            Self::Bearer(error) | Self::Api(error) | Self::Page { error, .. } => api_status(error),
        }
    }

    fn headers(&self, realm: &str) -> Vec<(HeaderName, String)> {
        match self {
            Self::OAuth(error) => oauth_headers(error, realm),
            Self::Bearer(error) => [api_headers(error, realm), vec![no_cache()]].concat(),
            Self::Api(error) | Self::Page { error, .. } => api_headers(error, realm),
        }
    }
}

fn oauth_status(error: &OAuthError) -> StatusCode {
    match error {
        OAuthError::InvalidRequest(_)
        | OAuthError::UnauthorizedClient(_)
        | OAuthError::UnsupportedGrantType
        | OAuthError::InvalidScope(_)
        | OAuthError::InvalidTarget(_)
        | OAuthError::UnsupportedTokenType => StatusCode::BAD_REQUEST,
        OAuthError::InvalidClient(_) => StatusCode::UNAUTHORIZED,
        OAuthError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        OAuthError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        OAuthError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        OAuthError::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        OAuthError::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        OAuthError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        OAuthError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn oauth_headers(error: &OAuthError, realm: &str) -> Vec<(HeaderName, String)> {
    let mut headers = vec![no_cache()];
    match error {
        // RFC 6749 §5.2
        OAuthError::InvalidClient(_) => {
            // Some libraries show their users nothing but the challenge.
            let why = described(&error.description());
            headers.push((
                header::WWW_AUTHENTICATE,
                format!(r#"Basic realm="{realm}", error="invalid_client", error_description="{why}""#),
            ));
        }
        OAuthError::MethodNotAllowed => headers.push((header::ALLOW, "POST".into())),
        OAuthError::TooMany { retry_after, .. } => {
            headers.push((header::RETRY_AFTER, retry_after.to_string()))
        }
        OAuthError::Unavailable { .. } => headers.push((header::RETRY_AFTER, RETRY_AFTER.to_string())),
        OAuthError::ContentEncoding => headers.push(no_coding()),
        _ => {}
    }
    headers
}

/// RFC 9110 §15.5.16: which content codings would have been accepted.
fn no_coding() -> (HeaderName, String) {
    (header::ACCEPT_ENCODING, "identity".to_owned())
}

/// RFC 6749 §5.1.
fn no_cache() -> (HeaderName, String) {
    (header::PRAGMA, "no-cache".to_owned())
}

fn api_status(error: &ApiError) -> StatusCode {
    match error {
        ApiError::InvalidRequest(_) => StatusCode::BAD_REQUEST,
        ApiError::Unauthenticated { .. }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::TokenExpired
        | ApiError::TokenRevoked => StatusCode::UNAUTHORIZED,
        ApiError::Forbidden { .. } | ApiError::AddressNotAllowed(_) => StatusCode::FORBIDDEN,
        ApiError::NotFound => StatusCode::NOT_FOUND,
        ApiError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ApiError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        ApiError::Conflict(_) => StatusCode::CONFLICT,
        ApiError::PreconditionFailed | ApiError::WeakPrecondition => StatusCode::PRECONDITION_FAILED,
        ApiError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ApiError::UnsupportedMediaType | ApiError::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ApiError::RateLimited(_) | ApiError::TooManyConcurrent => StatusCode::TOO_MANY_REQUESTS,
        ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ApiError::Unavailable(_) | ApiError::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn api_headers(error: &ApiError, realm: &str) -> Vec<(HeaderName, String)> {
    let challenge = |error: &str| (header::WWW_AUTHENTICATE, format!(r#"Bearer realm="{realm}"{error}"#));
    match error {
        // RFC 6750 §3.1: no error code for a request without a credential.
        ApiError::Unauthenticated { presented: false } => vec![challenge("")],
        ApiError::Unauthenticated { presented: true }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::TokenExpired
        | ApiError::TokenRevoked => vec![challenge(&format!(
            r#", error="invalid_token", error_description="{}""#,
            described(&error.message())
        ))],
        ApiError::Forbidden { scope: Some(scope), .. } => {
            vec![challenge(&format!(r#", error="insufficient_scope", scope="{scope}""#))]
        }
        ApiError::RateLimited(seconds) => vec![(header::RETRY_AFTER, seconds.to_string())],
        ApiError::Unavailable(_) | ApiError::NotReady(_) | ApiError::TooManyConcurrent => {
            vec![(header::RETRY_AFTER, RETRY_AFTER.to_string())]
        }
        ApiError::ContentEncoding => vec![no_coding()],
        _ => Vec::new(),
    }
}

/// RFC 6750 §3.1, and RFC 6749's word where RFC 6750 has none.
fn bearer_code(error: &ApiError) -> &'static str {
    match error {
        ApiError::Unauthenticated { .. }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::TokenExpired
        | ApiError::TokenRevoked
        | ApiError::AddressNotAllowed(_) => "invalid_token",
        ApiError::Forbidden { .. } => "insufficient_scope",
        ApiError::RateLimited(_)
        | ApiError::TooManyConcurrent
        | ApiError::Unavailable(_)
        | ApiError::NotReady(_) => "temporarily_unavailable",
        ApiError::Internal(_) => "server_error",
        _ => "invalid_request",
    }
}

fn oauth_body(code: &str, description: &str) -> serde_json::Value {
    json!({"error": code, "error_description": described(description)})
}

/// RFC 6749 §5.2: a description holds printable ASCII but `"` and `\`.
fn described(text: &str) -> String {
    let fitting = |character| match character {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => character,
        _ => '?',
    };
    text.chars().map(fitting).collect()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
