//! Introspection (RFC 7662) of tokens and of API keys.

use std::sync::Arc;

use serde::Serialize;

use super::OAuthError;
use crate::base::clock::Timestamp;
use crate::domain::api_key::looks_like_key;
use crate::domain::names::OrganizationId;
use crate::domain::scope::{Resource, Verb};
use crate::domain::usage::UseKind;
use crate::jose::claims::{ActorClaim, Audience};
use crate::jose::jwk::Thumbprint;
use crate::node::{
    Authenticated, AuthenticationError, Authenticator, BearerFault, LiveToken, Presented, PresentedFor,
    PresentedToken,
};
use crate::use_cases::access::Caller;

/// The answer. It describes valid tokens in full, and says nothing about others (RFC 7662 §2.2).
#[derive(Debug, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(flatten)]
    about: Option<About>,
}

#[derive(Debug, Serialize)]
struct About {
    scope: String,
    client_id: String,
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<serde_json::Value>,
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    token_type: &'static str,
    cidrs: Vec<String>,
    org: String,
    project: String,
    env: String,
    r#gen: u64,
    /// RFC 9449 §6.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<ActorClaim>,
}

/// The key that a token is bound to.
#[derive(Debug, Serialize)]
struct Confirmation {
    jkt: Thumbprint,
}

impl Introspection {
    /// Exactly `{"active":false}`.
    pub const INACTIVE: Self = Self { active: false, about: None };
}

/// Describes a token or an API key to `caller`, if they may know about it.
///
/// # Errors
/// [`OAuthError`] when the state can't be determined. A token that is not valid is not an error.
pub async fn introspect(
    authenticator: &Arc<Authenticator>,
    caller: &Caller,
    token: &str,
    now: Timestamp,
) -> Result<Introspection, OAuthError> {
    let found = find(authenticator, token, now).await?;
    let Some(found) = found.filter(|found| may_introspect(caller, found.organization())) else {
        return Ok(Introspection::INACTIVE);
    };
    let about = match found {
        Found::Token(live) => {
            authenticator.usage.count(&live.subject, None, UseKind::Direct, now);
            About::from(*live)
        }
        Found::Key(key) => {
            let useless = key.useless_for(PresentedFor::Acting, now);
            authenticator.count(&key, useless.map_or(UseKind::Direct, UseKind::Refused), now);
            if useless.is_some() {
                return Ok(Introspection::INACTIVE);
            }
            About::key(&key, &authenticator.signer.issuer)
        }
    };
    Ok(Introspection { active: true, about: Some(about) })
}

/// What the text that a caller presents turned out to be.
enum Found {
    /// A valid token.
    Token(Box<LiveToken>),
    /// A key with the right secret.
    Key(Authenticated),
}

impl Found {
    fn organization(&self) -> &OrganizationId {
        match self {
            Self::Token(live) => &live.subject.key.organization,
            Self::Key(found) => &found.cached.key.organization,
        }
    }
}

/// Whether the caller may introspect tokens of this organization, which is that of the token.
fn may_introspect(caller: &Caller, organization: &OrganizationId) -> bool {
    Resource::reserved(&["orgs", organization.as_str(), "introspection"])
        .is_ok_and(|resource| caller.scopes.permits(Verb::Read, &resource))
}

async fn find(
    authenticator: &Arc<Authenticator>,
    token: &str,
    now: Timestamp,
) -> Result<Option<Found>, OAuthError> {
    if looks_like_key(token) {
        return match authenticator.open(Presented { client_id: None, key: token }, now).await {
            Ok(found) => Ok(Some(Found::Key(found))),
            Err(AuthenticationError::Unknown) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        };
    }
    match authenticator.live_token(PresentedToken::Shown(token), Audience::Any, now).await {
        Ok(live) => Ok(Some(Found::Token(live.into()))),
        Err(BearerFault::Unknown(refusal)) => Err(refusal.into()),
        Err(_) => Ok(None),
    }
}

impl From<LiveToken> for About {
    fn from(LiveToken { claims, .. }: LiveToken) -> Self {
        // A single audience is a string (RFC 7519 §4.1.3).
        let aud = match <[String; 1]>::try_from(claims.audience) {
            Ok([one]) => one.into(),
            Err(many) => many.into(),
        };
        Self {
            scope: claims.scope,
            client_id: claims.client_id,
            sub: claims.subject,
            aud: Some(aud),
            iss: claims.issuer,
            exp: Some(claims.expires_at.unix()),
            iat: Some(claims.issued_at.unix()),
            jti: Some(claims.token_id),
            token_type: claims.confirmation.map_or("Bearer", |_| "DPoP"),
            cidrs: claims.cidrs,
            org: claims.organization,
            project: claims.project,
            env: claims.environment,
            r#gen: claims.generation,
            cnf: claims.confirmation.map(|jkt| Confirmation { jkt }),
            act: claims.actor,
        }
    }
}

impl About {
    fn key(found: &Authenticated, issuer: &str) -> Self {
        let key = &found.cached.key;
        let end = [key.expires_at, found.credential_expires_at].into_iter().flatten().min();
        Self {
            scope: key.scopes.to_string(),
            client_id: key.id.to_string(),
            sub: key.id.to_string(),
            aud: None,
            iss: issuer.to_owned(),
            exp: end.map(Timestamp::unix),
            iat: None,
            jti: None,
            token_type: "api_key",
            cidrs: key.cidrs.iter().map(ToString::to_string).collect(),
            org: key.organization.to_string(),
            project: key.project.to_string(),
            env: key.environment.as_str().to_owned(),
            r#gen: key.generation,
            cnf: None,
            act: None,
        }
    }
}
