//! The check that a gateway asks for before it lets a request through. For the service behind the gateway, the check can
//! also exchange an API key for a token.

use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::text::Excerpt;
use crate::domain::address::Origin;
use crate::domain::scope::{Resource, Scopes, Verb};
use crate::domain::usage::UseKind;
use crate::node::keyring::RingKey;
use crate::node::{
    Authenticated, Authenticator, CachedKey, GatewayToken, Presented, PresentedClient, PresentedFor,
    PresentedToken, Revocations, Signer,
};
use crate::use_cases::access::{PresentedCredential, identify_at};
use crate::use_cases::management::{ApiError, Forbidden, InvalidRequest};
use crate::use_cases::token::{Grant, IssueError, end_of_token};

/// A cached token is used again while it has at least this many seconds left.
const FRESH_SECONDS: i64 = 300;

/// A request at a gateway, which waits for the answer of this server.
pub struct GateRequest<'a> {
    /// The credential of the request.
    pub credential: PresentedCredential<'a>,
    /// The address and the id of the request.
    pub origin: Origin<'a>,
    /// The resource server that the request is for. `None` is the deployment's first.
    pub audience: Option<&'a str>,
    /// What must be true for the request to pass.
    pub requirement: Requirement,
    /// Whether the service behind the gateway is to receive a token.
    pub wants_token: bool,
}

/// What must be true for a request to pass.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// The credential is valid. Something else decides what it may be used for.
    ValidCredential,
    /// The sender may do this to that resource.
    Permission(Verb, Resource),
}

/// A request that may pass.
#[derive(Debug)]
pub struct Allowed {
    /// The key of the sender.
    pub key: Arc<CachedKey>,
    /// The scopes of the presented credential at the resource server.
    pub scopes: Scopes,
    /// The token for the service behind the gateway, if it was requested.
    pub token: Option<Arc<str>>,
    /// Whether that token is bound to a key of the sender.
    pub is_bound: bool,
}

/// Checks a request.
///
/// # Errors
/// [`ApiError`]: 401 for the credential, 403 for what it would be used for, or from where.
pub async fn check(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    request: GateRequest<'_>,
    now: Timestamp,
) -> Result<Allowed, ApiError> {
    let audience = audience(signer, request.audience)?;
    let allowed = match request.credential {
        PresentedCredential::ApiKey(key) => {
            by_key(authenticator, signer, Presented { client_id: None, key }, audience, &request, now).await?
        }
        PresentedCredential::Client(PresentedClient::Secret(presented)) => {
            by_key(authenticator, signer, presented, audience, &request, now).await?
        }
        // An assertion is for the issuer, and no request at a resource has one.
        PresentedCredential::Client(PresentedClient::Assertion(_)) => {
            return Err(ApiError::Unauthenticated { presented: true });
        }
        PresentedCredential::Token(token) => by_token(authenticator, token, audience, &request, now).await?,
    };
    match &request.requirement {
        Requirement::ValidCredential => {}
        Requirement::Permission(verb, resource) => require(*verb, resource, &allowed.scopes)?,
    }
    Ok(allowed)
}

fn require(verb: Verb, resource: &Resource, scopes: &Scopes) -> Result<(), ApiError> {
    // The reserved root belongs to this server. No gateway guards anything below it.
    if !resource.is_reserved() && scopes.permits(verb, resource) {
        return Ok(());
    }
    Err(Forbidden::MissingScope(format!("{verb}:{resource}")).into())
}

/// The resource server behind the gateway.
fn audience<'a>(signer: &'a Signer, named: Option<&str>) -> Result<&'a str, ApiError> {
    let mut known = signer.audiences.iter().map(String::as_str);
    let found = known.find(|audience| named.is_none_or(|named| named == *audience));
    let unknown = || InvalidRequest::UnknownAudience(Excerpt::from(named.unwrap_or_default()));
    found.ok_or_else(|| unknown().into())
}

async fn by_key(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    presented: Presented<'_>,
    audience: &str,
    request: &GateRequest<'_>,
    now: Timestamp,
) -> Result<Allowed, ApiError> {
    let authenticated =
        authenticator.authenticate(presented, PresentedFor::Acting, request.origin, now).await?;
    authenticator.count_from(&authenticated, UseKind::Direct, request.origin.address, now);
    if !authenticated.cached.audiences.iter().any(|own| own == audience) {
        return Err(Forbidden::NoAudience(audience.into()).into());
    }
    let token = request
        .wants_token
        .then(|| exchange(signer, &authenticator.revocations, &authenticated, audience, now))
        .transpose()?;
    let Authenticated { cached, .. } = authenticated;
    Ok(Allowed { scopes: cached.unreserved.scopes.clone(), key: cached, token, is_bound: false })
}

/// A token with everything that an authenticated key may do at `audience`. The cached token is used while it is fresh
/// and a new one would be no different.
fn exchange(
    signer: &Signer,
    revocations: &Revocations,
    by: &Authenticated,
    audience: &str,
    now: Timestamp,
) -> Result<Arc<str>, ApiError> {
    let granted = &by.cached.unreserved;
    let ring = signer.keyring.ring();
    let kid = ring.signing(now).map(RingKey::kid).unwrap_or_default();
    // No token outlives the secret that it was issued for, and a rotation may have given that secret an end since.
    // Close to that end, a new token would not last longer than the cached one.
    let end = end_of_token(by, now);
    let is_good = |cached: &GatewayToken| {
        (cached.expires_at.since(now) >= FRESH_SECONDS || cached.expires_at == end)
            && cached.expires_at <= end
            && cached.generation == by.cached.key.generation
            && cached.scope == granted.text
            && *cached.kid == *kid
            && !revocations.tokens.contains(&cached.token_id)
    };
    let purpose = (by.cached.key.id, by.by, audience.into());
    if let Some(cached) = signer.gateway_tokens.get(&purpose).filter(|cached| is_good(cached)) {
        return Ok(Arc::clone(&cached.token));
    }
    if granted.scopes.is_empty() {
        return Err(Forbidden::NoTokenScopes.into());
    }
    let grant = Grant { audience: vec![audience], scope: (&*granted.text).into() };
    let issued = signer.issue(by, grant, None, now).map_err(not_issued)?;
    let token: Arc<str> = issued.access_token.into();
    let exchanged = GatewayToken {
        token: Arc::clone(&token),
        token_id: issued.token_id.as_str().into(),
        expires_at: now.plus(issued.expires_in),
        generation: by.cached.key.generation,
        scope: granted.text.clone(),
        kid: kid.into(),
    };
    signer.gateway_tokens.keep(purpose, exchanged);
    Ok(token)
}

fn not_issued(error: IssueError) -> ApiError {
    match error {
        IssueError::NoSigningKey => ApiError::Unavailable(error.to_string()),
        error => ApiError::internal(error),
    }
}

async fn by_token(
    authenticator: &Arc<Authenticator>,
    token: PresentedToken<'_>,
    audience: &str,
    request: &GateRequest<'_>,
    now: Timestamp,
) -> Result<Allowed, ApiError> {
    let (key, scopes) = identify_at(authenticator, token, audience, request.origin, now).await?;
    // A bound token stays bound: whoever is behind the gateway checks the proof of the same request.
    let (text, is_bound) = match token {
        PresentedToken::Proven(text, _) => (text, true),
        PresentedToken::Bearer(text) | PresentedToken::Shown(text) => (text, false),
    };
    let token = request.wants_token.then(|| text.into());
    Ok(Allowed { key, scopes, token, is_bound })
}
