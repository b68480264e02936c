//! Makes, changes and ends memberships as the groups of somebody who signs in say.
//!
//! Only memberships that groups at the same provider made are changed. One by invitation stays as it is, and whom somebody
//! removed stays out until somebody invites them again.

use super::SignInRefusal;
use crate::domain::address::Origin;
use crate::domain::audit::{Actor, Who};
use crate::domain::key::{Creator, labels};
use crate::domain::member::{EmailAddress, GivenRole, GivenRoles, Member, MemberSource, Role, given_by};
use crate::domain::names::OrganizationId;
use crate::domain::person::MemberId;
use crate::node::{Node, Person, ProviderSettings};
use crate::store::{PastMembership, Places, Write};
use crate::use_cases::management::members::{is_last_owner, record};

/// Why somebody whom groups would make a member is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotJoined {
    /// Somebody removed them.
    pub was_removed: bool,
    /// The place has as many members as it may.
    pub is_full: bool,
}

/// What there is, and what the groups give.
struct Standing {
    /// Active memberships, everywhere.
    active: Vec<Member>,
    past: Vec<PastMembership>,
    given: GivenRoles,
}

/// What has to change.
enum Step {
    Join(Option<OrganizationId>, GivenRole, Option<MemberId>),
    Change(Member, GivenRole),
    End(Member),
}

/// Makes the memberships of somebody who signed in those that their groups at this provider give. Nothing is written when
/// nothing changes.
///
/// # Errors
/// [`SignInRefusal::Groups`] when the provider did not say which groups they are in, or the store's error. Then nothing has
/// changed.
pub async fn follow_groups(
    node: &Node,
    provider: &ProviderSettings,
    person: &Person,
    origin: Origin<'_>,
) -> Result<NotJoined, SignInRefusal> {
    let groups = person.groups.as_ref().map_err(|fault| SignInRefusal::Groups(*fault))?;
    let mappings = provider.groups.iter().flat_map(|groups| &groups.mappings);
    let given = given_by(mappings, groups);
    let store = &node.records.store;
    let places = store.existing_places(&places_of(&given)).await?;
    let standing = Standing {
        active: store.memberships(&person.identity).await?,
        past: if given.is_empty() { Vec::new() } else { store.past_memberships(&person.identity).await? },
        given: there(given.clone(), &places),
    };
    let (steps, not_joined) = standing.steps(&provider.name);
    match steps.first() {
        None => Ok(not_joined),
        // The turn among the writers is that of a place that changes.
        Some(step) => {
            let actor = actor(provider, step.organization().cloned(), origin)?;
            carry_out(node, provider, person, given, &actor).await
        }
    }
}

/// Decides again within a mutation, and carries it out.
async fn carry_out(
    node: &Node,
    provider: &ProviderSettings,
    person: &Person,
    given: GivenRoles,
    actor: &Actor,
) -> Result<NotJoined, SignInRefusal> {
    let mut write = node.records.store.write(node.clock.now(), actor).await?;
    let places = write.existing_places(&places_of(&given)).await?;
    let standing = Standing {
        active: write.memberships(&person.identity).await?,
        past: write.past_memberships(&person.identity).await?,
        given: there(given, &places),
    };
    let (steps, mut not_joined) = standing.steps(&provider.name);
    let mut has_changed = false;
    for step in steps {
        has_changed |= match step {
            Step::Join(place, given, past) => {
                let is_full = write.count_members(place.as_ref()).await? >= Member::MAX_COUNT;
                not_joined.is_full |= is_full;
                if is_full {
                    let organization = place.as_ref().map(OrganizationId::as_str);
                    tracing::warn!(
                        provider = provider.name,
                        organization,
                        "no room for another member by groups"
                    );
                } else {
                    let member = newcomer(node, provider, person, actor, (place, given))?;
                    join(&mut write, member, past).await?;
                }
                !is_full
            }
            Step::Change(before, given) => change(&mut write, &before, given).await?,
            Step::End(member) => end(&mut write, &member).await?,
        };
    }
    if has_changed {
        node.records.commit(write).await?;
    }
    Ok(not_joined)
}

async fn join(write: &mut Write, member: Member, past: Option<MemberId>) -> Result<(), SignInRefusal> {
    let member = match past {
        Some(id) => {
            let member = Member { id, ..member };
            write.revive_membership(&member).await?;
            write.member(member.organization.as_ref(), &id).await?.unwrap_or(member)
        }
        None => {
            write.insert_member(&member, None).await?;
            member
        }
    };
    tracing::info!(member = %member.id, role = %member.role, "a group made somebody a member");
    Ok(record(write, "member.join", None, Some(&member)).await?)
}

