//! What a form of a key edits, as the form carries it, and the review of a change to that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::form::May;
use super::owners::MemberChoice;
use crate::base::clock::Timestamp;
use crate::console::review::{Item, Review};
use crate::console::when::When;
use crate::domain::key::ApiKey;
use crate::domain::named_scope::NamedScope;
use crate::domain::scope::Scope;

/// The members of a key that its form edits.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct KeyFace {
    name: String,
    note: Option<String>,
    owner: Option<String>,
    tags: BTreeMap<String, String>,
    scopes: Vec<Scope>,
    /// Empty for every address.
    cidrs: Vec<String>,
    /// Whether the key requires bound tokens.
    dpop: bool,
    expires_at: Option<String>,
}

impl KeyFace {
    /// The members of `key`.
    pub(super) fn of(key: &ApiKey) -> Self {
        let ranges = if key.cidrs.is_everyone() { None } else { Some(key.cidrs.iter()) };
        let tag = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self {
            name: key.name.clone(),
            note: key.note.clone(),
            owner: key.owner.as_ref().map(ToString::to_string),
            tags: key.tags.iter().map(tag).collect(),
            scopes: key.scopes.iter().cloned().collect(),
            cidrs: ranges.into_iter().flatten().map(ToString::to_string).collect(),
            dpop: key.dpop.is_required(),
            expires_at: key.expires_at.map(Timestamp::rfc3339),
        }
    }

    /// The members as a form carries them.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The members that a form has carried. What is no such text stands for a key without any.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What changes if `self` becomes `after`, in the order of the form. Scopes have the names of the catalogue, and
    /// owners those of the members.
    pub(super) fn review(
        &self,
        after: &Self,
        (offered, members): (&[NamedScope], &[MemberChoice]),
        now: Timestamp,
    ) -> Review {
        let mut review = Review::default();
        let text = |value: &String| Item::Text(value.clone());
        let maybe = |value: &Option<String>| value.as_ref().map_or(Item::Nothing("none"), text);
        review.exchange("Name", (&self.name, &after.name), text);
        review.exchange("Owner", (&self.owner, &after.owner), |owner| {
            let name = owner.as_deref().and_then(|id| Some((MemberChoice::name_in(members, id)?, id)));
            name.map_or_else(|| maybe(owner), |(name, id)| Item::Named(name.to_owned(), id.to_owned()))
        });
        review.exchange("Note", (&self.note, &after.note), maybe);
        review.list("Tags", (&self.tags(), &after.tags()), text);
        review.list("Permissions", (&self.scopes, &after.scopes), |scope| {
            let May { words, scope } = May::new(scope, offered);
            Item::Named(words, scope)
        });
        review.list("Allowed addresses", (&self.ranges(), &after.ranges()), text);
        review.exchange("Expires", (&self.expires_at, &after.expires_at), |end| moment(end.as_deref(), now));
        review.exchange("Bound tokens (DPoP)", (&self.dpop, &after.dpop), |is_required| {
            Item::Text(if *is_required { "required" } else { "optional" }.into())
        });
        review
    }

    fn tags(&self) -> Vec<String> {
        self.tags.iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    fn ranges(&self) -> Vec<String> {
        if self.cidrs.is_empty() { vec!["any address".into()] } else { self.cidrs.clone() }
    }
}

fn moment(end: Option<&str>, now: Timestamp) -> Item {
    let Some(end) = end else { return Item::Nothing("never") };
    Timestamp::parse_rfc3339(end)
        .map_or_else(|| Item::Text(end.to_owned()), |end| Item::Moment(When::new(end, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::review::ReviewedChange;

    #[test]
    fn a_change_is_told_in_the_order_of_the_form() {
        let scopes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let before = KeyFace {
            name: "a".into(),
            scopes: scopes(&["read:a", "read:b"]),
            expires_at: Some("2027-01-01T00:00:00Z".into()),
            ..KeyFace::default()
        };
        let after = KeyFace {
            name: "a".into(),
            note: Some("x".into()),
            scopes: scopes(&["read:b", "write:c/**"]),
            cidrs: vec!["192.0.2.0/24".into()],
            dpop: true,
            ..KeyFace::default()
        };
        let review = before.review(&after, (&[], &[]), Timestamp::from_unix(0));
        let labels: Vec<_> = review.rows.iter().map(|row| row.label.as_str()).collect();
        assert_eq!(labels, ["Note", "Permissions", "Allowed addresses", "Expires", "Bound tokens (DPoP)"]);
        let ReviewedChange::List { removed, added, kept } = &review.rows[1].change else { panic!() };
        assert!(
            matches!(&removed[..], [Item::Named(words, scope)] if words == "Read a only" && scope == "read:a")
        );
        assert!(
            matches!(&added[..], [Item::Named(words, _)] if words == "Write everything under c, at any depth")
        );
        assert_eq!(*kept, 1);
        let ReviewedChange::List { removed, .. } = &review.rows[2].change else { panic!() };
        assert!(matches!(&removed[..], [Item::Text(text)] if text == "any address"));
        assert!(matches!(
            &review.rows[3].change,
            ReviewedChange::Becomes(Item::Moment(_), Item::Nothing("never"))
        ));
        assert!(after.review(&after, (&[], &[]), Timestamp::from_unix(0)).is_empty());
        assert_eq!(KeyFace::read(&after.text()), after);
    }
}
