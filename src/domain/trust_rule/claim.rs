//! The claims that a token presents, and those that a rule writes down.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The value of a claim, as far as a rule can compare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue<'a> {
    /// A string, without its escapes.
    Text(Cow<'a, str>),
    /// A number without fraction and exponent, within 64 bits.
    Integer(i64),
    /// `true` or `false`.
    Boolean(bool),
    /// An object, into which a pointer leads.
    Object(ClaimObject<'a>),
    /// An array, `null` or any other number. No rule matches it.
    Other,
}

/// The members of a claims object. No name occurs twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimObject<'a>(pub Vec<(Cow<'a, str>, ClaimValue<'a>)>);

/// What a token says whose signature holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PresentedClaims<'a> {
    /// The values of `aud`.
    pub audience: Vec<Cow<'a, str>>,
    /// All claims.
    pub all: ClaimObject<'a>,
}

impl<'a> ClaimObject<'a> {
    pub(super) fn member(&self, name: &str) -> Option<&ClaimValue<'a>> {
        self.0.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }
}

impl ClaimValue<'_> {
    /// The text to compare: of a string its characters, of an integer or a boolean its JSON text.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Integer(integer) => Some(Cow::Owned(integer.to_string())),
            Self::Boolean(true) => Some(Cow::Borrowed("true")),
            Self::Boolean(false) => Some(Cow::Borrowed("false")),
            Self::Object(_) | Self::Other => None,
        }
    }
}

/// The claims of a rule as they are written. A map would keep only one of two equal names.
#[derive(Debug, Default)]
pub(super) struct PinnedClaims(pub(super) Vec<(String, String)>);

impl<'de> Deserialize<'de> for PinnedClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PinnedVisitor)
    }
}

struct PinnedVisitor;

impl<'de> Visitor<'de> for PinnedVisitor {
    type Value = PinnedClaims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from JSON Pointers to strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PinnedClaims, A::Error> {
        let mut claims = Vec::new();
        while let Some(entry) = map.next_entry()? {
            claims.push(entry);
        }
        Ok(PinnedClaims(claims))
    }
}
