//! Applies a document to an organization, completely or not at all.

use std::collections::HashMap;

use super::change::{ApplyTerms, ConfigurationChange, Prepared};
use super::document::{Configuration, OrganizationConfiguration, ProjectConfiguration};
use super::keys::KeyPlan;
use super::may_read_all;
use crate::domain::api_key::PlainKey;
use crate::domain::key::ApiKey;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::domain::tenant::{Organization, Project};
use crate::node::{KeyMinter, Records};
use crate::sharing::background;
use crate::store::{NewKey, Write};
use crate::use_cases::access::Caller;
use crate::use_cases::management::projects::{NewProjectRequest, ProjectPatch};
use crate::use_cases::management::{ApiError, InvalidRequest, Place, organizations, projects};

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
    // The first run only finds out what changes. Secrets are hashed between the runs, because hashing is slow and
    // writers take turns.
    let mut rehearsal = records.store.write(now, &caller.actor()).await?;
    let (changes, to_create) = applying.carry_out(&mut rehearsal, id, None).await?;
    drop(rehearsal);
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
        let organization = self.organization(write, &before, self.organization).await?;
        let mut changes = Vec::from_iter(ConfigurationChange::update(&before, &organization));
        changes.extend(self.projects(write, &organization).await?);
        let (minter, caller, document) = (self.minter, self.caller, self.document);
        let plan = KeyPlan::make(write, minter, caller, &organization.id, document, self.terms).await?;
        changes.extend(plan.changes());
        plan.carry_out(write, caller, self.terms, prepared).await?;
        Ok((changes, plan.into_created()))
    }

    async fn organization(
        &self,
        write: &mut Write,
        before: &Organization,
        wanted: &OrganizationConfiguration,
    ) -> Result<Organization, ApiError> {
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

    /// Changes existing projects and creates the others. Other writers wait meanwhile, so this takes few statements.
    async fn projects(
        &self,
        write: &mut Write,
        organization: &Organization,
    ) -> Result<Vec<ConfigurationChange>, ApiError> {
        let there: HashMap<_, _> = write
            .projects(&organization.id)
            .await?
            .into_iter()
            .map(|project| (project.id.clone(), project))
            .collect();
        let mut planned = Vec::<(Option<&Project>, Project)>::new();
        let mut places = HashMap::new();
        for wanted in &self.document.projects {
            let here = |error: ApiError| error.at(Place::Project(wanted.id.to_string()));
            let may_write = || {
                let path = ["projects", wanted.id.as_str()];
                self.caller.may_in(&organization.id, Verb::Write, &path).map_err(|denied| here(denied.into()))
            };
            let place = *places.entry(&wanted.id).or_insert(planned.len());
            // The project after the document's earlier entries for it, or as it is stored.
            let earlier = planned.get(place).map(|(_, project)| project);
            let Some(before) = earlier.or_else(|| there.get(&wanted.id)) else {
                may_write()?;
                let request = NewProjectRequest::from(wanted);
                let new = projects::new(self.records, organization, request, write.at()).map_err(here)?;
                planned.push((None, new));
                continue;
            };
            let patch = ProjectPatch::from(wanted);
            let after =
                projects::altered(self.records, write, organization, before, patch).await.map_err(here)?;
            if after != *before {
                may_write()?;
            }
            match planned.get_mut(place) {
                Some((_, project)) => *project = after,
                None => planned.push((there.get(&wanted.id), after)),
            }
        }
        let new: Vec<_> = planned.iter().filter(|(before, _)| before.is_none()).map(|(_, new)| new).collect();
        let changed = planned.iter().filter_map(|(before, after)| before.map(|before| (before, after)));
        let changed: Vec<_> = changed.filter(|(before, after)| before != after).collect();
        projects::insert_all(write, &new).await?;
        projects::update_all(write, &changed).await?;
        let change = |(before, after): &(Option<&Project>, Project)| match before {
            None => Some(ConfigurationChange::create(after)),
            Some(before) => ConfigurationChange::update(*before, after),
        };
        Ok(planned.iter().filter_map(change).collect())
    }
}

impl From<&ProjectConfiguration> for NewProjectRequest {
    fn from(wanted: &ProjectConfiguration) -> Self {
        Self {
            id: wanted.id.clone(),
            name: wanted.name.clone(),
            environments: wanted.environments.clone(),
            audiences: wanted.audiences.clone(),
        }
    }
}

impl From<&ProjectConfiguration> for ProjectPatch {
    fn from(wanted: &ProjectConfiguration) -> Self {
        Self {
            name: wanted.name.clone(),
            environments: wanted.environments.clone(),
            audiences: Some(wanted.audiences.clone()),
        }
    }
}
