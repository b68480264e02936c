//! A new key, on the one occasion that it is shown.

use serde::Deserialize;

use crate::cli::CliError;
use crate::cli::output::{Stream, note, say};
use crate::cli::remote::{Remote, read};
use crate::cli::view::Key;
use crate::client::{Answer, Credential};

#[derive(Deserialize)]
struct NewSecret {
    key: Option<Credential>,
    #[serde(flatten)]
    about: Key,
}

/// Prints the key alone to standard output, and what is known of it to standard error.
pub(super) fn show(remote: &Remote, answer: &Answer) -> Result<(), CliError> {
    if remote.as_json() {
        crate::cli::output::json(&answer.body);
        return Ok(());
    }
    let new: NewSecret = read(answer)?;
    new.about.sheet().print(Stream::Err);
    let key = new.key.ok_or(CliError::ShownBefore)?;
    note("\nThe key, shown this once:");
    say(key.expose());
    Ok(())
}
