//! The shell of every page: the visitor, the current place, and the navigation.

use super::assets::VERSION;
use super::page::{address, query};
use super::portal_frame::PortalFrame;
use super::session::{Left, SessionId};
use crate::domain::api_key::display_prefix;
use crate::domain::key::ApiKey;
use crate::domain::named_scope::Catalogue;
use crate::domain::names::OrganizationId;
use crate::domain::portal::PortalGrant;
use crate::domain::scope::Verb;
use crate::http::discovery::path_of;
use crate::node::Node;
use crate::store::Visible;
use crate::use_cases::access::{
    Caller, visible_issuers, visible_members, visible_named_scopes, visible_organizations, visible_projects,
};
use crate::use_cases::management::keys::KeyPath;

/// The parameter that keeps the query of the list of keys, for the way back.
pub(super) const LIST: &str = "list";

/// What every template needs to render the shell.
#[derive(Clone, Debug, Default)]
pub(super) struct Shell {
    /// The console's path: the issuer's path and `/console`.
    pub(super) base: String,
    /// The path of the assets.
    pub(super) assets: String,
    /// The visitor, if signed in.
    pub(super) who: Option<Who>,
    /// What the page belongs to, if anything: an organization or the deployment.
    pub(super) place: Option<Place>,
    /// The query of the list that the visitor came from, as in the parameter [`LIST`].
    pub(super) list: String,
    /// What a page of the customers' portal shows in place of the console's surroundings.
    pub(super) portal: Option<PortalFrame>,
}

/// A signed-in visitor.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// The visitor's name, or that of their key.
    pub(super) name: String,
    /// The key that opened the session, if it was a key.
    pub(super) key: Option<OwnKey>,
    /// The link to the deployment's pages, if the visitor may see any.
    pub(super) deployment: Option<Link>,
    /// Where a member of several organizations goes to choose another one: the path that begins a sign-in.
    pub(super) elsewhere: Option<String>,
    /// The visitor's id, or that of their key.
    pub(super) id: String,
    /// How long the session lasts.
    pub(super) left: Left,
    /// The session's form token.
    pub(super) token: String,
}

/// The key that a visitor signed in with.
#[derive(Clone, Debug)]
pub(super) struct OwnKey {
    pub(super) prefix: String,
    /// The path of the key's page.
    pub(super) href: String,
}

/// What a page belongs to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `Organization` or `Deployment`.
    pub(super) kind: &'static str,
    /// The organization's id, or the host of the deployment.
    pub(super) name: String,
    /// The pages that the visitor may see.
    pub(super) links: Vec<Link>,
}

#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) label: &'static str,
    pub(super) href: String,
    pub(super) is_here: bool,
}

/// A section of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The organization at a glance.
    Overview,
    /// The list of keys and the pages of one key.
    Keys,
    Usage,
    Audit,
    /// Projects and their environments.
    Projects,
    /// The catalogue of scopes.
    Scopes,
    /// The trusted issuers.
    Issuers,
    /// The people of the organization.
    Members,
}

/// A section of the deployment's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeploymentSection {
    Organizations,
    Audit,
    SigningKeys,
    /// The catalogue of scopes.
    Scopes,
    /// The people of the deployment.
    Members,
}

impl Shell {
    /// The shell for a visitor who is not signed in.
    pub(super) fn of_nobody(node: &Node) -> Self {
        Self::outside(&node.deployment.issuer)
    }

    /// The shell before the set-up, when nobody can sign in.
    pub(super) fn outside(issuer: &str) -> Self {
        let base = base_of(issuer);
        Self {
            assets: format!("{base}/assets/{}", *VERSION),
            base,
            who: None,
            place: None,
            list: String::new(),
            portal: None,
        }
    }

    /// The shell of the portal for somebody without a session.
    pub(super) fn of_nobody_in_portal(node: &Node) -> Self {
        Self::in_portal(node, None)
    }

