//! Finds the credential. No flag takes the key itself, because every user of the machine can read command lines.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use super::server::Server;
use crate::base::key_file;
use crate::cli::CliError;
use crate::cli::failure::{Failure, UsageError};
use crate::cli::profiles::KeySource;
use crate::cli::variables::variable;
use crate::client::BearerCredential;

/// The maximum length of a credential in bytes.
const MOST: u64 = 64 * 1024;

/// A credential and its source.
pub(super) struct Found {
    pub(super) credential: BearerCredential,
    pub(super) place: String,
}

/// The first of these: the file named by the flag, the key of the server's profile, `CLAVIGER_API_KEY`.
pub(super) fn find_credential(file: Option<&Path>, server: &Server) -> Result<Found, CliError> {
    if let Some(path) = file {
        return if path == Path::new("-") { from_standard_input() } else { from_file(path) };
    }
    match server.profile.as_ref().and_then(|profile| profile.key.as_ref()) {
        Some(KeySource::File(path)) => from_file(path),
        Some(KeySource::Command(command)) => from_command(command),
        None => from_environment(),
    }
}

/// Whether a command has to be run for the credential of the server's profile.
pub(super) fn runs_a_command(server: &Server) -> bool {
    let source = server.profile.as_ref().and_then(|profile| profile.key.as_ref());
    matches!(source, Some(KeySource::Command(_)))
}

fn from_file(path: &Path) -> Result<Found, CliError> {
    let text = key_file::read(path).map_err(UsageError::from)?;
    parse(&text, &path.display().to_string())
}

fn from_standard_input() -> Result<Found, CliError> {
    let mut text = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| UsageError::input("standard input", error))?;
    parse(&text, "the text on standard input")
}

/// Runs the profile's command in a shell. It may ask for a passphrase on the terminal.
fn from_command(command: &str) -> Result<Found, CliError> {
    let shell =
        Command::new("sh").args(["-c", command]).stderr(Stdio::inherit()).stdin(Stdio::inherit()).output();
    let done = shell.map_err(|error| Failure::KeyCommand(error.to_string()))?;
    let printed = Zeroizing::new(done.stdout);
    if !done.status.success() {
        return Err(Failure::KeyCommand(done.status.to_string()).into());
    }
    let text = std::str::from_utf8(&printed);
    let text = text.map_err(|_| Failure::KeyCommand("its output is not text".into()))?;
    parse(text, "the output of the profile's api_key_command")
}

fn from_environment() -> Result<Found, CliError> {
    match variable("CLAVIGER_API_KEY")?.map(Zeroizing::new) {
        Some(text) => parse(&text, "CLAVIGER_API_KEY"),
        None => Err(UsageError::NoKey.into()),
    }
}

fn parse(text: &str, place: &str) -> Result<Found, CliError> {
    let credential = text.parse().map_err(|why| UsageError::Credential { place: place.to_owned(), why })?;
    Ok(Found { credential, place: place.to_owned() })
}
