//! Errors of the management API, each with the message for the client and the cause for the log.

mod reason;
#[cfg(test)]
mod tests;
mod text;

use std::fmt::Display;

pub use self::reason::{Conflict, Forbidden, InvalidRequest, ParameterError, Place};

use crate::jose::claims::TokenFault;
use crate::node::{AuthenticationError, BearerFault, HashError, ProofRefused};
use crate::sharing::fair_queue::QueueFull;
use crate::store::StoreError;
use crate::use_cases::access::{AccessFault, Denied};

/// An error of the management API. Each variant has a `code`, and some share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// 400: the request is malformed. The value says why.
    InvalidRequest(InvalidRequest),
    /// 401: the request has no credential, or none that is accepted.
    Unauthenticated {
        /// Whether there was a credential at all (RFC 6750 §3.1).
        presented: bool,
    },
    /// 401: the token is valid, but for another audience. The code is that of [`ApiError::Unauthenticated`].
    OtherAudience,
    /// 401: the key is revoked.
    KeyRevoked,
    /// 401: the key has expired.
    KeyExpired,
    /// 401: the key is disabled.
    KeyDisabled,
    /// 401: the key works only by way of tokens that are bound to a key of the client (RFC 9449), and was presented itself.
    ProofRequired,
    /// 401: the token has expired.
    TokenExpired,
    /// 401: the token is revoked.
    TokenRevoked,
    /// 401: the token is bound to another key than was proven, or is bound to one and was presented as Bearer, or to none and
    /// was presented with a proof (RFC 9449 §7.1). The code is that of [`ApiError::Unauthenticated`].
    TokenBinding(TokenFault),
    /// 401: the proof of possession is not accepted (RFC 9449 §7.1). The value says why.
    InvalidProof(ProofRefused),
    /// 403: the caller lacks a scope or another right. The value says which.
    Forbidden(Forbidden),
    /// 403: the credential may not be used from this address. The value is the message.
    AddressNotAllowed(String),
    /// 404: the resource does not exist, or the caller may not know of it.
    NotFound,
    /// 405: the resource does not support the method.
    MethodNotAllowed,
    /// 408: the body did not arrive in time. The code is that of [`ApiError::InvalidRequest`].
    TooSlow,
    /// 409: the request contradicts the present state. The value says why.
    Conflict(Conflict),
    /// 412: the resource is not the version that `If-Match` names.
    PreconditionFailed,
    /// 412: `If-Match` names the version by a weak tag, which never matches. The code is that of
    /// [`ApiError::PreconditionFailed`].
    WeakPrecondition,
    /// 413: the body is too large.
    TooLarge,
    /// 415: the body is not JSON.
    UnsupportedMediaType,
    /// 415: the body has a `Content-Encoding`. The code is that of [`ApiError::UnsupportedMediaType`].
    ContentEncoding,
    /// 429: the caller sent too many wrong secrets. The value is the wait in seconds.
    RateLimited(i64),
    /// 429: a key has more proofs of possession that are still valid than can be remembered.
    TooManyProofs,
    /// 429: the caller's organization has too many requests in flight or waiting.
    TooManyConcurrent,
    /// 500: the server is at fault. The value is for the log.
    Internal(String),
    /// 503: something that the answer needs is unavailable. The value is for the log.
    Unavailable(String),
    /// 503: the node should get no requests. The value says why.
    NotReady(String),
}

impl ApiError {
    /// A fault of the server. `cause` is for the log.
    pub fn internal(cause: impl Display) -> Self {
        Self::Internal(cause.to_string())
    }

