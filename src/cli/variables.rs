//! The environment.

use super::CliError;

/// A variable of the environment; one that is empty is not set.
pub(super) fn variable(name: &'static str) -> Result<Option<String>, CliError> {
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        None => Ok(None),
        Some(value) => match value.into_string() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(CliError::Usage(format!("{name} is not text"))),
        },
    }
}
