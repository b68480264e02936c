//! Registers the trust rules of keys.

use super::{KeyPath, find_to_hand_out, update};
use crate::base::clock::Timestamp;
use crate::base::entropy::Entropy;
use crate::domain::key::{ApiKey, RegisteredRule, TrustRuleId};
use crate::domain::names::OrganizationId;
use crate::domain::trust_rule::TrustRule;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::node::Records;
use crate::store::Write;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest};

/// The trust rules of a new key. Whether they fit their issuers is [checked](check) with the store.
pub(super) fn of_new_key(
    rules: Vec<TrustRule>,
    entropy: &Entropy,
    now: Timestamp,
) -> Result<Vec<RegisteredRule>, ApiError> {
    if rules.len() > ApiKey::MAX_TRUST_RULES {
        return Err(InvalidRequest::TooManyTrustRules(ApiKey::MAX_TRUST_RULES).into());
    }
    let mut registered: Vec<RegisteredRule> = Vec::new();
    for rule in rules {
        if registered.iter().any(|held| held.rule == rule) {
            return Err(InvalidRequest::SameTrustRuleTwice.into());
        }
        registered.push(new(rule, entropy, now)?);
    }
    Ok(registered)
}

pub(super) fn new(rule: TrustRule, entropy: &Entropy, now: Timestamp) -> Result<RegisteredRule, ApiError> {
    let id = TrustRuleId::generate(entropy).map_err(ApiError::internal)?;
    Ok(RegisteredRule::new(id, rule, now))
}

/// Checks that a rule names a trusted issuer of the organization, and pins what that issuer's platform needs.
pub(super) async fn check(
    write: &mut Write,
    organization: &OrganizationId,
    rule: &TrustRule,
) -> Result<(), ApiError> {
    fits(rule, write.trusted_issuer(organization, rule.issuer()).await?.as_ref())
}

/// The same for an issuer that is loaded already. `None` if there is none with the id in the rule.
pub(in crate::use_cases::management) fn fits(
    rule: &TrustRule,
    issuer: Option<&TrustedIssuer>,
) -> Result<(), ApiError> {
    let issuer = issuer.ok_or(InvalidRequest::NoSuchIssuer)?;
    Ok(rule.check_for(issuer.platform()).map_err(InvalidRequest::TrustRule)?)
}

/// Registers a trust rule for a key. That hands out a way to act as the key, as a new secret does.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed. [`ApiError::Conflict`] for a revoked key, when the key has the rule already, and
/// when it has as many as it may.
pub async fn add_rule(
    records: &Records,
    caller: &Caller,
    path: &KeyPath,
    rule: TrustRule,
) -> Result<RegisteredRule, ApiError> {
    let now = records.clock.now();
    let new = new(rule, &records.entropy, now)?;
    let mut write = records.store.write(now, &caller.actor()).await?;
    let before = find_to_hand_out(&mut write, caller, path).await?;
    check(&mut write, &before.organization, &new.rule).await?;
    if before.trust_rules.iter().any(|held| held.rule == new.rule) {
        return Err(Conflict::SameTrustRule.into());
    }
    if before.trust_rules.len() >= ApiKey::MAX_TRUST_RULES {
        return Err(Conflict::TooManyTrustRules(ApiKey::MAX_TRUST_RULES).into());
    }
    write.insert_credential(&before.id, &new).await?;
    let mut after = before.clone();
    after.trust_rules.push(new.clone());
    update(&mut write, "trust_rule.register", &before, &after).await?;
    records.commit(write).await?;
    Ok(new)
}
