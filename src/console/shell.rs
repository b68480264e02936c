//! What is around every page: who is signed in, where they are, and where they may go.

use super::assets::VERSION;
use super::page::{address, query};
use super::session::SessionId;
use crate::domain::api_key::display_prefix;
use crate::domain::names::OrganizationId;
use crate::domain::scope::Verb;
use crate::http::discovery::path_of;
use crate::node::Node;
use crate::store::Visible;
use crate::use_cases::access::{Caller, visible_organizations, visible_projects};
use crate::use_cases::management::keys::KeyPath;

/// The parameter with the query of the list that one came from.
pub(super) const LIST: &str = "list";

/// What a template needs to know of its surroundings.
#[derive(Clone, Debug, Default)]
pub(super) struct Shell {
    /// Where the console is: the issuer's path and `/console`.
    pub(super) base: String,
    /// Where its files are.
    pub(super) assets: String,
    /// Who is signed in.
    pub(super) who: Option<Who>,
    /// The organization that the page is of.
    pub(super) place: Option<Place>,
    /// The query of the list of keys that one came from, as the address of a page about a key has it.
    pub(super) list: String,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// The name of their key.
    pub(super) name: String,
    /// How it begins.
    pub(super) prefix: String,
    /// Its page.
    pub(super) href: String,
    /// Whether they may look into other organizations than one.
    pub(super) sees_others: bool,
    /// What every form of theirs has in it.
    pub(super) token: String,
}

/// The organization that a page is of.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its id.
    pub(super) organization: String,
    /// The pages of it that the person may see.
    pub(super) links: Vec<Link>,
}

/// A link to a page.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) label: &'static str,
    pub(super) href: String,
    pub(super) is_here: bool,
}

/// A room of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// The list of keys, and what is about one.
    Keys,
    /// Use.
    Usage,
    /// The audit log.
    Audit,
    /// Projects and their environments.
    Projects,
    /// The deployment's signing keys.
    SigningKeys,
}

impl Shell {
    /// The surroundings of somebody who is not signed in.
    pub(super) fn of_nobody(node: &Node) -> Self {
        Self::outside(&node.deployment.issuer)
    }

    /// The same where nobody can be signed in.
    pub(super) fn outside(issuer: &str) -> Self {
        let base = base_of(issuer);
        Self {
            assets: format!("{base}/assets/{}", *VERSION),
            base,
            who: None,
            place: None,
            list: String::new(),
        }
    }

    /// The surroundings of whoever is in this session.
    pub(super) fn of(node: &Node, caller: &Caller, session: &SessionId) -> Self {
        let (shell, key) = (Self::of_nobody(node), &caller.key.key);
        let who = Who {
            name: key.name.clone(),
            prefix: display_prefix(&key.brand, &key.environment, &key.id),
            href: format!("{}/orgs/{}/keys/{}", shell.base, key.organization, key.id),
            sees_others: sees_others(caller),
            token: session.form_token(),
        };
        Self { who: Some(who), ..shell }
    }

    /// The same in a room of an organization's.
    pub(super) fn at(&self, caller: &Caller, organization: &OrganizationId, room: Room) -> Self {
        let root = self.root(organization);
        let link =
            |label, page: &str, at| Link { label, href: format!("{root}/{page}"), is_here: room == at };
        let reads = |what| caller.may_in(organization, Verb::Read, &[what]).is_ok();
        let sees_projects = visible_projects(caller, organization) != Visible::Only(Vec::new());
        let sees_signing_keys = caller.may(Verb::Read, &["signing-keys"]).is_ok();
        let rooms = [
            (true, link("API keys", "keys", Room::Keys)),
            (reads("usage"), link("Usage", "usage", Room::Usage)),
            (reads("audit"), link("Audit log", "audit", Room::Audit)),
            (sees_projects, link("Projects", "projects", Room::Projects)),
            (sees_signing_keys, link("Signing keys", "signing-keys", Room::SigningKeys)),
        ];
        let links = rooms.into_iter().filter_map(|(is_open, link)| is_open.then_some(link)).collect();
        Self { place: Some(Place { organization: organization.to_string(), links }), ..self.clone() }
    }

    /// The same of an organization that an address names, with the room that is in it.
    pub(super) fn at_path(&self, caller: &Caller, organization: &OrganizationId, path: &str) -> Self {
        let room = path.split_once("/orgs/").and_then(|(_, rest)| rest.split('/').nth(1));
        let room = match room {
            Some("usage") => Room::Usage,
            Some("audit") => Room::Audit,
            Some("projects") => Room::Projects,
            Some("signing-keys") => Room::SigningKeys,
            _ => Room::Keys,
        };
        self.at(caller, organization, room)
    }

    /// Where the pages of an organization are.
    pub(super) fn root(&self, organization: &OrganizationId) -> String {
        format!("{}/orgs/{organization}", self.base)
    }

    /// The page of a key.
    pub(super) fn key(&self, path: &KeyPath) -> String {
        format!("{}/keys/{}", self.root(&path.organization), path.key)
    }

    /// The list of keys, searched as one left it.
    pub(super) fn keys(&self, root: &str) -> String {
        let mark = if self.list.is_empty() { "" } else { "?" };
        format!("{root}/keys{mark}{}", self.list)
    }

    /// What an address without a query has at its end, so that the way back to the list leads to the same search.
    pub(super) fn kept(&self) -> String {
        address("", [(LIST, &*self.list)])
    }

    /// The same behind a query.
    pub(super) fn kept_and(&self) -> String {
        if self.list.is_empty() { String::new() } else { format!("&{}", query([(LIST, &*self.list)])) }
    }

    /// What forms have in them against being made by another page; nothing without a session.
    pub(super) fn token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.token)
    }
}

/// Whether there may be another organization that the caller can read.
fn sees_others(caller: &Caller) -> bool {
    match visible_organizations(caller) {
        Visible::All => true,
        Visible::Only(ids) => ids.iter().any(|id| *id != caller.key.key.organization),
    }
}

/// Where the console is.
pub(super) fn base(node: &Node) -> String {
    base_of(&node.deployment.issuer)
}

/// Where an issuer's console is.
pub(super) fn base_of(issuer: &str) -> String {
    format!("{}/console", path_of(issuer))
}
