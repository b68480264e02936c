//! Shows a new key, once.

use serde::Deserialize;

use crate::cli::CliError;
use crate::cli::output::{OutputError, Stream, note};
use crate::cli::remote::{Remote, read};
use crate::cli::view::Key;
use crate::client::{Answer, BearerCredential};

#[derive(Deserialize)]
struct NewSecret {
    key: Option<BearerCredential>,
    #[serde(flatten)]
    about: Key,
}

/// Prints only the key to standard output. Its details and the remark go to standard error.
///
/// # Errors
/// [`CliError::SecretLost`] when the key could not be written to standard output.
pub(super) fn show(remote: &Remote, answer: &Answer, remark: Option<&str>) -> Result<(), CliError> {
    let new: NewSecret = read(answer)?;
    if remote.as_json() {
        let json = String::from_utf8_lossy(&answer.body);
        return match new.key {
            Some(_) => Stream::Out.only_copy(&json).map_err(|source| lost(new.about, source)),
            None => Ok(Stream::Out.line(&json)?),
        };
    }
    // The key is printed even if standard error fails.
    let mut told = new.about.sheet().print(Stream::Err);
    let key = new.key.ok_or(CliError::ShownBefore)?;
    told = told.and_then(|()| remark.map_or(Ok(()), note));
    told = told.and_then(|()| note("\nThe key, shown only once:"));
    Stream::Out.only_copy(key.expose()).map_err(|source| lost(new.about, source))?;
    Ok(told?)
}

/// Prints only the id of a key that has no secret to standard output. The rest goes to standard error.
///
/// # Errors
/// When the output can't be written.
pub(super) fn show_without_secret(
    remote: &Remote,
    answer: &Answer,
    remark: Option<&str>,
) -> Result<(), CliError> {
    remote.show(answer, |key: Key| {
        key.sheet().print(Stream::Err)?;
        remark.map_or(Ok(()), note)?;
        note("\nThe key's id, which is its client id:")?;
        Stream::Out.line(&key.id)
    })
}

fn lost(about: Key, source: OutputError) -> CliError {
    let advice = about.after_a_loss();
    CliError::SecretLost { lost_keys: vec![about.id], source, advice }
}
