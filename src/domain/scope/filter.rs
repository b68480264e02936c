//! Filters over resources, and what one filter has to do with another.

use std::fmt;
use std::str::FromStr;

use super::resource::Resource;
use super::segment::{FilterError, MAX_SEGMENTS, RESERVED_ROOT, Segment, is_reserved, reserved_text};
use crate::base::text::serde_as_text;

/// A path with wildcards, in canonical form. Its order is the byte order of its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(Box<str>);

impl Filter {
    /// `*`: every resource that is not under the reserved root.
    pub fn everything() -> Self {
        Self("*".into())
    }

    /// `claviger/**`: every resource under the reserved root.
    pub fn all_reserved() -> Self {
        Self(format!("{RESERVED_ROOT}/**").into())
    }

    /// `claviger/orgs/*/projects/*/keys/*`: every API key there may ever be.
    pub fn all_keys() -> Self {
        Self(format!("{RESERVED_ROOT}/orgs/*/projects/*/keys/*").into())
    }

    /// `claviger/` and then `segments`, each of them exactly one segment, wildcards included: what holds a
    /// slash is refused rather than read as two.
    ///
    /// # Errors
    /// [`FilterError`] when the whole is not a filter.
    pub fn reserved(segments: &[&str]) -> Result<Self, FilterError> {
        reserved_text(segments)?.parse()
    }

    /// Its canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments from first to last; those of `*` are one [`Segment::Rest`].
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let text = if &*self.0 == "*" { "**" } else { &self.0 };
        text.split('/').map(Segment::of)
    }

    /// Whether its first segment is literally `claviger`.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }

    /// Whether every resource that `other` matches is matched by this filter, as far as the segments show.
    pub fn covers(&self, other: &Self) -> bool {
        self.is_reserved() == other.is_reserved() && reaches(self.segments(), other.segments())
    }

    /// Whether `resource` is one of those that this filter is about.
    pub fn matches(&self, resource: &Resource) -> bool {
        self.is_reserved() == resource.is_reserved()
            && reaches(self.segments(), resource.segments().map(Segment::Literal))
    }

    /// Whether this filter matches `root` itself or any resource below it.
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
    /// The filter that matches exactly `resource`.
    fn from(resource: &Resource) -> Self {
        Self(resource.as_str().into())
    }
}

/// The structural half of *covers*: each segment of `mine` before a last `**` is `*` or equal to the one of
/// `theirs` in its place, which is not `**`; a last `**` takes the rest, which is not nothing.
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
