//! Making an organization what a document says, all of it or nothing.

use std::sync::Arc;

use super::change::{ApplyTerms, ConfigurationChange, Prepared};
use super::document::{Configuration, OrganizationConfiguration, ProjectConfiguration};
use super::keys::KeyPlan;
use super::may_read_all;
use crate::access::Caller;
use crate::api_key::PlainKey;
use crate::key::ApiKey;
use crate::management::keys::new_secret;
use crate::management::projects::{NewProjectRequest, ProjectPatch};
use crate::management::{ApiError, organizations, projects};
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;
use crate::store::{NewKey, Write};
use crate::tenant::Organization;

/// What was changed, or would be.
#[derive(Debug)]
pub struct Applied {
    /// Whether nothing was.
    pub dry_run: bool,
    /// Each thing that is another one now, or new.
    pub changes: Vec<ConfigurationChange>,
    /// The keys that were made, each to be seen whole this once.
    pub created: Vec<(ApiKey, PlainKey)>,
}

/// Makes an organization what `document` says.
///
/// # Errors
/// [`ApiError`]; nothing has been changed then.
pub async fn apply(
    node: &Arc<Node>,
    caller: &Caller,
    id: &OrganizationId,
    document: &Configuration,
    terms: ApplyTerms,
) -> Result<Applied, ApiError> {
    may_read_all(caller, id)?;
    let now = node.clock.now();
    let applying = Applying { node, caller, document, terms };
    // Once to see what it comes to. Secrets are hashed after that, for hashing is slow and writers take turns.
    let mut rehearsal = node.store.write(now, &caller.actor()).await?;
    let (changes, to_create) = applying.carry_out(&mut rehearsal, id, None).await?;
    drop(rehearsal);
    if terms.dry_run || changes.is_empty() {
        return Ok(Applied { dry_run: terms.dry_run, changes, created: Vec::new() });
    }
    let mut prepared = Prepared::new();
    for (place, key) in to_create {
        let (secret, plain) = new_secret(node, &key, now).await?;
        prepared.insert(place, (NewKey::new(key, secret), plain));
    }
    let mut write = node.store.write(now, &caller.actor()).await?;
    let (changes, _) = applying.carry_out(&mut write, id, Some(&prepared)).await?;
    node.commit(write).await?;
    let created = prepared.into_values().map(|(new, plain)| (new.key().clone(), plain)).collect();
    Ok(Applied { dry_run: false, changes, created })
}

struct Applying<'a> {
    node: &'a Arc<Node>,
    caller: &'a Caller,
    document: &'a Configuration,
    terms: ApplyTerms,
}

impl Applying<'_> {
    /// Carries the document out in `write`: what changes, and the keys to be made, which are made only when they
    /// are `prepared`.
    async fn carry_out(
        &self,
        write: &mut Write,
        id: &OrganizationId,
        prepared: Option<&Prepared>,
    ) -> Result<(Vec<ConfigurationChange>, Vec<(usize, ApiKey)>), ApiError> {
        let mut organization = write.organization(id).await?.ok_or(ApiError::NotFound)?;
        let mut changes = Vec::new();
        if let Some(wanted) = &self.document.organization {
            let after = self.organization(write, &organization, wanted).await?;
            changes.extend(ConfigurationChange::update(&organization, &after));
            organization = after;
        }
        for wanted in &self.document.projects {
            changes.extend(self.project(write, &organization, wanted).await?);
        }
        let (node, caller, document) = (self.node, self.caller, self.document);
        let plan = KeyPlan::make(write, node, caller, &organization.id, document, self.terms).await?;
        changes.extend(plan.changes());
        plan.carry_out(write, self.terms, prepared).await?;
        Ok((changes, plan.into_created()))
    }

    async fn organization(
        &self,
        write: &mut Write,
        before: &Organization,
        wanted: &OrganizationConfiguration,
    ) -> Result<Organization, ApiError> {
        if wanted.id != before.id {
            return Err(ApiError::invalid(format!("the document is {}'s", wanted.id)));
        }
        let after = Organization {
            name: organizations::name(wanted.name.clone(), before)?,
            audiences: organizations::audiences(self.node, wanted.audiences.clone())?,
            ..before.clone()
        };
        if after != *before {
            self.caller.may_in(&before.id, Verb::Admin, &[])?;
            organizations::update(write, before, &after).await?;
        }
        Ok(after)
    }

    async fn project(
        &self,
        write: &mut Write,
        organization: &Organization,
        wanted: &ProjectConfiguration,
    ) -> Result<Option<ConfigurationChange>, ApiError> {
        let wanted_id = wanted.id.as_str();
        let may_write = || self.caller.may_in(&organization.id, Verb::Write, &["projects", wanted_id]);
        let Some(before) = write.project(&organization.id, &wanted.id).await? else {
            may_write()?;
            let request = NewProjectRequest::from(wanted);
            let made = projects::insert(self.node, write, organization, request).await?;
            return Ok(Some(ConfigurationChange::create(&made)));
        };
        let patch = ProjectPatch::from(wanted);
        let after = projects::altered(self.node, write, organization, &before, patch).await?;
        if after == before {
            return Ok(None);
        }
        may_write()?;
        projects::update(write, &before, &after).await?;
        Ok(ConfigurationChange::update(&before, &after))
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
