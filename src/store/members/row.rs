//! A member's row.

use crate::base::clock::Timestamp;
use crate::domain::key::Creator;
use crate::domain::member::{Member, ProviderIdentity};
use crate::domain::names::ProjectId;
use crate::store::StoreError;
use crate::store::db::row;
use crate::store::error::read;

row! {
    pub(super) struct MemberRow {
        id: String,
        created_seq: i64,
        organization: Option<String>,
        provider: String,
        issuer: Option<String>,
        subject: Option<String>,
        email: String,
        name: String,
        role: String,
        projects: String,
        generation: i64,
        source: String,
        created_at: i64,
        created_by: String,
        created_by_name: Option<String>,
        last_seen_at: Option<i64>,
        removed_at: Option<i64>,
        invitation_expires_at: Option<i64>,
    }
}

/// The beginning of a selection of members, up to its condition.
macro_rules! select_members {
    () => {
        "SELECT id, created_seq, organization, provider, issuer, subject, email, name, role, projects, generation, source,
                created_at, created_by, created_by_name, last_seen_at, removed_at, invitation_expires_at
         FROM members WHERE "
    };
}
pub(super) use select_members;

/// The projects of a developer, as the store has them.
pub(super) fn projects_text(projects: &[ProjectId]) -> String {
    let ids: Vec<&str> = projects.iter().map(ProjectId::as_str).collect();
    ids.join(" ")
}

impl MemberRow {
    /// The number of the change that created the member.
    pub(super) fn position(&self) -> i64 {
        self.created_seq
    }
}

impl TryFrom<MemberRow> for Member {
    type Error = StoreError;

    fn try_from(row: MemberRow) -> Result<Self, StoreError> {
        let identity =
            row.issuer.zip(row.subject).map(|(issuer, subject)| ProviderIdentity { issuer, subject });
        Ok(Self {
            id: read("member", &row.id)?,
            organization: row.organization.as_deref().map(|id| read("organization", id)).transpose()?,
            provider: row.provider,
            identity,
            email: row.email,
            name: row.name,
            role: read("role", &row.role)?,
            projects: row
                .projects
                .split_whitespace()
                .map(|id| read("project", id))
                .collect::<Result<_, _>>()?,
            generation: row.generation,
            source: read("source of a member", &row.source)?,
            created_at: Timestamp::from_unix(row.created_at),
            created_by: Creator { id: row.created_by, name: row.created_by_name },
            last_seen_at: row.last_seen_at.map(Timestamp::from_unix),
            removed_at: row.removed_at.map(Timestamp::from_unix),
            invitation_expires_at: row.invitation_expires_at.map(Timestamp::from_unix),
        })
    }
}
