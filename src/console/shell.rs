//! What is around every page: who is signed in, where they are, and where they may go.

use super::assets::VERSION;
use super::session::SessionId;
use crate::access::Caller;
use crate::api_key::display_prefix;
use crate::http::discovery::path_of;
use crate::names::OrganizationId;
use crate::node::Node;
use crate::scope::Verb;

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
    /// What every form of theirs has in it.
    pub(super) token: String,
    /// Whether they may see the signing keys.
    pub(super) sees_signing_keys: bool,
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
}

impl Shell {
    /// The surroundings of somebody who is not signed in.
    pub(super) fn of_nobody(node: &Node) -> Self {
        let base = base(node);
        Self { assets: format!("{base}/assets/{}", *VERSION), base, who: None, place: None }
    }

    /// The surroundings of whoever is in this session.
    pub(super) fn of(node: &Node, caller: &Caller, session: &SessionId) -> Self {
        let (shell, key) = (Self::of_nobody(node), &caller.key.key);
        let who = Who {
            name: key.name.clone(),
            prefix: display_prefix(&key.brand, &key.environment, &key.id),
            href: format!("{}/orgs/{}/keys/{}", shell.base, key.organization, key.id),
            token: session.form_token(),
            sees_signing_keys: caller.may(Verb::Read, &["signing-keys"]).is_ok(),
        };
        Self { who: Some(who), ..shell }
    }

    /// The same in a room of an organization's.
    pub(super) fn at(&self, caller: &Caller, organization: &OrganizationId, room: Room) -> Self {
        let _ = caller;
        let root = format!("{}/orgs/{organization}", self.base);
        let link =
            |label, path: &str, at| Link { label, href: format!("{root}/{path}"), is_here: room == at };
        let links = vec![link("API keys", "keys", Room::Keys)];
        Self { place: Some(Place { organization: organization.to_string(), links }), ..self.clone() }
    }

    /// What forms have in them against being made by another page; nothing without a session.
    pub(super) fn token(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.token)
    }
}

/// Where the console is.
pub(super) fn base(node: &Node) -> String {
    format!("{}/console", path_of(&node.deployment.issuer))
}
