//! The scopes of the catalogue as boxes to tick.

use crate::domain::named_scope::NamedScope;
use crate::domain::scope::Scope;

/// The boxes, in their groups.
#[derive(Debug, Default)]
pub(in crate::console::keys) struct Picker {
    pub(in crate::console::keys) groups: Vec<Group>,
}

/// The boxes of a group.
#[derive(Debug)]
pub(in crate::console::keys) struct Group {
    /// The name. `None` for the scopes without a group, which come last.
    pub(in crate::console::keys) name: Option<String>,
    pub(in crate::console::keys) boxes: Vec<ScopeBox>,
}

/// A scope to tick.
#[derive(Debug)]
pub(in crate::console::keys) struct ScopeBox {
    pub(in crate::console::keys) scope: String,
    pub(in crate::console::keys) name: String,
    pub(in crate::console::keys) description: Option<String>,
    pub(in crate::console::keys) is_ticked: bool,
}

impl Picker {
    /// The boxes for these entries, which are in the order of their groups. Those of `picked` are ticked.
    pub(in crate::console::keys) fn new(offered: &[NamedScope], picked: &[String]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for entry in offered {
            let scope = entry.scope.to_string();
            let ticked = ScopeBox {
                is_ticked: picked.contains(&scope),
                scope,
                name: entry.name.clone(),
                description: entry.description.clone(),
            };
            match groups.last_mut() {
                Some(group) if group.name == entry.group => group.boxes.push(ticked),
                _ => groups.push(Group { name: entry.group.clone(), boxes: vec![ticked] }),
            }
        }
        Self { groups }
    }

    pub(in crate::console::keys) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The number of boxes.
    pub(in crate::console::keys) fn count(&self) -> usize {
        self.groups.iter().map(|group| group.boxes.len()).sum()
    }
}

/// The name of a scope in the catalogue.
pub(in crate::console::keys) fn name_of<'o>(offered: &'o [NamedScope], scope: &Scope) -> Option<&'o str> {
    offered.iter().find(|entry| entry.scope.scope() == scope).map(|entry| entry.name.as_str())
}
