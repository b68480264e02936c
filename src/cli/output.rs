//! Output of commands: results on standard output, everything else on standard error. Only people get colours.

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

/// Prints a line to standard error, for people rather than for programs that read the result.
pub(super) fn note(text: &str) -> Result<(), OutputError> {
    Stream::Err.line(text)
}

/// Prints the server's JSON unchanged.
pub(super) fn json(body: &[u8]) -> Result<Reader, OutputError> {
    match Stream::Out.write(body)? {
        Reader::Listening => Stream::Out.write(b"\n"),
        Reader::Gone => Ok(Reader::Gone),
    }
}

/// Makes foreign text safe for a terminal. Control characters could move the cursor or fake other output, so they are
/// shown escaped.
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

/// Characters that change the order or the direction of text (Unicode Standard Annex 9, §2).
fn is_bidirectional(character: char) -> bool {
    reorders(character) || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        assert_eq!(plain("Zürich 東京\nb"), "Zürich 東京\nb");
        assert_eq!(plain("a\x1b[31mb\r\u{9b}c\u{202e}"), "a\\u{1b}[31mb\\u{d}\\u{9b}c\\u{202e}");
    }
}
