//! Checks whether a token is valid now, for the issuer itself: introspection, revocation and the management API.

use std::sync::Arc;

use super::{AuthenticationError, Authenticator, CachedKey, PresentedProof, ProofRefused};
use crate::base::clock::{NODE_SKEW_SECONDS, Timestamp};
use crate::domain::api_key::KeyId;
use crate::domain::cidr::Cidrs;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::scope::Scopes;
use crate::domain::usage::UseKind;
use crate::jose::claims::{ActorClaim, Audience, Claims, Leeway, Presentation, Rules, TokenFault};

/// The clocks of two nodes of one deployment may differ by this much when they issue and check a token.
const BETWEEN_NODES: Leeway = match Leeway::from_seconds(NODE_SKEW_SECONDS as u8) {
    Some(leeway) => leeway,
    None => Leeway::NONE,
};

/// A token as it was presented.
#[derive(Clone, Copy)]
pub enum PresentedToken<'a> {
    /// As the credential of its sender, with the scheme `Bearer`.
    Bearer(&'a str),
    /// As the credential of its sender, with the scheme `DPoP` and a proof.
    Proven(&'a str, PresentedProof<'a>),
    /// Not as the credential of its sender, but to be described, exchanged or revoked.
    Shown(&'a str),
}

/// A token that is valid now, and the key whose rights it carries.
#[derive(Debug)]
pub struct LiveToken {
    /// The claims of the token.
    pub claims: Claims,
    /// The scopes of the token.
    pub scopes: Scopes,
    /// The address ranges from which the token may be used.
    pub cidrs: Cidrs,
    /// The key that is the token's subject.
    pub subject: Arc<CachedKey>,
}

/// Why a token is not valid.
#[derive(Debug, thiserror::Error)]
pub enum BearerFault {
    /// The token breaks a rule that every verifier checks.
    #[error("the token is refused: {0}")]
    Refused(TokenFault),
    /// The token was valid, and has expired.
    #[error("the token has expired")]
    Expired,
    /// The token was revoked, or its key lost something after the token was issued.
    #[error("the token is revoked")]
    Revoked,
    /// The token's key was revoked or deleted.
    #[error("the key of the token is revoked")]
    KeyRevoked,
    /// The token's key is disabled.
    #[error("the key of the token is disabled")]
    KeyDisabled,
    /// The proof beside the token is not accepted.
    #[error(transparent)]
    Proof(ProofRefused),
    /// The server can't determine the state of the token's key now.
    #[error(transparent)]
    Unknown(AuthenticationError),
}

impl Authenticator {
    /// Checks everything about a token except the caller's address.
    ///
    /// # Errors
    /// [`BearerFault`].
    pub async fn live_token(
        &self,
        token: PresentedToken<'_>,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Result<LiveToken, BearerFault> {
        let live = match token {
            PresentedToken::Bearer(token) => {
                self.still_live(token, audience, Presentation::Bearer, now).await
            }
            PresentedToken::Proven(token, proof) => self.proven(token, proof, audience, now).await,
            PresentedToken::Shown(token) => self.still_live(token, audience, Presentation::Shown, now).await,
        };
        match &live {
            Err(BearerFault::Refused(_)) => self.events.refusal("token_invalid"),
            Err(BearerFault::Proof(_)) => self.events.refusal("proof_invalid"),
            Err(BearerFault::Expired) => self.events.refusal("token_expired"),
            // The others are counted where they are found.
            Err(
                BearerFault::Revoked
                | BearerFault::KeyRevoked
                | BearerFault::KeyDisabled
                | BearerFault::Unknown(_),
            )
            | Ok(_) => {}
        }
        live
    }

    /// Checks a token and the proof that its sender has the key that it is bound to.
    async fn proven(
        &self,
        token: &str,
        proof: PresentedProof<'_>,
        audience: Audience<'_>,
        now: Timestamp,
    ) -> Result<LiveToken, BearerFault> {
        let proof = self.proofs.check(proof, Some(token), now).map_err(BearerFault::Proof)?;
        let live = self.still_live(token, audience, Presentation::Proven(proof.thumbprint()), now).await?;
        self.proofs.use_up(&proof, &live.subject.key, now).map_err(BearerFault::Proof)?;
        Ok(live)
    }

    async fn still_live(
        &self,
        token: &str,
        audience: Audience<'_>,
        presentation: Presentation,
        now: Timestamp,
    ) -> Result<LiveToken, BearerFault> {
        let claims = self.verified(token, audience, presentation, now)?;
        let (scopes, cidrs) = claims.rights().map_err(BearerFault::Refused)?;
        let subject: KeyId =
            claims.subject.parse().map_err(|_| BearerFault::Refused(TokenFault::NotText("sub")))?;
        let held = self.key(&subject).await.map_err(BearerFault::Unknown)?;
        let subject = held.ok_or_else(|| {
            self.events.refusal(RefusalReason::Revoked.as_str());
            BearerFault::KeyRevoked
        })?;
        let alive = self.is_alive(&claims, &subject).await;
        let reason = match &alive {
            Err(BearerFault::Revoked | BearerFault::KeyRevoked) => Some(RefusalReason::Revoked),
            Err(BearerFault::KeyDisabled) => Some(RefusalReason::Disabled),
            _ => None,
        };
        if let Some(reason) = reason {
            self.usage.count(&subject, None, UseKind::Refused(reason), now);
        }
        alive.map(|()| LiveToken { claims, scopes, cidrs, subject })
    }

    /// Checks that neither the token nor anything that it derives from was revoked: its key, the tokens before it, and
    /// its actors.
    async fn is_alive(&self, claims: &Claims, subject: &CachedKey) -> Result<(), BearerFault> {
        if subject.key.revoked.is_some() {
            return Err(BearerFault::KeyRevoked);
        }
        if subject.key.disabled_at.is_some() {
            return Err(BearerFault::KeyDisabled);
        }
        let mut tokens = std::iter::once(&claims.token_id).chain(&claims.origin);
        if claims.generation < subject.key.generation
            || tokens.any(|jti| self.revocations.tokens.contains(jti))
        {
            return Err(BearerFault::Revoked);
        }
        for actor in claims.actor.iter().flat_map(ActorClaim::chain) {
            let id: KeyId = actor.subject.parse().map_err(|_| BearerFault::Refused(TokenFault::NotActor))?;
            let held = self.key(&id).await.map_err(BearerFault::Unknown)?;
            let is_good = held.is_some_and(|held| {
                let key = &held.key;
                key.revoked.is_none() && key.disabled_at.is_none() && actor.generation >= key.generation
            });
            if !is_good {
                return Err(BearerFault::Revoked);
            }
        }
        Ok(())
    }

    /// The claims of an authentic token that has not expired, whatever the state of its key.
    ///
    /// # Errors
    /// [`BearerFault::Refused`] and [`BearerFault::Expired`].
    pub fn verified(
        &self,
        token: &str,
        audience: Audience<'_>,
        presentation: Presentation,
        now: Timestamp,
    ) -> Result<Claims, BearerFault> {
        let ring = self.signer.keyring.ring();
        let issuer = &self.signer.issuer;
        let rules = Rules { issuer, audience, presentation, now, leeway: BETWEEN_NODES };
        let verdict = self.verified_tokens.verify(token, |kid| ring.verifying(kid, now), &rules);
        let claims = verdict.map_err(|fault| match fault {
            TokenFault::Expired => BearerFault::Expired,
            other => BearerFault::Refused(other),
        })?;
        // The leeway applies only to the start. The issuer's own end of a token is exact.
        if claims.expires_at <= now {
            return Err(BearerFault::Expired);
        }
        Ok(claims)
    }
}