    fn in_portal(node: &Node, granted: Option<&PortalGrant>) -> Self {
        let base = format!("{}/portal", path_of(&node.deployment.issuer));
        let portal = Some(PortalFrame::new(node, &base, granted));
        Self { base, portal, ..Self::of_nobody(node) }
    }

    /// The shell for a session.
    pub(super) fn of(node: &Node, caller: &Caller, session: &SessionId, left: Left) -> Self {
        let shell = match caller.portal() {
            Some(granted) => Self::in_portal(node, Some(granted)),
            None => Self::of_nobody(node),
        };
        let key = |key: &ApiKey| OwnKey {
            prefix: display_prefix(&key.brand, &key.environment, &key.id),
            href: format!("{}/orgs/{}/keys/{}", shell.base, key.organization, key.id),
        };
        let who = Who {
            name: caller.name().to_owned(),
            key: caller.own_key().map(key),
            deployment: deployment_links(&shell.base, caller, None).into_iter().next().map(|first| Link {
                label: if sees_others(caller) { "All organizations" } else { "Deployment" },
                ..first
            }),
            elsewhere: None,
            id: caller.id().to_string(),
            left,
            token: session.form_token(),
        };
        Self { who: Some(who), ..shell }
    }

    /// The same shell, for a member who has other memberships at the provider with this name.
    pub(super) fn with_elsewhere(mut self, provider: &str) -> Self {
        if let Some(who) = &mut self.who {
            who.elsewhere = Some(format!("{}/sign-in/with/{provider}", self.base));
        }
        self
    }

    /// The same shell, in a section of an organization.
    pub(super) fn at(&self, caller: &Caller, organization: &OrganizationId, section: Section) -> Self {
        // The portal has no other section.
        if self.portal.is_some() {
            return self.clone();
        }
        let root = self.root(organization);
        let link =
            |label, page: &str, at| Link { label, href: format!("{root}{page}"), is_here: section == at };
        let reads = |what| caller.may_in(organization, Verb::Read, &[what]).is_ok();
        let sees_projects = visible_projects(caller, organization) != Visible::Only(Vec::new());
        let own_catalogue = Catalogue::Of(organization.clone());
        let sees_issuers = visible_issuers(caller, organization) != Visible::Only(Vec::new());
        let sections = [
            (true, link("Overview", "", Section::Overview)),
            (true, link("API keys", "/keys", Section::Keys)),
            (reads("usage"), link("Usage", "/usage", Section::Usage)),
            (reads("audit"), link("Audit log", "/audit", Section::Audit)),
            (sees_projects, link("Projects", "/projects", Section::Projects)),
            (sees_scopes(caller, &own_catalogue), link("Scopes", "/scopes", Section::Scopes)),
            (sees_issuers, link("Trusted issuers", "/issuers", Section::Issuers)),
            (sees_members(caller, Some(organization)), link("Members", "/members", Section::Members)),
        ];
        let links = sections.into_iter().filter_map(|(is_open, link)| is_open.then_some(link)).collect();
        let place = Place { kind: "Organization", name: organization.to_string(), links };
        Self { place: Some(place), ..self.clone() }
    }

    /// The same shell, in a section of the deployment.
    pub(super) fn at_deployment(&self, caller: &Caller, section: DeploymentSection) -> Self {
        let links = deployment_links(&self.base, caller, Some(section));
        Self { place: Some(Place { kind: "Deployment", name: "Deployment".into(), links }), ..self.clone() }
    }