    /// The same error, with the part of the request that it concerns.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        match self {
            Self::InvalidRequest(inner) => InvalidRequest::At(place, Box::new(inner)).into(),
            Self::Conflict(inner) => Conflict::At(place, Box::new(inner)).into(),
            Self::Forbidden(inner) => Forbidden::At(place, Box::new(inner)).into(),
            other => other,
        }
    }

    /// The `code` member of the answer.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::TooSlow => "invalid_request",
            Self::Unauthenticated { .. } | Self::OtherAudience | Self::TokenBinding(_) => "unauthenticated",
            Self::KeyRevoked => "key_revoked",
            Self::KeyExpired => "key_expired",
            Self::KeyDisabled => "key_disabled",
            Self::ProofRequired => "dpop_required",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::InvalidProof(refused) => refused.code(),
            Self::Forbidden(_) => "forbidden",
            Self::AddressNotAllowed(_) => "address_not_allowed",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict(Conflict::LastOwner) => "last_owner",
            Self::Conflict(Conflict::AlreadyMember) => "already_member",
            Self::Conflict(Conflict::RoleFromGroups) => "role_from_groups",
            Self::Conflict(_) => "conflict",
            Self::PreconditionFailed | Self::WeakPrecondition => "precondition_failed",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType | Self::ContentEncoding => "unsupported_media_type",
            Self::RateLimited(_) | Self::TooManyProofs | Self::TooManyConcurrent => "rate_limited",
            Self::Internal(_) => "internal",
            Self::Unavailable(_) | Self::NotReady(_) => "unavailable",
        }
    }

    /// The `message` member of the answer.
    pub fn message(&self) -> String {
        match self {
            Self::InvalidRequest(reason) => reason.to_string(),
            Self::Conflict(reason) => reason.to_string(),
            Self::Forbidden(reason) => reason.to_string(),
            Self::AddressNotAllowed(why) => why.clone(),
            Self::Unauthenticated { presented: false } => {
                "this requires an API key, or an access token for this server".into()
            }
            Self::Unauthenticated { presented: true } => "the API key or access token is not valid".into(),
            Self::OtherAudience => {
                "the access token is for another audience; request one with this audience as its resource".into()
            }
            Self::KeyRevoked => "the API key is revoked".into(),
            Self::KeyExpired => "the API key has expired".into(),
            Self::KeyDisabled => "the API key is disabled".into(),
            Self::ProofRequired => {
                "this API key requires DPoP: get a DPoP-bound token with it, and send that token with a proof".into()
            }
            Self::TokenExpired => "the token has expired".into(),
            Self::TokenRevoked => "the token is revoked".into(),
            Self::TokenBinding(fault) => format!("the token is refused: {fault}"),
            Self::InvalidProof(refused) => refused.to_string(),
            Self::TooManyProofs => ProofRefused::TooMany.to_string(),
            Self::NotFound => "no such resource exists, or this credential cannot see it".into(),
            Self::MethodNotAllowed => "this resource does not support that method".into(),
            Self::PreconditionFailed => {
                "the resource has changed since you read it; read it again and send its current ETag in If-Match".into()
            }
            Self::WeakPrecondition => {
                "a weak ETag (W/) never matches If-Match; a compressing proxy has probably weakened it, so read the resource \
                 with Accept-Encoding: identity to get the strong ETag"
                    .into()
            }
            Self::TooSlow => "the request body did not arrive in time".into(),
            Self::TooLarge => "the body is too large".into(),
            Self::UnsupportedMediaType => "the request body must be application/json".into(),
            Self::ContentEncoding => "the request body must not be compressed; send it without Content-Encoding".into(),
            Self::RateLimited(seconds) => format!("too many wrong secrets; try again in {seconds} s"),
            Self::TooManyConcurrent => "too many requests of this organization are in progress; try again later".into(),
            Self::Internal(_) => "an internal error occurred; the server's log has the details under this request id".into(),
            Self::NotReady(why) => format!("not ready: {why}"),
            Self::Unavailable(_) => "the server cannot process this request at the moment; try again later".into(),
        }
    }

    /// What the log says beyond the message.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) | Self::Unavailable(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<InvalidRequest> for ApiError {
    fn from(reason: InvalidRequest) -> Self {
        Self::InvalidRequest(reason)
    }
}

impl From<Conflict> for ApiError {
    fn from(reason: Conflict) -> Self {
        Self::Conflict(reason)
    }
}

impl From<Forbidden> for ApiError {
    fn from(reason: Forbidden) -> Self {
        Self::Forbidden(reason)
    }
}

impl From<AuthenticationError> for ApiError {
    fn from(refusal: AuthenticationError) -> Self {
        match refusal {
            AuthenticationError::Unknown | AuthenticationError::Assertion(_) => {
                Self::Unauthenticated { presented: true }
            }
            AuthenticationError::TooManyAssertions => Self::RateLimited(30),
            AuthenticationError::Throttled(seconds) => Self::RateLimited(seconds),
            AuthenticationError::Revoked => Self::KeyRevoked,
            AuthenticationError::Expired => Self::KeyExpired,
            AuthenticationError::Disabled => Self::KeyDisabled,
            AuthenticationError::ProofRequired => Self::ProofRequired,
            AuthenticationError::Address(_) => Self::AddressNotAllowed(refusal.to_string()),
            AuthenticationError::Store(error) => error.into(),
            AuthenticationError::Stale(_) | AuthenticationError::Busy(_) => {
                Self::Unavailable(refusal.to_string())
            }
        }
    }
}

impl From<AccessFault> for ApiError {
    fn from(fault: AccessFault) -> Self {
        match fault {
            AccessFault::Key(refusal) | AccessFault::Token(BearerFault::Unknown(refusal)) => refusal.into(),
            AccessFault::Token(BearerFault::Refused(TokenFault::Audience)) => Self::OtherAudience,
            AccessFault::Token(BearerFault::Refused(
                fault @ (TokenFault::Bound | TokenFault::NotBound | TokenFault::BoundToOther),
            )) => Self::TokenBinding(fault),
            AccessFault::Token(BearerFault::Proof(refused)) => refused.into(),
            AccessFault::Token(BearerFault::Refused(_)) => Self::Unauthenticated { presented: true },
            AccessFault::Token(BearerFault::Expired) => Self::TokenExpired,
            AccessFault::Token(BearerFault::Revoked) => Self::TokenRevoked,
            AccessFault::Token(BearerFault::KeyRevoked) => Self::KeyRevoked,
            AccessFault::Token(BearerFault::KeyDisabled) => Self::KeyDisabled,
            AccessFault::TokenAddress(_) => Self::AddressNotAllowed(fault.to_string()),
        }
    }
}

impl From<ProofRefused> for ApiError {
    fn from(refused: ProofRefused) -> Self {
        match refused {
            ProofRefused::TooMany => Self::TooManyProofs,
            refused => Self::InvalidProof(refused),
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NotFound => Self::NotFound,
            Denied::Missing(scope) => Forbidden::MissingScope(scope).into(),
        }
    }
}

impl From<QueueFull> for ApiError {
    fn from(_: QueueFull) -> Self {
        Self::TooManyConcurrent
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::MasterKeyReplaced => {
                Self::Unavailable(error.to_string())
            }
            StoreError::QueueFull(full) => full.into(),
            StoreError::Refused(_) | StoreError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy(_) => Self::Unavailable(error.to_string()),
            HashError::Entropy(_) | HashError::Argon2(_) => Self::internal(error),
        }
    }
}
