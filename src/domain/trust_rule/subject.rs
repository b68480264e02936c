//! What the subject of a token must be.

use std::fmt;
use std::str::FromStr;

use super::{RuleFault, TrustRule};
use crate::base::text::serde_as_text;

/// One subject, or all whose beginning is the same up to a `:` or a `/`.
///
/// The text form is the subject, or its beginning and `*`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SubjectPattern {
    text: Box<str>,
}

impl SubjectPattern {
    /// Whether the pattern is a single subject.
    pub fn is_exact(&self) -> bool {
        self.beginning().is_none()
    }

    /// Whether `subject` is one of these. Bytes are compared. `*` stands for at least one character.
    pub fn matches(&self, subject: &str) -> bool {
        match self.beginning() {
            Some(beginning) => subject.strip_prefix(beginning).is_some_and(|rest| !rest.is_empty()),
            None => *self.text == *subject,
        }
    }

    fn beginning(&self) -> Option<&str> {
        self.text.strip_suffix('*')
    }
}

impl FromStr for SubjectPattern {
    type Err = RuleFault;

    fn from_str(text: &str) -> Result<Self, RuleFault> {
        if !(1..=TrustRule::MAX_VALUE).contains(&text.len()) || text.contains(char::is_control) {
            return Err(RuleFault::Subject);
        }
        let beginning = text.strip_suffix('*');
        let is_open_ended = beginning.is_some_and(|beginning| !beginning.ends_with([':', '/']));
        if is_open_ended || beginning.unwrap_or(text).contains('*') {
            return Err(RuleFault::SubjectPattern);
        }
        Ok(Self { text: text.into() })
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(SubjectPattern);
