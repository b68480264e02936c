//! Confirmation of a destructive action by typing a name.

use unicode_normalization::UnicodeNormalization as _;

/// Whether `typed` is the name or the id of a thing. Names that look alike count as equal: Unicode composition does not
/// matter, nor do the kind and amount of white space between words.
pub(super) fn names(typed: &str, name: &str, id: &str) -> bool {
    typed.trim() == id || (!typed.trim().is_empty() && folded(typed) == folded(name))
}

/// Normalization form C (UAX #15), with each run of white space replaced by one space.
fn folded(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_composition_and_invisible_names_do_not_hinder_a_confirmation() {
        for (typed, name) in [
            ("a b", "a  b"),
            ("a b", " a\u{a0}b\u{3000}"),
            ("caf\u{e9}", "cafe\u{301}"),
            ("key_1", "\u{2800}\u{2800}x"),
            (" key_1 ", "anything"),
        ] {
            assert!(names(typed, name, "key_1"), "{typed} {name}");
        }
        for (typed, name) in [("A b", "a b"), ("ab", "a b"), ("", "\u{a0}"), ("", ""), ("key_2", "a")] {
            assert!(!names(typed, name, "key_1"), "{typed} {name}");
        }
    }
}
