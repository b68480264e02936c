//! `claviger profiles`: named servers.

mod add;
mod file;
mod name;

use clap::{Args, Subcommand};
use serde_json::json;

use self::add::AddArgs;
use super::CliError;
use super::output::{Table, note, say};

pub(super) use file::{KeySource, Profile, Profiles};
pub(super) use name::ProfileName;

/// Manage profiles: named servers with their credentials
#[derive(Debug, Args)]
#[command(after_long_help = "\
A profile contains a server's URL, the place of its API key, and related settings. Profiles are in
$XDG_CONFIG_HOME/claviger/profiles.toml (default: ~/.config/claviger/profiles.toml), which only you may be able to read:

  [default]
  url = \"https://auth.example.com\"
  api_key_command = \"pass show claviger\"     # or: api_key_file = \"admin.key\", next to this file, mode 0600
  organization = \"acme\"                      # default of --org
  ca_file = \"/etc/ssl/example-ca.pem\"        # for a private certificate authority

The profile `default` is used if nothing else names a server.")]
pub(super) struct ProfilesArgs {
    #[command(subcommand)]
    command: Command,

    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the profiles
    List,
    /// Add a profile
    Add(AddArgs),
}

impl ProfilesArgs {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::List => list(self.json),
            Command::Add(arguments) => arguments.run(),
        }
    }
}

fn list(as_json: bool) -> Result<(), CliError> {
    let profiles = Profiles::load()?;
    if as_json {
        let all: Vec<_> = profiles.iter().map(|(name, profile)| as_value(name, profile)).collect();
        return Ok(say(&json!({ "data": all }).to_string())?);
    }
    let mut table = Table::new(&["name", "url", "key", "organization"]);
    for (name, profile) in profiles.iter() {
        let key = profile.key.as_ref().map_or("CLAVIGER_API_KEY".into(), ToString::to_string);
        let organization = profile.organization.as_ref().map_or(String::new(), ToString::to_string);
        table.row([name.into(), (&profile.url).into(), key.into(), organization.into()]);
    }
    if table.rows() == 0 {
        note(&format!("No profiles in {}. `claviger profiles add` adds one.", profiles.path().display()))?;
    }
    Ok(table.print()?)
}

fn as_value(name: &ProfileName, profile: &Profile) -> serde_json::Value {
    let (file, command) = match &profile.key {
        Some(KeySource::File(path)) => (Some(path), None),
        Some(KeySource::Command(command)) => (None, Some(command)),
        None => (None, None),
    };
    json!({
        "name": name,
        "url": profile.url.to_string(),
        "api_key_file": file,
        "api_key_command": command,
        "organization": profile.organization,
        "ca_file": profile.ca_file,
    })
}
