//! A row in the list of keys.

use super::filters::{SOON_SECONDS, STALE_SECONDS};
use super::owners::{OwnerShown, Owners};
use crate::base::clock::Timestamp;
use crate::console::page::address;
use crate::console::plot::Plot;
use crate::console::shell::LIST;
use crate::console::when::When;
use crate::domain::api_key::display_prefix;
use crate::domain::key::{ApiKey, KeyStatus};
use crate::domain::scope::Action;
use crate::use_cases::management::KeyAct;

/// The number of a note's characters that the list shows.
const NOTE_SHOWN: usize = 80;

/// The contents of a row.
#[derive(Debug)]
pub(in crate::console) struct Row {
    pub(in crate::console) id: String,
    pub(in crate::console) href: String,
    pub(in crate::console) name: String,
    /// The beginning of the note.
    pub(in crate::console) note: Option<String>,
    pub(in crate::console) prefix: String,
    pub(in crate::console) project: String,
    pub(in crate::console) environment: String,
    pub(in crate::console) status: KeyStatus,
    marks: Vec<Mark>,
    /// The scope that stands on the line.
    pub(in crate::console) first_scope: String,
    /// All scopes, if there are others.
    pub(in crate::console) scopes: Vec<String>,
    pub(in crate::console) tags: Vec<String>,
    pub(in crate::console) owner: Option<OwnerShown>,
    /// What the visitor may do with the key.
    pub(in crate::console) menu: RowMenu,
    pub(in crate::console) expires: Option<When>,
    pub(in crate::console) last_used: Option<When>,
    pub(in crate::console) created: When,
    pub(in crate::console) spark: Option<Plot>,
}

/// What the visitor may do.
#[derive(Clone, Debug)]
pub(in crate::console) struct RowRights {
    /// What the visitor may do to the key.
    pub(in crate::console) acts: Vec<KeyAct>,
    /// Whether the visitor may create keys.
    pub(in crate::console) create: bool,
}

/// The links of a row's menu.
#[derive(Debug)]
pub(in crate::console) struct RowMenu {
    pub(in crate::console) links: Vec<MenuLink>,
}

/// A link of a menu.
#[derive(Debug)]
pub(in crate::console) struct MenuLink {
    pub(in crate::console) label: &'static str,
    pub(in crate::console) href: String,
    pub(in crate::console) is_dangerous: bool,
}

impl RowMenu {
    fn of(key: &ApiKey, (root, list): (&str, &str), may: &RowRights, now: Timestamp) -> Self {
        let own = format!("{root}/keys/{}", key.id);
        let link = |label, to: &str, is_dangerous| MenuLink {
            label,
            href: address(&format!("{own}/{to}"), [(LIST, list)]),
            is_dangerous,
        };
        let may_do = |act: KeyAct| may.acts.contains(&act);
        let is_live = key.revoked.is_none();
        let mut links = Vec::new();
        if is_live && may_do(KeyAct::Edit) {
            links.push(link("Edit", "edit", false));
        }
        if is_live && may_do(KeyAct::Rotate) {
            links.push(link("Rotate", "rotate", false));
        }
        if may.create {
            let (href, from) = (format!("{root}/keys/new"), key.id.to_string());
            let href = address(&href, [("from", &*from), (LIST, list)]);
            links.push(MenuLink { label: "Duplicate", href, is_dangerous: false });
        }
        if is_live && may_do(KeyAct::Suspend) && key.status(now) == KeyStatus::Active {
            links.push(link("Disable", "disable", false));
        }
        if is_live && may_do(KeyAct::Suspend) && key.disabled_at.is_some() {
            links.push(link("Enable", "enable", false));
        }
        if is_live && may_do(KeyAct::Revoke) {
            links.push(link("Revoke", "revoke", true));
        }
        Self { links }
    }
}

/// A property of a key that deserves attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::console) enum Mark {
    /// Not used for 90 days.
    Stale,
    /// Ends within 30 days.
    EndsSoon,
    /// An address range allows every address.
    AnyAddress,
    /// Every scope is read-only, and none reaches into `claviger/`.
    QueryOnly,
    /// A scope is `*:*`, or covers everything under `claviger/`.
    FullAccess,
}

