//! Compares the trusted issuers of a document with the stored ones.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use super::application::Application;
use super::change::{ConfigurationChange, Configured};
use super::document::{Configuration, IssuerConfiguration};
use super::keys::KeyPlan;
use crate::domain::api_key::KeyId;
use crate::domain::key::ApiKey;
use crate::domain::names::{OrganizationId, TrustedIssuerId};
use crate::domain::scope::Verb;
use crate::domain::trusted_issuer::TrustedIssuer;
use crate::store::Write;
use crate::use_cases::management::issuers::{self, IssuerPatch, IssuerPath, IssuerStatus, NewIssuerRequest};
use crate::use_cases::management::{ApiError, Conflict, InvalidRequest, Place};

/// What happens to the trusted issuers.
#[derive(Default)]
pub(super) struct IssuerPlan {
    /// The issuers that stay, as they are before the document.
    stored: BTreeMap<TrustedIssuerId, TrustedIssuer>,
    /// The issuers to create.
    created: Vec<TrustedIssuer>,
    /// The issuers to change, before and after.
    updated: Vec<(TrustedIssuer, TrustedIssuer)>,
    /// The issuers to remove.
    removed: Vec<TrustedIssuer>,
}

impl IssuerPlan {
    /// Plans how the trusted issuers of `organization` become those of the document.
    pub(super) async fn make(
        write: &mut Write,
        application: Application<'_>,
        organization: &OrganizationId,
    ) -> Result<Self, ApiError> {
        let stored = write.trusted_issuers(organization).await?;
        let stored = stored.into_iter().map(|issuer| (issuer.id.clone(), issuer)).collect();
        let mut plan = Self { stored, ..Self::default() };
        let Some(listed) = &application.document.issuers else { return Ok(plan) };
        let mut named = HashSet::new();
        for wanted in listed {
            let planned = match named.insert(&wanted.id) {
                true => plan.enter(write, application, organization, wanted).await,
                false => Err(InvalidRequest::SameIssuerTwice.into()),
            };
            planned.map_err(|error| error.at(place(&wanted.id)))?;
        }
        if application.terms.prune {
            for (id, issuer) in std::mem::take(&mut plan.stored) {
                if named.contains(&id) {
                    plan.stored.insert(id, issuer);
                } else {
                    may(application, organization, &id).map_err(|error| error.at(place(&id)))?;
                    plan.removed.push(issuer);
                }
            }
        }
        if plan.stored.len() + plan.created.len() > TrustedIssuer::MAX_COUNT {
            return Err(Conflict::TooManyIssuers.into());
        }
        Ok(plan)
    }

    async fn enter(
        &mut self,
        write: &mut Write,
        application: Application<'_>,
        organization: &OrganizationId,
        wanted: &IssuerConfiguration,
    ) -> Result<(), ApiError> {
        let Some(before) = self.stored.get(&wanted.id) else {
            may(application, organization, &wanted.id)?;
            let mut new = issuers::new(application.policy, organization, wanted.into(), write.at())?;
            new.disabled_at = (wanted.status == Some(IssuerStatus::Disabled)).then_some(write.at());
            self.created.push(new);
            return Ok(());
        };
        let after = issuers::altered(application.policy, before, patch(before, wanted), write.at())?;
        if after == *before {
            return Ok(());
        }
        may(application, organization, &wanted.id)?;
        if after.is_raised_from(before) {
            issuers::may_become(application.caller, &write.keys_trusting(before).await?)?;
        }
        self.updated.push((before.clone(), after));
        Ok(())
    }

    /// Each trusted issuer after the document, by its id.
    pub(super) fn by_id(&self) -> HashMap<&TrustedIssuerId, &TrustedIssuer> {
        let updated = self.updated.iter().map(|(_, after)| after);
        let all = self.stored.values().chain(&self.created).chain(updated).chain(&self.removed);
        all.map(|issuer| (&issuer.id, issuer)).collect()
    }

