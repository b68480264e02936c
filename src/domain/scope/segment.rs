//! The segments of a path. Filters and resources share their rules.

/// The first segment of every path in the management API. No wildcard matches it.
pub const RESERVED_ROOT: &str = "claviger";

/// The most segments in a filter or a resource.
pub(super) const MAX_SEGMENTS: usize = 16;

const MAX_LITERAL_BYTES: usize = 128;

/// One segment of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Matches itself, byte for byte.
    Literal(&'a str),
    /// `*`: matches any one segment, except `claviger` as the first.
    One,
    /// `**`, or `*` as the whole filter: matches one or more segments to the end.
    Rest,
}

impl<'a> Segment<'a> {
    /// Reads a segment and checks its rules.
    pub(super) fn parse(text: &'a str) -> Result<Self, FilterError> {
        let segment = Self::of(text);
        if let Self::Literal(literal) = segment {
            check_literal(literal)?;
        }
        Ok(segment)
    }

    /// Reads a segment of a text that is a valid filter.
    pub(super) fn of(text: &'a str) -> Self {
        match text {
            "*" => Self::One,
            "**" => Self::Rest,
            literal => Self::Literal(literal),
        }
    }
}

/// Why a text is not a filter or a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A segment is empty: the text is empty, has two slashes in a row, or begins or ends with one.
    #[error("a segment of the resource is empty")]
    EmptySegment,
    /// A segment has more than 128 bytes.
    #[error("a segment of the resource is longer than {MAX_LITERAL_BYTES} bytes")]
    SegmentTooLong,
    /// The text has more than 16 segments.
    #[error("the resource has more than {MAX_SEGMENTS} segments")]
    TooManySegments,
    /// A segment is `.` or `..`, which have a special meaning in paths.
    #[error("a segment of the resource is `.` or `..`")]
    DotSegment,
    /// A segment combines a wildcard with other characters.
    #[error("a wildcard must be a whole segment, `*` or `**`")]
    PartialWildcard,
    /// A segment has a character outside the allowed set.
    #[error("a segment of the resource may contain only letters, digits and -._~:@=+,")]
    ForbiddenCharacter,
    /// `**` is not the last segment.
    #[error("`**` is only allowed as the last segment")]
    RestNotLast,
    /// A resource contains a wildcard. Resources have only literals.
    #[error("a resource cannot contain wildcards")]
    WildcardInResource,
}

/// Checks that a literal has 1 to 128 of the allowed characters and is not a dot segment.
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

/// Joins `claviger/` and `segments`. Refuses a segment that contains a slash.
pub(super) fn reserved_text(segments: &[&str]) -> Result<String, FilterError> {
    let mut text = String::from(RESERVED_ROOT);
    for segment in segments {
        Segment::parse(segment)?;
        text.push('/');
        text.push_str(segment);
    }
    Ok(text)
}

/// Whether the first segment of `path` is the literal `claviger`.
pub(super) fn is_reserved(path: &str) -> bool {
    path.strip_prefix(RESERVED_ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@=+,".contains(&byte)
}
