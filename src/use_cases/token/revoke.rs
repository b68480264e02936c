//! Revokes tokens (RFC 7009). This node refuses a token from the moment that it acknowledges the revocation.

use std::sync::Arc;

use super::{OAuthError, TooMany, UnauthorizedClient};
use crate::domain::api_key::looks_like_key;
use crate::domain::audit::Actor;
use crate::domain::names::OrganizationId;
use crate::domain::scope::{Resource, Verb};
use crate::jose::claims::{Audience, Claims, Presentation};
use crate::node::{Authenticator, Records, Revocations, run_to_completion};
use crate::store::{RevokeTokenError, RevokedToken};
use crate::use_cases::access::Caller;

/// A token to revoke, and the caller who asks for that.
#[derive(Debug)]
pub struct RevokeRequest {
    /// The authenticated caller.
    pub caller: Caller,
    /// The token as it came.
    pub token: String,
}

/// Revokes a token. A token that is unknown or has expired needs no revocation (RFC 7009 §2.2).
///
/// # Errors
/// [`OAuthError`]. Then the token is not revoked, except perhaps after [`OAuthError::Unavailable`].
pub async fn revoke(
    authenticator: &Authenticator,
    records: &Arc<Records>,
    request: RevokeRequest,
) -> Result<(), OAuthError> {
    if looks_like_key(&request.token) {
        return Err(OAuthError::UnsupportedTokenType);
    }
    let now = records.clock.now();
    // A token that none of our signing keys signed, or that has expired, is already invalid.
    let Ok(claims) = authenticator.verified(&request.token, Audience::Any, Presentation::Shown, now) else {
        return Ok(());
    };
    if !may_revoke(&request.caller, &claims) {
        return Err(UnauthorizedClient::OtherClientsToken.into());
    }
    let (Ok(key), Ok(organization)) = (claims.subject.parse(), claims.organization.parse()) else {
        return Err(OAuthError::internal("a token of ours names no key or no organization"));
    };
    let token = RevokedToken { jti: claims.token_id, key, expires_at: claims.expires_at, revoked_at: now };
    let actor = request.caller.actor();
    let (records, revocations) = (Arc::clone(records), Arc::clone(&authenticator.revocations));
    run_to_completion(async move { revoke_in(&records, &revocations, &token, &organization, &actor).await })
        .await
        .unwrap_or_else(|| Err(OAuthError::internal("the revocation panicked")))
}

fn may_revoke(caller: &Caller, claims: &Claims) -> bool {
    let id = caller.id().to_string();
    let path = ["orgs", &claims.organization, "projects", &claims.project, "keys", &claims.subject];
    claims.client_id == id
        || Resource::reserved(&path).is_ok_and(|resource| caller.scopes.permits(Verb::Write, &resource))
}

/// Revokes a token in the store and in memory.
async fn revoke_in(
    records: &Records,
    revocations: &Revocations,
    token: &RevokedToken,
    organization: &OrganizationId,
    actor: &Actor,
) -> Result<(), OAuthError> {
    let now = records.clock.now();
    let revoked = records.store.revoke_token(token, organization, now, actor).await;
    match revoked {
        Ok(()) => {
            revocations.tokens.insert(token, now);
            records.wake_follower();
            Ok(())
        }
        Err(RevokeTokenError::TooMany) => Err(TooMany::RevokedTokens.into()),
        Err(RevokeTokenError::Store(error)) => {
            // The revocation may have been committed all the same, so this node refuses the token.
            revocations.tokens.insert(token, now);
            // The client must assume that the token still exists, and retry (RFC 7009 §2.2.1).
            Err(OAuthError::Unavailable { cause: error.to_string() })
        }
    }
}
