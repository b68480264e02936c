//! Why a request is refused, and the response to it.

use http::StatusCode;

use crate::domain::address::CallerAddress;
use crate::domain::credential::CredentialFault;
use crate::jose::claims::TokenFault;
use crate::jose::dpop::ProofFault;

/// Why a credential is refused. The message may be shown to the sender of the request.
///
/// ```
/// use claviger::verify::{Refusal, Verifier};
/// use http::Response;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = Verifier::builder("http://127.0.0.1:8080", "https://api.example.com")
/// #     .any_organization()
/// #     .environments(["prd"])
/// #     .build()?;
/// let (request, _) = http::Request::get("/orders/7").body(())?.into_parts();
/// let verdict = verifier.authenticate_request(&request, None).await;
/// let refusal = verdict.err().ok_or("there is no credential")?;
/// assert_eq!(refusal, Refusal::NoCredential);
/// assert_eq!(refusal.code(), "unauthenticated");
///
/// let response: Response<String> = verifier.refuse(&refusal);
/// assert_eq!(response.status(), 401);
/// assert!(response.headers()["www-authenticate"].to_str()?.starts_with("Bearer realm="));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request has no credential.
    #[error("a credential is required")]
    NoCredential,
    /// The request has two credentials, or its credential can't be read.
    #[error(transparent)]
    Credential(CredentialFault),
    /// The credential is an API key, and the verifier accepts none.
    #[error("API keys are not accepted here; send an access token")]
    NoApiKeys,
    /// The token breaks a rule.
    #[error("the token is refused: {0}")]
    Token(TokenFault),
    /// The proof of possession breaks a rule (RFC 9449 §4.3).
    #[error("the proof is refused: {0}")]
    Proof(ProofFault),
    /// The proof was used before.
    #[error("the proof was used before; every request needs a new one")]
    ProofUsed,
    /// The key has more proofs that are still valid than can be remembered.
    #[error("too many proofs in a minute")]
    TooManyProofs,
    /// The token is bound to a key, and the verifier accepts no such tokens: see [`super::Builder::public_url`].
    #[error("tokens that are bound to a key (DPoP) are not accepted here")]
    NoBoundTokens,
    /// The credential is bound to nothing, and the verifier accepts no such credentials: see
    /// [`super::Builder::bound_tokens_only`].
    #[error("only tokens that are bound to a key (DPoP) are accepted here")]
    OnlyBoundTokens,
    /// The token was revoked, or its key lost something after the token was issued.
    #[error("the token is revoked")]
    Revoked,
    /// The API key is not accepted.
    #[error(transparent)]
    Key(KeyFault),
    /// The credential may not be used from this address.
    #[error("the credential is not allowed from address {0}")]
    Address(CallerAddress),
    /// The credential is valid, but its organization or its environment is not accepted.
    #[error("credentials of this organization and environment are not accepted here")]
    Tenant,
    /// The credential is valid, but not for this resource server.
    #[error("the credential allows nothing at this resource server")]
    NothingHere,
    /// The issuer limits requests about this client. The value is the wait in seconds.
    #[error("too many attempts; try again in {0} seconds")]
    RateLimited(u32),
    /// The verifier can't tell now whether the credential is valid.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why an API key is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The key does not exist, or the secret is wrong.
    #[error("the API key is not valid")]
    Unknown,
    /// The key is revoked.
    #[error("the API key is revoked")]
    Revoked,
    /// The key has expired.
    #[error("the API key has expired")]
    Expired,
    /// The key is disabled, and may be enabled again.
    #[error("the API key is disabled")]
    Disabled,
    /// The key works only by way of tokens that are bound to a key of the client (DPoP).
    #[error("the API key requires DPoP: get a DPoP-bound token with it, and send that token with a proof")]
    ProofRequired,
}

/// Why a verifier can't judge credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The issuer's keys have not been read yet.
    #[error("the issuer has not responded yet")]
    NotReady,
    /// The state of revocations is too old: see [`super::WhenStale`].
    #[error("the issuer has not responded for too long")]
    Stale,
    /// The issuer's gate does not answer about an API key.
    #[error("the issuer does not respond")]
    Gate,
}

impl From<TokenFault> for Refusal {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl Refusal {
    /// The code for programs, which is the same as in the issuer's own API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credential(CredentialFault::Both | CredentialFault::Twice(_)) => "invalid_request",
            Self::Token(TokenFault::Expired) => "token_expired",
            Self::Credential(fault) if fault.is_about_proof() => "invalid_dpop_proof",
            Self::Proof(_) | Self::ProofUsed => "invalid_dpop_proof",
            Self::NoCredential
            | Self::Credential(_)
            | Self::NoApiKeys
            | Self::NoBoundTokens
            | Self::OnlyBoundTokens
            | Self::Token(_)
            | Self::Key(KeyFault::Unknown) => "unauthenticated",
            Self::Revoked => "token_revoked",
            Self::Key(KeyFault::Revoked) => "key_revoked",
            Self::Key(KeyFault::Expired) => "key_expired",
            Self::Key(KeyFault::Disabled) => "key_disabled",
            Self::Key(KeyFault::ProofRequired) => "dpop_required",
            Self::Address(_) => "address_not_allowed",
            Self::Tenant | Self::NothingHere => "forbidden",
            Self::RateLimited(_) | Self::TooManyProofs => "rate_limited",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// The status code of the response.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Credential(CredentialFault::Both | CredentialFault::Twice(_)) => StatusCode::BAD_REQUEST,
            Self::NoCredential
            | Self::Credential(_)
            | Self::NoApiKeys
            | Self::NoBoundTokens
            | Self::OnlyBoundTokens
            | Self::Proof(_)
            | Self::ProofUsed
            | Self::Token(_)
            | Self::Revoked
            | Self::Key(_) => StatusCode::UNAUTHORIZED,
            Self::Address(_) | Self::Tenant | Self::NothingHere => StatusCode::FORBIDDEN,
            Self::RateLimited(_) | Self::TooManyProofs => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// After how many seconds a retry makes sense, if it does.
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(seconds) => Some(*seconds),
            Self::Unavailable(_) | Self::TooManyProofs => Some(1),
            _ => None,
        }
    }
}
