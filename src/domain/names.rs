//! The ids of organizations, projects, trusted issuers and named scopes. Their creator chooses them, and they never change.
//!
//! ```
//! use claviger::domain::names::{NameError, OrganizationId};
//!
//! let acme: OrganizationId = "acme-2".parse()?;
//! assert_eq!(acme.as_str(), "acme-2");
//! assert_eq!("Acme".parse::<OrganizationId>(), Err(NameError));
//! # Ok::<(), NameError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use crate::base::text::serde_as_text;

/// The text doesn't match `[a-z][a-z0-9-]{0,62}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id must have 1 to 63 characters of a-z, 0-9 and -, and begin with a letter")]
pub struct NameError;

/// Defines an id type. Separate types prevent mixing up the two ids.
macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                is_slug(text).then(|| Self(text.into())).ok_or(NameError)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        serde_as_text!($name);
    };
}

slug! {
    /// The id of an organization, which is a tenant.
    OrganizationId
}
slug! {
    /// The id of a project, unique within its organization.
    ProjectId
}
slug! {
    /// The id of a trusted issuer, unique within its organization.
    TrustedIssuerId
}
slug! {
    /// The id of a named scope, unique in its catalogue.
    NamedScopeId
}

fn is_slug(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 63
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_slugs() {
        for good in ["a", "default", "acme-2", &"a".repeat(63)] {
            assert!(good.parse::<OrganizationId>().is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "-a", "a_b", "a b", "é", "a\0", &"a".repeat(64)] {
            assert_eq!(bad.parse::<ProjectId>(), Err(NameError), "{bad}");
        }
    }
}
