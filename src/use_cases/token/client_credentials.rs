//! The client credentials grant (RFC 6749 §4.4). It exchanges a key, or an assertion for it, for a token. It writes nothing to the store, unless nodes share the ids of used assertions.

use std::sync::Arc;

use super::{GrantRequest, Issued, OAuthError};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::usage::UseKind;
use crate::node::{Authenticator, PresentedClient, PresentedFor, Signer};

/// Issues a token to a client that authenticates.
///
/// # Errors
/// [`OAuthError`].
pub async fn client_credentials(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    client: PresentedClient<'_>,
    origin: Origin<'_>,
    request: &GrantRequest<'_>,
    now: Timestamp,
) -> Result<Issued, OAuthError> {
    let authenticated = authenticator.authenticate_client(client, PresentedFor::Token, origin, now).await?;
    let confirmation = request.confirmation(authenticator, &authenticated, origin, now)?;
    let grant = request.resolve(&authenticated.cached, &signer.issuer)?;
    let issued = signer.issue(&authenticated, grant, confirmation, now)?;
    authenticator.count_from(&authenticated, UseKind::Token, origin.address, now);
    Ok(issued)
}
