//! Filters over resources, and what one filter has to do with another.

use std::fmt;
use std::str::FromStr;

use super::resource::Resource;
use crate::text::serde_as_text;

/// The first segment of everything in the management API. No wildcard matches it.
pub const RESERVED_ROOT: &str = "claviger";

/// The most segments that a filter or a resource has.
pub(super) const MAX_SEGMENTS: usize = 16;

const MAX_LITERAL_BYTES: usize = 128;

/// A path with wildcards, in canonical form. Its order is the byte order of its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filter(Box<str>);

/// One segment of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Itself, byte for byte.
    Literal(&'a str),
    /// `*`: any one segment, but `claviger` as the first.
    One,
    /// `**`, and `*` as the whole filter: whatever follows, one segment or more.
    Rest,
}

impl Filter {
    /// `*`: every resource that is not under the reserved root.
    pub fn everything() -> Self {
        Self("*".into())
    }

    /// `claviger/**`: every resource under the reserved root.
    pub fn all_reserved() -> Self {
        Self(format!("{RESERVED_ROOT}/**").into())
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

impl<'a> Segment<'a> {
    /// Reads a segment, and says which rule it breaks otherwise.
    fn parse(text: &'a str) -> Result<Self, FilterError> {
        let segment = Self::of(text);
        if let Self::Literal(literal) = segment {
            check_literal(literal)?;
        }
        Ok(segment)
    }

    /// Reads a segment of a text that is known to be a filter.
    fn of(text: &'a str) -> Self {
        match text {
            "*" => Self::One,
            "**" => Self::Rest,
            literal => Self::Literal(literal),
        }
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

/// Why a text is not a filter or a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nothing between two slashes, before the first or after the last; or nothing at all.
    #[error("a segment of the resource is empty")]
    EmptySegment,
    /// A segment has more than 128 bytes.
    #[error("a segment of the resource is longer than {MAX_LITERAL_BYTES} bytes")]
    SegmentTooLong,
    /// There are more than 16 segments.
    #[error("the resource has more than {MAX_SEGMENTS} segments")]
    TooManySegments,
    /// A segment is `.` or `..`, which paths give a meaning of their own.
    #[error("a segment of the resource is `.` or `..`")]
    DotSegment,
    /// A segment has a wildcard beside other characters.
    #[error("a wildcard is a whole segment of its own, `*` or `**`")]
    PartialWildcard,
    /// A segment has a character that is none of the allowed ones.
    #[error("a segment of the resource has only letters, digits and -._~:@=+,")]
    ForbiddenCharacter,
    /// `**` stands before another segment.
    #[error("`**` is only allowed as the last segment")]
    RestNotLast,
    /// A resource, which has literals only, has a wildcard.
    #[error("a resource has no wildcards")]
    WildcardInResource,
}

/// A literal is 1 to 128 of the allowed characters, and not a dot segment.
pub(super) fn check_literal(literal: &str) -> Result<(), FilterError> {
    match literal {
        "" => Err(FilterError::EmptySegment),
        "." | ".." => Err(FilterError::DotSegment),
        _ if literal.len() > MAX_LITERAL_BYTES => Err(FilterError::SegmentTooLong),
        _ if literal.bytes().all(is_literal_byte) => Ok(()),
        _ if literal.contains('*') => Err(FilterError::PartialWildcard),
        _ => Err(FilterError::ForbiddenCharacter),
    }
}

/// `claviger/` and `segments`, refusing a slash inside one of them.
pub(super) fn reserved_text(segments: &[&str]) -> Result<String, FilterError> {
    let mut text = String::from(RESERVED_ROOT);
    for segment in segments {
        Segment::parse(segment)?;
        text.push('/');
        text.push_str(segment);
    }
    Ok(text)
}

/// Whether the first segment of `path` is literally `claviger`.
pub(super) fn is_reserved(path: &str) -> bool {
    path.strip_prefix(RESERVED_ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
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

fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@=+,".contains(&byte)
}

serde_as_text!(Filter);
