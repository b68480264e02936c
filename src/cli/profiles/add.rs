//! `claviger profiles add`.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::{ProfileName, Profiles};
use crate::cli::CliError;
use crate::cli::failure::{Failure, UsageError};
use crate::cli::output::note;
use crate::client::BaseUrl;
use crate::domain::names::OrganizationId;

/// The new profile.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger profiles add default --url https://auth.example.com --api-key-command 'pass show claviger'
  claviger profiles add local --url http://127.0.0.1:8080 --api-key-file ~/keys/admin.key --org default")]
pub(super) struct AddArgs {
    /// Name; the profile default is used if nothing else names a server
    name: ProfileName,

    /// Base URL of the server
    #[arg(long, value_name = "URL")]
    url: BaseUrl,

    /// File with the API key, mode 0600
    #[arg(long, value_name = "FILE", conflicts_with = "api_key_command")]
    api_key_file: Option<PathBuf>,

    /// Shell command that prints the API key
    #[arg(long, value_name = "COMMAND")]
    api_key_command: Option<String>,

    /// Default of --org
    #[arg(long = "org", value_name = "ORG")]
    organization: Option<OrganizationId>,

    /// PEM file with trusted certificate authorities
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

/// The profile as written to the file.
#[derive(Serialize)]
struct Entry<'a> {
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key_command: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_file: Option<PathBuf>,
}

impl AddArgs {
    /// Appends the profile to the file, and leaves all other lines as they are.
    pub(super) fn run(self) -> Result<(), CliError> {
        let profiles = Profiles::load()?;
        if profiles.has(&self.name) {
            let file = profiles.path().to_owned();
            return Err(UsageError::ProfileExists { name: self.name.to_string(), file }.into());
        }
        let entry = toml::to_string(&self.entry()?).map_err(CliError::failed)?;
        let text = format!("[{}]\n{entry}", self.name);
        append(profiles.path(), &text)
            .map_err(|why| Failure::File { path: profiles.path().to_owned(), why })?;
        Ok(note(&format!(
            "Added to {}. Test it with `claviger self --profile {}`.",
            profiles.path().display(),
            self.name
        ))?)
    }

    fn entry(&self) -> Result<Entry<'_>, UsageError> {
        Ok(Entry {
            url: self.url.to_string(),
            api_key_file: self.api_key_file.as_deref().map(absolute).transpose()?,
            api_key_command: self.api_key_command.as_deref(),
            organization: self.organization.as_ref(),
            ca_file: self.ca_file.as_deref().map(absolute).transpose()?,
        })
    }
}

/// Makes a path absolute, because it is relative to the current folder and not to the file of profiles.
fn absolute(path: &Path) -> Result<PathBuf, UsageError> {
    std::path::absolute(path).map_err(|error| UsageError::input(path.display(), error))
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    let gap = if length > 0 { "\n" } else { "" };
    let written = file.write_all(format!("{gap}{text}").as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A partial profile would make the file unreadable.
        file.set_len(length)?;
    }
    written
}
