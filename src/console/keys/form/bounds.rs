//! What a form offers: a visitor sees only what they could give a key.

use crate::base::clock::Timestamp;
use crate::console::explain::explain;
use crate::domain::named_scope::{Catalogue, NamedScope, ScopeText};
use crate::domain::names::OrganizationId;
use crate::domain::portal::PortalGrant;
use crate::domain::scope::{Preset, Scope, Scopes};

/// The bounds of a form. They decide what it offers; what a key may have is decided by the use cases.
#[derive(Clone, Debug)]
pub(in crate::console::keys) struct FormBounds {
    /// The visitor's own scopes under `claviger/`. Others of that kind can't be given.
    pub(in crate::console::keys) own: Scopes,
    /// The scopes within which all others have to be. `None` if any may be given.
    pub(in crate::console::keys) within: Option<Scopes>,
    /// The projects to choose from. `None` for all that the visitor may read.
    pub(in crate::console::keys) projects: Option<Vec<String>>,
    /// For how many seconds a key may last. `None` if it may last forever.
    pub(in crate::console::keys) longest: Option<i64>,
    /// Whether the form has the choice of bound tokens.
    pub(in crate::console::keys) offers_dpop: bool,
    /// Whether the form has tags and the owner.
    pub(in crate::console::keys) offers_labels: bool,
}

impl FormBounds {
    /// The bounds of whoever has these scopes.
    pub(in crate::console::keys) fn of(scopes: &Scopes) -> Self {
        let (own, _) = scopes.partition_reserved();
        Self { own, within: None, projects: None, longest: None, offers_dpop: true, offers_labels: true }
    }

    /// The bounds of a session of the portal.
    pub(in crate::console::keys) fn of_portal(granted: &PortalGrant) -> Self {
        let projects = granted.projects.iter().map(ToString::to_string).collect();
        Self {
            own: Scopes::default(),
            within: Some(granted.scopes_within.clone()),
            projects: Some(projects),
            longest: granted.max_key_lifetime,
            offers_dpop: false,
            offers_labels: false,
        }
    }

    /// Adds the widest scopes that the form can offer, unless the catalogue has them: it may have none that fits.
    pub(in crate::console::keys) fn complete(
        &self,
        entries: &mut Vec<NamedScope>,
        organization: &OrganizationId,
    ) {
        for scope in self.within.iter().flatten() {
            let is_there = entries.iter().any(|entry| entry.scope.scope() == scope);
            let (Ok(id), Ok(text)) = ("within".parse(), ScopeText::of(scope.clone())) else { continue };
            if !is_there {
                entries.push(NamedScope {
                    id,
                    catalogue: Catalogue::Of(organization.clone()),
                    name: explain(scope),
                    scope: text,
                    description: None,
                    group: None,
                    created_at: Timestamp::from_unix(0),
                });
            }
        }
    }

    /// Whether the form offers the scope.
    pub(in crate::console::keys) fn offer(&self, scope: &Scope) -> bool {
        match (&self.within, scope.is_reserved()) {
            (_, true) => self.own.covers(scope),
            (Some(within), false) => within.covers(scope),
            (None, false) => true,
        }
    }

    /// Whether the form offers the preset, none of which is under `claviger/`.
    pub(in crate::console::keys) fn offer_preset(&self, preset: Preset) -> bool {
        let scope = if preset == Preset::FullAccess { Scope::full_access() } else { Scope::query_only() };
        self.offer(&scope)
    }

    /// Whether the form offers the project.
    pub(in crate::console::keys) fn offer_project(&self, id: &str) -> bool {
        self.projects.as_ref().is_none_or(|projects| projects.iter().any(|project| project == id))
    }

    /// The entries of a catalogue that the form offers.
    pub(in crate::console::keys) fn among(&self, mut entries: Vec<NamedScope>) -> Vec<NamedScope> {
        entries.retain(|entry| self.offer(entry.scope.scope()));
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_offers_what_can_be_given() {
        let scope = |text: &str| text.parse::<Scope>().unwrap();
        let bounds = FormBounds::of(&Scopes::parse_list("read:claviger/orgs/acme/** write:*").unwrap());
        assert!(bounds.offer(&scope("admin:web/**")) && bounds.offer_preset(Preset::FullAccess));
        assert!(bounds.offer(&scope("read:claviger/orgs/acme/usage")));
        assert!(!bounds.offer(&scope("read:claviger/orgs/other")));
        let within = Scopes::parse_list("read:* write:orders/*").unwrap();
        let projects = Some(vec!["web".to_owned()]);
        let bounds = FormBounds {
            own: Scopes::default(),
            within: Some(within),
            projects,
            longest: None,
            offers_dpop: false,
            offers_labels: false,
        };
        assert!(bounds.offer(&scope("write:orders/7")) && bounds.offer_preset(Preset::QueryOnly));
        assert!(
            !bounds.offer_preset(Preset::FullAccess)
                && !bounds.offer(&scope("read:claviger/orgs/acme/usage"))
        );
        assert!(bounds.offer_project("web") && !bounds.offer_project("shop"));
    }
}
