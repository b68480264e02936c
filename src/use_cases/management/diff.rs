//! What changes, member by member.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Something before and after a change that was made, or that would be.
#[derive(Debug)]
pub struct Changed<T> {
    /// How it was.
    pub before: T,
    /// How it is, or would be.
    pub after: T,
    /// Whether nothing was changed, for it was only asked what would.
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
