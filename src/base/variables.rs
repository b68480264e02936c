//! The environment variables of this process. Only the command line and the lookup of the master key read them. They
//! pass the values on as arguments.

use std::ffi::{OsStr, OsString};

/// A variable, even if it is empty.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn raw_variable(name: impl AsRef<OsStr>) -> Option<OsString> {
    std::env::var_os(name)
}

/// A variable that is not empty. A variable that a compose file leaves empty counts as unset.
pub(crate) fn variable(name: impl AsRef<OsStr>) -> Option<OsString> {
    raw_variable(name).filter(|value| !value.is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub(crate) fn variable_names() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name)
}
