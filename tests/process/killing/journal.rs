//! What a writer knows of the things that it made, for somebody to check after the kill.

use serde_json::{Value, json};

/// What is known of some things that are looked at together.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) paths: Vec<String>,
    /// How they are: one possibility when the last change was acknowledged, before and after when it was not.
    pub(super) possible: Vec<Vec<Value>>,
    /// Keys in full, and whether they must open.
    pub(super) opens: Vec<(String, bool)>,
}

/// A request that was not answered, by a name that tells the server that it is the same.
#[derive(Clone, Debug)]
pub(super) struct Unanswered {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) body: Value,
}

/// All that a writer knows.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) facts: Vec<Fact>,
    /// What it was making when it was cut off.
    pub(super) unanswered: Option<Unanswered>,
}

impl Fact {
    /// One thing is so.
    pub(super) fn one(path: &str, thing: Value, opens: &[(&str, bool)]) -> Self {
        let opens = opens.iter().map(|(key, opens)| ((*key).to_owned(), *opens)).collect();
        Self { paths: vec![path.to_owned()], possible: vec![vec![thing]], opens }
    }
}

/// What neither a clock nor use changes of a thing; `null` of one that is not there.
pub(super) fn essence(thing: &Value) -> Value {
    let mut essence = thing.clone();
    let Some(members) = essence.as_object_mut() else { return Value::Null };
    for member in ["key", "last_used_at", "revoked_at"] {
        members.remove(member);
    }
    if let Some(secrets) = members.get_mut("secrets") {
        *secrets = secrets.as_array().map_or(0, Vec::len).into();
    }
    essence
}

/// `thing` with these members instead.
pub(super) fn with(thing: &Value, members: Value) -> Value {
    let mut changed = thing.clone();
    changed.as_object_mut().expect("an object").extend(members.as_object().expect("members").clone());
    changed
}

/// A key with these members instead, by which something is taken away.
pub(super) fn less(key: &Value, members: Value) -> Value {
    let generation = key["generation"].as_u64().expect("a generation") + 1;
    with(&with(key, json!({ "generation": generation })), members)
}
