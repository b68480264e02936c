//! The environment variables of this process. Only the command line and the master key's place read them, and what they
//! find goes on as an argument.

use std::ffi::{OsStr, OsString};

/// A variable as it is, even if it is empty.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn raw_variable(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name)
}

/// A variable that is not empty: one that a compose file leaves empty is not set.
pub(crate) fn variable(name: impl AsRef<OsStr>) -> Option<OsString> {
    raw_variable(name).filter(|value| !value.is_empty())
}

/// The names of all variables.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable_names() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name)
}
