//! Turns a presented credential into a caller.

use std::sync::Arc;

use super::Caller;
use crate::base::clock::Timestamp;
use crate::domain::address::{CallerAddress, Origin};
use crate::domain::api_key::KeyId;
use crate::domain::key::SecretId;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::scope::Scopes;
use crate::domain::usage::UseKind;
use crate::jose::claims::Audience;
use crate::node::{
    Authenticated, AuthenticationError, Authenticator, BearerFault, CachedKey, LiveToken, Presented,
    PresentedClient, PresentedFor, PresentedToken,
};

/// A credential as a caller presents it.
#[derive(Clone, Copy)]
pub enum PresentedCredential<'a> {
    /// An API key alone.
    ApiKey(&'a str),
    /// What an OAuth client authenticates with.
    Client(PresentedClient<'a>),
    /// An access token for the issuer.
    Token(PresentedToken<'a>),
}

/// Why a credential is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AccessFault {
    /// The API key is not accepted.
    #[error(transparent)]
    Key(#[from] AuthenticationError),
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] BearerFault),
    /// The token is valid, but not from this address.
    #[error("the token is not allowed from address {0}")]
    TokenAddress(CallerAddress),
}

/// Identifies the caller who presents `credential` for this, and checks that the credential may be used from their address.
///
/// # Errors
/// [`AccessFault`].
pub async fn identify(
    authenticator: &Arc<Authenticator>,
    credential: PresentedCredential<'_>,
    presented_for: PresentedFor,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<Caller, AccessFault> {
    match credential {
        PresentedCredential::ApiKey(key) => {
            let presented = Presented { client_id: None, key };
            let authenticated = authenticator.authenticate(presented, presented_for, origin, now).await?;
            Ok(counted(authenticator, authenticated, origin, now))
        }
        PresentedCredential::Client(client) => {
            let authenticated = authenticator.authenticate_client(client, presented_for, origin, now).await?;
            Ok(counted(authenticator, authenticated, origin, now))
        }
        // RFC 9068 §4: the issuer does not accept a token for another resource server.
        PresentedCredential::Token(token) => {
            let issuer = &authenticator.signer.issuer;
            let (key, scopes) = identify_at(authenticator, token, issuer, origin, now).await?;
            Ok(Caller::new(scopes, key, origin))
        }
    }
}

/// Identifies the key for which an access token for `audience` was issued, with the token's scopes. Checks that the token may
/// be used from the caller's address.
///
/// # Errors
/// [`AccessFault`].
pub async fn identify_at(
    authenticator: &Authenticator,
    token: PresentedToken<'_>,
    audience: &str,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<(Arc<CachedKey>, Scopes), AccessFault> {
    let live = authenticator.live_token(token, Audience::OneOf(&[audience]), now).await?;
    let LiveToken { scopes, cidrs, subject, .. } = live;
    if !cidrs.admits(origin.address.known()) {
        authenticator.refuse(&subject, RefusalReason::Address, origin, now);
        return Err(AccessFault::TokenAddress(origin.address));
    }
    authenticator.usage.note_address(&subject, origin.address, now);
    authenticator.usage.count(&subject, None, UseKind::Direct, now);
    Ok((subject, scopes))
}

/// Identifies the caller who presents an API key, and returns the id of the secret, by which [`recall`] finds the
/// caller again.
///
/// # Errors
/// [`AccessFault`].
pub async fn recognize(
    authenticator: &Arc<Authenticator>,
    key: &str,
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<(Caller, SecretId), AccessFault> {
    let presented = Presented { client_id: None, key };
    let authenticated = authenticator.authenticate(presented, PresentedFor::Acting, origin, now).await?;
    let secret = authenticated.secret().ok_or(AuthenticationError::Unknown)?;
    Ok((counted(authenticator, authenticated, origin, now), secret))
}

/// The caller who once presented this secret of a key, if the secret is still live and the key still works.
///
/// # Errors
/// [`AccessFault`].
pub async fn recall(
    authenticator: &Authenticator,
    (key, secret): (&KeyId, SecretId),
    origin: Origin<'_>,
    now: Timestamp,
) -> Result<Caller, AccessFault> {
    let authenticated = authenticator.authenticate_again(key, secret, origin, now).await?;
    Ok(counted(authenticator, authenticated, origin, now))
}

fn counted(
    authenticator: &Authenticator,
    authenticated: Authenticated,
    origin: Origin<'_>,
    now: Timestamp,
) -> Caller {
    authenticator.count_from(&authenticated, UseKind::Direct, origin.address, now);
    let Authenticated { cached, .. } = authenticated;
    Caller::new(cached.key.scopes.clone(), cached, origin)
}
