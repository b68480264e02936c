//! What a caller's scopes reach, and which organizations the caller may know about.

use std::str::FromStr;

use super::Caller;
use crate::domain::api_key::KeyId;
use crate::domain::named_scope::Catalogue;
use crate::domain::names::{NamedScopeId, OrganizationId, ProjectId, TrustedIssuerId};
use crate::domain::person::MemberId;
use crate::domain::scope::{Action, Filter, Resource, Scope, Segment, Verb};
use crate::store::{Visible, VisibleKeys};

/// Why the caller may not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller may not know whether the thing exists.
    #[error("not found")]
    NotFound,
    /// This scope is missing.
    #[error("this requires the scope {0}")]
    Missing(String),
}

impl Caller {
    /// Checks that the caller may do `verb` to `path` below `claviger/`, for things that belong to the deployment.
    ///
    /// # Errors
    /// [`Denied::Missing`].
    pub fn may(&self, verb: Verb, path: &[&str]) -> Result<(), Denied> {
        // Nobody has rights to a path that is not a valid resource.
        let resource = Resource::reserved(path).map_err(|_| Denied::NotFound)?;
        if self.scopes.permits(verb, &resource) {
            return Ok(());
        }
        Err(Denied::Missing(format!("{verb}:{resource}")))
    }

    /// Checks that the caller may do `verb` to `path` below `claviger/orgs/{organization}/`. The scope is checked
    /// before existence. The caller learns nothing about an organization that they may not know.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may_in(&self, organization: &OrganizationId, verb: Verb, path: &[&str]) -> Result<(), Denied> {
        let full = below(organization, path);
        let allowed = self.may(verb, &full);
        if allowed.is_err() && !self.knows(organization) {
            return Err(Denied::NotFound);
        }
        allowed
    }

    /// Checks that the caller may do `verb` to everything that `pattern` below `claviger/orgs/{organization}/` matches.
    /// Creating something new requires this.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may_all_in(
        &self,
        organization: &OrganizationId,
        verb: Verb,
        pattern: &[&str],
    ) -> Result<(), Denied> {
        let allowed = self.may_all(verb, &below(organization, pattern));
        if allowed.is_err() && !self.knows(organization) {
            return Err(Denied::NotFound);
        }
        allowed
    }

    /// Checks that the caller may do `verb` to everything that `pattern` below `claviger/` matches.
    ///
    /// # Errors
    /// [`Denied::Missing`].
    pub fn may_all(&self, verb: Verb, pattern: &[&str]) -> Result<(), Denied> {
        let wanted = Filter::reserved(pattern).map_err(|_| Denied::NotFound)?;
        let wanted = Scope::new(verb.into(), wanted);
        if self.scopes.covers(&wanted) { Ok(()) } else { Err(Denied::Missing(wanted.to_string())) }
    }

    /// Whether the organization is the caller's own, or a scope of theirs under `claviger/` reaches into it.
    pub fn knows(&self, organization: &OrganizationId) -> bool {
        if self.organization() == Some(organization) {
            return true;
        }
        ["orgs", "members"].into_iter().any(|place| {
            Resource::reserved(&[place, organization.as_str()])
                .is_ok_and(|root| self.scopes.iter().any(|scope| scope.filter().matches_at_or_below(&root)))
        })
    }
}

/// Members have a place of their own beside `claviger/orgs/`, so that no scope for an organization reaches them.
impl Caller {
    /// Checks that the caller may do `verb` to this member of an organization, or of the deployment.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may_to_member(
        &self,
        organization: Option<&OrganizationId>,
        verb: Verb,
        member: &str,
    ) -> Result<(), Denied> {
        let allowed = self.may(verb, &among_members(organization, member));
        self.hidden_from_strangers(organization, allowed)
    }

    /// Checks that the caller may do `verb` to all members of an organization, or of the deployment.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may_to_all_members(
        &self,
        organization: Option<&OrganizationId>,
        verb: Verb,
    ) -> Result<(), Denied> {
        let allowed = self.may_all(verb, &among_members(organization, "*"));
        self.hidden_from_strangers(organization, allowed)
    }

    fn hidden_from_strangers(
        &self,
        organization: Option<&OrganizationId>,
        allowed: Result<(), Denied>,
    ) -> Result<(), Denied> {
        let is_stranger = organization.is_some_and(|organization| !self.knows(organization));
        if allowed.is_err() && is_stranger { Err(Denied::NotFound) } else { allowed }
    }
}

