//! Names of profiles.

use std::fmt;
use std::str::FromStr;

use crate::base::text::serde_as_text;

/// The name of a profile. It needs no quotes in TOML or in a shell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct ProfileName(String);

/// The text is not a profile's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a profile's name must have 1 to 64 letters, digits, - and _")]
pub(in crate::cli) struct ProfileNameError;

impl Default for ProfileName {
    /// The profile that is used if nothing names a server.
    fn default() -> Self {
        Self("default".into())
    }
}

impl FromStr for ProfileName {
    type Err = ProfileNameError;

    fn from_str(text: &str) -> Result<Self, ProfileNameError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=64).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(ProfileNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_as_text!(ProfileName);
