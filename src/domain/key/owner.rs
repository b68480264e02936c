//! Who is responsible for a key.

use std::fmt;
use std::str::FromStr;

use crate::base::text::{reorders, serde_as_text};
use crate::domain::hex_id::number;

/// Who is responsible for a key: a member, by id, or somebody in free text, such as `Payments team`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(Box<str>);

/// Why an owner is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnerError {
    /// The text is empty, or only white space.
    #[error("owner is empty")]
    Empty,
    /// The text is too long.
    #[error("owner is longer than {} characters", Owner::MAX)]
    TooLong,
    /// The text has a control character, or one that changes the order in which others are shown.
    #[error("owner contains a control character")]
    Control,
    /// The text begins as the id of a member does, and isn't one.
    #[error("an owner that begins with usr_ must be a member's id: usr_ and 16 hexadecimal digits")]
    Member,
}

impl Owner {
    /// The maximum length, in characters.
    pub const MAX: usize = 200;

    const MEMBER: &str = "usr_";

    /// The owner as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the owner is a member, so that the text is the member's id.
    pub fn is_member(&self) -> bool {
        self.0.starts_with(Self::MEMBER)
    }
}

impl FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, OwnerError> {
        if text.trim().is_empty() {
            return Err(OwnerError::Empty);
        }
        if text.chars().count() > Self::MAX {
            return Err(OwnerError::TooLong);
        }
        if text.chars().any(|character| character.is_control() || reorders(character)) {
            return Err(OwnerError::Control);
        }
        if text.starts_with(Self::MEMBER) && number(text, Self::MEMBER).is_none() {
            return Err(OwnerError::Member);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Owner);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_a_member_or_free_text() {
        let owner = |text: &str| text.parse::<Owner>();
        assert!(owner("usr_0123456789abcdef").unwrap().is_member());
        assert!(!owner("Zahlungen, Raum 3").unwrap().is_member());
        assert_eq!(owner(" "), Err(OwnerError::Empty));
        assert_eq!(owner(&"é".repeat(201)), Err(OwnerError::TooLong));
        assert!(owner(&"é".repeat(200)).is_ok());
        for bad in ["a\nb", "a\u{202e}b"] {
            assert_eq!(owner(bad), Err(OwnerError::Control));
        }
        for bad in ["usr_", "usr_0123456789ABCDEF", "usr_0123456789abcdef0"] {
            assert_eq!(owner(bad), Err(OwnerError::Member), "{bad}");
        }
    }
}
