//! What a caller's scopes reach, and what it may even know about.

use super::Caller;
use crate::api_key::KeyId;
use crate::names::{OrganizationId, ProjectId};
use crate::scope::{Action, Filter, Resource, Scope, Segment, Verb};
use crate::store::VisibleKeys;

/// The caller may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// To this caller there is no such thing.
    #[error("not found")]
    NotFound,
    /// This scope is missing.
    #[error("this needs the scope {0}")]
    Missing(String),
}

impl Caller {
    /// Whether the caller may do `verb` to `claviger/` and then `path`, something of the deployment's.
    ///
    /// # Errors
    /// [`Denied::Missing`].
    pub fn may(&self, verb: Verb, path: &[&str]) -> Result<(), Denied> {
        // What can't be written as a resource is nobody's.
        let resource = Resource::reserved(path).map_err(|_| Denied::NotFound)?;
        if self.scopes.permits(verb, &resource) {
            return Ok(());
        }
        Err(Denied::Missing(format!("{verb}:{resource}")))
    }

    /// Whether the caller may do `verb` to `claviger/orgs/{organization}/` and then `path`. A scope is asked
    /// for before existence, and of an organization that is no affair of the caller's nothing is said.
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

    /// Whether the caller may do `verb` to all that `claviger/orgs/{organization}/` and then `pattern` stands
    /// for: what making something new there takes.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may_all_in(
        &self,
        organization: &OrganizationId,
        verb: Verb,
        pattern: &[&str],
    ) -> Result<(), Denied> {
        let full = below(organization, pattern);
        let wanted = Filter::reserved(&full).map_err(|_| Denied::NotFound)?;
        let wanted = Scope::new(verb.into(), wanted);
        if self.scopes.covers(&wanted) {
            return Ok(());
        }
        if !self.knows(organization) {
            return Err(Denied::NotFound);
        }
        Err(Denied::Missing(wanted.to_string()))
    }

    /// Whether the organization is the caller's own, or a scope of it under `claviger/` reaches in there.
    pub fn knows(&self, organization: &OrganizationId) -> bool {
        if self.key.key.organization == *organization {
            return true;
        }
        Resource::reserved(&["orgs", organization.as_str()])
            .is_ok_and(|root| self.scopes.iter().any(|scope| scope.filter().matches_at_or_below(&root)))
    }
}

/// `orgs/{organization}/` and then `path`.
fn below<'a>(organization: &'a OrganizationId, path: &[&'a str]) -> Vec<&'a str> {
    [&["orgs", organization.as_str()], path].concat()
}

/// Which of an organization's keys the caller may read.
pub fn visible_keys(caller: &Caller, organization: &OrganizationId) -> VisibleKeys {
    let mut pairs = Vec::new();
    for scope in caller.scopes.iter().filter(|scope| matches!(scope.action(), Action::Read | Action::Any)) {
        match keys_of(scope, organization) {
            Some((None, None)) => return VisibleKeys::All,
            Some(pair) => pairs.push(pair),
            None => {}
        }
    }
    VisibleKeys::Only(pairs)
}

/// The project and key that a scope says of `claviger/orgs/{organization}/projects/{project}/keys/{key}`, `None`
/// standing for any; nothing when it matches no such resource.
fn keys_of(scope: &Scope, organization: &OrganizationId) -> Option<(Option<ProjectId>, Option<KeyId>)> {
    // No wildcard matches the reserved root.
    if !scope.is_reserved() {
        return None;
    }
    let mut segments = scope.filter().segments();
    for expected in ["claviger", "orgs", organization.as_str(), "projects"] {
        match segments.next()? {
            Segment::Rest => return Some((None, None)),
            Segment::One => {}
            Segment::Literal(literal) if literal == expected => {}
            Segment::Literal(_) => return None,
        }
    }
    let project = match segments.next()? {
        Segment::Rest => return Some((None, None)),
        Segment::One => None,
        Segment::Literal(id) => Some(id.parse().ok()?),
    };
    match segments.next()? {
        Segment::Rest => return Some((project, None)),
        Segment::One | Segment::Literal("keys") => {}
        Segment::Literal(_) => return None,
    }
    let key = match segments.next()? {
        Segment::Rest | Segment::One => None,
        Segment::Literal(id) => Some(id.parse().ok()?),
    };
    segments.next().is_none().then_some((project, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(scope: &str) -> Option<(Option<String>, bool)> {
        let scope: Scope = scope.parse().unwrap();
        keys_of(&scope, &"acme".parse().unwrap())
            .map(|(project, key)| (project.map(|project| project.to_string()), key.is_some()))
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
