//! The messages of the OAuth endpoints' errors, all in one place.

use std::fmt::{Display, Formatter, Result};

use super::OAuthError;
use super::reason::{
    InvalidClient, InvalidRequest, InvalidScope, InvalidTarget, ScopeHolder, SubjectTokenFault, TooMany,
    UnauthorizedClient,
};
use crate::jose::claims::MAX_ACTORS;
use crate::node::ProofRefused;

/// The `error_description` member, before characters that it can't hold are replaced.
impl Display for OAuthError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::InvalidRequest(reason) => return reason.fmt(f),
            Self::InvalidProof(refused) => return refused.fmt(f),
            Self::InvalidClient(reason) => return reason.fmt(f),
            Self::UnauthorizedClient(reason) => return reason.fmt(f),
            Self::InvalidScope(reason) => return reason.fmt(f),
            Self::InvalidTarget(reason) => return reason.fmt(f),
            Self::TooMany(reason) => return reason.fmt(f),
            Self::InvalidGrant => "the assertion opens no key with this client_id",
            Self::UnsupportedGrantType => {
                "the supported grant types are client_credentials, JWT bearer and token exchange"
            }
            Self::UnsupportedTokenType => "an API key cannot be revoked here; use the management API",
            Self::MethodNotAllowed => "this endpoint supports only POST",
            Self::TooLarge => "the request body is larger than 16 KiB",
            Self::ContentEncoding => {
                "the request body must not be compressed; send it without Content-Encoding"
            }
            Self::TooSlow => "the request body did not arrive in time",
            Self::Unavailable { .. } => {
                "the server cannot process this request at the moment; try again later"
            }
            Self::Internal { .. } => {
                "an internal error occurred; the server's log has the details under this request id"
            }
        })
    }
}

impl Display for InvalidRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::NotAForm => "the request body must be application/x-www-form-urlencoded",
            Self::Charset => "the charset of the request body must be UTF-8",
            Self::IncompleteBody => "the request body is incomplete",
            Self::ParametersInUrl => "parameters must be in the body, not in the URL",
            Self::NotUtf8 => "a parameter is not valid UTF-8",
            Self::Escape => "a % is not followed by two hexadecimal digits",
            Self::Nul => "NUL characters are not allowed",
            Self::ParameterMissing(name) => return write!(f, "{name} is missing"),
            Self::ParameterTwice(name) => {
                return write!(f, "{} appears twice", name.unwrap_or("a parameter"));
            }

            Self::AuthorizationTwice => "the request has two Authorization headers",
            Self::MalformedBasic => {
                "the Authorization header is not Basic with base64 of client_id:client_secret"
            }
            Self::SecretTwice => "client_secret is in the body and in the Authorization header",
            Self::OtherClientId => "client_id differs from the one in the Authorization header",
            Self::SecretBesideBearer => {
                "the request has two credentials: client_secret in the body, and a Bearer credential"
            }
            Self::AssertionBesideOther => {
                "the request has two credentials: client_assertion, and another one"
            }
            Self::AssertionType(expected) => {
                return write!(
                    f,
                    "client_assertion needs client_assertion_type={expected}, and that a client_assertion"
                );
            }

            Self::SubjectTokenType => "subject_token_type is not supported",
            Self::ActorToken => "actor_token is not supported: the client is the actor",
            Self::RequestedTokenType(issued) => return write!(f, "requested_token_type must be {issued}"),
            Self::SubjectToken(fault) => return write!(f, "subject_token: {fault}"),
            Self::NotAnAddress => "subject_address is not an IP address",
            Self::NoSubjectAddress => {
                "the subject is restricted to network ranges, so subject_address is required"
            }
            Self::SubjectAddress => "the subject is not allowed from subject_address",
            Self::TooManyExchanges => {
                return write!(f, "a token can be exchanged at most {MAX_ACTORS} times");
            }
        })
    }
}

