//! The review of a change: each field by the name that its form has, and what it becomes, in words.

use serde_json::Value;

use super::events::{Difference, differences};
use super::when::When;

/// A change, field by field.
#[derive(Debug, Default)]
pub(super) struct Review {
    pub(super) rows: Vec<ReviewRow>,
}

/// A field that changes.
#[derive(Debug)]
pub(super) struct ReviewRow {
    pub(super) label: String,
    pub(super) change: ReviewedChange,
}

/// What becomes of a field.
#[derive(Debug)]
pub(super) enum ReviewedChange {
    /// The one value becomes the other one.
    Becomes(Item, Item),
    /// A list loses and gains these, and keeps some.
    List { removed: Vec<Item>, added: Vec<Item>, kept: usize },
}

/// A value.
#[derive(Debug)]
pub(super) enum Item {
    Text(String),
    /// Something with a name, and what it is called in the API.
    Named(String, String),
    Moment(When),
    /// No value, in a word.
    Nothing(&'static str),
}

impl Review {
    /// The review of a change between two states of a thing whose members have plain values.
    pub(super) fn of(before: &Value, after: &Value) -> Self {
        Self { rows: differences(before, after).into_iter().map(ReviewRow::from).collect() }
    }

    /// The same between two texts that forms carry. What is no JSON stands for a thing without members.
    pub(super) fn between(before: &str, after: &str) -> Self {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        Self::of(&read(before), &read(after))
    }

    /// Whether nothing changes.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a field with one value, if it changes.
    pub(super) fn exchange<T: PartialEq>(
        &mut self,
        label: &str,
        (from, to): (&T, &T),
        item: impl Fn(&T) -> Item,
    ) {
        if from != to {
            self.push(label, ReviewedChange::Becomes(item(from), item(to)));
        }
    }

    /// Adds a field with a list of values, if it changes.
    pub(super) fn list<T: PartialEq>(
        &mut self,
        label: &str,
        (from, to): (&[T], &[T]),
        item: impl Fn(&T) -> Item,
    ) {
        let but = |all: &[T], others: &[T]| -> Vec<Item> {
            all.iter().filter(|one| !others.contains(one)).map(&item).collect()
        };
        let (removed, added) = (but(from, to), but(to, from));
        if !removed.is_empty() || !added.is_empty() {
            let kept = from.len() - removed.len();
            self.push(label, ReviewedChange::List { removed, added, kept });
        }
    }

    fn push(&mut self, label: &str, change: ReviewedChange) {
        self.rows.push(ReviewRow { label: label.to_owned(), change });
    }
}

impl From<Difference> for ReviewRow {
    fn from(Difference { member, mut from, mut to, is_list }: Difference) -> Self {
        let text = |text: Option<String>| text.map_or(Item::Nothing("none"), Item::Text);
        let texts = |texts: Vec<String>| texts.into_iter().map(Item::Text).collect();
        let change = match is_list {
            false => ReviewedChange::Becomes(text(from.pop()), text(to.pop())),
            true => ReviewedChange::List { removed: texts(from), added: texts(to), kept: 0 },
        };
        Self { label: member, change }
    }
}
