//! The labels that people attach to keys: names, notes and reasons, and what they may not be.

use crate::base::text::reorders;

/// The most characters of a name.
pub const MAX_NAME: usize = 200;
/// The most characters of a note.
pub const MAX_NOTE: usize = 2_000;
/// The most characters of a reason.
pub const MAX_REASON: usize = 500;

/// The text will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A name with nothing to see in it.
    #[error("{0} is empty")]
    Empty(&'static str),
    /// A name of characters that nobody can see.
    #[error("{0} has nothing in it that can be seen")]
    Invisible(&'static str),
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

/// A name, of whatever has one: one line of 1 to [`MAX_NAME`] characters of any script, one of which can be seen.
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

/// Whether nothing is drawn for a character: those that Unicode calls `Default_Ignorable_Code_Point` (UAX #44), and
/// those that are drawn blank although they are no white space.
const fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}')
}

/// A note: up to [`MAX_NOTE`] characters, in lines.
///
/// # Errors
/// [`LabelError`].
pub fn note(text: String) -> Result<String, LabelError> {
    checked("note", text, MAX_NOTE, |character| character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A reason: one line of up to [`MAX_REASON`] characters.
///
/// # Errors
/// [`LabelError`].
pub fn reason(text: String) -> Result<String, LabelError> {
    checked("reason", text, MAX_REASON, char::is_control)
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
    fn any_script_and_no_control_characters() {
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
    }

    #[test]
    fn words_are_shown_in_the_order_in_which_they_are_written() {
        // The mark that a number within Arabic may need changes the order of nothing else.
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
