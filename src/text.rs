//! Text in and out, shared by the vocabulary: quoting a user's own words in errors, and serde for types
//! that are written as strings.

use std::fmt;

/// The beginning of a text that somebody sent, fit to be quoted in an error: at most 80 characters, and
/// only those that RFC 6749 §5.2 allows in an `error_description`; every other one is a `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    const MAX_CHARS: usize = 80;
}

impl From<&str> for Excerpt {
    fn from(text: &str) -> Self {
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

/// RFC 6749 §5.2: `%x20-21 / %x23-5B / %x5D-7E`, which leaves out the quotation mark and the backslash.
fn describable(c: char) -> char {
    match c {
        '"' | '\\' => '?',
        ' '..='~' => c,
        _ => '?',
    }
}

/// Implements serde for types whose one written form is their `Display`, read back by their `FromStr`.
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
        assert_eq!(Excerpt::from("x".repeat(80).as_str()).to_string(), "x".repeat(80));
        assert_eq!(Excerpt::from("x".repeat(81).as_str()).to_string(), "x".repeat(80) + "...");
    }
}