impl Mark {
    pub(in crate::console) const fn label(self) -> &'static str {
        match self {
            Self::Stale => "Stale",
            Self::EndsSoon => "Expires soon",
            Self::AnyAddress => "Any address",
            Self::QueryOnly => "Query only",
            Self::FullAccess => "Full access",
        }
    }

    pub(in crate::console) const fn title(self) -> &'static str {
        match self {
            Self::Stale => "This key has not been used for 90 days",
            Self::EndsSoon => "This key expires within 30 days",
            Self::AnyAddress => "This key can be used from any address",
            Self::QueryOnly => "This key only reads: a good fit for agents, MCP servers and dashboards",
            Self::FullAccess => "This key has a scope that covers everything",
        }
    }

    pub(in crate::console) const fn is_urgent(self) -> bool {
        matches!(self, Self::Stale | Self::EndsSoon)
    }
}

/// The marks of a key. A key that is no longer active has none.
pub(in crate::console) fn marks(key: &ApiKey, now: Timestamp) -> Vec<Mark> {
    if key.status(now) != KeyStatus::Active {
        return Vec::new();
    }
    let unused_since = key.last_used_at.unwrap_or(key.created_at);
    let is_full = |scope: &crate::domain::scope::Scope| {
        *scope == crate::domain::scope::Scope::full_access()
            || *scope == crate::domain::scope::Scope::full_administration()
    };
    let only_reads =
        |scope: &crate::domain::scope::Scope| scope.action() == Action::Read && !scope.is_reserved();
    let marks = [
        (Mark::Stale, now.since(unused_since) >= STALE_SECONDS),
        (Mark::EndsSoon, key.expires_at.is_some_and(|end| end.since(now) <= SOON_SECONDS)),
        (Mark::QueryOnly, key.scopes.iter().all(only_reads)),
        (Mark::FullAccess, key.scopes.iter().any(is_full)),
        (Mark::AnyAddress, key.cidrs.has_wildcard()),
    ];
    marks.into_iter().filter_map(|(mark, applies)| applies.then_some(mark)).collect()
}

impl Row {
    /// The row of a key, in the list at `root` with the query `list`.
    pub(in crate::console) fn of(
        key: &ApiKey,
        spark: Option<Plot>,
        (root, list): (&str, &str),
        (may, owners): (RowRights, &Owners),
        now: Timestamp,
    ) -> Self {
        let when = |at| When::new(at, now);
        let scopes: Vec<String> = key.scopes.iter().map(ToString::to_string).collect();
        Self {
            id: key.id.to_string(),
            href: address(&format!("{root}/keys/{}", key.id), [(LIST, list)]),
            note: key.note.as_deref().map(beginning),
            name: key.name.clone(),
            prefix: display_prefix(&key.brand, &key.environment, &key.id),
            project: key.project.to_string(),
            environment: key.environment.to_string(),
            status: key.status(now),
            marks: marks(key, now),
            first_scope: scopes.first().cloned().unwrap_or_default(),
            scopes: if scopes.len() > 1 { scopes } else { Vec::new() },
            tags: key.tags.iter().map(|(name, value)| format!("{name}:{value}")).collect(),
            owner: key.owner.as_ref().map(|owner| owners.shown(owner)),
            menu: RowMenu::of(key, (root, list), &may, now),
            expires: key.expires_at.map(when),
            last_used: key.last_used_at.map(when),
            created: when(key.created_at),
            spark,
        }
    }
}

impl Row {
    /// The marks about the key's life, which stand beside its status.
    pub(in crate::console) fn urgent(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(|mark| mark.is_urgent())
    }

    /// The marks about what the key may do.
    pub(in crate::console) fn rights(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(|mark| !mark.is_urgent())
    }
}

/// A note on one line, truncated.
fn beginning(note: &str) -> String {
    let line = note.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(NOTE_SHOWN) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        assert_eq!(beginning("two\nlines"), "two lines");
        assert_eq!(beginning(&"ä".repeat(NOTE_SHOWN)), "ä".repeat(NOTE_SHOWN));
        assert_eq!(beginning(&"ä".repeat(NOTE_SHOWN + 1)), format!("{}…", "ä".repeat(NOTE_SHOWN)));
    }
}
