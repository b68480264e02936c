//! The JWT bearer grant (RFC 7523 §2.1). It exchanges a token of a trusted issuer for one of ours, and writes nothing to
//! the store.

use std::sync::Arc;

use super::{GrantRequest, Issued, OAuthError};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::usage::UseKind;
use crate::node::{AuthenticationError, Authenticator, PresentedAssertion, Signer};

/// The grant type (RFC 7523 §2.1).
pub const JWT_BEARER_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Issues the token that a key gets by client credentials to whoever presents a token that opens the key. It ends no later
/// than that token.
///
/// # Errors
/// [`OAuthError`]. Whatever is wrong with the token, the key or its rules is [`OAuthError::InvalidGrant`].
pub async fn jwt_bearer(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    presented: PresentedAssertion<'_>,
    origin: Origin<'_>,
    request: &GrantRequest<'_>,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let authenticated =
        authenticator.authenticate_foreign(presented, origin, now).await.map_err(grant_error)?;
    let confirmation = request.confirmation(authenticator, &authenticated, origin, now)?;
    let grant = request.resolve(&authenticated.cached, &signer.issuer)?;
    let issued = signer.issue(&authenticated, grant, confirmation, now)?;
    authenticator.count_from(&authenticated, UseKind::Token, origin.address, now);
    Ok(issued)
}

fn grant_error(refusal: AuthenticationError) -> OAuthError {
    match refusal {
        AuthenticationError::Unknown => OAuthError::InvalidGrant,
        refusal => refusal.into(),
    }
}
