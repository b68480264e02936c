//! Filters over resources, and how one filter covers another.

use std::fmt;
use std::str::FromStr;

use super::resource::Resource;
use super::segment::{FilterError, MAX_SEGMENTS, RESERVED_ROOT, Segment, is_reserved, reserved_text};
use crate::base::text::serde_as_text;

/// A path that may contain wildcards, in canonical form. Filters sort by the bytes of their texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(Box<str>);

impl Filter {
    /// `*`: every resource outside the reserved root.
    pub fn everything() -> Self {
        Self("*".into())
    }

    /// `claviger/**`: every resource under the reserved root.
    pub fn all_reserved() -> Self {
        Self(format!("{RESERVED_ROOT}/**").into())
    }

    /// `claviger/orgs/*/projects/*/keys/*`: every API key, present and future.
    pub fn all_keys() -> Self {
        Self(format!("{RESERVED_ROOT}/orgs/*/projects/*/keys/*").into())
    }

    /// `claviger/` followed by `segments`. Each is exactly one segment and may be a wildcard. A segment that
    /// contains a slash is refused, not split.
    ///
    /// # Errors
    /// [`FilterError`] when the result is not a filter.
    pub fn reserved(segments: &[&str]) -> Result<Self, FilterError> {
        reserved_text(segments)?.parse()
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments from first to last. The filter `*` is one [`Segment::Rest`].
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let text = if &*self.0 == "*" { "**" } else { &self.0 };
        text.split('/').map(Segment::of)
    }

    /// Whether the first segment is the literal `claviger`.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }

    /// Whether this filter matches every resource that `other` matches, decided segment by segment.
    pub fn covers(&self, other: &Self) -> bool {
        self.is_reserved() == other.is_reserved() && reaches(self.segments(), other.segments())
    }

    /// Whether this filter matches `resource`.
    pub fn matches(&self, resource: &Resource) -> bool {
        self.is_reserved() == resource.is_reserved()
            && reaches(self.segments(), resource.segments().map(Segment::Literal))
    }

    /// Whether this filter matches `root` or any resource below it.
    pub fn matches_at_or_below(&self, root: &Resource) -> bool {
        if self.is_reserved() != root.is_reserved() {
            return false;
        }
        let mut mine = self.segments();
        for step in root.segments() {
            match mine.next() {
                Some(Segment::Rest) => return true,
                Some(Segment::One) => {}
                Some(Segment::Literal(literal)) if literal == step => {}
                Some(Segment::Literal(_)) | None => return false,
            }
        }
        true
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut segments = text.split('/');
        let mut count = 0;
        while let Some(segment) = segments.next() {
            count += 1;
            if count > MAX_SEGMENTS {
                return Err(FilterError::TooManySegments);
            }
            if Segment::parse(segment)? == Segment::Rest && segments.next().is_some() {
                return Err(FilterError::RestNotLast);
            }
        }
        Ok(Self(if text == "**" { "*" } else { text }.into()))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&Resource> for Filter {
    /// The filter that matches only `resource`.
    fn from(resource: &Resource) -> Self {
        Self(resource.as_str().into())
    }
}

/// The structural half of *covers*. Before a last `**`, each segment of `mine` is `*` or equals the segment of
/// `theirs` in the same place, which is not `**`. A last `**` covers the rest, which has at least one segment.
fn reaches<'a, 'b>(
    mut mine: impl Iterator<Item = Segment<'a>>,
    mut theirs: impl Iterator<Item = Segment<'b>>,
) -> bool {
    loop {
        match (mine.next(), theirs.next()) {
            (None, None) | (Some(Segment::Rest), Some(_)) => return true,
            (Some(Segment::One), Some(Segment::One | Segment::Literal(_))) => {}
            (Some(Segment::Literal(mine)), Some(Segment::Literal(theirs))) if mine == theirs => {}
            _ => return false,
        }
    }
}

serde_as_text!(Filter);
