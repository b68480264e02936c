//! Resources: what a caller asks to access.

use std::fmt;
use std::str::FromStr;

use super::segment::{FilterError, MAX_SEGMENTS, check_literal, is_reserved, reserved_text};
use crate::base::text::serde_as_text;

/// 1 to 16 literals joined by `/`. A resource is one thing and has no wildcards. It is never decoded or
/// normalised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(Box<str>);

impl Resource {
    /// `claviger/` followed by `segments`. Each is exactly one segment. A segment that contains a slash is
    /// refused, not split.
    ///
    /// # Errors
    /// [`FilterError`] when the result is not a resource.
    pub fn reserved(segments: &[&str]) -> Result<Self, FilterError> {
        reserved_text(segments)?.parse()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The literals from first to last.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// Whether the first segment is `claviger`.
    pub fn is_reserved(&self) -> bool {
        is_reserved(&self.0)
    }
}

impl FromStr for Resource {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        for (index, segment) in text.split('/').enumerate() {
            if index == MAX_SEGMENTS {
                return Err(FilterError::TooManySegments);
            }
            check_literal(segment).map_err(|error| match error {
                FilterError::PartialWildcard => FilterError::WildcardInResource,
                other => other,
            })?;
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(Resource);
