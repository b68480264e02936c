//! The brand and the environment at the start of a key.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::base::text::serde_as_text;

/// The first part of the operator's keys: `[a-z][a-z0-9]{1,11}`, by default `clv`. It may change at any time: keys
/// with an earlier brand stay valid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Brand(Box<str>);

impl Brand {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self("clv".into())
    }
}

impl FromStr for Brand {
    type Err = BrandError;

    fn from_str(text: &str) -> Result<Self, BrandError> {
        if is_brand(text) { Ok(Self(text.into())) } else { Err(BrandError) }
    }
}

impl fmt::Display for Brand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a brand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a brand must be a lower-case letter, then 1 to 11 lower-case letters or digits")]
pub struct BrandError;

/// The short name of a project's environment, such as `prd`: `[a-z][a-z0-9]{0,11}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentSlug(Box<str>);

impl EnvironmentSlug {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EnvironmentSlug {
    type Err = EnvironmentSlugError;

    fn from_str(text: &str) -> Result<Self, EnvironmentSlugError> {
        if is_environment(text) { Ok(Self(text.into())) } else { Err(EnvironmentSlugError) }
    }
}

impl fmt::Display for EnvironmentSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an environment's slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an environment must be a lower-case letter, then up to 11 lower-case letters or digits")]
pub struct EnvironmentSlugError;

pub(super) fn is_brand(text: &str) -> bool {
    is_name(text, 2..=12)
}

pub(super) fn is_environment(text: &str) -> bool {
    is_name(text, 1..=12)
}

/// Whether the text is a lower-case letter, then lower-case letters and digits, with `len` bytes in total.
fn is_name(text: &str, len: RangeInclusive<usize>) -> bool {
    len.contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

serde_as_text!(Brand, EnvironmentSlug);
