//! A scope says what a key or a token may do: an action on a filter over resources.
//!
//! ```text
//! scope-token = action ":" filter            action  = "read" / "write" / "admin" / "*"
//! filter      = "*" / segment *("/" segment) segment = "*" / literal / "**"   ; "**" only last
//! ```
//!
//! An action alone means `action:*`. Scopes are always written in the long form. Scopes can only be narrowed:
//! [`Scope::covers`] is a partial order, decided segment by segment. Wildcards never match the reserved root
//! `claviger`, under which the management API lives.
//!
//! ```
//! use claviger::domain::scope::{Scope, Verb};
//!
//! let scope: Scope = "read:projects/web/*".parse()?;
//! assert!(scope.matches(Verb::Read, &"projects/web/logo".parse()?));
//! assert!(scope.covers(&"read:projects/web/logo".parse()?));
//! assert!(!scope.covers(&"read:projects/**".parse()?));
//! assert_eq!("read".parse::<Scope>()?.to_string(), "read:*");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod filter;
mod json;
mod list;
mod preset;
mod resource;
mod segment;

use std::fmt;
use std::str::FromStr;

use crate::base::text::{Excerpt, serde_as_text};

pub use filter::Filter;
pub use list::Scopes;
pub use preset::{Preset, PresetError};
pub use resource::Resource;
pub use segment::{FilterError, RESERVED_ROOT, Segment};

/// An action that a scope grants. No action implies another; only `*` covers the others.
// The variants are in the byte order of their names, so the derived order of scopes equals the order of their
// texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// `*`: every action.
    Any,
    /// `admin`.
    Admin,
    /// `read`.
    Read,
    /// `write`.
    Write,
}

impl Action {
    /// The name in a scope: `*`, `admin`, `read` or `write`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Admin => "admin",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// Whether this action grants all that `other` grants.
    pub fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

impl FromStr for Action {
    type Err = ActionError;

    fn from_str(name: &str) -> Result<Self, ActionError> {
        match name {
            "*" => Ok(Self::Any),
            "admin" => Ok(Self::Admin),
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(ActionError { name: name.into(), expected: "read, write, admin or *" }),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An action that a caller performs. Unlike [`Action`], it has no wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `admin`.
    Admin,
    /// `read`.
    Read,
    /// `write`.
    Write,
}

impl From<Verb> for Action {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Admin => Self::Admin,
            Verb::Read => Self::Read,
            Verb::Write => Self::Write,
        }
    }
}

impl FromStr for Verb {
    type Err = ActionError;

    fn from_str(name: &str) -> Result<Self, ActionError> {
        match name {
            "admin" => Ok(Self::Admin),
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            _ => Err(ActionError { name: name.into(), expected: "read, write or admin" }),
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Action::from(*self).fmt(f)
    }
}

/// An action on a filter over resources, in canonical form. Scopes sort by the bytes of their texts.
///
/// The text form is `read:projects/web/*`, and the JSON form `{"action":"read","resource":"projects/web/*"}`. Both
/// may omit the filter on input. On output it is always present.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    action: Action,
    filter: Filter,
}

impl Scope {
    /// Grants `action` on every resource that `filter` matches.
    pub const fn new(action: Action, filter: Filter) -> Self {
        Self { action, filter }
    }

    /// `*:*`: every action on everything outside the reserved root.
    pub fn full_access() -> Self {
        Self::new(Action::Any, Filter::everything())
    }

    /// `read:*`: reading everything outside the reserved root.
    pub fn query_only() -> Self {
        Self::new(Action::Read, Filter::everything())
    }

    /// `*:claviger/**`: every action on everything under the reserved root, and nothing else.
    pub fn full_administration() -> Self {
        Self::new(Action::Any, Filter::all_reserved())
    }

    /// `write:claviger/orgs/*/projects/*/keys/*`: the scope that a key needs to create keys everywhere.
    pub fn makes_keys_everywhere() -> Self {
        Self::new(Action::Write, Filter::all_keys())
    }

    /// The action that this scope grants.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The resources on which it grants the action.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether the scope is under the reserved root: the first segment of its filter is the literal `claviger`.
    pub fn is_reserved(&self) -> bool {
        self.filter.is_reserved()
    }

    /// Whether this scope grants everything that `other` grants.
    pub fn covers(&self, other: &Self) -> bool {
        self.action.covers(other.action) && self.filter.covers(&other.filter)
    }

    /// Whether this scope allows `verb` on `resource`.
    pub fn matches(&self, verb: Verb, resource: &Resource) -> bool {
        self.action.covers(verb.into()) && self.filter.matches(resource)
    }

    /// The length of the text form, in bytes.
    pub(crate) fn text_len(&self) -> usize {
        self.action.as_str().len() + ":".len() + self.filter.as_str().len()
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(token: &str) -> Result<Self, ScopeError> {
        // In a list that is joined by commas, the commas are the mistake. An error about the first part would
        // mislead.
        Self::parse(token).map_err(|error| if joins_scopes(token) { ScopeError::Commas } else { error })
    }
}

impl Scope {
    fn parse(token: &str) -> Result<Self, ScopeError> {
        let Some((action, filter)) = token.split_once(':') else {
            return Ok(Self::new(token.parse()?, Filter::everything()));
        };
        let action = action.parse()?;
        match filter.parse() {
            Ok(filter) => Ok(Self::new(action, filter)),
            Err(reason) => Err(ScopeError::Filter { scope: token.into(), reason }),
        }
    }

    /// Refuses a scope that looks like several scopes joined by commas. `read:a,write:b` is formally one scope on
    /// the literal `a,write:b`, but nobody means that. The check applies to what people and clients send, and never
    /// to what is stored or signed.
    pub(crate) fn refuse_commas(&self) -> Result<(), ScopeError> {
        if joins_scopes(self.filter.as_str()) { Err(ScopeError::Commas) } else { Ok(()) }
    }
}

/// Whether a comma is followed by an action. The action ends the text, or its filter or the next comma follows.
fn joins_scopes(text: &str) -> bool {
    text.split(',').skip(1).any(|part| {
        let action = part.split(':').next().unwrap_or_default();
        action.parse::<Action>().is_ok()
    })
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.action, self.filter)
    }
}

/// Why a text is not an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the action must be {expected}, not `{name}`")]
pub struct ActionError {
    name: Excerpt,
    expected: &'static str,
}

/// Why a text is not a scope, or why a list is not a list of scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The text before the first colon is not an action.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The text after the first colon is not a filter.
    #[error("`{scope}` is not a scope: {reason}")]
    Filter {
        /// The rejected scope.
        scope: Excerpt,
        /// The rule that its filter breaks.
        reason: FilterError,
    },
    /// The spacing breaks RFC 6749 §3.3: one space between two scopes, none before the first or after the last.
    #[error("scopes must be separated by exactly one space, without spaces around the list")]
    Spacing,
    /// The scopes are joined by commas, as some client libraries do.
    #[error("scopes are separated by spaces, not by commas")]
    Commas,
    /// A key, or a list in text form, has no scope.
    #[error("at least one scope is required")]
    None,
    /// There are more than [`Scopes::MAX_COUNT`] distinct scopes.
    #[error("at most {} scopes are allowed", Scopes::MAX_COUNT)]
    TooMany,
    /// The text form has more than [`Scopes::MAX_BYTES`] bytes.
    #[error("the scopes are longer than {} bytes together", Scopes::MAX_BYTES)]
    TooLong,
}

serde_as_text!(Action, Verb);
