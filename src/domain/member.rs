//! Members: people who act in the console of an organization, or in that of the whole deployment.

mod email;
mod groups;
mod role;
mod view;

use std::fmt;
use std::str::FromStr;

pub use email::{EmailAddress, EmailError};
pub use groups::{GivenRole, GivenRoles, GroupMapping, GroupMappingError, given_by};
pub use role::{Role, RoleError};
pub use view::MemberView;

use crate::base::clock::Timestamp;
use crate::domain::key::Creator;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::MemberId;
use crate::domain::scope::Scopes;

/// A member of one organization, or of the deployment. A person who is a member of two organizations is two of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id. It never changes.
    pub id: MemberId,
    /// The organization; `None` for a member of the deployment. It never changes.
    pub organization: Option<OrganizationId>,
    /// The name of the provider where the member signs in.
    pub provider: String,
    /// Who the member is at the provider. `None` until the first sign-in.
    pub identity: Option<ProviderIdentity>,
    /// The address of the invitation, or the one that the provider had verified when a group made the person a member.
    /// Empty if there was none, and once the member is removed.
    pub email: String,
    /// The name that people use.
    pub name: String,
    /// What the member may do.
    pub role: Role,
    /// The projects of a developer. Members with other roles have none.
    pub projects: Vec<ProjectId>,
    /// How often the member lost rights by a change of role or projects.
    pub generation: i64,
    /// Where the membership comes from.
    pub source: MemberSource,
    /// When the member was invited.
    pub created_at: Timestamp,
    /// Who invited the member.
    pub created_by: Creator,
    /// When the member was last active in the console, to within a minute.
    pub last_seen_at: Option<Timestamp>,
    /// When the member was removed.
    pub removed_at: Option<Timestamp>,
    /// When the open invitation ends. `None` when there is none.
    pub invitation_expires_at: Option<Timestamp>,
}

/// A person, as an OpenID provider names them. A pair of these is unique for ever; an e-mail address is not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProviderIdentity {
    /// The `iss` of the provider.
    pub issuer: String,
    /// The `sub` of the person there.
    pub subject: String,
}

/// Where a membership comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberSource {
    /// Somebody invited the member.
    Invitation,
    /// A group at the provider made the person a member.
    Groups,
}

/// What has become of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStatus {
    /// The member has not signed in yet.
    Invited,
    /// The invitation ended before the member signed in.
    Expired,
    /// The member may sign in.
    Active,
    /// The member was removed.
    Removed,
}

impl Member {
    /// The most members of one organization, and of the deployment.
    pub const MAX_COUNT: usize = 1_000;

    /// The most projects of one developer.
    pub const MAX_PROJECTS: usize = 50;

    /// How long an invitation can be accepted, in seconds: seven days.
    pub const INVITATION_SECONDS: i64 = 7 * 86_400;

    /// The member's status at `now`.
    pub fn status(&self, now: Timestamp) -> MemberStatus {
        if self.removed_at.is_some() {
            MemberStatus::Removed
        } else if self.identity.is_some() {
            MemberStatus::Active
        } else if self.invitation_expires_at.is_some_and(|end| now < end) {
            MemberStatus::Invited
        } else {
            MemberStatus::Expired
        }
    }

    /// Whether the member may act in the console.
    pub fn is_active(&self) -> bool {
        self.removed_at.is_none() && self.identity.is_some()
    }

    /// The member with another role and its projects. The generation grows if that takes any right away.
    pub fn with_role(&self, role: Role, projects: Vec<ProjectId>) -> Self {
        let after = Self { role, projects, ..self.clone() };
        let is_narrowed = !after.scopes().covers_all(&self.scopes());
        Self { generation: self.generation + i64::from(is_narrowed), ..after }
    }

    /// Everything that the member may do.
    pub fn scopes(&self) -> Scopes {
        self.role.scopes(self.organization.as_ref(), &self.projects)
    }
}

impl MemberStatus {
    /// The status as text: `invited`, `expired`, `active` or `removed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Expired => "expired",
            Self::Active => "active",
            Self::Removed => "removed",
        }
    }
}

impl MemberSource {
    /// The source as text: `invitation` or `groups`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Groups => "groups",
        }
    }
}

impl fmt::Display for MemberSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the source of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source must be invitation or groups")]
pub struct MemberSourceError;

impl FromStr for MemberSource {
    type Err = MemberSourceError;

    fn from_str(text: &str) -> Result<Self, MemberSourceError> {
        [Self::Invitation, Self::Groups]
            .into_iter()
            .find(|source| source.as_str() == text)
            .ok_or(MemberSourceError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::Entropy;

    #[test]
    fn a_member_is_invited_until_the_invitation_ends_and_active_after_a_sign_in() {
        let now = Timestamp::from_unix(1_000);
        let mut member = Member {
            id: MemberId::generate(&Entropy::scripted(0..8)).unwrap(),
            organization: None,
            provider: "sso".into(),
            identity: None,
            email: "someone@example.com".into(),
            name: "Someone".into(),
            role: Role::Operator,
            projects: Vec::new(),
            generation: 0,
            source: MemberSource::Invitation,
            created_at: now,
            created_by: Creator::default(),
            last_seen_at: None,
            removed_at: None,
            invitation_expires_at: Some(now.plus(60)),
        };
        assert_eq!(member.status(now), MemberStatus::Invited);
        assert_eq!(member.status(now.plus(60)), MemberStatus::Expired);
        member.identity = Some(ProviderIdentity { issuer: "https://sso".into(), subject: "1".into() });
        assert_eq!(member.status(now.plus(60)), MemberStatus::Active);
        member.removed_at = Some(now);
        assert_eq!(member.status(now), MemberStatus::Removed);
        assert!(!member.is_active());
    }
}
