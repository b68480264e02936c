//! Who is responsible for a key: a member, whom those see by name who may read members, or somebody in free text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::console::named::Copied;
use crate::domain::key::Owner;
use crate::domain::member::Member;
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::node::Node;
use crate::store::Visible;
use crate::use_cases::access::{Caller, visible_members};
use crate::use_cases::management::members::{self, Standing};
use crate::use_cases::management::{ApiError, PageRequest};

/// The most members that a form offers as owners. For others, the visitor types the id.
const MOST: u16 = 200;

/// The owners of keys who are members, as far as the visitor may know about them.
#[derive(Debug, Default)]
pub(in crate::console) struct Owners {
    /// The console's path.
    base: String,
    known: BTreeMap<MemberId, Standing>,
}

/// An owner as a page shows it.
#[derive(Debug)]
pub(in crate::console) enum OwnerShown {
    Text(String),
    /// A member, with the path of their page.
    Member {
        name: String,
        href: String,
        id: Copied,
    },
    /// An id that is no member's any more.
    Removed(Copied),
    /// A member's id, of whom the visitor may know nothing more.
    Id(Copied),
}

/// A member whom a form offers as the owner.
#[derive(Debug)]
pub(super) struct MemberChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
}

impl Owners {
    /// What the visitor may know about these owners. It asks the store once, and not at all without a member among them.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn read<'o>(
        node: &Arc<Node>,
        caller: &Caller,
        (base, organization): (&str, &OrganizationId),
        owners: impl IntoIterator<Item = &'o Owner>,
    ) -> Result<Self, ApiError> {
        let ids = owners.into_iter().filter_map(|owner| owner.as_str().parse().ok());
        let known = members::standings(&node.records, caller, organization, ids.collect()).await?;
        Ok(Self { base: base.to_owned(), known })
    }

    /// The owner as a page shows it.
    pub(super) fn shown(&self, owner: &Owner) -> OwnerShown {
        let Ok(id) = owner.as_str().parse::<MemberId>() else { return OwnerShown::Text(owner.to_string()) };
        match self.known.get(&id) {
            Some(Standing::Member { name, organization }) => {
                let place = organization.as_ref().map(|id| format!("/orgs/{id}")).unwrap_or_default();
                let href = format!("{}{place}/members/{id}", self.base);
                OwnerShown::Member { name: name.clone(), href, id: Copied::new(id) }
            }
            Some(Standing::Gone) => OwnerShown::Removed(Copied::new(id)),
            None => OwnerShown::Id(Copied::new(id)),
        }
    }
}

impl MemberChoice {
    /// The newest members of the organization that the visitor may read, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn all(
        node: &Arc<Node>,
        caller: &Caller,
        organization: &OrganizationId,
    ) -> Result<Vec<Self>, ApiError> {
        if visible_members(caller, Some(organization)) == Visible::Only(Vec::new()) {
            return Ok(Vec::new());
        }
        let page = PageRequest { limit: MOST, cursor: None };
        let (found, _) = members::list(&node.records, caller, Some(organization), page).await?;
        let choice = |member: &Member| Self {
            id: member.id.to_string(),
            name: member.name.clone(),
            email: member.email.clone(),
        };
        let mut choices: Vec<Self> = found.iter().map(choice).collect();
        choices.sort_by_cached_key(|one| (one.name.to_lowercase(), one.email.clone()));
        Ok(choices)
    }

    /// The name of the member with this id, if it is one of `choices`.
    pub(super) fn name_in<'c>(choices: &'c [Self], id: &str) -> Option<&'c str> {
        choices.iter().find(|one| one.id == id).map(|one| one.name.as_str())
    }
}
