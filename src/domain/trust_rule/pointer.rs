//! JSON Pointers (RFC 6901), which name claims.

use std::fmt;
use std::str::FromStr;

use super::{ClaimObject, ClaimValue, RuleFault};
use crate::base::text::serde_as_text;

/// The JSON Pointer of a claim, such as `/repository_id` or `/kubernetes.io/serviceaccount/uid`. It leads into objects
/// only: a claim in an array has no fixed place.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    tokens: Box<[Box<str>]>,
}

impl Pointer {
    /// The longest pointer, in bytes.
    pub const MAX_LENGTH: usize = 256;

    /// Whether the pointer is exactly this member of the claims.
    pub(super) fn is_member(&self, name: &str) -> bool {
        self.tokens.len() == 1 && self.is_below(name)
    }

    /// Whether the pointer is this member of the claims, or anything in it.
    pub(super) fn is_below(&self, name: &str) -> bool {
        self.tokens.first().is_some_and(|first| **first == *name)
    }

    /// The value at the pointer's place.
    pub(super) fn find<'c, 'a>(&self, claims: &'c ClaimObject<'a>) -> Option<&'c ClaimValue<'a>> {
        let (last, path) = self.tokens.split_last()?;
        let mut object = claims;
        for token in path {
            match object.member(token)? {
                ClaimValue::Object(inner) => object = inner,
                _ => return None,
            }
        }
        object.member(last)
    }
}

impl FromStr for Pointer {
    type Err = RuleFault;

    fn from_str(text: &str) -> Result<Self, RuleFault> {
        let fault = || RuleFault::Pointer(text.into());
        let tokens = text.strip_prefix('/').ok_or_else(fault)?;
        if text.len() > Self::MAX_LENGTH || text.contains(char::is_control) {
            return Err(fault());
        }
        let tokens: Option<Box<[Box<str>]>> = tokens.split('/').map(unescaped).collect();
        tokens.map(|tokens| Self { tokens }).ok_or_else(fault)
    }
}

/// RFC 6901 §3, §4: `~1` is a slash and `~0` a tilde; any other tilde is an error.
fn unescaped(token: &str) -> Option<Box<str>> {
    let mut decoded = String::with_capacity(token.len());
    let mut pieces = token.split('~');
    decoded.push_str(pieces.next()?);
    for piece in pieces {
        let (escape, rest) = piece.split_at_checked(1)?;
        decoded.push(match escape {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        decoded.push_str(rest);
    }
    (!decoded.is_empty()).then(|| decoded.into())
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serde_as_text!(Pointer);
