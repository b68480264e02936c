//! A gateway's check: may whoever sent this request do that to this resource? And, for what lies behind the
//! gateway, a token in the place of a key.

use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::base::text::Excerpt;
use crate::domain::address::Origin;
use crate::domain::scope::{Resource, Scopes, Verb};
use crate::domain::usage::UseKind;
use crate::node::keyring::RingKey;
use crate::node::{Authenticated, Authenticator, CachedKey, GatewayToken, Presented, Revocations, Signer};
use crate::use_cases::access::{PresentedCredential, identify_at};
use crate::use_cases::management::ApiError;
use crate::use_cases::token::{Grant, IssueError, end_of_token};

/// A token is handed out again while it has so many seconds to live.
const FRESH_SECONDS: i64 = 300;

/// A request that a gateway holds back until it is answered for.
pub struct GateRequest<'a> {
    /// What it carries.
    pub credential: PresentedCredential<'a>,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// Which resource server it is for; the deployment's first where none is named.
    pub audience: Option<&'a str>,
    /// What is to be answered.
    pub question: Question,
    /// Whether what lies behind is to get a token.
    pub wants_token: bool,
}

/// What is asked about a request.
#[derive(Clone, Debug)]
pub enum Question {
    /// Whether its credential is good. What may be done with it is decided elsewhere.
    Credential,
    /// Whether it may do this to that.
    Action(Verb, Resource),
}

/// A request that may pass.
#[derive(Debug)]
pub struct Passed {
    /// The key that it comes from.
    pub key: Arc<CachedKey>,
    /// What the presented credential allows at the resource server.
    pub scopes: Scopes,
    /// The token for what lies behind, if it was asked for.
    pub token: Option<Arc<str>>,
}

/// Answers for a request.
///
/// # Errors
/// [`ApiError`]: 401 for the credential, 403 for what it would be used for, or where.
pub async fn pass(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    request: GateRequest<'_>,
    now: Timestamp,
) -> Result<Passed, ApiError> {
    let audience = audience(signer, request.audience)?;
    let passed = match request.credential {
        PresentedCredential::ApiKey(key) => {
            by_key(authenticator, signer, Presented { client_id: None, key }, audience, &request, now).await?
        }
        PresentedCredential::Client(presented) => {
            by_key(authenticator, signer, presented, audience, &request, now).await?
        }
        PresentedCredential::Token(token) => by_token(authenticator, token, audience, &request, now).await?,
    };
    match &request.question {
        Question::Credential => {}
        Question::Action(verb, resource) => permit(&passed.scopes, *verb, resource)?,
    }
    Ok(passed)
}

fn permit(scopes: &Scopes, verb: Verb, resource: &Resource) -> Result<(), ApiError> {
    // What is under the reserved root is this server's own, and nothing that a gateway guards.
    if !resource.is_reserved() && scopes.permits(verb, resource) {
        return Ok(());
    }
    let scope = format!("{verb}:{resource}");
    Err(ApiError::Forbidden { message: format!("this requires the scope {scope}"), scope: Some(scope) })
}

/// The resource server that the gateway stands in front of.
fn audience<'a>(signer: &'a Signer, named: Option<&str>) -> Result<&'a str, ApiError> {
    let mut known = signer.audiences.iter().map(String::as_str);
    let found = known.find(|audience| named.is_none_or(|named| named == *audience));
    found.ok_or_else(|| {
        ApiError::invalid(format!(
            "{} is not an audience of this deployment",
            Excerpt::from(named.unwrap_or_default())
        ))
    })
}

async fn by_key(
    authenticator: &Arc<Authenticator>,
    signer: &Signer,
    presented: Presented<'_>,
    audience: &str,
    request: &GateRequest<'_>,
    now: Timestamp,
) -> Result<Passed, ApiError> {
    let authenticated = authenticator.authenticate(presented, request.origin, now).await?;
    authenticator.count(&authenticated, UseKind::Direct, now);
    if !authenticated.cached.audiences.iter().any(|own| own == audience) {
        let message = format!("the key's project has no access to {audience}");
        return Err(ApiError::Forbidden { message, scope: None });
    }
    let token = request
        .wants_token
        .then(|| swapped(signer, &authenticator.revocations, &authenticated, audience, now))
        .transpose()?;
    let Authenticated { cached, .. } = authenticated;
    Ok(Passed { scopes: cached.unreserved.scopes.clone(), key: cached, token })
}

/// A token of all that an authenticated key may do at `audience`; the one of before, as long as it is fresh and would
/// be no other today.
fn swapped(
    signer: &Signer,
    revocations: &Revocations,
    by: &Authenticated,
    audience: &str,
    now: Timestamp,
) -> Result<Arc<str>, ApiError> {
    let granted = &by.cached.unreserved;
    let ring = signer.keyring.ring();
    let kid = ring.signing(now).map(RingKey::kid).unwrap_or_default();
    // No token outlives the secret that it is got with, and a rotation may have given that an end since. Towards its end,
    // the one that is held is as good as any.
    let end = end_of_token(by, now);
    let is_good = |cached: &GatewayToken| {
        (cached.expires_at.since(now) >= FRESH_SECONDS || cached.expires_at == end)
            && cached.expires_at <= end
            && cached.generation == by.cached.key.generation
            && cached.scope == granted.text
            && *cached.kid == *kid
            && !revocations.tokens.contains(&cached.token_id)
    };
    let purpose = (by.cached.key.id, by.secret, audience.into());
    if let Some(cached) = signer.gateway_tokens.get(&purpose).filter(|cached| is_good(cached)) {
        return Ok(Arc::clone(&cached.token));
    }
    if granted.scopes.is_empty() {
        let message = "the key has no scope for a resource server".to_owned();
        return Err(ApiError::Forbidden { message, scope: None });
    }
    let grant = Grant { audience: vec![audience], scope: (&*granted.text).into() };
    let issued = signer.issue(by, grant, now).map_err(not_issued)?;
    let token: Arc<str> = issued.access_token.into();
    let swapped = GatewayToken {
        token: Arc::clone(&token),
        token_id: issued.token_id.as_str().into(),
        expires_at: now.plus(issued.expires_in),
        generation: by.cached.key.generation,
        scope: granted.text.clone(),
        kid: kid.into(),
    };
    signer.gateway_tokens.keep(purpose, swapped);
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
    token: &str,
    audience: &str,
    request: &GateRequest<'_>,
    now: Timestamp,
) -> Result<Passed, ApiError> {
    let caller = identify_at(authenticator, token, audience, request.origin, now).await?;
    Ok(Passed { key: caller.key, scopes: caller.scopes, token: request.wants_token.then(|| token.into()) })
}
