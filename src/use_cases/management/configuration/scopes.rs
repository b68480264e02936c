//! Compares the catalogue of scopes of a document with the stored one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::application::Application;
use super::change::{ConfigurationChange, Configured};
use super::document::{Configuration, NamedScopeConfiguration};
use crate::domain::named_scope::{Catalogue, NamedScope};
use crate::domain::names::{NamedScopeId, OrganizationId};
use crate::domain::scope::Verb;
use crate::store::Write;
use crate::use_cases::management::scopes::{self, NamedScopePatch, NamedScopePath, NewNamedScopeRequest};
use crate::use_cases::management::{ApiError, InvalidRequest, Place};

/// What happens to the catalogue.
#[derive(Default)]
pub(super) struct ScopePlan {
    /// The entries to create.
    created: Vec<NamedScope>,
    /// The entries to change, before and after.
    updated: Vec<(NamedScope, NamedScope)>,
    /// The entries to remove.
    removed: Vec<NamedScope>,
}

impl ScopePlan {
    /// Plans how the catalogue of `organization` becomes that of the document.
    pub(super) async fn make(
        write: &mut Write,
        application: Application<'_>,
        organization: &OrganizationId,
    ) -> Result<Self, ApiError> {
        let Some(listed) = &application.document.scopes else { return Ok(Self::default()) };
        let catalogue = Catalogue::Of(organization.clone());
        let stored = write.named_scopes(&catalogue).await?;
        let mut omitted: BTreeMap<_, _> = stored.into_iter().map(|entry| (entry.id.clone(), entry)).collect();
        let (mut plan, mut after) = (Self::default(), BTreeMap::new());
        for wanted in listed {
            let entered = match after.contains_key(&wanted.id) {
                true => Err(InvalidRequest::SameNamedScopeTwice.into()),
                false => plan.enter(write, application, omitted.remove(&wanted.id), &catalogue, wanted),
            };
            let entry = entered.map_err(|error| error.at(place(&wanted.id)))?;
            after.insert(wanted.id.clone(), entry);
        }
        if application.terms.prune {
            for entry in omitted.values() {
                may(application, entry).map_err(|error| error.at(place(&entry.id)))?;
            }
            plan.removed.extend(omitted.into_values());
        } else {
            after.extend(omitted);
        }
        scopes::fits(&after.into_values().collect::<Vec<_>>())?;
        Ok(plan)
    }

    /// Plans an entry of the document. Returns the entry as it will be.
    fn enter(
        &mut self,
        write: &Write,
        application: Application<'_>,
        before: Option<NamedScope>,
        catalogue: &Catalogue,
        wanted: &NamedScopeConfiguration,
    ) -> Result<NamedScope, ApiError> {
        let Some(before) = before else {
            let new = scopes::new(catalogue.clone(), wanted.into(), write.at())?;
            may(application, &new)?;
            self.created.push(new.clone());
            return Ok(new);
        };
        let after = scopes::altered(&before, wanted.into())?;
        if after != before {
            may(application, &after)?;
            self.updated.push((before, after.clone()));
        }
        Ok(after)
    }

    /// Carries the plan out.
    pub(super) async fn carry_out(&self, write: &mut Write) -> Result<(), ApiError> {
        for entry in &self.created {
            scopes::insert(write, entry).await?;
        }
        for (before, after) in &self.updated {
            scopes::update(write, before, after).await?;
        }
        for entry in &self.removed {
            scopes::remove(write, entry).await?;
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

fn place(id: &NamedScopeId) -> Place {
    Place::NamedScope(id.to_string())
}

fn may(application: Application<'_>, entry: &NamedScope) -> Result<(), ApiError> {
    let path = NamedScopePath { catalogue: entry.catalogue.clone(), scope: entry.id.clone() };
    Ok(scopes::may(application.caller, &path, Verb::Write)?)
}

impl From<&NamedScopeConfiguration> for NewNamedScopeRequest {
    fn from(wanted: &NamedScopeConfiguration) -> Self {
        let NamedScopeConfiguration { id, scope, name, description, group } = wanted.clone();
        Self { id, scope, name, description, group }
    }
}

impl From<&NamedScopeConfiguration> for NamedScopePatch {
    fn from(wanted: &NamedScopeConfiguration) -> Self {
        let NamedScopeConfiguration { id: _, scope, name, description, group } = wanted.clone();
        Self { scope: Some(scope), name: Some(name), description: Some(description), group: Some(group) }
    }
}

impl Configured for NamedScope {
    const KIND: &'static str = "scope";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn configuration(&self) -> Value {
        Configuration::json(&NamedScopeConfiguration::from(self))
    }

    fn before_creation() -> Value {
        json!({ "description": null, "group": null })
    }
}
