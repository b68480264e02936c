//! Applies a document to an organization, completely or not at all.

use super::change::{ApplyTerms, ConfigurationChange, Prepared};
use super::document::{Configuration, OrganizationConfiguration};
use super::keys::KeyPlan;
use super::may_read_all;
use super::projects::ProjectPlan;
use crate::domain::api_key::PlainKey;
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::tenant::Organization;
use crate::node::{KeyMinter, Records};
use crate::sharing::background;
use crate::store::{NewKey, Write};
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, InvalidRequest, organizations, projects};

/// What an applied document changed, or would change.
#[derive(Debug)]
pub struct Applied {
    /// Whether this was a dry run, so that nothing changed.
    pub dry_run: bool,
    /// Everything that differs now, or is new.
    pub changes: Vec<ConfigurationChange>,
    /// The new keys. This is the only time that their secrets are visible.
    pub created: Vec<(ApiKey, PlainKey)>,
}

/// Makes an organization match `document`.
///
/// # Errors
/// [`ApiError`]. Then nothing has changed.
pub async fn apply(
    records: &Records,
    minter: &KeyMinter,
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
    let applying = Applying { records, minter, caller, organization, document, terms };
    // A dry run finds out which keys are new. Their secrets are hashed before the real run, because hashing is slow, and
    // other writers wait for an open transaction.
    let mut dry_run = records.store.write(now, &caller.actor()).await?;
    let (changes, to_create) = applying.carry_out(&mut dry_run, id, None).await?;
    drop(dry_run);
    if terms.dry_run || changes.is_empty() {
        return Ok(Applied { dry_run: terms.dry_run, changes, created: Vec::new() });
    }
    let mut prepared = Prepared::new();
    for (place, key) in to_create {
        let (secret, plain) = minter.secret(&key, now).await?;
        prepared.insert(place, (NewKey::new(key, secret), plain));
    }
    let mut write = records.store.write(now, &caller.actor()).await?;
    let (changes, _) = applying.carry_out(&mut write, id, Some(&prepared)).await?;
    records.commit(write).await?;
    let created = prepared.into_values().map(|(new, plain)| (new.key().clone(), plain)).collect();
    Ok(Applied { dry_run: false, changes, created })
}

struct Applying<'a> {
    records: &'a Records,
    minter: &'a KeyMinter,
    caller: &'a Caller,
    organization: &'a OrganizationConfiguration,
    document: &'a Configuration,
    terms: ApplyTerms,
}

impl Applying<'_> {
    /// Carries the document out in `write`. Returns the changes, and the keys to create. Keys are created only if they
    /// are `prepared`.
    async fn carry_out(
        &self,
        write: &mut Write,
        id: &OrganizationId,
        prepared: Option<&Prepared>,
    ) -> Result<(Vec<ConfigurationChange>, Vec<(usize, ApiKey)>), ApiError> {
        let before = write.organization(id).await?.ok_or(ApiError::NotFound)?;
        let (records, minter, caller, document) = (self.records, self.minter, self.caller, self.document);
        let organization = self.update_organization(write, &before).await?;
        let projects = ProjectPlan::make(write, records, caller, &organization, document).await?;
        projects.carry_out(write).await?;
        let keys = KeyPlan::make(write, minter, caller, &organization.id, document, self.terms).await?;
        keys.carry_out(write, caller, self.terms, prepared).await?;
        let changes = ConfigurationChange::update(&before, &organization).into_iter();
        let changes = changes.chain(projects.changes()).chain(keys.changes()).collect();
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
