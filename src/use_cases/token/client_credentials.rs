//! The client credentials grant (RFC 6749 §4.4). It exchanges a key for a token, and writes nothing to the store.

use std::sync::Arc;

use super::{GrantRequest, Issued, OAuthError};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::usage::UseKind;
use crate::node::{Authenticator, Presented, Signer};

/// Issues a token to a client that presents a valid key.
///
/// # Errors
/// [`OAuthError`].
pub async fn client_credentials(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    presented: Presented<'_>,
    origin: Origin<'_>,
    request: &GrantRequest<'_>,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let authenticated = authenticator.authenticate(presented, origin, now).await?;
    let grant = request.resolve(&authenticated.cached, &signer.issuer)?;
    let issued = signer.issue(&authenticated, grant, now)?;
    authenticator.count(&authenticated, UseKind::Token, now);
    Ok(issued)
}
