//! What a page with a key's form shows beside the input.

use std::sync::Arc;

use super::form::{EndChoice, FormBounds, KeyForm, Picker, Summary, choices};
use super::list::{self, Choice, all_environments};
use super::owners::MemberChoice;
use crate::base::clock::Timestamp;
use crate::console::when::When;
use crate::domain::key::ApiKey;
use crate::domain::named_scope::NamedScope;
use crate::domain::names::OrganizationId;
use crate::domain::scope::{Preset, Verb};
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, scopes};

/// What a form offers, and what it says about its input.
#[derive(Debug)]
pub(super) struct FormParts {
    pub(super) is_new: bool,
    /// The projects and the environments to choose from, for a new key.
    pub(super) projects: Vec<Choice>,
    pub(super) environments: Vec<String>,
    /// Whether `projects` is incomplete.
    pub(super) are_some: bool,
    pub(super) ends: Vec<EndChoice>,
    /// The latest end, if there is one.
    pub(super) latest: Option<When>,
    pub(super) picker: Picker,
    /// Whether the visitor may name scopes in the catalogue, if it has none yet.
    pub(super) may_name_scopes: bool,
    pub(super) offers_query_only: bool,
    pub(super) offers_full_access: bool,
    pub(super) offers_dpop: bool,
    pub(super) offers_labels: bool,
    /// The members to choose from as the owner, and whether each is chosen.
    pub(super) members: Vec<OwnerChoice>,
    /// The owner as typed, unless it is one of the members.
    pub(super) typed_owner: String,
    /// The visitor's address, if it is known.
    pub(super) address: Option<String>,
    pub(super) summary: Summary,
}

/// A member in the choice of owners.
#[derive(Debug)]
pub(super) struct OwnerChoice {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// What it takes to show a form of an organization to a visitor.
#[derive(Debug)]
pub(super) struct Offers {
    bounds: FormBounds,
    /// The scopes of the catalogue that the form offers.
    pub(super) scopes: Vec<NamedScope>,
    may_name_scopes: bool,
    /// The members that the form offers as owners.
    pub(super) members: Vec<MemberChoice>,
    address: Option<String>,
    pub(super) now: Timestamp,
}

impl Offers {
    /// What the form offers to `caller`.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn to(
        node: &Arc<Node>,
        caller: &Caller,
        organization: &OrganizationId,
    ) -> Result<Self, ApiError> {
        let bounds = caller.portal().map_or_else(|| FormBounds::of(&caller.scopes), FormBounds::of_portal);
        let mut scopes = bounds.among(scopes::offered(&node.records, caller, organization).await?);
        bounds.complete(&mut scopes, organization);
        let address = caller.address.known().map(|address| address.to_string());
        let names = caller.may_all_in(organization, Verb::Write, &["scopes", "*"]);
        let may_name_scopes = scopes.is_empty() && names.is_ok();
        let members = match bounds.offers_labels {
            true => MemberChoice::all(node, caller, organization).await?,
            false => Vec::new(),
        };
        Ok(Self { bounds, scopes, may_name_scopes, members, address, now: node.clock.now() })
    }

    /// The visitor's address, if it is known.
    pub(super) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// The key in words. `kept` is the present end of a key that is edited.
    pub(super) fn summary(&self, form: &KeyForm, kept: Option<Timestamp>) -> Summary {
        let summary = form.summary(&self.scopes, kept, self.now);
        match MemberChoice::name_in(&self.members, &summary.owner).map(str::to_owned) {
            Some(owner) => Summary { owner, ..summary },
            None => summary,
        }
    }

    /// The projects that the form offers.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn projects(
        &self,
        node: &Arc<Node>,
        caller: &Caller,
        organization: &OrganizationId,
    ) -> Result<list::Choices, ApiError> {
        let mut choices = list::choices(node, caller, organization).await?;
        choices.projects.retain(|choice| self.bounds.offer_project(&choice.id));
        Ok(choices)
    }

    /// The parts of a form for a new key.
    pub(super) fn for_new(&self, form: &mut KeyForm, choices: list::Choices) -> FormParts {
        let list::Choices { projects, are_some } = choices;
        let chosen = projects.iter().find(|choice| choice.id == form.project);
        let environments =
            chosen.map_or_else(|| all_environments(&projects), |choice| choice.environments.clone());
        FormParts { is_new: true, projects, environments, are_some, ..self.parts(form, None) }
    }

    /// The parts of a form for a key that exists.
    pub(super) fn for_change(&self, form: &mut KeyForm, key: &ApiKey) -> FormParts {
        // A change can't move the key.
        (form.project, form.environment) = (key.project.to_string(), key.environment.to_string());
        self.parts(form, Some(key.expires_at))
    }

    /// `kept` is the present end of a key that exists.
    fn parts(&self, form: &mut KeyForm, kept: Option<Option<Timestamp>>) -> FormParts {
        form.settle(&self.scopes);
        form.offer(&self.bounds, self.now);
        let latest = |seconds| When::new(self.now.plus(seconds), self.now);
        let owner_choice = |one: &MemberChoice| OwnerChoice {
            id: one.id.clone(),
            label: format!("{} ({})", one.name, one.email),
            is_chosen: one.id == form.owner,
        };
        let members: Vec<OwnerChoice> = self.members.iter().map(owner_choice).collect();
        let is_member = members.iter().any(|one| one.is_chosen);
        FormParts {
            is_new: false,
            projects: Vec::new(),
            environments: Vec::new(),
            are_some: false,
            ends: choices(kept, self.bounds.longest, self.now),
            latest: self.bounds.longest.map(latest),
            picker: Picker::new(&self.scopes, &form.picked),
            may_name_scopes: self.may_name_scopes,
            offers_query_only: self.bounds.offer_preset(Preset::QueryOnly),
            offers_full_access: self.bounds.offer_preset(Preset::FullAccess),
            offers_dpop: self.bounds.offers_dpop,
            offers_labels: self.bounds.offers_labels,
            members,
            typed_owner: if is_member { String::new() } else { form.owner.clone() },
            address: self.address.clone(),
            summary: self.summary(form, kept.flatten()),
        }
    }
}
