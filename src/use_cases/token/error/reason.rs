//! The reasons for which an OAuth endpoint refuses a request. `text.rs` has the message of each.

use super::OAuthError;
use crate::base::text::Excerpt;
use crate::domain::address::CallerAddress;
use crate::domain::scope::ScopeError;
use crate::jose::assertion::AssertionFault;
use crate::jose::claims::TokenFault;

/// Why a request is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidRequest {
    /// The body is declared to be something other than a form.
    NotAForm,
    /// The body is declared to be in another charset than UTF-8.
    Charset,
    /// The client disconnected before the end of the body.
    IncompleteBody,
    /// There are parameters in the URL.
    ParametersInUrl,
    /// A name or a value is not UTF-8.
    NotUtf8,
    /// A `%` does not begin an escape.
    Escape,
    /// A name or a value contains a NUL.
    Nul,
    /// This parameter is missing.
    ParameterMissing(&'static str),
    /// This parameter appears twice. `None` is one that the endpoints don't know: its name could be a misplaced secret.
    ParameterTwice(Option<&'static str>),

    /// There are two `Authorization` headers.
    AuthorizationTwice,
    /// `Authorization` is Basic, but the rest is not base64 of two parts with a colon between them.
    MalformedBasic,
    /// `client_secret` is beside Basic.
    SecretTwice,
    /// `client_id` is another one than in Basic.
    OtherClientId,
    /// `client_secret` is beside a Bearer credential.
    SecretBesideBearer,
    /// `client_assertion` is beside another credential.
    AssertionBesideOther,
    /// `client_assertion` is without `client_assertion_type`, or the other way round, or the type is another one.
    AssertionType(&'static str),

    /// `subject_token_type` names no type that can be exchanged.
    SubjectTokenType,
    /// There is an actor token.
    ActorToken,
    /// `requested_token_type` names another type than this one, which is issued.
    RequestedTokenType(&'static str),
    /// `subject_token` can't be exchanged.
    SubjectToken(SubjectTokenFault),
    /// `subject_address` is not an IP address.
    NotAnAddress,
    /// `subject_address` is missing, and the subject may not be used from everywhere.
    NoSubjectAddress,
    /// The subject may not be used from `subject_address`.
    SubjectAddress,
    /// The subject token was exchanged as often as is possible.
    TooManyExchanges,
}

/// Why a subject token can't be exchanged (RFC 8693 §2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectTokenFault {
    /// The token breaks this rule.
    Refused(TokenFault),
    /// The token has expired.
    Expired,
    /// The token is revoked.
    Revoked,
    /// The key of the token is revoked.
    KeyOfTokenRevoked,
    /// The key of the token is disabled.
    KeyOfTokenDisabled,
    /// The token is for the management API.
    ForManagement,
    /// The text is not an API key of this deployment, or its secret is wrong.
    UnknownKey,
    /// The API key is revoked.
    KeyRevoked,
    /// The API key has expired.
    KeyExpired,
    /// The API key is disabled.
    KeyDisabled,
}

/// Why a client is not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidClient {
    /// The id is unknown, the tag is bad, or the secret is wrong. Clients can't tell these apart.
    Failed,

    /// There are no credentials. This and the following reasons say nothing about any key.
    NoCredentials,
    /// `client_id` is alone.
    NoSecret,
    /// The secret is empty.
    EmptySecret,
    /// The user name of Basic is empty.
    EmptyUserName,
    /// The user name of Basic is an API key.
    KeyAsUserName,
    /// `client_id` is an API key.
    KeyAsClientId,
    /// The `Authorization` header is empty.
    EmptyAuthorization,
    /// The `Authorization` header has nothing but the scheme Basic.
    EmptyBasic,
    /// The `Authorization` header is Bearer.
    Bearer,
    /// The `Authorization` header has another scheme.
    OtherScheme,

    /// The assertion breaks this rule.
    Assertion(AssertionFault),

    /// The key is revoked. Only a client with the right credential learns this, and the following reasons.
    KeyRevoked,
    /// The key has expired.
    KeyExpired,
    /// The key is disabled.
    KeyDisabled,
    /// The key may not be used from this address.
    Address(CallerAddress),
    /// The key works here only by way of bound tokens (RFC 9449).
    ProofRequired,
}

/// Why an authenticated client may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnauthorizedClient {
    /// The token to revoke belongs to another client.
    OtherClientsToken,
    /// The client lacks the scope to exchange tokens of the subject's project.
    Exchange,
}

/// Why scopes can't be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidScope {
    /// The requested scopes are malformed.
    Malformed(ScopeError),
    /// The holder has no scope for the audience.
    None(ScopeHolder),
    /// No scope of the holder covers this one.
    NotCovered(ScopeHolder, String),
}

/// Whose scopes limit those of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeHolder {
    /// The client's key.
    Key,
    /// The subject of an exchange.
    Subject,
}

/// Why a token can't have an audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidTarget {
    /// This is not an audience of the key's project.
    NotOfProject(Excerpt),
    /// The project has no audience.
    None,
    /// The management API is requested together with another audience.
    ManagementBesideOthers,
    /// The management API is requested from a token exchange.
    ManagementByExchange,
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// Wrong secrets of this client from this network. The value is the wait in seconds.
    WrongSecrets(i64),
    /// Tokens that were revoked one by one.
    RevokedTokens,
    /// Proofs of possession that are still valid.
    Proofs,
    /// Requests of the client's organization that wait for the store.
    Requests,
    /// Assertions of the client that are used and still valid.
    Assertions,
}

impl TooMany {
    /// The wait in seconds.
    pub const fn retry_after(self) -> i64 {
        match self {
            Self::WrongSecrets(seconds) => seconds,
            Self::RevokedTokens => 60,
            Self::Proofs | Self::Requests => 1,
            Self::Assertions => 30,
        }
    }
}

macro_rules! from_reasons {
    ($($reason:ident),*) => {$(
        impl From<$reason> for OAuthError {
            fn from(reason: $reason) -> Self {
                Self::$reason(reason)
            }
        }
    )*};
}

from_reasons!(InvalidRequest, InvalidClient, UnauthorizedClient, InvalidScope, InvalidTarget, TooMany);

impl From<SubjectTokenFault> for OAuthError {
    fn from(fault: SubjectTokenFault) -> Self {
        InvalidRequest::SubjectToken(fault).into()
    }
}
