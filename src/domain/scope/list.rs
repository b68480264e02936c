//! Lists of scopes: those of a key, a token or a request.

use std::collections::BTreeSet;
use std::fmt;

use super::{Resource, Scope, ScopeError, Verb};

/// A list of scopes without duplicates, sorted by the bytes of their texts. Scopes are never merged. The list may
/// be empty.
///
/// The text form joins the scopes by single spaces (RFC 6749 §3.3). The JSON form is an array of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(Box<[Scope]>);

impl Scopes {
    /// The most scopes in a list from outside.
    pub const MAX_COUNT: usize = 64;

    /// The most bytes of such a list in text form.
    pub const MAX_BYTES: usize = 2048;

    /// Reads OAuth's form: at least one scope, and exactly one space between two (RFC 6749 §3.3, A.4).
    ///
    /// # Errors
    /// [`ScopeError`]. A text that is too long is refused before anything in it is read.
    pub fn parse_list(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Err(ScopeError::None);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(ScopeError::TooLong);
        }
        let mut scopes = Collector::default();
        for token in text.split(' ') {
            if token.is_empty() {
                return Err(ScopeError::Spacing);
            }
            scopes.push(token.parse()?)?;
        }
        scopes.finish()
    }

    /// Reads a client's request. Like [`Scopes::parse_list`], but refuses scopes that are joined by commas.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse_request(text: &str) -> Result<Self, ScopeError> {
        let scopes = Self::parse_list(text)?;
        scopes.iter().try_for_each(Scope::refuse_commas)?;
        Ok(scopes)
    }

    /// Collects the scopes of a key: 1 to [`Scopes::MAX_COUNT`] distinct ones, within [`Scopes::MAX_BYTES`].
    ///
    /// # Errors
    /// [`ScopeError::Commas`], [`ScopeError::None`], [`ScopeError::TooMany`] or [`ScopeError::TooLong`].
    pub fn for_key(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopeError> {
        let mut collector = Collector::default();
        for scope in scopes {
            scope.refuse_commas()?;
            collector.push(scope)?;
        }
        let scopes = collector.finish()?;
        if scopes.is_empty() { Err(ScopeError::None) } else { Ok(scopes) }
    }

    /// The scopes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// The number of scopes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a single scope of this list covers `scope`.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.iter().any(|mine| mine.covers(scope))
    }

    /// Whether each of `others` is covered by a single scope of this list.
    pub fn covers_all(&self, others: &Self) -> bool {
        others.iter().all(|other| self.covers(other))
    }

    /// Whether a scope of this list allows `verb` on `resource`.
    pub fn permits(&self, verb: Verb, resource: &Resource) -> bool {
        self.iter().any(|scope| scope.matches(verb, resource))
    }

    /// Splits the list into the scopes under the reserved root and all others.
    pub fn partition_reserved(&self) -> (Self, Self) {
        let (reserved, others): (Vec<_>, Vec<_>) = self.iter().cloned().partition(Scope::is_reserved);
        (Self(reserved.into()), Self(others.into()))
    }

    fn text_len(&self) -> usize {
        let spaces = self.len().saturating_sub(1);
        spaces + self.iter().map(Scope::text_len).sum::<usize>()
    }
}

impl FromIterator<Scope> for Scopes {
    /// Sorts and removes duplicates. It applies no limit, so it is not for input from outside.
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let distinct: BTreeSet<Scope> = scopes.into_iter().collect();
        Self(distinct.into_iter().collect())
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(Box::new([scope]))
    }
}

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = std::vec::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            scope.fmt(f)?;
        }
        Ok(())
    }
}

/// Collects scopes from outside, and stops when there are too many.
#[derive(Default)]
pub(super) struct Collector(BTreeSet<Scope>);

impl Collector {
    pub(super) fn push(&mut self, scope: Scope) -> Result<(), ScopeError> {
        self.0.insert(scope);
        if self.0.len() > Scopes::MAX_COUNT { Err(ScopeError::TooMany) } else { Ok(()) }
    }

    pub(super) fn finish(self) -> Result<Scopes, ScopeError> {
        let scopes = Scopes(self.0.into_iter().collect());
        if scopes.text_len() > Scopes::MAX_BYTES { Err(ScopeError::TooLong) } else { Ok(scopes) }
    }
}
