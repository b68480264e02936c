//! Whether a key gets tokens only together with a proof of possession (DPoP, RFC 9449).

use std::fmt;
use std::str::FromStr;

use crate::base::text::{Excerpt, serde_as_text};

/// What a key demands of whoever presents one of its credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DpopRequirement {
    /// The client decides for each token whether to bind it to a key of its own.
    #[default]
    Optional,
    /// All tokens of the key are bound. The key itself is no credential for a request, because nothing binds it.
    Required,
}

impl DpopRequirement {
    /// `optional` or `required`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// Whether it is required.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Required)
    }
}

/// The text is neither `optional` nor `required`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dpop must be optional or required, not `{0}`")]
pub struct DpopRequirementError(Excerpt);

impl FromStr for DpopRequirement {
    type Err = DpopRequirementError;

    fn from_str(text: &str) -> Result<Self, DpopRequirementError> {
        [Self::Optional, Self::Required]
            .into_iter()
            .find(|one| one.as_str() == text)
            .ok_or_else(|| DpopRequirementError(text.into()))
    }
}

impl fmt::Display for DpopRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

serde_as_text!(DpopRequirement);
