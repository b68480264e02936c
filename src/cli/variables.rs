//! The environment.

use super::CliError;
use crate::base::variables;

/// A variable of the environment; one that is empty is not set.
pub(super) fn variable(name: &'static str) -> Result<Option<String>, CliError> {
    match variables::variable(name) {
        None => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(CliError::Usage(format!("{name} is not text"))),
        },
    }
}
