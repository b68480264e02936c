//! The subject that a client acts for.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::domain::cidr::Cidrs;
use crate::domain::key::CredentialId;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::scope::Scopes;
use crate::domain::usage::UseKind;
use crate::jose::claims::{ActorClaim, Audience};
use crate::node::{
    Authenticated, AuthenticationError, Authenticator, BearerFault, CachedKey, LiveToken, Presented,
    PresentedFor, PresentedToken, ProofRefused,
};
use crate::use_cases::token::grant::covered;
use crate::use_cases::token::{InvalidRequest, InvalidScope, OAuthError, ScopeHolder, SubjectTokenFault};

/// The subject of an exchange, whose token or key is valid now.
pub(super) struct Subject {
    /// The id of the subject's key.
    pub(super) id: String,
    pub(super) organization: String,
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) generation: u64,
    /// When the presented token or key ends.
    pub(super) ends_at: Option<Timestamp>,
    /// The actors of the presented token.
    pub(super) actor: Option<ActorClaim>,
    /// The `jti` of the tokens that the new one derives from.
    pub(super) origin: Vec<String>,
    /// Whether the presented token is bound to a key.
    pub(super) is_bound: bool,
    /// The scopes of the subject, without those under `claviger/`.
    scopes: Scopes,
    cidrs: Cidrs,
    key: Arc<CachedKey>,
    /// The credential that was presented, if the subject is an API key.
    by: Option<CredentialId>,
}

impl Subject {
    /// The subject of an access token.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`] when the token is not valid (RFC 8693 §2.2.2), or is for the management API.
    pub(super) async fn of_token(
        authenticator: &Authenticator,
        token: &str,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let live = authenticator
            .live_token(PresentedToken::Shown(token), Audience::Any, now)
            .await
            .map_err(not_live)?;
        if live.claims.audience.contains(&authenticator.signer.issuer) {
            return Err(SubjectTokenFault::ForManagement.into());
        }
        Ok(live.into())
    }

    /// The subject of an API key.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`] when the key is not valid.
    pub(super) async fn of_key(
        authenticator: &Arc<Authenticator>,
        key: &str,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let opened = authenticator.open(Presented { client_id: None, key }, now).await;
        let opened = opened.map_err(|refusal| match refusal {
            AuthenticationError::Unknown => OAuthError::from(SubjectTokenFault::UnknownKey),
            other => other.into(),
        })?;
        let Some(reason) = opened.useless_for(PresentedFor::Token, now) else {
            return Ok(Self::from(opened));
        };
        authenticator.count(&opened, UseKind::Refused(reason), now);
        Err(match reason {
            RefusalReason::Expired => SubjectTokenFault::KeyExpired,
            RefusalReason::Disabled => SubjectTokenFault::KeyDisabled,
            _ => SubjectTokenFault::KeyRevoked,
        }
        .into())
    }

    /// Checks that the subject can be exchanged for a token that is bound to nothing. It can't be if it is bound itself, or
    /// if its key requires bound tokens.
    ///
    /// # Errors
    /// [`ProofRefused`].
    pub(super) fn may_be_exchanged_unproven(
        &self,
        authenticator: &Authenticator,
        now: Timestamp,
    ) -> Result<(), ProofRefused> {
        if self.is_bound {
            return Err(ProofRefused::BoundSubject);
        }
        if self.key.key.dpop.is_required() {
            authenticator.usage.count(&self.key, self.by, UseKind::Refused(RefusalReason::Proof), now);
            return Err(ProofRefused::RequiredBySubject);
        }
        Ok(())
    }

    /// Counts one use of the presented token or key.
    pub(super) fn count(&self, authenticator: &Authenticator, now: Timestamp) {
        authenticator.usage.count(&self.key, self.by, UseKind::Direct, now);
    }

    /// Checks that the subject may call from `address`, for which the client vouches.
    ///
    /// # Errors
    /// [`InvalidRequest`].
    pub(super) fn admits(&self, address: Option<IpAddr>) -> Result<(), InvalidRequest> {
        match address {
            _ if self.cidrs.is_everyone() => Ok(()),
            None => Err(InvalidRequest::NoSubjectAddress),
            Some(_) if self.cidrs.admits(address) => Ok(()),
            Some(_) => Err(InvalidRequest::SubjectAddress),
        }
    }

    /// The requested scopes in canonical form, or all scopes of the subject. The result never has more, and never
    /// silently less, than was requested.
    ///
    /// # Errors
    /// [`InvalidScope`].
    pub(super) fn narrowed(&self, asked: Option<&str>) -> Result<String, InvalidScope> {
        if self.scopes.is_empty() {
            return Err(InvalidScope::None(ScopeHolder::Subject));
        }
        match asked {
            Some(asked) => covered(asked, &self.scopes, ScopeHolder::Subject),
            None => Ok(self.scopes.to_string()),
        }
    }
}

fn not_live(fault: BearerFault) -> OAuthError {
    match fault {
        BearerFault::Refused(fault) => SubjectTokenFault::Refused(fault).into(),
        BearerFault::Expired => SubjectTokenFault::Expired.into(),
        BearerFault::Revoked => SubjectTokenFault::Revoked.into(),
        BearerFault::KeyRevoked => SubjectTokenFault::KeyOfTokenRevoked.into(),
        BearerFault::KeyDisabled => SubjectTokenFault::KeyOfTokenDisabled.into(),
        BearerFault::Proof(refused) => refused.into(),
        BearerFault::Unknown(refusal) => refusal.into(),
    }
}

impl From<LiveToken> for Subject {
    fn from(LiveToken { claims, scopes, cidrs, subject }: LiveToken) -> Self {
        Self {
            id: claims.subject,
            organization: claims.organization,
            project: claims.project,
            environment: claims.environment,
            generation: claims.generation,
            ends_at: Some(claims.expires_at),
            actor: claims.actor,
            origin: [claims.origin, vec![claims.token_id]].concat(),
            is_bound: claims.confirmation.is_some(),
            scopes: scopes.partition_reserved().1,
            cidrs,
            key: subject,
            by: None,
        }
    }
}

impl From<Authenticated> for Subject {
    fn from(opened: Authenticated) -> Self {
        let key = &opened.cached.key;
        Self {
            id: opened.cached.client_id.clone(),
            organization: key.organization.to_string(),
            project: key.project.to_string(),
            environment: key.environment.to_string(),
            generation: key.generation,
            ends_at: [key.expires_at, opened.credential_expires_at].into_iter().flatten().min(),
            actor: None,
            origin: Vec::new(),
            is_bound: false,
            scopes: opened.cached.unreserved.scopes.clone(),
            cidrs: key.cidrs.clone(),
            by: Some(opened.by),
            key: opened.cached,
        }
    }
}
