//! Judges the assertions of clients that hold a registered private key (RFC 7523 §2.2).

use std::sync::Arc;

use super::federation::ForeignToken;
use super::{Authenticated, AuthenticationError, Authenticator, CachedKey, PresentedFor};
use crate::base::clock::Timestamp;
use crate::domain::address::Origin;
use crate::domain::api_key::KeyId;
use crate::domain::key::PublicKeyId;
use crate::domain::principal::Principal;
use crate::domain::refusal_reason::RefusalReason;
use crate::domain::usage::UseKind;
use crate::jose::assertion::{Assertion, AssertionClaims, AssertionFault};
use crate::jose::foreign::{Algorithm, Jws, claimed_issuer};
use crate::sharing::single_use::{SingleUse, UseLimits, UseRefused, UsedId};

/// How many assertions whose ids are remembered a key may have, and the keys of an organization together. An id takes
/// about 50 bytes for at most six minutes, so a key can get 30 tokens a second all the time.
const LIMITS: UseLimits = UseLimits { of_owner: 10_000, of_organization: 100_000 };

/// What the `aud` of an assertion may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptedAudience {
    /// The issuer alone, as a string or as an array of one.
    #[default]
    Issuer,
    /// The issuer alone, as a string (FAPI 2.0 Security Profile §5.3.2.1).
    IssuerAsString,
    /// The token endpoint's URL, too, as older clients send it (RFC 7523 §3).
    TokenEndpointToo,
}

/// Which assertions are accepted.
#[derive(Clone, Debug)]
pub struct AssertionPolicy {
    /// The accepted algorithms, a selection of [`Algorithm::OF_CLIENTS`].
    pub algorithms: Vec<Algorithm>,
    /// What `aud` may be.
    pub audience: AcceptedAudience,
    /// Whether an assertion that one node has accepted is refused by the others, which costs a write.
    pub shares_used_ids: bool,
}

impl Default for AssertionPolicy {
    fn default() -> Self {
        Self {
            algorithms: Algorithm::OF_CLIENTS.to_vec(),
            audience: AcceptedAudience::default(),
            shares_used_ids: false,
        }
    }
}

/// An assertion as a client presents it.
#[derive(Clone, Copy)]
pub struct PresentedAssertion<'a> {
    /// The client id beside it, if there is one.
    pub client_id: Option<&'a str>,
    /// The text that should be a signed assertion.
    pub assertion: &'a str,
}

impl<'a> PresentedAssertion<'a> {
    /// The client that the assertion is for, for the log.
    pub(super) fn claimed_id(&self) -> Option<String> {
        let claimed = Assertion::parse(self.assertion).ok().map(|assertion| assertion.subject().to_owned());
        claimed.or_else(|| self.client_id.map(str::to_owned))
    }

    /// Reads the assertion as far as it says who signed it, without trusting it. A token of another issuer is for a key that
    /// `client_id` names, and of somebody who is no key.
    pub(super) fn read(&self) -> Result<Signed<'a>, AssertionFault> {
        let jws = Jws::parse(self.assertion)?;
        Ok(match self.client_id.map(|_| claimed_issuer(jws.unverified_payload())) {
            Some(Ok(issuer)) if issuer.parse::<KeyId>().is_err() => {
                Signed::ByIssuer(ForeignToken::new(self.client_id, jws, issuer))
            }
            _ => Signed::ByClient(jws),
        })
    }
}