fn among_members<'a>(organization: Option<&'a OrganizationId>, member: &'a str) -> Vec<&'a str> {
    match organization {
        Some(organization) => vec!["members", organization.as_str(), member],
        None => vec!["operators", member],
    }
}

/// `path` below `orgs/{organization}/`.
fn below<'a>(organization: &'a OrganizationId, path: &[&'a str]) -> Vec<&'a str> {
    [&["orgs", organization.as_str()], path].concat()
}

/// The keys of an organization to which the caller may do `verb`.
pub fn reachable_keys(caller: &Caller, verb: Verb, organization: &OrganizationId) -> VisibleKeys {
    keys_within(caller.scopes.iter(), verb, organization)
}

/// The keys of an organization to which these scopes allow `verb`.
pub fn keys_within<'s>(
    scopes: impl IntoIterator<Item = &'s Scope>,
    verb: Verb,
    organization: &OrganizationId,
) -> VisibleKeys {
    let path =
        [Exactly("orgs"), Exactly(organization.as_str()), Exactly("projects"), Each, Exactly("keys"), Each];
    let mut pairs = Vec::new();
    for [project, key] in reach(scopes, verb, &path) {
        match (project.map(str::parse::<ProjectId>), key.map(str::parse::<KeyId>)) {
            (None, None) => return VisibleKeys::All,
            // A segment that is not a valid id matches nothing.
            (Some(Err(_)), _) | (_, Some(Err(_))) => {}
            (project, key) => pairs.push((project.and_then(Result::ok), key.and_then(Result::ok))),
        }
    }
    VisibleKeys::Only(pairs)
}

/// The organizations that the caller may read.
pub fn visible_organizations(caller: &Caller) -> Visible<OrganizationId> {
    visible(reach(caller.scopes.iter(), Verb::Read, &[Exactly("orgs"), Each]))
}

/// The projects of an organization that the caller may read.
pub fn visible_projects(caller: &Caller, organization: &OrganizationId) -> Visible<ProjectId> {
    let path = [Exactly("orgs"), Exactly(organization.as_str()), Exactly("projects"), Each];
    visible(reach(caller.scopes.iter(), Verb::Read, &path))
}

/// The trusted issuers of an organization that the caller may read.
pub fn visible_issuers(caller: &Caller, organization: &OrganizationId) -> Visible<TrustedIssuerId> {
    let path = [Exactly("orgs"), Exactly(organization.as_str()), Exactly("issuers"), Each];
    visible(reach(caller.scopes.iter(), Verb::Read, &path))
}

/// The members of an organization, or of the deployment, that the caller may read.
pub fn visible_members(caller: &Caller, organization: Option<&OrganizationId>) -> Visible<MemberId> {
    let scopes = caller.scopes.iter();
    visible(match organization {
        Some(organization) => {
            reach(scopes, Verb::Read, &[Exactly("members"), Exactly(organization.as_str()), Each])
        }
        None => reach(scopes, Verb::Read, &[Exactly("operators"), Each]),
    })
}

/// The entries of a catalogue of scopes that the caller may read.
pub fn visible_named_scopes(caller: &Caller, catalogue: &Catalogue) -> Visible<NamedScopeId> {
    let scopes = caller.scopes.iter();
    visible(match catalogue {
        Catalogue::Deployment => reach(scopes, Verb::Read, &[Exactly("scopes"), Each]),
        Catalogue::Of(organization) => {
            let path = [Exactly("orgs"), Exactly(organization.as_str()), Exactly("scopes"), Each];
            reach(scopes, Verb::Read, &path)
        }
    })
}

