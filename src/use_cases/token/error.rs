//! Errors of the OAuth endpoints (RFC 6749 §5.2), each with the description for the client and the cause for the log.

use std::fmt::Display;

use crate::node::{AuthenticationError, Busy};
use crate::store::StoreError;
use crate::use_cases::access::AccessFault;

/// An error in the terms of OAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// 400: the request is malformed.
    InvalidRequest(String),
    /// 401: the client is not authenticated. The description is `None` for an unknown id, a bad tag and a wrong secret,
    /// so that clients can't tell these apart. Otherwise it says what is wrong with the request, or with the key if the
    /// client presented the right secret.
    InvalidClient(Option<String>),
    /// 400: the client may not do this.
    UnauthorizedClient(&'static str),
    /// 400: the server does not support this grant type.
    UnsupportedGrantType,
    /// 400: the scope is malformed, or the key does not cover it.
    InvalidScope(String),
    /// 400: the key may not have this audience (RFC 8707 §2).
    InvalidTarget(String),
    /// 400: this endpoint can't revoke this kind of token (RFC 7009 §2.2.1).
    UnsupportedTokenType,
    /// 405: the endpoint supports only POST.
    MethodNotAllowed,
    /// 413: the body is larger than 16 KiB.
    TooLarge,
    /// 415: the body has a `Content-Encoding`.
    ContentEncoding,
    /// 408: the body did not arrive in time.
    TooSlow,
    /// 429: too many wrong secrets, or too many revoked tokens.
    TooMany {
        /// What there were too many of.
        what: &'static str,
        /// The wait in seconds.
        retry_after: i64,
    },
    /// 503: something that the answer needs is unavailable.
    Unavailable {
        /// The cause, for the log.
        cause: String,
    },
    /// 500: the server is at fault.
    Internal {
        /// The cause, for the log.
        cause: String,
    },
}

impl OAuthError {
    /// A fault of the server. `cause` is for the log.
    pub fn internal(cause: impl Display) -> Self {
        Self::Internal { cause: cause.to_string() }
    }

    /// The `error` member of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_)
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::ContentEncoding
            | Self::TooSlow => "invalid_request",
            Self::InvalidClient(_) => "invalid_client",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::InvalidTarget(_) => "invalid_target",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::TooMany { .. } | Self::Unavailable { .. } => "temporarily_unavailable",
            Self::Internal { .. } => "server_error",
        }
    }

    /// The `error_description` member, before characters that it can't hold are replaced.
    pub fn description(&self) -> String {
        match self {
            Self::InvalidRequest(why) | Self::InvalidScope(why) | Self::InvalidTarget(why) => why.clone(),
            Self::InvalidClient(Some(why)) => why.clone(),
            Self::InvalidClient(None) => "client authentication failed".into(),
            Self::UnauthorizedClient(why) => (*why).into(),
            Self::UnsupportedGrantType => {
                "the supported grant types are client_credentials and token exchange".into()
            }
            Self::UnsupportedTokenType => "an API key cannot be revoked here; use the management API".into(),
            Self::MethodNotAllowed => "this endpoint supports only POST".into(),
            Self::TooLarge => "the body is larger than 16 KiB".into(),
            Self::ContentEncoding => {
                "the request body must not be compressed; send it without Content-Encoding".into()
            }
            Self::TooSlow => "the request body did not arrive in time".into(),
            Self::TooMany { what, retry_after } => format!("too many {what}; try again in {retry_after} s"),
            Self::Unavailable { .. } => {
                "the server cannot process this request at the moment; try again later".into()
            }
            Self::Internal { .. } => {
                "an internal error occurred; the server's log has the details under this request id".into()
            }
        }
    }

    /// What the log says beyond the description.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Unavailable { cause } | Self::Internal { cause } => Some(cause),
            _ => None,
        }
    }
}

impl From<AuthenticationError> for OAuthError {
    fn from(refusal: AuthenticationError) -> Self {
        match refusal {
            AuthenticationError::Unknown => Self::InvalidClient(None),
            AuthenticationError::Throttled(retry_after) => {
                Self::TooMany { what: "wrong secrets", retry_after }
            }
            // Only a client that presented the right secret learns this.
            AuthenticationError::Revoked
            | AuthenticationError::Expired
            | AuthenticationError::Disabled
            | AuthenticationError::Address(_) => Self::InvalidClient(Some(refusal.to_string())),
            AuthenticationError::Store(error) => error.into(),
            AuthenticationError::Stale(_) => Self::Unavailable { cause: refusal.to_string() },
            AuthenticationError::Busy(busy) => busy.into(),
        }
    }
}

impl From<AccessFault> for OAuthError {
    fn from(fault: AccessFault) -> Self {
        match fault {
            AccessFault::Key(refusal) => refusal.into(),
            AccessFault::Token(_) | AccessFault::TokenAddress(_) => Self::InvalidClient(None),
        }
    }
}

impl From<Busy> for OAuthError {
    fn from(busy: Busy) -> Self {
        Self::Unavailable { cause: busy.to_string() }
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable { cause: error.to_string() },
            StoreError::QueueFull(_) => {
                Self::TooMany { what: "requests of this organization", retry_after: 1 }
            }
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::internal(error),
        }
    }
}
