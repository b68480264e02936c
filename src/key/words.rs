//! The words that people attach to keys, and what they may not be.

use crate::text::reorders;

/// The most characters of a name.
pub const MAX_NAME: usize = 200;
/// The most characters of a note.
pub const MAX_NOTE: usize = 2_000;
/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

/// The text will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A name with nothing to see in it.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// Longer than it may be.
    #[error("{0} is longer than {1} characters")]
    TooLong(&'static str, usize),
    /// It holds what no line of text does. PostgreSQL can't store a NUL, and a log line broken by a name
    /// would be a lie.
    #[error("{0} contains a control character")]
    Control(&'static str),
    /// Whoever reads it would see other words than there are (CVE-2021-42574).
    #[error("{0} holds a character that changes the order in which others are shown")]
    Reordered(&'static str),
}

/// A name: one line of 1 to [`MAX_NAME`] characters of any script, not all of them blank.
///
/// # Errors
/// [`WordsError`].
pub fn name(text: String) -> Result<String, WordsError> {
    if text.trim().is_empty() {
        return Err(WordsError::Empty("name"));
    }
    checked("name", text, MAX_NAME, char::is_control)
}

/// A note: up to [`MAX_NOTE`] characters, in lines.
///
/// # Errors
/// [`WordsError`].
pub fn note(text: String) -> Result<String, WordsError> {
    checked("note", text, MAX_NOTE, |character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A reason: one line of up to [`MAX_REASON`] characters.
///
/// # Errors
/// [`WordsError`].
pub fn reason(text: String) -> Result<String, WordsError> {
    checked("reason", text, MAX_REASON, char::is_control)
}

fn checked(
    what: &'static str,
    text: String,
    most: usize,
    is_refused: impl Fn(char) -> bool,
) -> Result<String, WordsError> {
    if text.chars().any(is_refused) {
        return Err(WordsError::Control(what));
    }
    if text.chars().any(reorders) {
        return Err(WordsError::Reordered(what));
    }
    if text.chars().count() > most {
        return Err(WordsError::TooLong(what, most));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_script_and_no_control_characters() {
        assert!(name("Κλειδί 🔑 ключ".into()).is_ok());
        assert_eq!(name(" \u{3000}".into()), Err(WordsError::Empty("name")));
        assert_eq!(name("a\nb".into()), Err(WordsError::Control("name")));
        assert_eq!(name("a\0".into()), Err(WordsError::Control("name")));
        assert_eq!(name("é".repeat(201)), Err(WordsError::TooLong("name", 200)));
        assert!(name("é".repeat(200)).is_ok());
        assert!(note("two\nlines\t".into()).is_ok());
        assert_eq!(note("\u{1b}[31m".into()), Err(WordsError::Control("note")));
        assert_eq!(reason("a\nb".into()), Err(WordsError::Control("reason")));
    }

    #[test]
    fn words_are_shown_in_the_order_in_which_they_are_written() {
        // The mark that a number within Arabic may need changes the order of nothing else.
        for good in ["مفتاح 2", "שלום", "مفتاح\u{200f} (2)", "a\u{200d}b"] {
            assert_eq!(name(good.into()), Ok(good.into()));
        }
        for steering in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            let text = format!("a{steering}b");
            assert_eq!(name(text.clone()), Err(WordsError::Reordered("name")), "{steering:?}");
            assert_eq!(note(text.clone()), Err(WordsError::Reordered("note")), "{steering:?}");
            assert_eq!(reason(text), Err(WordsError::Reordered("reason")), "{steering:?}");
        }
    }
}