fn visible<Id: FromStr>(reached: Vec<[Option<&str>; 1]>) -> Visible<Id> {
    let mut ids = Vec::new();
    for [id] in reached {
        match id.map(str::parse) {
            None => return Visible::All,
            Some(Ok(id)) => ids.push(id),
            Some(Err(_)) => {}
        }
    }
    Visible::Only(ids)
}

/// A segment of a path below `claviger/`.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// This text.
    Exactly(&'a str),
    /// Any id.
    Each,
}

use Step::{Each, Exactly};

/// The ids that each scope names at `path`, for the scopes that allow `verb` there. `None` stands for any id.
fn reach<'s, const N: usize>(
    scopes: impl IntoIterator<Item = &'s Scope>,
    verb: Verb,
    path: &[Step<'_>],
) -> Vec<[Option<&'s str>; N]> {
    let grants = |scope: &&Scope| scope.action() == Action::Any || scope.action() == verb.into();
    scopes.into_iter().filter(grants).filter_map(|scope| named(scope, path)).collect()
}

/// The ids that a scope names at `path`, with `None` for any id. Nothing if the scope matches nothing at `path`.
fn named<'s, const N: usize>(scope: &'s Scope, path: &[Step<'_>]) -> Option<[Option<&'s str>; N]> {
    // No wildcard matches the reserved root.
    if !scope.is_reserved() {
        return None;
    }
    let mut ids = [None; N];
    let mut places = ids.iter_mut();
    let mut segments = scope.filter().segments().skip(1);
    for step in path {
        match (segments.next()?, step) {
            (Segment::Rest, _) => return Some(ids),
            (Segment::One, Exactly(_)) => {}
            (Segment::One, Each) => drop(places.next()),
            (Segment::Literal(literal), Exactly(expected)) if literal == *expected => {}
            (Segment::Literal(_), Exactly(_)) => return None,
            (Segment::Literal(id), Each) => *places.next()? = Some(id),
        }
    }
    segments.next().is_none().then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(scope: &str) -> Option<(Option<String>, bool)> {
        let path = [Exactly("orgs"), Exactly("acme"), Exactly("projects"), Each, Exactly("keys"), Each];
        let scope: Scope = scope.parse().unwrap();
        let [project, key] = named(&scope, &path)?;
        Some((project.map(str::to_owned), key.is_some()))
    }

    #[test]
    fn a_scope_tells_which_keys_it_reads() {
        let everything = Some((None, false));
        for scope in [
            "read:claviger/**",
            "read:claviger/orgs/acme/**",
            "read:claviger/orgs/*/projects/*/keys/*",
            "read:claviger/orgs/acme/projects/**",
            "read:claviger/*/*/*/*/*/*",
        ] {
            assert_eq!(reach(scope), everything, "{scope}");
        }
        let web = Some((Some("web".to_owned()), false));
        assert_eq!(reach("read:claviger/orgs/acme/projects/web/keys/*"), web);
        assert_eq!(reach("read:claviger/orgs/acme/projects/web/**"), web);
        assert_eq!(reach("read:claviger/orgs/acme/projects/*/keys/key_0123456789abcdef"), Some((None, true)));
        for scope in [
            "read:*",
            "read:*/orgs/acme/projects/web/keys/*",
            "read:claviger/*",
            "read:claviger/orgs/other/**",
            "read:claviger/orgs/acme/projects/web",
            "read:claviger/orgs/acme/projects/web/keys",
            "read:claviger/orgs/acme/projects/web/keys/*/usage",
            "read:claviger/orgs/acme/projects/web/other/*",
            "read:claviger/orgs/acme/audit",
        ] {
            assert_eq!(reach(scope), None, "{scope}");
        }
    }
}
