//! The projects of a developer, as boxes to tick.

use std::sync::Arc;

use super::form::MemberForm;
use crate::domain::names::OrganizationId;
use crate::domain::tenant::Project;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, PageRequest, projects};

/// The most boxes.
const MOST: u16 = 50;

/// What the form offers as projects.
#[derive(Debug, Default)]
pub(super) struct ProjectPicker {
    /// The newest projects that the visitor can read, by name.
    pub(super) boxes: Vec<ProjectBox>,
    /// Whether there are more.
    pub(super) are_some: bool,
    /// The ids in the form that have no box, with spaces between.
    pub(super) others: String,
}

/// A project to tick.
#[derive(Debug)]
pub(super) struct ProjectBox {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_ticked: bool,
}

impl ProjectPicker {
    /// The boxes for a form. The deployment has no projects.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn read(
        node: &Arc<Node>,
        caller: &Caller,
        organization: Option<&OrganizationId>,
        form: &MemberForm,
    ) -> Result<Self, ApiError> {
        let Some(organization) = organization else { return Ok(Self::default()) };
        let request = PageRequest { limit: MOST, cursor: None };
        let (found, next) = projects::list(&node.records, caller, organization, request).await?;
        Ok(Self::new(&found, next.is_some(), form))
    }

    fn new(found: &[Project], are_some: bool, form: &MemberForm) -> Self {
        let ticked = |project: &Project| ProjectBox {
            id: project.id.to_string(),
            name: project.name.clone(),
            is_ticked: form.projects.iter().any(|id| id == project.id.as_str()),
        };
        let mut boxes: Vec<ProjectBox> = found.iter().map(ticked).collect();
        boxes.sort_by_cached_key(|one| (one.name.to_lowercase(), one.id.clone()));
        let has_box = |id: &&String| boxes.iter().any(|one| one.id == **id);
        let others: Vec<_> = form.projects.iter().filter(|id| !has_box(id)).map(String::as_str).collect();
        Self { are_some, others: others.join(" "), boxes }
    }

    /// Whether the form also has a field for ids.
    pub(super) fn takes_others(&self) -> bool {
        self.are_some || self.boxes.is_empty() || !self.others.is_empty()
    }
}
