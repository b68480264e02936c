//! People: the members of organizations and of the deployment, and the users of a customers' portal.

use std::fmt;
use std::str::FromStr;

use super::hex_id::hex_id;
use super::key::labels::{self, LabelError};
use crate::base::text::serde_as_text;

hex_id!(
    /// The id of a member of an organization or of the deployment: `usr_` and 16 hexadecimal digits.
    MemberId,
    "usr_",
    /// The text is not a member's id.
    MemberIdError("a member's id must be usr_ and 16 hexadecimal digits")
);

hex_id!(
    /// The id by which people tell sessions of the console apart: `ses_` and 16 hexadecimal digits. It is no credential.
    ConsoleSessionId,
    "ses_",
    /// The text is not the id of a session.
    ConsoleSessionIdError("a session's id must be ses_ and 16 hexadecimal digits")
);

/// The id that a vendor has for a user of its own: one line of 1 to 200 characters. Claviger compares it and shows it, and
/// knows nothing else about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortalSubject(String);

impl FromStr for PortalSubject {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        labels::name(text.to_owned()).map(Self)
    }
}

impl PortalSubject {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PortalSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(PortalSubject);
