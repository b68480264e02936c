//! Judges the tokens of trusted issuers (RFC 7523 §2).
//!
//! Whoever presents one has to name the key that it is to open, and the rules of that key alone decide. Otherwise a rule
//! of another organization could decide. Every failure is the same error, so that nobody learns whom a key trusts. What
//! failed is in the log, and once the signature holds, in the audit trail.

use std::sync::Arc;

use super::issuer_keys::{IssuerKeys, KeysFault};
use super::{
    Authenticated, AuthenticationError, Authenticator, CachedKey, CachedRule, PresentedAssertion,
    PresentedFor,
};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::api_key::KeyId;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::trust_rule::{ComparedClaim, Mismatch, TrustRule};
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::domain::usage::UseKind;
use crate::jose::foreign::{ForeignJwsFault, IssuerClaims, IssuerClaimsFault, Jws, claimed_issuer};
use crate::sharing::single_use::{SingleUse, UseLimits, UseRefused, UsedId};

/// How many tokens whose ids are remembered an issuer may have, and the issuers of an organization together.
const LIMITS: UseLimits = UseLimits { of_owner: 20_000, of_organization: 100_000 };

/// What a node needs to judge the tokens of trusted issuers.
#[derive(Debug)]
pub struct Federation {
    /// The key sets of the issuers.
    pub issuer_keys: Arc<IssuerKeys>,
    /// The audience of rules that name none.
    own_issuer: String,
    used: SingleUse,
}

/// The check that a token fails. The text completes "the token is refused: …". It has nothing of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FederationFault {
    /// The token is no strict JWS, or has an algorithm that nobody is trusted with.
    #[error(transparent)]
    Token(#[from] ForeignJwsFault),
    /// `typ` says that it is another kind of document.
    #[error("its `typ` is neither absent nor `JWT`")]
    Type,
    /// The payload doesn't name its issuer.
    #[error(transparent)]
    Payload(IssuerClaimsFault),
    /// There is no client id, or no key has it.
    #[error("`client_id` is no key's id")]
    Client,
    /// No rule of the key trusts an active issuer with this `iss`.
    #[error("the key has no rule for an active issuer with this `iss`")]
    NoRule,
    /// The issuer's keys can't be had.
    #[error("the issuer has no keys at the moment: {0}")]
    Keys(KeysFault),
    /// No key of the issuer has the id in `kid` and the algorithm in `alg`.
    #[error("the issuer has no key for its `kid` and `alg`")]
    UnknownKey,
    /// The signature is not the issuer's.
    #[error("its signature is wrong")]
    Signature,
    /// The claims are malformed, or the times don't fit. From here on, the signature holds.
    #[error(transparent)]
    Claims(IssuerClaimsFault),
    /// A rule doesn't match.
    #[error("the rule does not match: {0}")]
    Rule(Mismatch),
    /// Each token of the issuer counts once, and this one has no `jti`.
    #[error("it has no `jti`, although each token of the issuer is accepted once")]
    NoTokenId,
    /// The token was used before.
    #[error("it was used before")]
    Replayed,
}

impl FederationFault {
    /// The failed check in a word, once the signature holds. `None` before.
    const fn check(&self) -> Option<&'static str> {
        match self {
            Self::Claims(_) => Some("claims"),
            Self::Rule(mismatch) => Some(mismatch.check()),
            Self::NoTokenId | Self::Replayed => Some("jti"),
            _ => None,
        }
    }
}

/// A token of another issuer as a client presents it. Nothing in it is verified yet.
#[derive(Debug)]
pub(super) struct ForeignToken<'a> {
    client_id: Option<&'a str>,
    jws: Jws<'a>,
    claimed_issuer: String,
}

impl<'a> ForeignToken<'a> {
    fn parse(presented: PresentedAssertion<'a>) -> Result<Self, FederationFault> {
        let PresentedAssertion { client_id, assertion } = presented;
        let jws = Jws::parse(assertion)?;
        let claimed_issuer = claimed_issuer(jws.unverified_payload()).map_err(FederationFault::Payload)?;
        Ok(Self::new(client_id, jws, claimed_issuer))
    }

    /// `claimed_issuer` is the `iss` in the payload.
    pub(super) const fn new(client_id: Option<&'a str>, jws: Jws<'a>, claimed_issuer: String) -> Self {
        Self { client_id, jws, claimed_issuer }
    }

    fn check_type(&self) -> Result<(), FederationFault> {
        let header = self.jws.header();
        match header.has_type() && !header.is_one_of(&["jwt"]) {
            true => Err(FederationFault::Type),
            false => Ok(()),
        }
    }
}

/// A token that passed all checks.
struct Accepted<'c> {
    rule: &'c CachedRule,
    expires_at: Timestamp,
    /// The id to remember, if the token counts once.
    token_id: Option<String>,
}