/// Gives a member another role. Returns whether it did: the last owner of an organization stays one.
async fn change(write: &mut Write, before: &Member, given: GivenRole) -> Result<bool, SignInRefusal> {
    if given.role != Role::Owner && stays_owner(write, before).await? {
        return Ok(false);
    }
    let after = before.with_role(given.role, given.projects);
    write.update_member(&after).await?;
    record(write, "member.change", Some(before), Some(&after)).await?;
    Ok(true)
}

/// Ends a membership. Returns whether it did: the last owner of an organization stays.
async fn end(write: &mut Write, member: &Member) -> Result<bool, SignInRefusal> {
    if stays_owner(write, member).await? {
        return Ok(false);
    }
    write.end_membership(&member.id).await?;
    record(write, "member.leave", Some(member), None).await?;
    Ok(true)
}

/// Whether the member stays what they are, because an organization would have no other owner.
async fn stays_owner(write: &mut Write, member: &Member) -> Result<bool, SignInRefusal> {
    let is_last = is_last_owner(write, member).await?;
    if let (true, Some(organization)) = (is_last, &member.organization) {
        tracing::warn!(member = %member.id, %organization, "the last owner stays, although no group makes them one");
    }
    Ok(is_last)
}

/// Somebody whom a group makes a member.
fn newcomer(
    node: &Node,
    provider: &ProviderSettings,
    person: &Person,
    actor: &Actor,
    (organization, given): (Option<OrganizationId>, GivenRole),
) -> Result<Member, SignInRefusal> {
    let email = person.verified_email.as_deref().and_then(|email| email.parse::<EmailAddress>().ok());
    let named = [
        person.name.clone(),
        email.as_ref().map(|email| email.local_part().to_owned()),
        Some(person.identity.subject.chars().take(labels::MAX_NAME).collect()),
    ];
    let name = named.into_iter().flatten().find_map(|name| labels::name(name).ok());
    Ok(Member {
        id: MemberId::generate(&node.records.entropy).map_err(internal)?,
        organization,
        provider: provider.name.clone(),
        identity: Some(person.identity.clone()),
        email: email.map(|email| email.to_string()).unwrap_or_default(),
        name: name.unwrap_or_else(|| provider.label.clone()),
        role: given.role,
        projects: given.projects,
        generation: 0,
        source: MemberSource::Groups,
        created_at: node.clock.now(),
        created_by: Creator { id: actor.who.to_string(), name: actor.name.clone() },
        last_seen_at: None,
        removed_at: None,
        invitation_expires_at: None,
    })
}

/// The provider, as whose act the trail has what groups change.
pub(super) fn actor(
    provider: &ProviderSettings,
    organization: Option<OrganizationId>,
    origin: Origin<'_>,
) -> Result<Actor, SignInRefusal> {
    Ok(Actor {
        who: Who::Provider(provider.name.parse().map_err(internal)?),
        name: Some(provider.label.clone()),
        organization,
        address: origin.address.known(),
        request_id: Some(origin.request_id.to_owned()),
        dry_run: false,
    })
}

fn internal(error: impl std::fmt::Display) -> SignInRefusal {
    SignInRefusal::Internal(error.to_string())
}

/// The organizations of these roles, and the projects of their developers.
fn places_of(given: &GivenRoles) -> Places {
    let mut places = Places::default();
    for (organization, given) in given {
        if let Some(organization) = organization {
            places.add(organization, &given.projects);
        }
    }
    places
}

/// The roles in places that exist. A developer without any project that exists has none.
fn there(mut given: GivenRoles, places: &Places) -> GivenRoles {
    given.retain(|organization, given| {
        let Some(organization) = organization else { return true };
        given.projects.retain(|project| places.has_project(organization, project));
        places.has(organization) && (given.role != Role::Developer || !given.projects.is_empty())
    });
    given
}

impl Standing {
    /// What has to change, and why somebody does not become a member.
    fn steps(mut self, provider: &str) -> (Vec<Step>, NotJoined) {
        let (mut steps, mut not_joined) = (Vec::new(), NotJoined::default());
        for member in self.active {
            let given = self.given.remove(&member.organization);
            if member.source != MemberSource::Groups || member.provider != provider {
                continue;
            }
            match given {
                Some(given) if (given.role, &given.projects) == (member.role, &member.projects) => {}
                Some(given) => steps.push(Step::Change(member, given)),
                None => steps.push(Step::End(member)),
            }
        }
        for (place, given) in self.given {
            let mut there = self.past.iter().filter(|past| past.organization == place);
            if there.clone().any(|past| past.was_removed) {
                not_joined.was_removed = true;
                continue;
            }
            let past = there.find(|past| past.provider == provider).map(|past| past.id);
            steps.push(Step::Join(place, given, past));
        }
        (steps, not_joined)
    }
}

impl Step {
    fn organization(&self) -> Option<&OrganizationId> {
        match self {
            Self::Join(place, ..) => place.as_ref(),
            Self::Change(member, _) | Self::End(member) => member.organization.as_ref(),
        }
    }
}
