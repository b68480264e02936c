//! The form of a member.

use serde_json::json;

use crate::console::fields::Fields;
use crate::console::wrong::malformed;
use crate::domain::member::{Member, Role};
use crate::use_cases::management::ApiError;
use crate::use_cases::management::members::{MemberPatch, NewMemberRequest};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct MemberForm {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) role: String,
    /// The ids of a developer's projects, ticked and typed.
    pub(super) projects: Vec<String>,
    pub(super) provider: String,
}

impl MemberForm {
    /// The input of a submitted form.
    pub(super) fn sent(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        let is_separator = |c: char| c.is_whitespace() || c == ',';
        let typed = fields.text("projects").split(is_separator).filter(|id| !id.is_empty());
        Self {
            email: text("email"),
            name: text("name"),
            role: text("role"),
            projects: fields.all("project").chain(typed).map(str::to_owned).collect(),
            provider: text("provider"),
        }
    }

    /// The form that shows a member.
    pub(super) fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            role: member.role.to_string(),
            projects: member.projects.iter().map(ToString::to_string).collect(),
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

    /// The ids of the projects. Only a developer has any, so what is left in the fields of another role counts for nothing.
    fn projects(&self) -> &[String] {
        if self.has_role(&Role::Developer) { &self.projects } else { &[] }
    }
}
