//! The tables `[[sign_in.groups]]`: groups at a provider, and the roles that they give.

use serde::{Deserialize, Serialize};

use super::word;
use crate::domain::member::{GroupMapping, GroupMappingError, Role};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::node::GroupSettings;

const MOST_MAPPINGS: usize = 200;

/// One group as it is written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupTable {
    group: String,
    organization: Option<String>,
    role: String,
    #[serde(default)]
    projects: Vec<String>,
}

/// The meaning of groups. `None` when no claim is named.
pub(super) fn settings(
    claim: Option<String>,
    tables: Vec<GroupTable>,
) -> Result<Option<GroupSettings>, String> {
    let Some(claim) = claim else {
        return match tables.is_empty() {
            true => Ok(None),
            false => Err("groups: need groups_claim, the claim of the ID token that lists them".into()),
        };
    };
    if !(1..=MOST_MAPPINGS).contains(&tables.len()) {
        return Err(format!("groups_claim: needs 1 to {MOST_MAPPINGS} tables [[sign_in.groups]]"));
    }
    let mappings = tables.into_iter().map(mapping).collect::<Result<Vec<_>, _>>()?;
    GroupMapping::check_together(&mappings).map_err(|error| format!("groups: {error}"))?;
    Ok(Some(GroupSettings { claim: word("groups_claim", claim)?, mappings }))
}

fn mapping(table: GroupTable) -> Result<GroupMapping, String> {
    let GroupTable { group, organization, role, projects } = table;
    let place = format!("group {group:?}");
    let read = || -> Result<GroupMapping, String> {
        let organization = organization.map(|id| id.parse::<OrganizationId>()).transpose();
        let organization = organization.map_err(|error| format!("organization: {error}"))?;
        let role: Role = role.parse().map_err(|error| format!("role: {error}"))?;
        let projects = projects.iter().map(|id| id.parse::<ProjectId>()).collect::<Result<Vec<_>, _>>();
        let projects = projects.map_err(|error| format!("projects: {error}"))?;
        GroupMapping::new(group, organization, role, projects)
            .map_err(|error: GroupMappingError| error.to_string())
    };
    read().map_err(|why| format!("{place}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(claim: Option<&str>, tables: &str) -> Result<Option<GroupSettings>, String> {
        #[derive(Deserialize)]
        struct Written {
            #[serde(default)]
            groups: Vec<GroupTable>,
        }
        let written: Written = toml::from_str(tables).map_err(|error| error.message().to_owned())?;
        settings(claim.map(str::to_owned), written.groups)
    }

    #[test]
    fn a_table_gives_a_role() {
        let text = r#"
            [[groups]]
            group = "claviger-admins"
            organization = "acme"
            role = "admin"
            [[groups]]
            group = "web"
            organization = "acme"
            role = "developer"
            projects = ["web", "docs"]
            [[groups]]
            group = "ops"
            role = "operator"
        "#;
        let settings = read(Some("groups"), text).unwrap().unwrap();
        let groups: Vec<_> = settings.mappings.iter().map(GroupMapping::group).collect();
        assert_eq!((&*settings.claim, &groups[..]), ("groups", &["claviger-admins", "web", "ops"][..]));
        assert_eq!(settings.mappings[1].projects().len(), 2);
        assert!(settings.mappings[2].organization().is_none());
        assert!(read(None, "").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_names_the_group() {
        let good = "[[groups]]\ngroup = \"a\"\norganization = \"acme\"\nrole = \"admin\"\n";
        assert!(read(Some("groups"), good).is_ok());
        for (from, to, why) in [
            ("\"a\"", "\"\"", "group \"\": group: must be one line of 1 to 256 bytes"),
            ("\"acme\"", "\"A c\"", "group \"a\": organization: an id must have"),
            ("\"admin\"", "\"boss\"", "group \"a\": role: the role must be owner"),
            (
                "\"admin\"",
                "\"operator\"",
                "group \"a\": role: must be owner, admin, developer or auditor in an",
            ),
            (
                "organization = \"acme\"",
                "",
                "group \"a\": role: must be owner, admin, developer or auditor in an",
            ),
            ("\"admin\"", "\"developer\"", "group \"a\": projects: a developer needs 1 to 50"),
            ("\"admin\"", "\"admin\"\nprojects = [\"web\"]", "other roles have none"),
            ("\"admin\"", "\"developer\"\nprojects = [\"W\"]", "group \"a\": projects: an id must have"),
            ("role =", "rule =", "unknown field"),
        ] {
            let error = read(Some("groups"), &good.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(read(None, good).unwrap_err().contains("need groups_claim"));
        assert!(read(Some("groups"), "").unwrap_err().contains("needs 1 to 200 tables"));
        assert!(read(Some("two words"), good).unwrap_err().contains("groups_claim: must have"));
        assert!(read(Some("groups"), &good.repeat(201)).unwrap_err().contains("needs 1 to 200 tables"));
    }
}
