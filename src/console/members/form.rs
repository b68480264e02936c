//! The form of a member.

use serde_json::json;

use crate::base::text::without_values;
use crate::console::fields::Fields;
use crate::domain::member::{Member, Role};
use crate::domain::names::ProjectId;
use crate::use_cases::management::members::{MemberPatch, NewMemberRequest};
use crate::use_cases::management::{ApiError, InvalidRequest};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct MemberForm {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) projects: String,
    pub(super) provider: String,
}

impl MemberForm {
    /// The input of a submitted form.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            email: text("email"),
            name: text("name"),
            role: text("role"),
            projects: text("projects"),
            provider: text("provider"),
        }
    }

    /// The form that shows a member.
    pub(super) fn of(member: &Member) -> Self {
        let projects: Vec<_> = member.projects.iter().map(ProjectId::as_str).collect();
        Self {
            name: member.name.clone(),
            role: member.role.to_string(),
            projects: projects.join(" "),
            ..Self::default()
        }
    }

    /// Whether this role is selected.
    pub(super) fn has_role(&self, role: &Role) -> bool {
        self.role == role.as_str()
    }

    /// The invitation that the form describes.
    pub(super) fn new_member(&self) -> Result<NewMemberRequest, ApiError> {
        let mut body = json!({ "email": self.email.trim(), "role": self.role, "projects": self.projects() });
        for (name, value) in [("name", &self.name), ("provider", &self.provider)] {
            if !value.is_empty() {
                body[name] = value.as_str().into();
            }
        }
        serde_json::from_value(body).map_err(malformed)
    }

    /// The change that the form describes.
    pub(super) fn patch(&self) -> Result<MemberPatch, ApiError> {
        let body = json!({ "name": self.name, "role": self.role, "projects": self.projects() });
        serde_json::from_value(body).map_err(malformed)
    }

    /// The ids of the projects. Only a developer has any, so what is left in the field of another role counts for nothing.
    fn projects(&self) -> Vec<&str> {
        let is_separator = |c: char| c.is_whitespace() || c == ',';
        let ids = self.projects.split(is_separator).filter(|id| !id.is_empty());
        if self.has_role(&Role::Developer) { ids.collect() } else { Vec::new() }
    }
}

fn malformed(error: serde_json::Error) -> ApiError {
    InvalidRequest::FormMembers(without_values(&error.to_string())).into()
}
