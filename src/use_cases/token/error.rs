//! Errors of the OAuth endpoints (RFC 6749 §5.2), each with the description for the client and the cause for the log.

mod reason;
#[cfg(test)]
mod tests;
mod text;

use std::fmt::Display;

pub use self::reason::{
    InvalidClient, InvalidRequest, InvalidScope, InvalidTarget, ScopeHolder, SubjectTokenFault, TooMany,
    UnauthorizedClient,
};

use crate::node::{AuthenticationError, Busy, ProofRefused};
use crate::store::StoreError;
use crate::use_cases::access::AccessFault;

/// An error in the terms of OAuth. `Display` is the `error_description` member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthError {
    /// 400: the request is malformed. The value says why.
    InvalidRequest(InvalidRequest),
    /// 400: the proof of possession is not accepted (RFC 9449 §5). The value says why.
    InvalidProof(ProofRefused),
    /// 401: the client is not authenticated. The value says why, as far as the client may know.
    InvalidClient(InvalidClient),
    /// 400: the assertion opens no key with this client id. Clients can't tell why.
    InvalidGrant,
    /// 400: the client may not do this. The value says what.
    UnauthorizedClient(UnauthorizedClient),
    /// 400: the server does not support this grant type.
    UnsupportedGrantType,
    /// 400: the scope is malformed, or the key does not cover it. The value says which.
    InvalidScope(InvalidScope),
    /// 400: the key may not have this audience (RFC 8707 §2). The value says why.
    InvalidTarget(InvalidTarget),
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
    /// 429: the client asks too much of the server. The value says what there is too much of.
    TooMany(TooMany),
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
            Self::InvalidProof(refused) => refused.code(),
            Self::InvalidClient(_) => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::InvalidTarget(_) => "invalid_target",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::TooMany(_) | Self::Unavailable { .. } => "temporarily_unavailable",
            Self::Internal { .. } => "server_error",
        }
    }

    /// What the log says beyond the text.
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
            AuthenticationError::Unknown => InvalidClient::Failed.into(),
            AuthenticationError::Throttled(seconds) => TooMany::WrongSecrets(seconds).into(),
            AuthenticationError::Assertion(fault) => InvalidClient::Assertion(fault).into(),
            AuthenticationError::TooManyAssertions => TooMany::Assertions.into(),
            AuthenticationError::Revoked => InvalidClient::KeyRevoked.into(),
            AuthenticationError::Expired => InvalidClient::KeyExpired.into(),
            AuthenticationError::Disabled => InvalidClient::KeyDisabled.into(),
            AuthenticationError::ProofRequired => InvalidClient::ProofRequired.into(),
            AuthenticationError::Address(address) => InvalidClient::Address(address).into(),
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
            AccessFault::Token(_) | AccessFault::TokenAddress(_) => InvalidClient::Failed.into(),
        }
    }
}

impl From<ProofRefused> for OAuthError {
    fn from(refused: ProofRefused) -> Self {
        match refused {
            ProofRefused::TooMany => TooMany::Proofs.into(),
            refused => Self::InvalidProof(refused),
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
            StoreError::Unavailable(_) | StoreError::MasterKeyReplaced => {
                Self::Unavailable { cause: error.to_string() }
            }
            StoreError::QueueFull(_) => TooMany::Requests.into(),
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::internal(error),
        }
    }
}
