//! Token revocation (RFC 7009): at this node from the moment that it is acknowledged.

use std::sync::Arc;

use super::OAuthError;
use crate::domain::api_key::looks_like_key;
use crate::domain::audit::Actor;
use crate::domain::names::OrganizationId;
use crate::domain::scope::{Resource, Verb};
use crate::jose::claims::{Audience, Claims};
use crate::node::{Authenticator, Records, Revocations, run_to_completion};
use crate::store::{RevokeTokenError, RevokedToken};
use crate::use_cases::access::Caller;

/// What is to be revoked, and by whom.
#[derive(Debug)]
pub struct RevokeRequest {
    /// The authenticated caller.
    pub caller: Caller,
    /// The token as it came.
    pub token: String,
}

/// Revokes a token. One that is unknown or dead needs no revoking (RFC 7009 §2.2).
///
/// # Errors
/// [`OAuthError`]; the token is then as it was.
pub async fn revoke(
    authenticator: &Authenticator,
    records: &Arc<Records>,
    request: RevokeRequest,
) -> Result<(), OAuthError> {
    if looks_like_key(&request.token) {
        return Err(OAuthError::UnsupportedTokenType);
    }
    let now = records.clock.now();
    // A token that no signing key of ours made, or whose time is over, can't be alive.
    let Ok(claims) = authenticator.verified(&request.token, Audience::Any, now) else { return Ok(()) };
    if !may_revoke(&request.caller, &claims) {
        return Err(OAuthError::UnauthorizedClient("the token belongs to another client"));
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
    let id = caller.key.key.id.to_string();
    let path = ["orgs", &claims.organization, "projects", &claims.project, "keys", &claims.subject];
    claims.client_id == id
        || Resource::reserved(&path).is_ok_and(|resource| caller.scopes.permits(Verb::Write, &resource))
}

/// Revokes a token in the store, and in memory.
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
        Err(RevokeTokenError::TooMany) => Err(OAuthError::TooMany {
            what: "tokens revoked one by one; revoke the key that they are of",
            retry_after: 60,
        }),
        Err(RevokeTokenError::Store(error)) => {
            // It may have been committed all the same: better dead here than alive.
            revocations.tokens.insert(token, now);
            // RFC 7009 §2.2.1: the client must assume that the token still exists, and retry.
            Err(OAuthError::Unavailable { cause: error.to_string() })
        }
    }
}