    /// The same shell, for the section in `path`: one of the deployment, or one of the organization.
    pub(super) fn at_path(&self, caller: &Caller, organization: &OrganizationId, path: &str) -> Self {
        match path.split_once("/console/").and_then(|(_, rest)| rest.split('/').next()) {
            Some("audit" | "audit.csv") => return self.at_deployment(caller, DeploymentSection::Audit),
            Some("members") => return self.at_deployment(caller, DeploymentSection::Members),
            Some("scopes") => return self.at_deployment(caller, DeploymentSection::Scopes),
            Some("signing-keys") => return self.at_deployment(caller, DeploymentSection::SigningKeys),
            _ => {}
        }
        let section = path.split_once("/orgs/").map(|(_, rest)| rest.split('/').nth(1).unwrap_or_default());
        let section = match section {
            Some("" | "edit" | "delete") => Section::Overview,
            Some("usage") => Section::Usage,
            Some("audit") => Section::Audit,
            Some("projects") => Section::Projects,
            Some("scopes") => Section::Scopes,
            Some("issuers") => Section::Issuers,
            Some("members") => Section::Members,
            _ => Section::Keys,
        };
        self.at(caller, organization, section)
    }

    /// The path above an organization's pages.
    pub(super) fn root(&self, organization: &OrganizationId) -> String {
        format!("{}/orgs/{organization}", self.base)
    }

    /// The path of a key's page.
    pub(super) fn key(&self, path: &KeyPath) -> String {
        format!("{}/keys/{}", self.root(&path.organization), path.key)
    }

    /// The path of the list of keys, with the visitor's last search.
    pub(super) fn keys(&self, root: &str) -> String {
        let mark = if self.list.is_empty() { "" } else { "?" };
        format!("{root}/keys{mark}{}", self.list)
    }

    /// The heading of the list of keys.
    pub(super) fn keys_title(&self) -> &str {
        self.portal.as_ref().map_or("API keys", |portal| &portal.title)
    }

    /// The suffix of an address without a query that keeps the search of the list.
    pub(super) fn kept(&self) -> String {
        address("", [(LIST, &*self.list)])
    }

    /// The same suffix for an address with a query.
    pub(super) fn kept_and(&self) -> String {
        if self.list.is_empty() { String::new() } else { format!("&{}", query([(LIST, &*self.list)])) }
    }

    /// The form token against cross-site request forgery, or an empty string without a session.
    pub(super) fn token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.token)
    }
}

/// The pages of the deployment that the caller may see.
fn deployment_links(base: &str, caller: &Caller, here: Option<DeploymentSection>) -> Vec<Link> {
    let link =
        |label, page: &str, at| Link { label, href: format!("{base}/{page}"), is_here: here == Some(at) };
    let may_read = |what| caller.may(Verb::Read, &[what]).is_ok();
    let sections = [
        (sees_others(caller), link("Organizations", "orgs", DeploymentSection::Organizations)),
        (may_read("audit"), link("Audit log", "audit", DeploymentSection::Audit)),
        (may_read("signing-keys"), link("Signing keys", "signing-keys", DeploymentSection::SigningKeys)),
        (sees_scopes(caller, &Catalogue::Deployment), link("Scopes", "scopes", DeploymentSection::Scopes)),
        (sees_members(caller, None), link("Members", "members", DeploymentSection::Members)),
    ];
    sections.into_iter().filter_map(|(is_open, link)| is_open.then_some(link)).collect()
}

fn sees_scopes(caller: &Caller, catalogue: &Catalogue) -> bool {
    visible_named_scopes(caller, catalogue) != Visible::Only(Vec::new())
}

fn sees_members(caller: &Caller, organization: Option<&OrganizationId>) -> bool {
    visible_members(caller, organization) != Visible::Only(Vec::new())
}

/// Whether the caller may read more than one organization.
fn sees_others(caller: &Caller) -> bool {
    match visible_organizations(caller) {
        Visible::All => true,
        Visible::Only(ids) => ids.iter().any(|id| Some(id) != caller.organization()),
    }
}

/// The console's path.
pub(super) fn base(node: &Node) -> String {
    base_of(&node.deployment.issuer)
}

/// The path of an issuer's console.
pub(super) fn base_of(issuer: &str) -> String {
    format!("{}/console", path_of(issuer))
}