impl Display for SubjectTokenFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Refused(fault) => return write!(f, "the token is refused: {fault}"),
            Self::Expired => "the token has expired",
            Self::Revoked => "the token is revoked",
            Self::KeyOfTokenRevoked => "the key of the token is revoked",
            Self::KeyOfTokenDisabled => "the key of the token is disabled",
            Self::ForManagement => "a token for the management API cannot be exchanged",
            Self::UnknownKey => "the key is unknown, or its secret is wrong",
            Self::KeyRevoked => "the key is revoked",
            Self::KeyExpired => "the key has expired",
            Self::KeyDisabled => "the key is disabled",
        })
    }
}

impl Display for InvalidClient {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::Failed => "client authentication failed",

            Self::NoCredentials => {
                "no client credentials were sent: send HTTP Basic with client_id:client_secret, or client_id and \
                 client_secret in the body"
            }
            Self::NoSecret => "client_secret is missing: it is the whole API key",
            Self::EmptySecret => "the client secret is empty: it is the whole API key",
            Self::EmptyUserName => {
                "the user name is empty: send -u key_...:KEY, with the key's id before the colon"
            }
            Self::KeyAsUserName => {
                "the API key was sent as the user name, which proxies log: send -u key_...:KEY, the key's id before the \
                 colon and the API key after it"
            }
            Self::KeyAsClientId => "the API key was sent as client_id: send it as client_secret",
            Self::EmptyAuthorization => {
                "the Authorization header is empty: leave it out, or send Basic with client_id:client_secret"
            }
            Self::EmptyBasic => {
                "the Authorization header has nothing after Basic: send base64 of client_id:client_secret"
            }
            Self::Bearer => {
                "the Authorization header is Bearer, which does not authenticate a client here: send Basic, or leave the \
                 header out and send client_secret in the body"
            }
            Self::OtherScheme => {
                "the Authorization header is not Basic: send Basic, or leave the header out and send client_secret in the \
                 body"
            }

            Self::Assertion(fault) => return write!(f, "the assertion is refused: {fault}"),

            Self::KeyRevoked => "the key is revoked",
            Self::KeyExpired => "the key has expired",
            Self::KeyDisabled => "the key is disabled",
            Self::Address(address) => return write!(f, "the key is not allowed from address {address}"),
            Self::ProofRequired => {
                "this key requires DPoP: get a DPoP-bound token with it, and send that token with a proof"
            }
        })
    }
}

impl Display for UnauthorizedClient {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::OtherClientsToken => "the token belongs to another client",
            Self::Exchange => "the client is not allowed to exchange tokens of the subject's project",
        })
    }
}

impl Display for InvalidScope {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::None(ScopeHolder::Key) => f.write_str("the key has no scope for this audience"),
            Self::None(ScopeHolder::Subject) => f.write_str("the subject has no scope for a resource server"),
            Self::NotCovered(ScopeHolder::Key, scope) => {
                write!(f, "no scope of the key for this audience covers {scope}")
            }
            Self::NotCovered(ScopeHolder::Subject, scope) => {
                write!(f, "no scope of the subject covers {scope}")
            }
        }
    }
}

impl Display for InvalidTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::NotOfProject(audience) => {
                return write!(f, "{audience} is not an audience of this key's project");
            }
            Self::None => "the project of this key has no audience",
            Self::ManagementBesideOthers => "a token for the management API cannot have another audience",
            Self::ManagementByExchange => "a token exchange cannot issue a token for the management API",
        })
    }
}

impl Display for TooMany {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let seconds = self.retry_after();
        match self {
            Self::WrongSecrets(_) => write!(f, "too many wrong secrets; try again in {seconds} s"),
            Self::RevokedTokens => {
                write!(
                    f,
                    "too many tokens are revoked one by one; revoke their key, or try again in {seconds} s"
                )
            }
            Self::Assertions => {
                write!(f, "too many assertions of this client are still valid; try again in {seconds} s")
            }
            Self::Proofs => ProofRefused::TooMany.fmt(f),
            Self::Requests => {
                write!(f, "too many requests of this organization; try again in {seconds} s")
            }
        }
    }
}
