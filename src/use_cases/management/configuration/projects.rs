//! Compares the projects of a document with the stored projects.

use std::collections::HashMap;

use super::change::ConfigurationChange;
use super::document::{Configuration, ProjectConfiguration};
use crate::domain::scope::Verb;
use crate::domain::tenant::{Organization, Project};
use crate::node::Records;
use crate::store::Write;
use crate::use_cases::access::Caller;
use crate::use_cases::management::projects::{self, NewProjectRequest, ProjectPatch};
use crate::use_cases::management::{ApiError, Place};

/// What happens to the projects, in the order of the document.
#[derive(Default)]
pub(super) struct ProjectPlan(Vec<PlannedProject>);

struct PlannedProject {
    /// The stored project. `None` for a new one.
    before: Option<Project>,
    after: Project,
}

impl ProjectPlan {
    /// Plans how the projects of `organization` become those of the document.
    pub(super) async fn make(
        write: &mut Write,
        records: &Records,
        caller: &Caller,
        organization: &Organization,
        document: &Configuration,
    ) -> Result<Self, ApiError> {
        let stored = write.projects(&organization.id).await?;
        let mut stored: HashMap<_, _> =
            stored.into_iter().map(|project| (project.id.clone(), project)).collect();
        let mut planned = Vec::<PlannedProject>::new();
        let mut places = HashMap::new();
        for wanted in &document.projects {
            // An earlier entry of the document may be for the same project.
            let place = *places.entry(&wanted.id).or_insert(planned.len());
            let earlier = planned.get(place).map(|planned| &planned.after);
            let before = earlier.or_else(|| stored.get(&wanted.id));
            let after = after_entry(write, records, caller, organization, before, wanted).await;
            let after = after.map_err(|error| error.at(Place::Project(wanted.id.to_string())))?;
            match planned.get_mut(place) {
                Some(planned) => planned.after = after,
                None => planned.push(PlannedProject { before: stored.remove(&wanted.id), after }),
            }
        }
        Ok(Self(planned))
    }

    /// The changes, as the caller sees them.
    pub(super) fn changes(&self) -> impl Iterator<Item = ConfigurationChange> {
        self.0.iter().filter_map(|PlannedProject { before, after }| match before {
            None => Some(ConfigurationChange::create(after)),
            Some(before) => ConfigurationChange::update(before, after),
        })
    }

    /// Carries the plan out. Other writers wait meanwhile, so this takes few statements.
    pub(super) async fn carry_out(&self, write: &mut Write) -> Result<(), ApiError> {
        let new = self.0.iter().filter(|planned| planned.before.is_none()).map(|planned| &planned.after);
        let updated = self.0.iter().filter_map(|planned| Some((planned.before.as_ref()?, &planned.after)));
        let updated = updated.filter(|(before, after)| before != after);
        projects::insert_all(write, &new.collect::<Vec<_>>()).await?;
        projects::update_all(write, &updated.collect::<Vec<_>>()).await
    }
}

/// The project after an entry of the document. `before` is the project before the entry, if it exists.
async fn after_entry(
    write: &mut Write,
    records: &Records,
    caller: &Caller,
    organization: &Organization,
    before: Option<&Project>,
    wanted: &ProjectConfiguration,
) -> Result<Project, ApiError> {
    let path = ["projects", wanted.id.as_str()];
    let may_write = || caller.may_in(&organization.id, Verb::Write, &path);
    let Some(before) = before else {
        may_write()?;
        return projects::new(records, organization, wanted.into(), write.at());
    };
    let after = projects::altered(records, write, organization, before, wanted.into()).await?;
    if after != *before {
        may_write()?;
    }
    Ok(after)
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
