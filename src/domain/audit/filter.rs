//! Filters for the events of the audit trail.

use std::str::FromStr;

use super::Who;
use crate::base::clock::Timestamp;
use crate::domain::api_key::KeyId;
use crate::domain::names::OrganizationId;

/// Selects events. A field that is `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// The organization.
    pub organization: Option<OrganizationId>,
    /// The actor.
    pub actor: Option<Who>,
    /// The key that was acted on.
    pub key: Option<KeyId>,
    /// The action, or the family of actions.
    pub action: Option<ActionFilter>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The end of the time range, which is excluded.
    pub to: Option<Timestamp>,
}

/// One action, or a family of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionFilter {
    /// One action, such as `key.revoke`.
    Exactly(String),
    /// A family, such as `key` for `key.*`.
    Family(String),
}

/// The text is not an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an action such as key.revoke, or all of a kind such as key.*")]
pub struct ActionError;

impl FromStr for ActionFilter {
    type Err = ActionError;

    fn from_str(text: &str) -> Result<Self, ActionError> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
        match text.strip_suffix(".*") {
            Some(family) if is_word(family) => Ok(Self::Family(family.to_owned())),
            None if text.split('.').all(is_word) => Ok(Self::Exactly(text.to_owned())),
            _ => Err(ActionError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_named_exactly_or_by_its_family() {
        for exact in ["key.revoke", "bootstrap", "signing_key.rotate", "key.secret.retire"] {
            assert_eq!(exact.parse(), Ok(ActionFilter::Exactly(exact.to_owned())));
        }
        assert_eq!("signing_key.*".parse(), Ok(ActionFilter::Family("signing_key".to_owned())));
        for bad in
            ["", "*", ".*", "key.", "key.rev*", "key.secret.*", "KEY.revoke", "key revoke", "key.*.*", "é"]
        {
            assert_eq!(bad.parse::<ActionFilter>(), Err(ActionError), "{bad}");
        }
    }
}
