//! Compares two states, member by member.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// The state before and after a change.
#[derive(Debug)]
pub struct Changed<T> {
    /// The state before the change.
    pub before: T,
    /// The state after the change, or what it would be.
    pub after: T,
    /// Whether this was a dry run, so that nothing changed.
    pub dry_run: bool,
}

/// The members of `after` that differ from those of `before`: `{"name": {"from": …, "to": …}}`.
pub fn changes(before: &impl Serialize, after: &impl Serialize) -> Map<String, Value> {
    let (Value::Object(before), Value::Object(after)) = (value(before), value(after)) else {
        return Map::new();
    };
    after
        .into_iter()
        .filter_map(|(member, to)| {
            let from = before.get(&member).cloned().unwrap_or_default();
            (from != to).then(|| (member, json!({ "from": from, "to": to })))
        })
        .collect()
}

fn value(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}
