//! Environment variables of the client commands.

use super::CliError;
use super::failure::UsageError;
use crate::base::variables;

/// An environment variable. An empty one counts as unset.
pub(super) fn variable(name: &'static str) -> Result<Option<String>, CliError> {
    match variables::variable(name) {
        None => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(UsageError::VariableNotText(name).into()),
        },
    }
}
