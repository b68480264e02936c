//! The client credentials grant (RFC 6749 §4.4): a key in, a token out, and nothing written.

use std::sync::Arc;

use super::{GrantRequest, Issued, OAuthError};
use crate::domain::address::Origin;
use crate::domain::usage::UseKind;
use crate::node::{Node, Presented};

/// Issues a token to whoever presents a good key.
///
/// # Errors
/// [`OAuthError`].
pub async fn client_credentials(
    node: &Arc<Node>,
    presented: Presented<'_>,
    origin: Origin<'_>,
    request: &GrantRequest<'_>,
) -> Result<Issued, OAuthError> {
    let now = node.clock.now();
    let authenticated = node.authenticate(presented, origin, now).await?;
    let grant = request.resolve(&authenticated.cached, &node.deployment.issuer)?;
    let issued = node.issue(&authenticated, grant, now)?;
    node.count(&authenticated, UseKind::Token, now);
    Ok(issued)
}
