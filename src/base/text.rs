//! Text helpers of the vocabulary: quoting input in errors, and serde for types that are written as strings.

use std::fmt;

/// The beginning of an input text, safe to quote in an error. It has at most 80 characters. Characters that RFC 6749
/// §5.2 doesn't allow in an `error_description` become `?`. It ends where a misplaced key or token could begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    const MAX_CHARS: usize = 80;
}

impl From<&str> for Excerpt {
    fn from(text: &str) -> Self {
        let text = redacted(text);
        let mut chars = text.chars();
        let mut quoted: String = chars.by_ref().take(Self::MAX_CHARS).map(describable).collect();
        if chars.next().is_some() {
            quoted.push_str("...");
        }
        Self(quoted.into())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E`, which excludes the quotation mark and the backslash.
fn describable(c: char) -> char {
    match c {
        '"' | '\\' => '?',
        ' '..='~' => c,
        _ => '?',
    }
}

/// Whether a character makes others appear in another order than they are written: an embedding, an override or an
/// isolate (Unicode Standard Annex 9, §2). Directional marks don't count, because right-to-left scripts need them.
pub(crate) fn reorders(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text without the byte order mark that some editors and shells put at the start.
pub(crate) fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The bytes of a file without a byte order mark at the start.
#[cfg(feature = "_client")]
pub(crate) fn without_byte_order_mark_bytes(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

/// A longer run of letters and digits could be a secret. An API key ends in 65 of them, and names have no such runs.
const MAX_RUN: usize = 40;

/// A request's text up to the first possible key or token.
pub(crate) fn redacted(text: &str) -> String {
    let mut run = 0;
    for (at, character) in text.char_indices() {
        if !character.is_ascii_alphanumeric() {
            run = at + character.len_utf8();
        } else if at - run >= MAX_RUN {
            return format!("{}[redacted]", &text[..run]);
        }
    }
    text.to_owned()
}

/// A message of serde without the value that it quotes, which could be a misplaced secret. The name of an unknown
/// field stays, as an [`Excerpt`], because it helps the user.
#[cfg(feature = "server")]
pub(crate) fn without_values(message: &str) -> String {
    for kind in ["invalid type", "invalid value", "unknown variant"] {
        if message.starts_with(kind)
            && let Some(expected) = message.rfind(", expected ")
        {
            return format!("{kind}{}", &message[expected..]);
        }
    }
    let Some(unknown) = message.strip_prefix("unknown field `") else { return message.to_owned() };
    match unknown.rfind("`, expected ").or_else(|| unknown.rfind("`, there are no fields")) {
        Some(end) => format!("unknown field `{}{}", Excerpt::from(&unknown[..end]), &unknown[end..]),
        None => "unknown field".to_owned(),
    }
}

/// Implements serde for types that are written by `Display` and read by `FromStr`.
macro_rules! serde_as_text {
    ($($kind:ty),+ $(,)?) => {$(
        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_holds_nothing_that_needs_escaping() {
        assert_eq!(Excerpt::from("read:a b").to_string(), "read:a b");
        assert_eq!(Excerpt::from("a\"b\\c\u{e9}\n\0\u{7f}").to_string(), "a?b?c????");
        assert_eq!(Excerpt::from("x ".repeat(40).as_str()).to_string(), "x ".repeat(40));
        assert_eq!(Excerpt::from("x ".repeat(41).as_str()).to_string(), "x ".repeat(40) + "...");
    }

    #[test]
    fn what_could_be_a_secret_is_not_quoted() {
        let (id, secret) = ("a".repeat(40), "a".repeat(41));
        for (text, quoted) in [
            (format!("read:a/{id}/b"), format!("read:a/{id}/b")),
            (secret.clone(), "[redacted]".into()),
            (format!("read:clv_prd_{secret}/x"), "read:clv_prd_[redacted]".into()),
            (format!("é {secret}.x-{secret}"), "? [redacted]".into()),
        ] {
            assert_eq!(Excerpt::from(text.as_str()).to_string(), quoted);
        }
    }

    #[cfg(feature = "server")]
    #[test]
    fn serde_says_what_is_wrong_without_the_value() {
        for (message, kept) in [
            ("invalid type: string \"hunter2, expected x\", expected u32", "invalid type, expected u32"),
            ("invalid value: integer `7`, expected u8 at line 1", "invalid value, expected u8 at line 1"),
            ("unknown variant `hunter2`, expected `a` or `b`", "unknown variant, expected `a` or `b`"),
            ("unknown field `nam`, expected `name`", "unknown field `nam`, expected `name`"),
            ("unknown field `\u{e9}`, there are no fields", "unknown field `?`, there are no fields"),
            ("missing field `name`", "missing field `name`"),
        ] {
            assert_eq!(without_values(message), kept);
        }
    }
}
