//! Members as the management API shows them.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Member, Role};
use crate::base::clock::Timestamp;
use crate::domain::names::{OrganizationId, ProjectId};

/// A member, as it serializes in the management API.
#[derive(Clone, Debug, Serialize)]
pub struct MemberView<'m> {
    id: String,
    organization: Option<&'m OrganizationId>,
    email: &'m str,
    name: &'m str,
    role: Role,
    projects: &'m [ProjectId],
    status: &'static str,
    provider: &'m str,
    source: &'static str,
    created_at: Timestamp,
    created_by: &'m str,
    created_by_name: Option<&'m str>,
    last_seen_at: Option<Timestamp>,
    invitation_expires_at: Option<Timestamp>,
}

impl Member {
    /// The member as the management API shows it at `now`.
    pub fn view(&self, now: Timestamp) -> MemberView<'_> {
        MemberView {
            id: self.id.to_string(),
            organization: self.organization.as_ref(),
            email: &self.email,
            name: &self.name,
            role: self.role,
            projects: &self.projects,
            status: self.status(now).as_str(),
            provider: &self.provider,
            source: self.source.as_str(),
            created_at: self.created_at,
            created_by: &self.created_by.id,
            created_by_name: self.created_by.name.as_deref(),
            last_seen_at: self.last_seen_at,
            invitation_expires_at: self.invitation_expires_at,
        }
    }

    /// The member as the audit trail shows it: without the e-mail address, because whoever reads the trail may not read
    /// members. The deployment's members have no name there for the same reason.
    pub fn recorded(&self, now: Timestamp) -> Value {
        let mut recorded = json!({
            "id": self.id.to_string(),
            "role": self.role,
            "projects": self.projects,
            "status": self.status(now).as_str(),
            "provider": self.provider,
        });
        if self.organization.is_some() {
            recorded["name"] = self.name.as_str().into();
        }
        recorded
    }
}
