//! The parts of a path, and what they may be: what filters and resources have in common.

/// The first segment of everything in the management API. No wildcard matches it.
pub const RESERVED_ROOT: &str = "claviger";

/// The most segments that a filter or a resource has.
pub(super) const MAX_SEGMENTS: usize = 16;

const MAX_LITERAL_BYTES: usize = 128;

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

impl<'a> Segment<'a> {
    /// Reads a segment, and says which rule it breaks otherwise.
    pub(super) fn parse(text: &'a str) -> Result<Self, FilterError> {
        let segment = Self::of(text);
        if let Self::Literal(literal) = segment {
            check_literal(literal)?;
        }
        Ok(segment)
    }

    /// Reads a segment of a text that is known to be a filter.
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
    #[error("a wildcard must be a whole segment, `*` or `**`")]
    PartialWildcard,
    /// A segment has a character that is none of the allowed ones.
    #[error("a segment of the resource may contain only letters, digits and -._~:@=+,")]
    ForbiddenCharacter,
    /// `**` stands before another segment.
    #[error("`**` is only allowed as the last segment")]
    RestNotLast,
    /// A resource, which has literals only, has a wildcard.
    #[error("a resource cannot contain wildcards")]
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

fn is_literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@=+,".contains(&byte)
}
