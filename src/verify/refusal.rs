//! Why a request is refused, and what its sender is told.

use http::StatusCode;

use crate::domain::address::CallerAddress;
use crate::domain::credential::CredentialFault;
use crate::jose::claims::TokenFault;

/// Why a credential is refused. Displayed, it is what the sender of the request may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// None was sent.
    #[error("a credential is required")]
    NoCredential,
    /// There are two of them, or none can be read out of what was sent.
    #[error(transparent)]
    Credential(CredentialFault),
    /// It is an API key, and none are accepted here.
    #[error("API keys are not accepted here; send an access token")]
    NoApiKeys,
    /// The token breaks a rule.
    #[error("the token is refused: {0}")]
    Token(TokenFault),
    /// The token was revoked, or something was taken from its key after it was issued.
    #[error("the token is revoked")]
    Revoked,
    /// The API key is not accepted.
    #[error(transparent)]
    Key(KeyFault),
    /// It may not be used from there.
    #[error("the credential is not allowed from address {0}")]
    Address(CallerAddress),
    /// It is good, and of an organization or an environment that is not accepted here.
    #[error("credentials of this organization and environment are not accepted here")]
    Tenant,
    /// It is good, and for no resource server, or not for this one.
    #[error("the credential allows nothing at this resource server")]
    NothingHere,
    /// The issuer is asked about this client too often.
    #[error("too many attempts; try again in {0} seconds")]
    RateLimited(u32),
    /// Whether it is good can't be told now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why an API key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No such key, or another secret.
    #[error("the API key is not valid")]
    Unknown,
    /// It was revoked.
    #[error("the API key is revoked")]
    Revoked,
    /// Its time is over.
    #[error("the API key has expired")]
    Expired,
    /// It is suspended, and may be enabled again.
    #[error("the API key is disabled")]
    Disabled,
}

/// Why nothing can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The issuer's keys have not been read yet.
    #[error("the issuer has not responded yet")]
    NotReady,
    /// Revocations can't be known: see [`super::WhenStale`].
    #[error("the issuer has not responded for too long")]
    Stale,
    /// The issuer's gate gives no answer about an API key.
    #[error("the issuer does not respond")]
    Gate,
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl Refusal {
    /// The word for programs; the same that the issuer's own API has for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credential(CredentialFault::Both | CredentialFault::Twice(_)) => "invalid_request",
            Self::Token(TokenFault::Expired) => "token_expired",
            Self::NoCredential
            | Self::Credential(_)
            | Self::NoApiKeys
            | Self::Token(_)
            | Self::Key(KeyFault::Unknown) => "unauthenticated",
            Self::Revoked => "token_revoked",
            Self::Key(KeyFault::Revoked) => "key_revoked",
            Self::Key(KeyFault::Expired) => "key_expired",
            Self::Key(KeyFault::Disabled) => "key_disabled",
            Self::Address(_) => "address_not_allowed",
            Self::Tenant | Self::NothingHere => "forbidden",
            Self::RateLimited(_) => "rate_limited",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The status of the answer.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Credential(CredentialFault::Both | CredentialFault::Twice(_)) => StatusCode::BAD_REQUEST,
            Self::NoCredential
            | Self::Credential(_)
            | Self::NoApiKeys
            | Self::Token(_)
            | Self::Revoked
            | Self::Key(_) => StatusCode::UNAUTHORIZED,
            Self::Address(_) | Self::Tenant | Self::NothingHere => StatusCode::FORBIDDEN,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// After how many seconds it makes sense to ask again.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(seconds) => Some(*seconds),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }
}
