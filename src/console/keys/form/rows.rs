//! The rows of a key's form: scopes, address ranges and tags, as typed, each with what the server says about it.

use crate::console::explain::{explain, range_in_words, read};
use crate::console::fields::Fields;
use crate::domain::cidr::Cidrs;

/// A scope as typed.
#[derive(Clone, Debug)]
pub(in crate::console::keys) struct ScopeRow {
    pub(in crate::console::keys) action: String,
    pub(in crate::console::keys) resource: String,
    /// The explanation of the scope, or its error.
    pub(in crate::console::keys) words: String,
    pub(in crate::console::keys) is_wrong: bool,
    /// Whether to focus this row after a button inside the form was pressed.
    pub(in crate::console::keys) is_focused: bool,
}

/// An address or a range as typed.
#[derive(Clone, Debug, Default)]
pub(in crate::console::keys) struct RangeRow {
    pub(in crate::console::keys) text: String,
    /// The explanation of the range, or its error.
    pub(in crate::console::keys) words: String,
    pub(in crate::console::keys) is_wrong: bool,
    pub(in crate::console::keys) is_focused: bool,
}

/// A tag as typed.
#[derive(Clone, Debug, Default)]
pub(in crate::console::keys) struct TagRow {
    pub(in crate::console::keys) name: String,
    pub(in crate::console::keys) value: String,
    pub(in crate::console::keys) is_focused: bool,
}

impl ScopeRow {
    pub(in crate::console::keys) fn new(action: &str, resource: &str) -> Self {
        let (action, resource) = (action.to_owned(), resource.trim().to_owned());
        let words = if resource.is_empty() {
            Ok(String::new())
        } else {
            read(&action, &resource).map(|scope| explain(&scope))
        };
        let is_wrong = words.is_err();
        Self { action, resource, words: words.unwrap_or_else(|why| why), is_wrong, is_focused: false }
    }

    /// The rows of a submission. There is always one.
    pub(super) fn sent(fields: &Fields) -> Vec<Self> {
        let pairs = fields.all("action").zip(fields.all("resource"));
        or_one(pairs.map(|(action, resource)| Self::new(action, resource)).collect(), || {
            Self::new("read", "")
        })
    }

    pub(super) fn is_blank(&self) -> bool {
        self.resource.is_empty()
    }
}

impl RangeRow {
    pub(in crate::console::keys) fn new(text: &str) -> Self {
        let text = text.trim().to_owned();
        let words = if text.is_empty() { Ok(String::new()) } else { range_in_words(&text) };
        let is_wrong = words.is_err();
        Self { text, words: words.unwrap_or_else(|why| why), is_wrong, is_focused: false }
    }

    /// The rows of a submission. There is always one. Whoever pastes several ranges into a row gets a row for each.
    pub(super) fn sent(fields: &Fields) -> Vec<Self> {
        or_one(fields.all("cidrs").flat_map(entries).map(Self::new).collect(), Self::default)
    }

    /// The rows of a key's ranges. Every address is no range.
    pub(super) fn of(cidrs: &Cidrs) -> Vec<Self> {
        if cidrs.is_everyone() {
            return vec![Self::default()];
        }
        cidrs.iter().map(|range| Self::new(&range.to_string())).collect()
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|character: char| character.is_whitespace() || character == ',');
    parts.filter(|entry| !entry.is_empty())
}

impl TagRow {
    pub(in crate::console::keys) fn new(name: &str, value: &str) -> Self {
        Self { name: name.trim().to_owned(), value: value.trim().to_owned(), is_focused: false }
    }

    /// The rows of a submission. There is always one.
    pub(super) fn sent(fields: &Fields) -> Vec<Self> {
        let pairs = fields.all("tag").zip(fields.all("tag-value"));
        or_one(pairs.map(|(name, value)| Self::new(name, value)).collect(), Self::default)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

pub(super) fn or_one<T>(rows: Vec<T>, blank: impl FnOnce() -> T) -> Vec<T> {
    if rows.is_empty() { vec![blank()] } else { rows }
}

/// A row that can have the focus.
pub(super) trait Focus {
    /// Focuses the row.
    fn focus(&mut self);
}

impl Focus for ScopeRow {
    fn focus(&mut self) {
        self.is_focused = true;
    }
}

impl Focus for RangeRow {
    fn focus(&mut self) {
        self.is_focused = true;
    }
}

impl Focus for TagRow {
    fn focus(&mut self) {
        self.is_focused = true;
    }
}

/// Removes the row with this number, counted from 1, and focuses the one in its place. The last row stays, blank.
pub(super) fn drop_row<R: Focus>(rows: &mut Vec<R>, number: &str, blank: impl FnOnce() -> R) {
    let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let Some(at) = at.filter(|at| *at < rows.len()) else { return };
    rows.remove(at);
    if rows.is_empty() {
        rows.push(blank());
    }
    let next = at.min(rows.len() - 1);
    rows[next].focus();
}

/// Adds a row, and focuses it.
pub(super) fn add_row<R: Focus>(rows: &mut Vec<R>, mut row: R) {
    row.focus();
    rows.push(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_ranges_in_one_row_become_rows() {
        let fields = Fields::parse(b"cidrs=10.0.0.0/8%0A192.0.2.1&cidrs=&cidrs=2001:db8::/32,x").unwrap();
        let rows = RangeRow::sent(&fields);
        let texts: Vec<_> = rows.iter().map(|row| (&*row.text, row.is_wrong)).collect();
        assert_eq!(
            texts,
            [("10.0.0.0/8", false), ("192.0.2.1", false), ("2001:db8::/32", false), ("x", true)]
        );
        assert_eq!(RangeRow::sent(&Fields::parse(b"cidrs=").unwrap()).len(), 1);
    }

    #[test]
    fn a_removed_row_leaves_the_focus_in_its_place() {
        let mut rows = vec![TagRow::new("a", ""), TagRow::new("b", ""), TagRow::new("c", "")];
        drop_row(&mut rows, "2", TagRow::default);
        assert_eq!((rows.len(), &*rows[1].name, rows[1].is_focused), (2, "c", true));
        drop_row(&mut rows, "9", TagRow::default);
        drop_row(&mut rows, "2", TagRow::default);
        drop_row(&mut rows, "1", TagRow::default);
        assert!(rows.len() == 1 && rows[0].is_blank() && rows[0].is_focused);
    }
}
