//! The one place that turns errors into responses.
//!
//! A handler's error travels in the response's extensions until [`super::Front`] renders it, because only there the
//! request's id is known.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::request_id::RequestId;
use super::schemes::Schemes;
use crate::use_cases::management::ApiError;
use crate::use_cases::token::{self, OAuthError};

/// `Retry-After` in seconds where no better value is known.
const RETRY_AFTER: i64 = 1;

const JSON: &str = "application/json";

/// An error, by the kind of endpoint that renders it.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// OAuth JSON (RFC 6749 §5.2).
    OAuth(OAuthError),
    /// OAuth JSON for a caller that authenticates with a Bearer token (RFC 7662 §2.3). Status, code and challenge
    /// follow RFC 6750.
    Bearer(ApiError),
    /// JSON of the management API.
    Api(ApiError),
    /// A page of the console.
    Html {
        /// Decides the status and the headers.
        error: ApiError,
        /// The rendered page.
        html: String,
    },
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<token::InvalidRequest> for Failure {
    fn from(reason: token::InvalidRequest) -> Self {
        Self::OAuth(reason.into())
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

/// The fallback for paths without a route.
pub(crate) async fn not_found() -> Failure {
    ApiError::NotFound.into()
}

/// The fallback for a path that has a route with other methods. axum sets `Allow`.
pub(crate) async fn api_method_not_allowed() -> Failure {
    ApiError::MethodNotAllowed.into()
}

/// The fallback for methods other than POST at an OAuth endpoint.
pub(crate) async fn oauth_method_not_allowed() -> Failure {
    OAuthError::MethodNotAllowed.into()
}

impl Failure {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::OAuth(error) => error.code(),
            Self::Bearer(error) => bearer_code(error),
            Self::Api(error) | Self::Html { error, .. } => error.code(),
        }
    }

    /// Whether a request without a valid credential can cause this error, as far as the error shows.
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
            Self::Bearer(error) | Self::Api(error) | Self::Html { error, .. } => {
                !matches!(
                    error,
                    ApiError::OtherAudience
                        | ApiError::KeyRevoked
                        | ApiError::KeyExpired
                        | ApiError::ProofRequired
                        | ApiError::TokenExpired
                        | ApiError::TokenRevoked
                        | ApiError::TokenBinding(_)
                        | ApiError::TooManyProofs
                        | ApiError::AddressNotAllowed(_)
                        | ApiError::Internal(_)
                ) && !matches!(error, ApiError::Forbidden(reason) if reason.scope().is_some())
            }
        }
    }

    /// The text for the log: the internal cause if there is one, otherwise the text that the client gets.
    pub(crate) fn log_line(&self) -> String {
        match self {
            Self::OAuth(error) => error.cause().map_or_else(|| error.to_string(), str::to_owned),
            Self::Bearer(error) | Self::Api(error) | Self::Html { error, .. } => {
                error.cause().map_or_else(|| error.message(), str::to_owned)
            }
        }
    }

    /// Writes status, headers and body into `response`, with challenges for `schemes`.
    pub(crate) fn render(&self, response: &mut Response, id: RequestId, schemes: &Schemes<'_>) {
        let (media_type, body) = match self {
            Self::OAuth(error) => (JSON, oauth_body(error.code(), &error.to_string()).to_string()),
            Self::Bearer(error) => (JSON, oauth_body(bearer_code(error), &error.message()).to_string()),
            Self::Api(error) => {
                let (code, message) = (error.code(), error.message());
                let body = json!({"error": {"code": code, "message": message, "request_id": id.as_str()}});
                (JSON, body.to_string())
            }
            Self::Html { html, .. } => ("text/html; charset=utf-8", html.clone()),
        };
        *response.status_mut() = self.status();
        *response.body_mut() = Body::from(body);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        // RFC 6749 §5.1 requires this for tokens. No response about credentials may be cached.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers(schemes) {
            insert(headers, name, &value);
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::OAuth(error) => oauth_status(error),
            Self::Bearer(error) | Self::Api(error) | Self::Html { error, .. } => api_status(error),
        }
    }

    fn headers(&self, schemes: &Schemes<'_>) -> Vec<(HeaderName, String)> {
        match self {
            Self::OAuth(error) => oauth_headers(error, schemes.realm),
            Self::Bearer(error) => [api_headers(error, schemes), vec![no_cache()]].concat(),
            Self::Api(error) | Self::Html { error, .. } => api_headers(error, schemes),
        }
    }
}

