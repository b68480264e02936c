//! The orders of the list of keys, and their names in the address.

use crate::store::{KeyOrder, KeySort};

#[derive(Debug)]
pub(super) struct Sort {
    /// The name in the address.
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) order: KeyOrder,
}

/// All orders. The first is the default. A click on a column's head selects the first order of that column, and another
/// click the second.
pub(super) const SORTS: [Sort; 8] = [
    sort("", "Newest first", KeySort::Creation, true),
    sort("oldest", "Oldest first", KeySort::Creation, false),
    sort("name", "Name, A to Z", KeySort::Name, false),
    sort("name-down", "Name, Z to A", KeySort::Name, true),
    sort("end", "Expiring first", KeySort::End, false),
    sort("end-down", "Expiring last", KeySort::End, true),
    sort("used", "Recently used", KeySort::LastUse, true),
    sort("idle", "Least recently used", KeySort::LastUse, false),
];

const fn sort(word: &'static str, label: &'static str, by: KeySort, is_descending: bool) -> Sort {
    Sort { word, label, order: KeyOrder { by, is_descending } }
}

impl Sort {
    /// The order with this name, or the default.
    pub(super) fn read(word: &str) -> &'static Self {
        SORTS.iter().find(|sort| sort.word == word).unwrap_or(&SORTS[0])
    }

    /// The order after a click on the head of column `by`.
    pub(super) fn after_click(&self, by: KeySort) -> &'static Self {
        let is_other = |sort: &&Self| sort.order.by == by && sort.order != self.order;
        SORTS.iter().find(is_other).unwrap_or(&SORTS[0])
    }

    /// The `aria-sort` value of column `by`, for screen readers.
    pub(super) fn aria(&self, by: KeySort) -> Option<&'static str> {
        let direction = if self.order.is_descending { "descending" } else { "ascending" };
        (self.order.by == by).then_some(direction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_click_turns_an_order_round() {
        for by in [KeySort::Creation, KeySort::Name, KeySort::End, KeySort::LastUse] {
            let elsewhere = SORTS.iter().find(|sort| sort.order.by != by).unwrap();
            let first = elsewhere.after_click(by);
            let second = first.after_click(by);
            assert_eq!((first.order.by, second.order.by), (by, by));
            assert_ne!(first.order.is_descending, second.order.is_descending);
            assert_eq!(second.after_click(by).word, first.word);
        }
    }
}
