//! Resolves the audience (RFC 8707) and the scopes of a token from those of the key.

use std::borrow::Cow;

use super::{InvalidScope, InvalidTarget, OAuthError, ScopeHolder};
use crate::base::clock::Timestamp;
use crate::base::text::{Excerpt, redacted};
use crate::domain::address::Origin;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::scope::Scopes;
use crate::jose::jwk::Thumbprint;
use crate::node::{Authenticated, Authenticator, CachedKey, Granted, PresentedProof, ProofRefused};

/// The parameters of a request, as they came.
#[derive(Clone, Debug, Default)]
pub struct GrantRequest<'a> {
    /// The proof of possession in the header `DPoP` (RFC 9449 §5), if there is one.
    pub proof: Option<PresentedProof<'a>>,
    /// The `scope` parameter (RFC 6749 §3.3), if it was sent.
    pub scope: Option<&'a str>,
    /// All values of `resource` (RFC 8707) and `audience`.
    pub audiences: Vec<&'a str>,
}

/// The audience and the scopes of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant<'a> {
    /// One or more audiences, in the order of the request.
    pub audience: Vec<&'a str>,
    /// One or more scopes in canonical form, either all under `claviger/` or none.
    pub scope: Cow<'a, str>,
}

impl<'a> GrantRequest<'a> {
    /// The key that the authenticated client proves to have, to which the new token is bound. `None` without a proof, if the
    /// client's own key and the deployment allow that. The proof is used up.
    ///
    /// # Errors
    /// [`OAuthError::InvalidProof`], or [`OAuthError::TooMany`].
    pub fn confirmation(
        &self,
        authenticator: &Authenticator,
        client: &Authenticated,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Option<Thumbprint>, OAuthError> {
        let (proofs, key) = (&authenticator.proofs, &client.cached.key);
        let Some(proof) = self.proof else {
            if key.dpop.is_required() {
                authenticator.refuse(&client.cached, RefusalReason::Proof, origin, now);
                return Err(ProofRefused::RequiredByKey.into());
            }
            proofs.allow_none()?;
            return Ok(None);
        };
        let proof = proofs.check(proof, None, now)?;
        proofs.use_up(&proof, key, now)?;
        Ok(Some(proof.thumbprint()))
    }

    /// Resolves the request against a key. It never grants less than was requested: a request that can't be granted in
    /// full is an error.
    ///
    /// # Errors
    /// [`OAuthError::InvalidTarget`] and [`OAuthError::InvalidScope`].
    pub fn resolve(&self, cached: &'a CachedKey, issuer: &'a str) -> Result<Grant<'a>, OAuthError> {
        let audience = self.audience(cached, issuer)?;
        let available = if audience == [issuer] { &cached.reserved } else { &cached.unreserved };
        Ok(Grant { audience, scope: self.scope(available)? })
    }

    fn audience(&self, cached: &'a CachedKey, issuer: &'a str) -> Result<Vec<&'a str>, InvalidTarget> {
        if self.audiences.is_empty() {
            return default_audience(cached, issuer).map(|audience| vec![audience]);
        }
        let mut granted = Vec::new();
        for asked in &self.audiences {
            // The comparison is byte for byte (RFC 8707 §2).
            let known =
                cached.audiences.iter().map(String::as_str).chain([issuer]).find(|known| known == asked);
            let known = known.ok_or_else(|| InvalidTarget::NotOfProject(Excerpt::from(*asked)))?;
            if !granted.contains(&known) {
                granted.push(known);
            }
        }
        if granted.len() > 1 && granted.contains(&issuer) {
            return Err(InvalidTarget::ManagementBesideOthers);
        }
        Ok(granted)
    }

    /// The requested resource servers. The issuer is not one of them.
    ///
    /// # Errors
    /// [`InvalidTarget`].
    pub(super) fn audience_of_others(
        &self,
        cached: &'a CachedKey,
        issuer: &'a str,
    ) -> Result<Vec<&'a str>, InvalidTarget> {
        let is_issuer = |audience: &&str| *audience == issuer;
        if self.audiences.iter().any(is_issuer) {
            return Err(InvalidTarget::ManagementByExchange);
        }
        if self.audiences.is_empty() {
            return first_audience(cached).map(|first| vec![first]);
        }
        self.audience(cached, issuer)
    }

    fn scope(&self, available: &'a Granted) -> Result<Cow<'a, str>, InvalidScope> {
        let Some(asked) = self.scope else {
            return match available.scopes.is_empty() {
                false => Ok(Cow::Borrowed(&available.text)),
                true => Err(InvalidScope::None(ScopeHolder::Key)),
            };
        };
        covered(asked, &available.scopes, ScopeHolder::Key).map(Cow::Owned)
    }
}

/// The audience of a request that names none: the issuer for a key that has only management scopes, or else the first
/// one of the project.
fn default_audience<'a>(cached: &'a CachedKey, issuer: &'a str) -> Result<&'a str, InvalidTarget> {
    if cached.unreserved.scopes.is_empty() {
        return Ok(issuer);
    }
    first_audience(cached)
}

/// The first audience of the key's project. The organization may have left it none.
fn first_audience(cached: &CachedKey) -> Result<&str, InvalidTarget> {
    let first = cached.audiences.first().map(String::as_str);
    first.ok_or(InvalidTarget::None)
}

/// The requested scopes in canonical form, if `by`, which are those of `holder`, cover each of them.
///
/// # Errors
/// [`InvalidScope`].
pub(super) fn covered(asked: &str, by: &Scopes, holder: ScopeHolder) -> Result<String, InvalidScope> {
    let asked = Scopes::parse_request(asked).map_err(InvalidScope::Malformed)?;
    let Some(beyond) = asked.iter().find(|scope| !by.covers(scope)) else { return Ok(asked.to_string()) };
    Err(InvalidScope::NotCovered(holder, redacted(&beyond.to_string())))
}