    /// Creates and changes issuers, before keys come to refer to them.
    pub(super) async fn carry_out(&self, write: &mut Write) -> Result<(), ApiError> {
        for issuer in &self.created {
            issuers::insert(write, issuer).await.map_err(|error| error.at(place(&issuer.id)))?;
        }
        for (before, after) in &self.updated {
            issuers::update(write, before, after).await?;
        }
        Ok(())
    }

    /// Does what depends on the rules that are left once the keys are as in the document.
    pub(super) async fn finish(&self, write: &mut Write, keys: &KeyPlan) -> Result<(), ApiError> {
        let mut ended: BTreeMap<KeyId, ApiKey> = BTreeMap::new();
        for (before, after) in &self.updated {
            if after.url != before.url {
                let trusting = write.keys_trusting(after).await?;
                issuers::still_pinned(&trusting, after).map_err(|error| error.at(place(&after.id)))?;
            }
            if before.is_active() && !after.is_active() {
                let trusting = write.keys_trusting(after).await?;
                ended.extend(trusting.into_iter().map(|key| (key.id, key)));
            }
        }
        // The tokens of these keys have ended already.
        keys.narrowed().for_each(|id| drop(ended.remove(&id)));
        let ended: Vec<_> = ended.into_values().collect();
        issuers::end_tokens(write, &ended).await?;
        for issuer in &self.removed {
            let trusting = write.keys_trusting(issuer).await?;
            let trusting = trusting.iter().chain(keys.created());
            let is_for = |key: &&ApiKey| key.trust_rules.iter().any(|held| *held.rule.issuer() == issuer.id);
            if let Some(key) = trusting.into_iter().find(is_for) {
                let error = ApiError::from(Conflict::OmitsIssuerInUse(key.name.clone()));
                return Err(error.at(place(&issuer.id)));
            }
            issuers::remove(write, issuer).await?;
        }
        Ok(())
    }

    /// The changes, as the caller sees them.
    pub(super) fn changes(&self) -> Vec<ConfigurationChange> {
        let created = self.created.iter().map(ConfigurationChange::create);
        let updated =
            self.updated.iter().filter_map(|(before, after)| ConfigurationChange::update(before, after));
        let removed = self.removed.iter().map(ConfigurationChange::remove);
        created.chain(updated).chain(removed).collect()
    }
}

fn place(id: &TrustedIssuerId) -> Place {
    Place::Issuer(id.to_string())
}

fn may(
    application: Application<'_>,
    organization: &OrganizationId,
    id: &TrustedIssuerId,
) -> Result<(), ApiError> {
    let path = IssuerPath { organization: organization.clone(), issuer: id.clone() };
    issuers::may(application.caller, &path, Verb::Admin)
}

/// What the entry changes about a stored issuer. What it repeats is not judged again.
fn patch(before: &TrustedIssuer, wanted: &IssuerConfiguration) -> IssuerPatch {
    let IssuerConfiguration { id: _, name, issuer, keys, algorithms, max_lifetime, single_use, status } =
        wanted;
    IssuerPatch {
        name: name.clone().filter(|name| *name != before.name),
        issuer: (issuer != before.url.as_str()).then(|| issuer.clone()),
        keys: (*keys != before.keys).then(|| keys.clone()),
        algorithms: algorithms.clone(),
        max_lifetime: *max_lifetime,
        single_use: *single_use,
        status: *status,
    }
}

impl From<&IssuerConfiguration> for NewIssuerRequest {
    fn from(wanted: &IssuerConfiguration) -> Self {
        Self {
            id: wanted.id.clone(),
            name: wanted.name.clone(),
            issuer: wanted.issuer.clone(),
            keys: wanted.keys.clone(),
            algorithms: wanted.algorithms.clone().unwrap_or_default(),
            max_lifetime: wanted.max_lifetime,
            single_use: wanted.single_use.unwrap_or_default(),
        }
    }
}

impl Configured for TrustedIssuer {
    const KIND: &'static str = "issuer";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Value {
        Configuration::json(&IssuerConfiguration::from(self))
    }

    fn before_creation() -> Value {
        json!({ "single_use": false, "status": "active" })
    }
}
