//! The environments of a project.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::base::text::Excerpt;
use crate::domain::api_key::EnvironmentSlug;

/// 1 to 16 distinct environments, in the order that people chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environments(Box<[EnvironmentSlug]>);

/// Why a list of environments is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentsError {
    /// The list is empty or too long.
    #[error("a project must have 1 to {} environments", Environments::MAX_COUNT)]
    Count,
    /// An entry is not a valid environment.
    #[error(
        "{0} is not a valid environment: it must be a lower-case letter, then up to 11 lower-case letters or digits"
    )]
    Malformed(Excerpt),
    /// An environment appears twice.
    #[error("the environment {0} appears twice")]
    Twice(EnvironmentSlug),
}

impl Environments {
    /// The most environments of a project.
    pub const MAX_COUNT: usize = 16;

    /// Reads a list of slugs.
    ///
    /// # Errors
    /// [`EnvironmentsError`].
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, EnvironmentsError> {
        let mut list: Vec<EnvironmentSlug> = Vec::new();
        for name in names {
            let slug = name.parse().map_err(|_| EnvironmentsError::Malformed(name.into()))?;
            if list.contains(&slug) {
                return Err(EnvironmentsError::Twice(slug));
            }
            list.push(slug);
        }
        if list.is_empty() || list.len() > Self::MAX_COUNT {
            return Err(EnvironmentsError::Count);
        }
        Ok(Self(list.into()))
    }

    /// Reads the output of `Display`.
    ///
    /// # Errors
    /// [`EnvironmentsError`].
    pub fn from_text(text: &str) -> Result<Self, EnvironmentsError> {
        Self::parse(text.split(' '))
    }

    /// The environments in order.
    pub fn iter(&self) -> std::slice::Iter<'_, EnvironmentSlug> {
        self.0.iter()
    }

    /// Whether the list has `environment`.
    pub fn contains(&self, environment: &EnvironmentSlug) -> bool {
        self.0.contains(environment)
    }
}

impl Default for Environments {
    /// `dev`, `stg` and `prd`.
    fn default() -> Self {
        Self(["dev", "stg", "prd"].iter().filter_map(|name| name.parse().ok()).collect())
    }
}

impl fmt::Display for Environments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, environment) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            environment.fmt(f)?;
        }
        Ok(())
    }
}

impl Serialize for Environments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(EnvironmentSlug::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_one_to_sixteen_different_environments() {
        let usual = Environments::default();
        assert_eq!(usual.to_string(), "dev stg prd");
        assert_eq!(Environments::from_text(&usual.to_string()), Ok(usual));
        assert_eq!(Environments::parse([]), Err(EnvironmentsError::Count));
        assert_eq!(Environments::parse(["a", "A"]), Err(EnvironmentsError::Malformed("A".into())));
        let twice = EnvironmentsError::Twice("a".parse().unwrap());
        assert_eq!(Environments::parse(["a", "b", "a"]), Err(twice));
        let many: Vec<String> = (0..17).map(|n| format!("e{n}")).collect();
        assert_eq!(Environments::parse(many.iter().map(String::as_str)), Err(EnvironmentsError::Count));
        assert!(Environments::parse(many[1..].iter().map(String::as_str)).is_ok());
    }
}
