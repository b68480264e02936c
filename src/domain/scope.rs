//! Scopes: what a key or a token may do, as an action on a filter over resources.
//!
//! ```text
//! scope-token = action ":" filter            action  = "read" / "write" / "admin" / "*"
//! filter      = "*" / segment *("/" segment) segment = "*" / literal / "**"   ; "**" only last
//! ```
//!
//! An action alone is short for `action:*`; what is written is always the long form. A scope can only be
//! narrowed: [`Scope::covers`] is a partial order, decided segment by segment. Wildcards never reach the
//! reserved root `claviger`, under which the management API lives.

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

/// An action as a scope grants it. Actions imply nothing of each other; only `*` covers another one.
// Declared in the byte order of their names, so that the derived order of scopes is that of their texts.
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
    /// Its name in a scope: `*`, `admin`, `read` or `write`.
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

/// An action as a caller performs it: one of the three, never the wildcard.
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

/// An action on a filter over resources, in canonical form. Its order is the byte order of its text.
///
/// In text `read:projects/web/*`, in JSON `{"action":"read","resource":"projects/web/*"}`; both are read
/// with the filter left out, and always written with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    action: Action,
    filter: Filter,
}

impl Scope {
    /// `action` on every resource that `filter` matches.
    pub const fn new(action: Action, filter: Filter) -> Self {
        Self { action, filter }
    }

    /// `*:*`: everything but what is under the reserved root.
    pub fn full_access() -> Self {
        Self::new(Action::Any, Filter::everything())
    }

    /// `read:*`: reading everything but what is under the reserved root.
    pub fn query_only() -> Self {
        Self::new(Action::Read, Filter::everything())
    }

    /// `*:claviger/**`: everything under the reserved root, and nothing else.
    pub fn full_administration() -> Self {
        Self::new(Action::Any, Filter::all_reserved())
    }

    /// `write:claviger/orgs/*/projects/*/keys/*`: what it takes to make keys everywhere.
    pub fn makes_keys_everywhere() -> Self {
        Self::new(Action::Write, Filter::all_keys())
    }

    /// The action that it grants.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The resources on which it grants that.
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether it lies under the reserved root: its filter's first segment is literally `claviger`.
    pub fn is_reserved(&self) -> bool {
        self.filter.is_reserved()
    }

    /// Whether this scope grants all that `other` grants.
    pub fn covers(&self, other: &Self) -> bool {
        self.action.covers(other.action) && self.filter.covers(&other.filter)
    }

    /// Whether this scope lets a caller do `verb` to `resource`.
    pub fn matches(&self, verb: Verb, resource: &Resource) -> bool {
        self.action.covers(verb.into()) && self.filter.matches(resource)
    }

    /// The length of its text, in bytes.
    pub(crate) fn text_len(&self) -> usize {
        self.action.as_str().len() + ":".len() + self.filter.as_str().len()
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(token: &str) -> Result<Self, ScopeError> {
        // What is wrong with a list joined by commas is the commas, not the first part that they spoil.
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

    /// Refuses a scope that reads as several ones joined by commas: `read:a,write:b` is one scope on the literal
    /// `a,write:b`, and nobody means that. Asked of what people and clients send, never of what is stored or signed.
    pub(crate) fn refuse_commas(&self) -> Result<(), ScopeError> {
        if joins_scopes(self.filter.as_str()) { Err(ScopeError::Commas) } else { Ok(()) }
    }
}

/// Whether a comma stands before an action, which ends the text or is followed by its filter or the next action.
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

/// Why a text is not a scope, or a list not one of scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// What stands before the first colon is no action.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// What stands after the first colon is no filter.
    #[error("`{scope}` is not a scope: {reason}")]
    Filter {
        /// The scope as it was given.
        scope: Excerpt,
        /// The rule that its filter breaks.
        reason: FilterError,
    },
    /// RFC 6749 §3.3: one space between two scopes, and none before the first or after the last.
    #[error("scopes must be separated by exactly one space, without spaces around the list")]
    Spacing,
    /// Several scopes are joined by commas, as some client libraries do.
    #[error("scopes are separated by spaces, not by commas")]
    Commas,
    /// A key or a list in text has none.
    #[error("at least one scope is required")]
    None,
    /// More than [`Scopes::MAX_COUNT`] different ones.
    #[error("at most {} scopes are allowed", Scopes::MAX_COUNT)]
    TooMany,
    /// More than [`Scopes::MAX_BYTES`] when written as one text.
    #[error("the scopes are longer than {} bytes together", Scopes::MAX_BYTES)]
    TooLong,
}

serde_as_text!(Action, Verb);
