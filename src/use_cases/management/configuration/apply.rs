//! Applies a document to an organization, completely or not at all.

use super::application::Application;
use super::change::{ApplyTerms, ConfigurationChange, Prepared};
use super::document::Configuration;
use super::issuers::IssuerPlan;
use super::keys::{KeyPlan, PlannedKey};
use super::may_read_all;
use super::projects::ProjectPlan;
use super::scopes::ScopePlan;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::tenant::Organization;
use crate::node::{Authenticator, KeyMinter, Records};
use crate::sharing::background;
use crate::store::{NewKey, Write};
use crate::use_cases::access::Caller;
use crate::use_cases::management::issuers::IssuerPolicy;
use crate::use_cases::management::keys::CreatedKey;
use crate::use_cases::management::{ApiError, InvalidRequest, organizations, projects};

/// What an applied document changed, or would change.
#[derive(Debug)]
pub struct Applied {
    /// Whether this was a dry run, so that nothing changed.
    pub dry_run: bool,
    /// Everything that differs now, or is new.
    pub changes: Vec<ConfigurationChange>,
    /// The new keys. This is the only time that their secrets are visible.
    pub created: Vec<CreatedKey>,
}

/// Makes an organization match `document`.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn apply(
    records: &Records,
    (minter, authenticator): (&KeyMinter, &Authenticator),
    policy: IssuerPolicy<'_>,
    caller: &Caller,
    id: &OrganizationId,
    document: &Configuration,
    terms: ApplyTerms,
) -> Result<Applied, ApiError> {
    background::expect_here();
    may_read_all(caller, id)?;
    // A failed export leaves an empty file behind. Such a file is no document.
    let organization = document.organization.as_ref();
    let organization = organization.ok_or(InvalidRequest::NoOrganization)?;
    if terms.prune_all && !terms.prune {
        return Err(InvalidRequest::PruneAllWithoutPrune.into());
    }
    let now = records.clock.now();
    let application =
        Application { records, minter, authenticator, policy, caller, organization, document, terms };
    // A dry run finds out which keys are new. Their secrets are hashed before the real run, because hashing is slow, and
    // other writers wait for an open transaction.
    let mut dry_run = records.store.write(now, &caller.actor()).await?;
    let (changes, to_create) = application.carry_out(&mut dry_run, id, None).await?;
    drop(dry_run);
    if terms.dry_run || changes.is_empty() {
        return Ok(Applied { dry_run: terms.dry_run, changes, created: Vec::new() });
    }
    let mut prepared = Prepared::new();
    for PlannedKey { place, key, with_secret } in to_create {
        let made = if with_secret {
            let (secret, plain) = minter.secret(&key, now).await?;
            (NewKey::new(key, secret), Some(plain))
        } else {
            (NewKey::without_secret(key).ok_or(InvalidRequest::NoCredential)?, None)
        };
        prepared.insert(place, made);
    }
    let mut write = records.store.write(now, &caller.actor()).await?;
    let (changes, _) = application.carry_out(&mut write, id, Some(&prepared)).await?;
    records.commit(write).await?;
    let created = prepared.into_values().map(|(new, plain)| CreatedKey { key: new.key().clone(), plain });
    Ok(Applied { dry_run: false, changes, created: created.collect() })
}

impl Application<'_> {
    /// Carries the document out in `write`. Returns the changes, and the keys to create. Keys are created only if they
    /// are `prepared`.
    async fn carry_out(
        &self,
        write: &mut Write,
        id: &OrganizationId,
        prepared: Option<&Prepared>,
    ) -> Result<(Vec<ConfigurationChange>, Vec<PlannedKey>), ApiError> {
        let before = write.organization(id).await?.ok_or(ApiError::NotFound)?;
        let organization = self.update_organization(write, &before).await?;
        let projects =
            ProjectPlan::make(write, self.records, self.caller, &organization, self.document).await?;
        projects.carry_out(write).await?;
        let scopes = ScopePlan::make(write, *self, id).await?;
        scopes.carry_out(write).await?;
        let issuers = IssuerPlan::make(write, *self, id).await?;
        issuers.carry_out(write).await?;
        let keys = KeyPlan::make(write, *self, id, &issuers.by_id()).await?;
        keys.carry_out(write, self.caller, self.terms, prepared).await?;
        issuers.finish(write, &keys).await?;
        let changes = ConfigurationChange::update(&before, &organization).into_iter();
        let changes = changes.chain(projects.changes()).chain(scopes.changes());
        let changes = changes.chain(issuers.changes()).chain(keys.changes()).collect();
        Ok((changes, keys.into_created()))
    }

    async fn update_organization(
        &self,
        write: &mut Write,
        before: &Organization,
    ) -> Result<Organization, ApiError> {
        let wanted = self.organization;
        if wanted.id != before.id {
            return Err(InvalidRequest::OtherOrganization(wanted.id.clone()).into());
        }
        let after = Organization {
            name: organizations::name(wanted.name.clone(), before)?,
            audiences: match projects::is_as(wanted.audiences.as_deref(), before.audiences.as_ref()) {
                true => before.audiences.clone(),
                false => organizations::audiences(self.records, wanted.audiences.clone())?,
            },
            ..before.clone()
        };
        if after != *before {
            self.caller.may_in(&before.id, Verb::Admin, &[])?;
            organizations::update(write, before, &after).await?;
        }
        Ok(after)
    }
}
