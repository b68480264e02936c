//! Groups at an OpenID provider, and the roles that they give.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Member, Role};
use crate::domain::names::{OrganizationId, ProjectId};

/// A group at a provider, and the role that its people have in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMapping {
    group: String,
    organization: Option<OrganizationId>,
    given: GivenRole,
}

/// A role that groups give, with the projects of a developer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenRole {
    /// What the member may do.
    pub role: Role,
    /// The projects of a developer, in order, each once. Members with other roles have none.
    pub projects: Vec<ProjectId>,
}

/// The roles of a person by their place. `None` is the deployment.
pub type GivenRoles = BTreeMap<Option<OrganizationId>, GivenRole>;

/// Why a mapping is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupMappingError {
    /// The group has no name, or one that no claim can have.
    #[error("group: must be one line of 1 to {} bytes", GroupMapping::LONGEST_GROUP)]
    Group,
    /// The role is for another place.
    #[error(
        "role: must be owner, admin, developer or auditor in an organization; operator is for the deployment"
    )]
    RoleOfOtherPlace,
    /// A developer has no project or too many, or somebody else has one.
    #[error("projects: a developer needs 1 to {}; other roles have none", Member::MAX_PROJECTS)]
    Projects,
    /// The developers of an organization could have too many projects together.
    #[error(
        "projects: all groups together give developers more than {} in one organization",
        Member::MAX_PROJECTS
    )]
    ProjectsTogether,
}

impl GroupMapping {
    /// The longest name of a group, in bytes.
    pub const LONGEST_GROUP: usize = 256;

    /// A mapping whose role fits its place.
    ///
    /// # Errors
    /// [`GroupMappingError`].
    pub fn new(
        group: String,
        organization: Option<OrganizationId>,
        role: Role,
        mut projects: Vec<ProjectId>,
    ) -> Result<Self, GroupMappingError> {
        let is_line = !group.trim().is_empty() && !group.chars().any(char::is_control);
        if !is_line || group.len() > Self::LONGEST_GROUP {
            return Err(GroupMappingError::Group);
        }
        if role.is_of_deployment() != organization.is_none() {
            return Err(GroupMappingError::RoleOfOtherPlace);
        }
        projects.sort();
        projects.dedup();
        let fits = if role == Role::Developer { 1..=Member::MAX_PROJECTS } else { 0..=0 };
        if !fits.contains(&projects.len()) {
            return Err(GroupMappingError::Projects);
        }
        Ok(Self { group, organization, given: GivenRole { role, projects } })
    }

    /// The group at the provider. Upper and lower case differ.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The organization; `None` for the deployment.
    pub fn organization(&self) -> Option<&OrganizationId> {
        self.organization.as_ref()
    }

    /// The projects of a developer.
    pub fn projects(&self) -> &[ProjectId] {
        &self.given.projects
    }

    /// Checks that no combination of groups gives a developer too many projects.
    ///
    /// # Errors
    /// [`GroupMappingError::ProjectsTogether`].
    pub fn check_together(mappings: &[Self]) -> Result<(), GroupMappingError> {
        let mut together = BTreeMap::<_, GivenRole>::new();
        for mapping in mappings.iter().filter(|mapping| mapping.given.role == Role::Developer) {
            let given = together.entry(&mapping.organization).or_insert_with(|| mapping.given.clone());
            given.add(&mapping.given);
            if given.projects.len() > Member::MAX_PROJECTS {
                return Err(GroupMappingError::ProjectsTogether);
            }
        }
        Ok(())
    }
}

impl GivenRole {
    /// Adds another role in the same place. The stronger one counts: owner, then admin, developer and auditor. Two
    /// developers have the projects of both.
    fn add(&mut self, other: &Self) {
        if other.role < self.role {
            self.clone_from(other);
        } else if other.role == self.role {
            self.projects.extend(other.projects.iter().cloned());
            self.projects.sort();
            self.projects.dedup();
        }
    }
}