/// Why a token is refused, and what was compared, for the audit trail.
struct Refused {
    fault: FederationFault,
    issuer: Option<Arc<TrustedIssuer>>,
    compared: Vec<ComparedClaim>,
}

impl From<FederationFault> for Refused {
    fn from(fault: FederationFault) -> Self {
        Self { fault, issuer: None, compared: Vec::new() }
    }
}

impl Federation {
    pub(super) fn new(issuer_keys: Arc<IssuerKeys>, own_issuer: &str) -> Self {
        Self { issuer_keys, own_issuer: own_issuer.to_owned(), used: SingleUse::new(LIMITS) }
    }

    /// The rule of the key that the token fulfils.
    async fn accepted<'c>(
        &self,
        key: &'c CachedKey,
        token: &ForeignToken<'_>,
        now: Timestamp,
    ) -> Result<Accepted<'c>, Refused> {
        token.check_type()?;
        let (issuer, payload) = self.signer(key, token).await?;
        let fail = |fault| Refused { fault, issuer: Some(Arc::clone(issuer)), compared: Vec::new() };
        let claims = claims_of(issuer, payload, now).map_err(fail)?;
        let token_id = claims.token_id.as_ref().filter(|_| issuer.single_use);
        let token_id = token_id.map(|id| id.clone().into_owned());
        let mut refused = fail(FederationFault::NoRule);
        for rule in key.trust_rules.iter().filter(|rule| rule.issuer.id == issuer.id) {
            match rule.rule.judge(&claims.presented, &self.own_issuer, issuer.platform()) {
                Ok(()) => return Ok(Accepted { rule, expires_at: claims.expires_at, token_id }),
                Err(mismatch) => {
                    refused.fault = FederationFault::Rule(mismatch);
                    refused.compared = rule.rule.compared(&claims.presented);
                }
            }
        }
        Err(refused)
    }

    /// The issuer that signed the token, among those that the key trusts and that have this `iss`, and the payload.
    /// Several records may have the same, as private clusters do.
    async fn signer<'c, 'j>(
        &self,
        key: &'c CachedKey,
        token: &'j ForeignToken<'_>,
    ) -> Result<(&'c Arc<TrustedIssuer>, &'j [u8]), FederationFault> {
        let mut seen: Vec<&Arc<TrustedIssuer>> = Vec::new();
        let mut fault = FederationFault::NoRule;
        for CachedRule { issuer, .. } in &key.trust_rules {
            let is_it = issuer.is_active() && issuer.url.as_str() == token.claimed_issuer;
            if !is_it || seen.iter().any(|other| other.id == issuer.id) {
                continue;
            }
            seen.push(issuer);
            match self.verified(issuer, &token.jws).await {
                Ok(payload) => return Ok((issuer, payload)),
                Err(why) => fault = why,
            }
        }
        Err(fault)
    }

    /// The payload of a token that `issuer` signed.
    async fn verified<'j>(
        &self,
        issuer: &TrustedIssuer,
        token: &'j Jws<'_>,
    ) -> Result<&'j [u8], FederationFault> {
        let set = self.issuer_keys.keys_for(issuer, token.header()).await.map_err(FederationFault::Keys)?;
        let mut fault = FederationFault::UnknownKey;
        for candidate in set.candidates(token.header()) {
            match candidate.verify(token) {
                Ok(payload) => return Ok(payload),
                Err(_) => fault = FederationFault::Signature,
            }
        }
        Err(fault)
    }

    /// Says what is wrong with a token of `issuer`, if anything, and for each of these rules how it differs. Nothing is
    /// used up, and whether the issuer is active doesn't matter.
    ///
    /// # Errors
    /// [`FederationFault`]. Then the rules are not compared.
    pub async fn examine(
        &self,
        issuer: &TrustedIssuer,
        token: &str,
        rules: &[&TrustRule],
        now: Timestamp,
    ) -> Result<Vec<Result<(), Mismatch>>, FederationFault> {
        let token = ForeignToken::parse(PresentedAssertion { client_id: None, assertion: token })?;
        token.check_type()?;
        if token.claimed_issuer != issuer.url.as_str() {
            return Err(FederationFault::NoRule);
        }
        let claims = claims_of(issuer, self.verified(issuer, &token.jws).await?, now)?;
        let judge = |rule: &&TrustRule| rule.judge(&claims.presented, &self.own_issuer, issuer.platform());
        Ok(rules.iter().map(judge).collect())
    }

    /// Uses the id of a token, for an issuer whose tokens count once.
    fn use_once(&self, accepted: &Accepted<'_>, now: Timestamp) -> Result<(), UseRefused> {
        let Some(id) = &accepted.token_id else { return Ok(()) };
        let issuer = &accepted.rule.issuer;
        let owner = issuer.path();
        let used = UsedId {
            organization: issuer.organization.as_str(),
            owner: &owner,
            chosen_by: &owner,
            id,
            until: accepted.expires_at.unix(),
        };
        self.used.accept(used, now.unix())
    }
}

