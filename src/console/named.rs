//! What a page mentions, by its name and its id. The id can be copied.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;
use crate::node::Node;
use crate::use_cases::access::Caller;
use crate::use_cases::management::{ApiError, keys};

/// An id with a button that copies it. Without scripts, the id is text that can be selected.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "copied.html")]
pub(super) struct Copied {
    text: String,
}

/// A name, which may be a link, and the id behind it. What the server itself did has no id.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "named.html")]
pub(super) struct Named {
    name: Option<String>,
    href: Option<String>,
    id: Option<Copied>,
}

/// The names of the keys that a page mentions.
#[derive(Debug)]
pub(super) struct Names {
    /// The console's path.
    base: String,
    keys: BTreeMap<KeyId, (OrganizationId, String)>,
}

/// The templates escape what they show.
impl HtmlSafe for Copied {}

/// As [`Copied`].
impl HtmlSafe for Named {}

impl Copied {
    pub(super) fn new(text: impl ToString) -> Self {
        Self { text: text.to_string() }
    }

    /// The id alone.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl Named {
    /// Something without a page of its own.
    pub(super) fn plain(name: Option<String>, id: &str) -> Self {
        Self { name, href: None, id: Some(Copied::new(id)) }
    }
}

impl Names {
    /// The names of those of these ids that are keys the caller may read. It asks the store once.
    ///
    /// # Errors
    /// [`ApiError`].
    pub(super) async fn read<'i>(
        node: &Arc<Node>,
        caller: &Caller,
        base: &str,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> Result<Self, ApiError> {
        let ids: BTreeSet<KeyId> = ids.into_iter().filter_map(|id| id.parse().ok()).collect();
        let ids: Vec<KeyId> = ids.into_iter().collect();
        Ok(Self { base: base.to_owned(), keys: keys::names(&node.records, caller, &ids).await? })
    }

    /// The id with its name, if it has one. `as_was` is the name at the time that the page tells of, which comes first.
    pub(super) fn of(&self, id: &str, as_was: Option<String>) -> Named {
        if let Some(name) = name_of_server(id) {
            return Named { name: as_was.or_else(|| Some(name.to_owned())), href: None, id: None };
        }
        let Some((organization, name)) = id.parse().ok().and_then(|id| self.keys.get(&id)) else {
            return Named::plain(as_was, id);
        };
        Named {
            name: as_was.or_else(|| Some(name.clone())),
            href: Some(format!("{}/orgs/{organization}/keys/{id}", self.base)),
            id: Some(Copied::new(id)),
        }
    }
}

/// What the trail calls acts of the server itself and of its operators.
fn name_of_server(id: &str) -> Option<&'static str> {
    match id {
        "bootstrap" => Some("Set-up"),
        "schedule" => Some("Server"),
        "operator" => Some("Operator at the command line"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_link_and_escaped_and_its_id_can_be_copied() {
        let id: KeyId = "key_0123456789abcdef".parse().unwrap();
        let acme: OrganizationId = "acme".parse().unwrap();
        let keys = BTreeMap::from([(id, (acme, "<b>Billing".to_owned()))]);
        let names = Names { base: "/console".into(), keys };
        let known = names.of("key_0123456789abcdef", None).to_string();
        assert!(known.contains(r#"<a href="/console/orgs/acme/keys/key_0123456789abcdef"><bdi>"#), "{known}");
        assert!(known.contains("&#60;b&#62;Billing") && !known.contains("<b>"), "{known}");
        assert!(known.contains(r#"data-copy-text="key_0123456789abcdef""#), "{known}");
        let then = names.of("key_0123456789abcdef", Some("Invoices".into())).to_string();
        assert!(then.contains("Invoices") && !then.contains("Billing"), "{then}");
        let deleted = names.of("key_00000000000000zz", None).to_string();
        assert!(
            deleted.contains("<code>key_00000000000000zz</code>") && !deleted.contains("<a "),
            "{deleted}"
        );
        assert!(names.of("schedule", None).to_string().contains("Server"));
    }
}
