//! Roles, which are names for sets of scopes.

use std::fmt;
use std::str::FromStr;

use crate::base::text::serde_as_text;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::scope::{Action, Filter, Scope, Scopes};

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything in the organization, its members too.
    Owner,
    /// Projects, keys, trusted issuers and the scopes to choose from.
    Admin,
    /// The keys of some projects.
    Developer,
    /// Reads everything in the organization.
    Auditor,
    /// Everything in the deployment. Only its members have this role, and they have no other.
    Operator,
}

/// The text is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the role must be owner, admin, developer, auditor or operator")]
pub struct RoleError;

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Admin, Self::Developer, Self::Auditor, Self::Operator];

    /// The roles that members of an organization can have.
    pub const OF_ORGANIZATIONS: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Auditor];

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
        }
    }

    /// Whether members of the deployment have this role, and not those of organizations.
    pub const fn is_of_deployment(self) -> bool {
        matches!(self, Self::Operator)
    }

    /// The scopes of this role in `organization`. A developer has rights to keys of `projects` alone; other roles ignore
    /// them. A role that does not fit its place has no scopes.
    pub fn scopes(self, organization: Option<&OrganizationId>, projects: &[ProjectId]) -> Scopes {
        let listed = match (self, organization) {
            (Self::Operator, None) => vec![scope(Action::Any, &["**"])],
            (Self::Operator, Some(_)) | (_, None) => Vec::new(),
            (Self::Owner, Some(organization)) => owner(organization.as_str()),
            (Self::Admin, Some(organization)) => admin(organization.as_str()),
            (Self::Developer, Some(organization)) => developer(organization.as_str(), projects),
            (Self::Auditor, Some(organization)) => auditor(organization.as_str()),
        };
        listed.into_iter().flatten().collect()
    }
}

/// `admin` on the organization itself is not among these: it decides about audiences, which are the deployment's.
fn owner(org: &str) -> Vec<Option<Scope>> {
    vec![
        scope(Action::Read, &["orgs", org]),
        scope(Action::Any, &["orgs", org, "**"]),
        scope(Action::Any, &["members", org, "**"]),
    ]
}

fn admin(org: &str) -> Vec<Option<Scope>> {
    vec![
        scope(Action::Read, &["orgs", org]),
        scope(Action::Any, &["orgs", org, "projects", "**"]),
        scope(Action::Any, &["orgs", org, "issuers", "**"]),
        scope(Action::Any, &["orgs", org, "scopes"]),
        scope(Action::Any, &["orgs", org, "scopes", "**"]),
        scope(Action::Read, &["orgs", org, "usage"]),
        scope(Action::Read, &["orgs", org, "audit"]),
        scope(Action::Write, &["orgs", org, "portal-sessions"]),
    ]
}

fn developer(org: &str, projects: &[ProjectId]) -> Vec<Option<Scope>> {
    let reads = [&["orgs", org][..], &["orgs", org, "scopes"], &["orgs", org, "scopes", "**"]];
    let of_project = |project: &ProjectId| {
        let path = ["orgs", org, "projects", project.as_str()];
        [scope(Action::Read, &path), scope(Action::Any, &[&path[..], &["keys", "**"]].concat())]
    };
    let reads = reads.into_iter().map(|path| scope(Action::Read, path));
    reads.chain(projects.iter().flat_map(of_project)).collect()
}

fn auditor(org: &str) -> Vec<Option<Scope>> {
    vec![
        scope(Action::Read, &["orgs", org]),
        scope(Action::Read, &["orgs", org, "**"]),
        scope(Action::Read, &["members", org, "**"]),
    ]
}

/// A scope under `claviger/`. Ids are literals, so there always is one.
fn scope(action: Action, path: &[&str]) -> Option<Scope> {
    Filter::reserved(path).ok().map(|filter| Scope::new(action, filter))
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

serde_as_text!(Role);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_owner_covers_every_role_of_the_organization_and_an_operator_covers_all(
            org in "[a-z][a-z0-9-]{0,62}",
            projects in proptest::collection::vec("[a-z][a-z0-9-]{0,62}", 0..5),
        ) {
            let org: OrganizationId = org.parse().unwrap();
            let other: OrganizationId = "another".parse().unwrap();
            let projects: Vec<ProjectId> = projects.iter().map(|id| id.parse().unwrap()).collect();
            let owner = Role::Owner.scopes(Some(&org), &[]);
            let operator = Role::Operator.scopes(None, &[]);
            for role in Role::OF_ORGANIZATIONS {
                let scopes = role.scopes(Some(&org), &projects);
                prop_assert!(!scopes.is_empty());
                prop_assert!(owner.covers_all(&scopes), "{role}");
                prop_assert!(operator.covers_all(&scopes), "{role}");
                prop_assert!(scopes.iter().all(Scope::is_reserved));
                prop_assert!(org == other || !scopes.iter().any(|scope| owner_of(&other).covers(scope)), "{role}");
            }
        }
    }

    fn owner_of(org: &OrganizationId) -> Scopes {
        Role::Owner.scopes(Some(org), &[])
    }

    #[test]
    fn a_role_that_does_not_fit_its_place_may_do_nothing() {
        let org: OrganizationId = "acme".parse().unwrap();
        assert!(Role::Operator.scopes(Some(&org), &[]).is_empty());
        for role in Role::OF_ORGANIZATIONS {
            assert!(role.scopes(None, &[]).is_empty(), "{role}");
        }
    }

    #[test]
    fn only_owners_reach_members_and_auditors_only_read() {
        let org: OrganizationId = "acme".parse().unwrap();
        let member: Scope = "write:claviger/members/acme/usr_0123456789abcdef".parse().unwrap();
        let covers = |role: Role| role.scopes(Some(&org), &["web".parse().unwrap()]).covers(&member);
        assert_eq!(Role::OF_ORGANIZATIONS.map(covers), [true, false, false, false]);
        let auditor = Role::Auditor.scopes(Some(&org), &[]);
        assert!(auditor.iter().all(|scope| scope.action() == Action::Read));
    }
}
