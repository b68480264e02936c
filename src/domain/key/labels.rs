//! The labels that people attach to keys and to scopes: names, notes, reasons, descriptions and groups, with their limits.

use crate::base::text::reorders;

/// The maximum length of a name, in characters.
pub const MAX_NAME: usize = 200;
/// The maximum length of a note, in characters.
pub const MAX_NOTE: usize = 2_000;
/// The maximum length of a reason, in characters.
pub const MAX_REASON: usize = 500;
/// The maximum length of a scope's description, in characters.
pub const MAX_DESCRIPTION: usize = 500;
/// The maximum length of the name of a group of scopes, in characters.
pub const MAX_GROUP: usize = 100;

/// Why a label is refused. Each variant has the name of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name is empty.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A name has only invisible characters.
    #[error("{0} has no visible character")]
    Invisible(&'static str),
    /// The text is longer than the given number of characters.
    #[error("{0} is longer than {1} characters")]
    TooLong(&'static str, usize),
    /// The text has a control character. PostgreSQL can't store a NUL, and a line break in a name could forge log
    /// lines.
    #[error("{0} contains a control character")]
    Control(&'static str),
    /// The text has a character that makes it look different from what it says (CVE-2021-42574).
    #[error("{0} contains a character that changes the order in which others are shown")]
    Reordered(&'static str),
}

/// Checks a name: one line of 1 to [`MAX_NAME`] characters of any script, at least one of them visible.
///
/// # Errors
/// [`LabelError`].
pub fn name(text: String) -> Result<String, LabelError> {
    if text.trim().is_empty() {
        return Err(LabelError::Empty("name"));
    }
    if text.chars().all(|character| character.is_whitespace() || is_invisible(character)) {
        return Err(LabelError::Invisible("name"));
    }
    checked("name", text, MAX_NAME, char::is_control)
}

/// Whether a character is invisible: those that Unicode calls `Default_Ignorable_Code_Point` (UAX #44), and those
/// that are drawn blank although they are not white space.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}')
}

/// Checks a note: up to [`MAX_NOTE`] characters, in lines.
///
/// # Errors
/// [`LabelError`].
pub fn note(text: String) -> Result<String, LabelError> {
    checked("note", text, MAX_NOTE, |character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// Checks a reason: one line of up to [`MAX_REASON`] characters.
///
/// # Errors
/// [`LabelError`].
pub fn reason(text: String) -> Result<String, LabelError> {
    checked("reason", text, MAX_REASON, char::is_control)
}

/// Checks the description of a scope: one line of 1 to [`MAX_DESCRIPTION`] characters.
///
/// # Errors
/// [`LabelError`].
pub fn description(text: String) -> Result<String, LabelError> {
    line("description", text, MAX_DESCRIPTION)
}

/// Checks the group of a scope: one line of 1 to [`MAX_GROUP`] characters.
///
/// # Errors
/// [`LabelError`].
pub fn group(text: String) -> Result<String, LabelError> {
    line("group", text, MAX_GROUP)
}

fn line(what: &'static str, text: String, most: usize) -> Result<String, LabelError> {
    if text.trim().is_empty() {
        return Err(LabelError::Empty(what));
    }
    checked(what, text, most, char::is_control)
}

fn checked(
    what: &'static str,
    text: String,
    most: usize,
    is_refused: impl Fn(char) -> bool,
) -> Result<String, LabelError> {
    if text.chars().any(is_refused) {
        return Err(LabelError::Control(what));
    }
    if text.chars().any(reorders) {
        return Err(LabelError::Reordered(what));
    }
    if text.chars().count() > most {
        return Err(LabelError::TooLong(what, most));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_may_have_any_script_and_no_control_characters() {
        assert!(name("Κλειδί 🔑 ключ".into()).is_ok());
        assert_eq!(name(" \u{3000}".into()), Err(LabelError::Empty("name")));
        for blank in ["\u{200b}", "\u{2800}\u{3164} ", "\u{202e}\u{2069}", "\u{e0020}\u{feff}"] {
            assert_eq!(name(blank.into()), Err(LabelError::Invisible("name")), "{blank:?}");
        }
        assert!(name("👩\u{200d}🚀".into()).is_ok());
        assert_eq!(name("a\nb".into()), Err(LabelError::Control("name")));
        assert_eq!(name("a\0".into()), Err(LabelError::Control("name")));
        assert_eq!(name("é".repeat(201)), Err(LabelError::TooLong("name", 200)));
        assert!(name("é".repeat(200)).is_ok());
        assert!(note("two\nlines\t".into()).is_ok());
        assert_eq!(note("\u{1b}[31m".into()), Err(LabelError::Control("note")));
        assert_eq!(reason("a\nb".into()), Err(LabelError::Control("reason")));
        assert_eq!(description(" ".into()), Err(LabelError::Empty("description")));
        assert_eq!(group("a\nb".into()), Err(LabelError::Control("group")));
        assert_eq!(group("é".repeat(101)), Err(LabelError::TooLong("group", 100)));
    }

    #[test]
    fn words_are_shown_in_the_order_in_which_they_are_written() {
        // The right-to-left mark, which a number in Arabic text may need, doesn't reorder other characters.
        for good in ["مفتاح 2", "שלום", "مفتاح\u{200f} (2)", "a\u{200d}b"] {
            assert_eq!(name(good.into()), Ok(good.into()));
        }
        for steering in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            let text = format!("a{steering}b");
            assert_eq!(name(text.clone()), Err(LabelError::Reordered("name")), "{steering:?}");
            assert_eq!(note(text.clone()), Err(LabelError::Reordered("note")), "{steering:?}");
            assert_eq!(reason(text), Err(LabelError::Reordered("reason")), "{steering:?}");
        }
    }
}