/// Who claims to have signed an assertion.
pub(super) enum Signed<'a> {
    /// The client itself.
    ByClient(Jws<'a>),
    /// Another issuer.
    ByIssuer(ForeignToken<'a>),
}

/// What a node needs to judge assertions.
#[derive(Debug)]
pub struct Assertions {
    policy: AssertionPolicy,
    /// The accepted values of `aud`.
    audiences: Vec<String>,
    used: SingleUse,
}

impl Assertions {
    pub(super) fn new(policy: AssertionPolicy, issuer: &str) -> Self {
        let mut audiences = vec![issuer.to_owned()];
        if policy.audience == AcceptedAudience::TokenEndpointToo {
            audiences.push(format!("{issuer}/oauth/token"));
        }
        Self { policy, audiences, used: SingleUse::new(LIMITS) }
    }

    /// The number of assertions whose ids are remembered.
    pub fn remembered(&self) -> usize {
        self.used.len()
    }

    /// The accepted algorithms.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.policy.algorithms
    }

    /// Checks audience and times.
    fn check(&self, claims: &AssertionClaims, now: Timestamp) -> Result<(), AssertionFault> {
        if self.policy.audience == AcceptedAudience::IssuerAsString {
            claims.check_audience_form()?;
        }
        claims.check(&self.audiences, now)
    }

    /// The key that the assertion is for, which is not proven yet.
    fn claimed(&self, assertion: &Assertion<'_>, client_id: Option<&str>) -> Result<KeyId, AssertionFault> {
        let subject = assertion.subject();
        let id = subject.parse().map_err(|_| AssertionFault::Subject)?;
        if assertion.issuer() != subject {
            return Err(AssertionFault::Subject);
        }
        if client_id.is_some_and(|client_id| client_id != subject) {
            return Err(AssertionFault::OtherClient);
        }
        if !self.policy.algorithms.contains(&assertion.header().algorithm()) {
            return Err(AssertionFault::Algorithm);
        }
        Ok(id)
    }
}

impl Authenticator {
    /// Judges an assertion. The order of the checks is part of the contract: form, record, signature, claims, state,
    /// address, what it is for, single use. Only a client whose signature is right learns more than that it is not
    /// authenticated.
    pub(super) async fn judge_assertion(
        self: &Arc<Self>,
        jws: Jws<'_>,
        client_id: Option<&str>,
        presented_for: PresentedFor,
        origin: Origin<'_>,
        now: Timestamp,
    ) -> Result<Authenticated, AuthenticationError> {
        let assertion = Assertion::of(jws)?;
        let id = self.assertions.claimed(&assertion, client_id)?;
        self.require_patience(assertion.subject(), origin.address, now)?;
        let Some((cached, by, claims)) = self.signed_for(&id, &assertion, now).await? else {
            self.throttle.failed(assertion.subject(), origin.address.known(), now);
            return Err(self.unknown());
        };
        self.assertions.check(claims, now)?;
        let authenticated = Authenticated { cached, by: by.into(), credential_expires_at: None };
        let admitted = self.admit(authenticated, presented_for, origin, now)?;
        self.use_once(&admitted.cached, claims, now).await?;
        Ok(admitted)
    }

    /// The key whose registered public key verifies the assertion. `None` if there is none.
    async fn signed_for<'a>(
        &self,
        id: &KeyId,
        assertion: &'a Assertion<'_>,
        now: Timestamp,
    ) -> Result<Option<(Arc<CachedKey>, PublicKeyId, &'a AssertionClaims)>, AuthenticationError> {
        let Some(cached) = self.unproven_key(id).await? else { return Ok(None) };
        let mut candidates = cached.public_keys.iter().filter(|held| held.jwk.answers_to(assertion.header()));
        let found = candidates.find_map(|held| Some((held.id, assertion.verify(&held.jwk)?)));
        if found.is_none() {
            self.usage.count(&cached, None, UseKind::Refused(RefusalReason::Secret), now);
        }
        Ok(found.map(|(by, claims)| (cached, by, claims)))
    }

    /// Uses the id of an assertion. It is the last check, so that nothing is remembered of what is refused anyway.
    async fn use_once(
        &self,
        key: &CachedKey,
        claims: &AssertionClaims,
        now: Timestamp,
    ) -> Result<(), AuthenticationError> {
        let until = claims.remembered_until();
        let used = UsedId {
            organization: key.key.organization.as_str(),
            owner: &key.client_id,
            chosen_by: &key.client_id,
            id: &claims.id,
            until: until.unix(),
        };
        self.assertions.used.accept(used, now.unix()).map_err(|refused| match refused {
            UseRefused::Again => AuthenticationError::Assertion(AssertionFault::Replayed),
            UseRefused::Full => AuthenticationError::TooManyAssertions,
        })?;
        if !self.assertions.policy.shares_used_ids {
            return Ok(());
        }
        match self.store.use_assertion(&Principal::of(&key.key), &used.digest(), until).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(AuthenticationError::Assertion(AssertionFault::Replayed)),
            Err(error) => {
                // It was not used, and the client may send it again.
                self.assertions.used.take_back(used);
                Err(AuthenticationError::Store(error))
            }
        }
    }
}

impl From<AssertionFault> for AuthenticationError {
    fn from(fault: AssertionFault) -> Self {
        Self::Assertion(fault)
    }
}
