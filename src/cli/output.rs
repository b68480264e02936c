//! What commands say: answers on standard output, all else on standard error; colours for people only.

mod patience;
mod sheet;
mod stream;
mod table;
mod tone;

pub(super) use patience::{announce, within};
pub(super) use sheet::Sheet;
pub(super) use stream::{OutputError, Reader, Stream};
pub(super) use table::{Cell, Table};
pub(super) use tone::Tone;

use crate::base::text::reorders;

/// Prints a line to standard output.
pub(super) fn say(text: &str) -> Result<(), OutputError> {
    Stream::Out.line(text)
}

/// Prints a line to standard error: for whoever watches, not for what reads the answer.
pub(super) fn note(text: &str) -> Result<(), OutputError> {
    Stream::Err.line(text)
}

/// Prints the server's JSON as it came.
pub(super) fn json(body: &[u8]) -> Result<Reader, OutputError> {
    match Stream::Out.write(body)? {
        Reader::Listening => Stream::Out.write(b"\n"),
        Reader::Gone => Ok(Reader::Gone),
    }
}

/// Text from elsewhere, fit for a terminal: control characters, with which it could move the cursor or
/// pretend to be something else, are shown as what they are.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => plain.push(character),
            steering if steering.is_control() || is_bidirectional(steering) => {
                plain.extend(steering.escape_unicode());
            }
            shown => plain.push(shown),
        }
    }
    plain
}

/// Characters that change the order in which others are shown, or their direction (Unicode Standard Annex 9, §2).
fn is_bidirectional(character: char) -> bool {
    reorders(character) || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_elsewhere_steers_a_terminal() {
        assert_eq!(plain("Zürich 東京\nb"), "Zürich 東京\nb");
        assert_eq!(plain("a\x1b[31mb\r\u{9b}c\u{202e}"), "a\\u{1b}[31mb\\u{d}\\u{9b}c\\u{202e}");
    }
}