fn oauth_status(error: &OAuthError) -> StatusCode {
    match error {
        OAuthError::InvalidRequest(_)
        | OAuthError::InvalidProof(_)
        | OAuthError::UnauthorizedClient(_)
        | OAuthError::InvalidGrant
        | OAuthError::UnsupportedGrantType
        | OAuthError::InvalidScope(_)
        | OAuthError::InvalidTarget(_)
        | OAuthError::UnsupportedTokenType => StatusCode::BAD_REQUEST,
        OAuthError::InvalidClient(_) => StatusCode::UNAUTHORIZED,
        OAuthError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        OAuthError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        OAuthError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        OAuthError::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        OAuthError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        OAuthError::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        OAuthError::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn oauth_headers(error: &OAuthError, realm: &str) -> Vec<(HeaderName, String)> {
    let mut headers = vec![no_cache()];
    match error {
        // RFC 6749 §5.2
        OAuthError::InvalidClient(_) => {
            // Some libraries show their users only the challenge.
            let why = described(&error.to_string());
            headers.push((
                header::WWW_AUTHENTICATE,
                format!(r#"Basic realm="{realm}", error="invalid_client", error_description="{why}""#),
            ));
        }
        OAuthError::MethodNotAllowed => headers.push((header::ALLOW, "POST".into())),
        OAuthError::TooMany(reason) => headers.push((header::RETRY_AFTER, reason.retry_after().to_string())),
        OAuthError::Unavailable { .. } => headers.push((header::RETRY_AFTER, RETRY_AFTER.to_string())),
        OAuthError::ContentEncoding => headers.push(no_coding()),
        _ => {}
    }
    headers
}

/// RFC 9110 §15.5.16: names the content codings that the server accepts.
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
        | ApiError::ProofRequired
        | ApiError::TokenExpired
        | ApiError::TokenRevoked
        | ApiError::TokenBinding(_)
        | ApiError::InvalidProof(_) => StatusCode::UNAUTHORIZED,
        ApiError::Forbidden(_) | ApiError::AddressNotAllowed(_) => StatusCode::FORBIDDEN,
        ApiError::NotFound => StatusCode::NOT_FOUND,
        ApiError::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ApiError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        ApiError::Conflict(_) => StatusCode::CONFLICT,
        ApiError::PreconditionFailed | ApiError::WeakPrecondition => StatusCode::PRECONDITION_FAILED,
        ApiError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ApiError::UnsupportedMediaType | ApiError::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ApiError::RateLimited(_) | ApiError::TooManyProofs | ApiError::TooManyConcurrent => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ApiError::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        ApiError::Unavailable(_) | ApiError::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn api_headers(error: &ApiError, schemes: &Schemes<'_>) -> Vec<(HeaderName, String)> {
    let challenge = |parameters: &str| (header::WWW_AUTHENTICATE, schemes.challenge(error, parameters));
    match error {
        // RFC 6750 §3.1: no error code for a request without a credential.
        ApiError::Unauthenticated { presented: false } => vec![challenge("")],
        ApiError::Unauthenticated { presented: true }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::ProofRequired
        | ApiError::TokenExpired
        | ApiError::TokenRevoked
        | ApiError::TokenBinding(_)
        | ApiError::InvalidProof(_) => vec![challenge(&format!(
            r#", error="{}", error_description="{}""#,
            bearer_code(error),
            described(&error.message())
        ))],
        ApiError::Forbidden(reason) => reason
            .scope()
            .map(|scope| challenge(&format!(r#", error="insufficient_scope", scope="{scope}""#)))
            .into_iter()
            .collect(),
        ApiError::RateLimited(seconds) => vec![(header::RETRY_AFTER, seconds.to_string())],
        ApiError::Unavailable(_)
        | ApiError::NotReady(_)
        | ApiError::TooManyConcurrent
        | ApiError::TooManyProofs => {
            vec![(header::RETRY_AFTER, RETRY_AFTER.to_string())]
        }
        ApiError::ContentEncoding => vec![no_coding()],
        _ => Vec::new(),
    }
}

/// The codes of RFC 6750 §3.1, and those of RFC 6749 where RFC 6750 has none.
fn bearer_code(error: &ApiError) -> &'static str {
    match error {
        ApiError::Unauthenticated { .. }
        | ApiError::OtherAudience
        | ApiError::KeyRevoked
        | ApiError::KeyExpired
        | ApiError::KeyDisabled
        | ApiError::ProofRequired
        | ApiError::TokenExpired
        | ApiError::TokenRevoked
        | ApiError::TokenBinding(_)
        | ApiError::AddressNotAllowed(_) => "invalid_token",
        ApiError::InvalidProof(refused) => refused.code(),
        ApiError::Forbidden(_) => "insufficient_scope",
        ApiError::RateLimited(_)
        | ApiError::TooManyProofs
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

/// RFC 6749 §5.2: a description is printable ASCII without `"` and `\`.
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