/// The claims of a token that `issuer` has signed, which is valid at `now`.
fn claims_of<'j>(
    issuer: &TrustedIssuer,
    payload: &'j [u8],
    now: Timestamp,
) -> Result<IssuerClaims<'j>, FederationFault> {
    let claims = IssuerClaims::parse(payload).map_err(FederationFault::Claims)?;
    claims.check_times(now, issuer.max_lifetime).map_err(FederationFault::Claims)?;
    match issuer.single_use && claims.token_id.is_none() {
        true => Err(FederationFault::NoTokenId),
        false => Ok(claims),
    }
}

impl Authenticator {
    /// Judges a token of a trusted issuer, for which somebody wants one of ours. The order of the checks is part of the
    /// contract: form, key, signature, claims, rule, state, address, what it is for, single use.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] for whatever is wrong with the token, the rules or the key.
    /// [`AuthenticationError::TooManyAssertions`], [`AuthenticationError::Store`] and [`AuthenticationError::Stale`] are
    /// nobody's fault.
    pub async fn authenticate_foreign(
        self: &Arc<Self>,
        presented: PresentedAssertion<'_>,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let judged = match ForeignToken::parse(presented) {
            Ok(token) => self.judge_foreign(&token, PresentedFor::Token, origin, now).await,
            Err(fault) => Err(self.unfit(&fault)),
        };
        if let Err(refusal) = &judged {
            self.log(refusal, || presented.client_id?.parse().ok(), origin);
        }
        judged
    }

    /// The same for whatever it is presented, without a line in the log.
    pub(super) async fn judge_foreign(
        self: &Arc<Self>,
        token: &ForeignToken<'_>,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let claimed = token.client_id.and_then(|claimed| Some((claimed, claimed.parse::<KeyId>().ok()?)));
        let Some((client_id, id)) = claimed else { return Err(self.unfit(&FederationFault::Client)) };
        self.require_patience(client_id, origin.address, now)?;
        let Some(cached) = self.unproven_key(&id).await? else {
            self.count_guess(client_id, &FederationFault::Client, origin, now);
            return Err(self.unfit(&FederationFault::Client));
        };
        let accepted = match self.federation.accepted(&cached, token, now).await {
            Ok(accepted) => accepted,
            Err(refused) => {
                self.count_guess(client_id, &refused.fault, origin, now);
                return Err(self.refuse_foreign(&cached, refused, origin, now));
            }
        };
        let (by, end, issuer) = (accepted.rule.id, accepted.expires_at, Arc::clone(&accepted.rule.issuer));
        let authenticated =
            Authenticated { cached: Arc::clone(&cached), by: by.into(), credential_expires_at: Some(end) };
        let admitted = self.admit(authenticated, presented_for, origin, now);
        let admitted = admitted.map_err(|_| AuthenticationError::Unknown)?;
        match self.federation.use_once(&accepted, now) {
            Ok(()) => Ok(admitted),
            Err(UseRefused::Full) => Err(AuthenticationError::TooManyAssertions),
            Err(UseRefused::Again) => {
                let (fault, issuer) = (FederationFault::Replayed, Some(issuer));
                let refused = Refused { fault, issuer, compared: Vec::new() };
                Err(self.refuse_foreign(&cached, refused, origin, now))
            }
        }
    }

    /// Counts a token that anybody could have sent, as a wrong secret of the key counts. Keys that exist and keys that
    /// don't are counted alike, so that the count says nothing about whom a key trusts. An issuer whose keys can't be had
    /// is not the client's fault.
    fn count_guess(&self, client_id: &str, fault: &FederationFault, origin: Origin<'_>, now: Timestamp) {
        if fault.check().is_none() && !matches!(fault, FederationFault::Keys(_)) {
            self.throttle.failed(client_id, origin.address.known(), now);
        }
    }

    /// The error for a token whose signature is not the issuer's: anybody can send one.
    fn unfit(&self, fault: &FederationFault) -> AuthenticationError {
        tracing::debug!(%fault, "a token of another issuer was not accepted");
        self.unknown()
    }

    /// The same for a known key. Once the signature holds, the trail says which check failed.
    fn refuse_foreign(
        &self,
        key: &Arc<CachedKey>,
        refused: Refused,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> AuthenticationError {
        let Refused { fault, issuer, compared } = refused;
        let (Some(check), Some(issuer)) = (fault.check(), issuer) else {
            tracing::debug!(key = key.client_id, %fault, "a token of another issuer was not accepted");
            return self.unknown();
        };
        tracing::info!(
            key = key.client_id, issuer = %issuer.id, %fault, "a token of a trusted issuer was not accepted"
        );
        self.usage.count(key, None, UseKind::Refused(RefusalReason::Secret), now);
        self.usage.refusals.refused_token(&key.key, (issuer.id.as_str(), check), &compared, origin, now);
        AuthenticationError::Unknown
    }
}