/// What these mappings give to somebody in these groups.
pub fn given_by<'m>(mappings: impl IntoIterator<Item = &'m GroupMapping>, groups: &[String]) -> GivenRoles {
    let mut roles = GivenRoles::new();
    let is_in = |mapping: &&GroupMapping| groups.contains(&mapping.group);
    for mapping in mappings.into_iter().filter(is_in) {
        match roles.entry(mapping.organization.clone()) {
            Entry::Vacant(place) => drop(place.insert(mapping.given.clone())),
            Entry::Occupied(mut place) => place.get_mut().add(&mapping.given),
        }
    }
    roles
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mapping(group: &str, organization: &str, role: Role, projects: &[&str]) -> GroupMapping {
        let organization = (!organization.is_empty()).then(|| organization.parse().unwrap());
        let projects = projects.iter().map(|id| id.parse().unwrap()).collect();
        GroupMapping::new(group.into(), organization, role, projects).unwrap()
    }

    fn given(mappings: &[GroupMapping], groups: &[&str]) -> Vec<String> {
        let groups: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
        let line = |(place, given): (&Option<OrganizationId>, &GivenRole)| {
            let place = place.as_ref().map_or("deployment", OrganizationId::as_str);
            let projects: Vec<_> = given.projects.iter().map(ProjectId::as_str).collect();
            format!("{place} {} {}", given.role, projects.join(",")).trim_end().to_owned()
        };
        given_by(mappings, &groups).iter().map(line).collect()
    }

    #[test]
    fn the_strongest_role_counts_and_developers_have_all_projects() {
        let all = [
            mapping("readers", "acme", Role::Auditor, &[]),
            mapping("web", "acme", Role::Developer, &["web", "docs"]),
            mapping("app", "acme", Role::Developer, &["app", "web"]),
            mapping("admins", "acme", Role::Admin, &[]),
            mapping("owners", "acme", Role::Owner, &[]),
            mapping("admins", "globex", Role::Auditor, &[]),
            mapping("ops", "", Role::Operator, &[]),
        ];
        for (groups, expected) in [
            (&["nobody"][..], &[][..]),
            (&["readers"], &["acme auditor"]),
            (&["readers", "web"], &["acme developer docs,web"]),
            (&["app", "web", "readers"], &["acme developer app,docs,web"]),
            (&["web", "admins"], &["acme admin", "globex auditor"]),
            (&["admins", "owners", "ops"], &["deployment operator", "acme owner", "globex auditor"]),
            (&["Admins", "OWNERS", "admins "], &[]),
        ] {
            assert_eq!(given(&all, groups), expected, "{groups:?}");
        }
    }

    #[test]
    fn a_mapping_fits_its_place() {
        use GroupMappingError as E;
        let org = || Some("acme".parse().unwrap());
        let projects = |count: usize| (0..count).map(|n| format!("p{n}").parse().unwrap()).collect();
        let new = GroupMapping::new;
        for (made, why) in [
            (new(" ".into(), org(), Role::Admin, projects(0)), E::Group),
            (new("a\nb".into(), org(), Role::Admin, projects(0)), E::Group),
            (new("a".repeat(257), org(), Role::Admin, projects(0)), E::Group),
            (new("a".into(), org(), Role::Operator, projects(0)), E::RoleOfOtherPlace),
            (new("a".into(), None, Role::Owner, projects(0)), E::RoleOfOtherPlace),
            (new("a".into(), org(), Role::Developer, projects(0)), E::Projects),
            (new("a".into(), org(), Role::Developer, projects(51)), E::Projects),
            (new("a".into(), org(), Role::Auditor, projects(1)), E::Projects),
        ] {
            assert_eq!(made, Err(why));
        }
        let many = new("a".into(), org(), Role::Developer, projects(50)).unwrap();
        let other = mapping("b", "acme", Role::Developer, &["another"]);
        let elsewhere = mapping("b", "globex", Role::Developer, &["another"]);
        assert_eq!(GroupMapping::check_together(&[many.clone(), elsewhere]), Ok(()));
        assert_eq!(GroupMapping::check_together(&[many, other]), Err(E::ProjectsTogether));
    }

    proptest! {
        #[test]
        fn the_order_of_groups_and_mappings_does_not_matter(
            chosen in prop::collection::vec((0usize..4, 0usize..4), 0..12),
            groups in prop::collection::vec(0usize..4, 0..4),
        ) {
            let names = ["a", "b", "c", "d"];
            let made = |&(group, role): &(usize, usize)| {
                let role = Role::OF_ORGANIZATIONS[role];
                let projects: &[&str] = if role == Role::Developer { &names[group..=group] } else { &[] };
                mapping(names[group], "acme", role, projects)
            };
            let mut mappings: Vec<_> = chosen.iter().map(made).collect();
            let mut groups: Vec<_> = groups.iter().map(|&group| names[group]).collect();
            let forwards = given(&mappings, &groups);
            mappings.reverse();
            groups.reverse();
            prop_assert_eq!(forwards, given(&mappings, &groups));
        }
    }
}
