//! What the form of a member edits, as the form carries it, and the review of a change to that.

use serde::{Deserialize, Serialize};

use crate::console::review::{Item, Review};
use crate::domain::member::Member;
use crate::domain::names::ProjectId;

/// The members of a member that its form edits.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct MemberFace {
    name: String,
    role: String,
    projects: Vec<String>,
}

impl MemberFace {
    pub(super) fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            role: member.role.to_string(),
            projects: member.projects.iter().map(ProjectId::to_string).collect(),
        }
    }

    /// The text that a form carries.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a form has carried. What is no such text stands for a member without any of it.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What changes if `self` becomes `after`, in the order of the form.
    pub(super) fn review(&self, after: &Self) -> Review {
        let mut review = Review::default();
        let text = |value: &String| Item::Text(value.clone());
        review.exchange("Name", (&self.name, &after.name), text);
        review.exchange("Role", (&self.role, &after.role), text);
        review.list("Projects", (&self.projects, &after.projects), text);
        review
    }
}
