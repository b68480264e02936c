//! `claviger signing-keys`.

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::output::{Cell, OutputError, Table, Tone};
use super::remote::RemoteArgs;
use super::view::or_never;
use crate::client::Request;

/// Manage the keys that sign tokens
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger signing-keys list
  claviger signing-keys rotate
  claviger signing-keys rotate --compromised 8b6q9WnxeT4…")]
pub(super) struct SigningKeysArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the signing keys, newest first
    List,
    /// Publish a next key, which takes over after the lead time
    Rotate {
        /// Id of a compromised key to withdraw at once, which invalidates all tokens that it signed
        // A base64url value may begin with a hyphen.
        #[arg(long, value_name = "KID", allow_hyphen_values = true)]
        compromised: Option<String>,

        #[command(flatten)]
        dry_run: DryRunArgs,
    },
}

#[derive(Deserialize)]
struct SigningKeys {
    data: Vec<SigningKey>,
}

#[derive(Deserialize)]
struct SigningKey {
    kid: String,
    algorithm: String,
    status: String,
    created_at: String,
    activates_at: String,
    superseded_at: Option<String>,
    withdrawn_at: Option<String>,
}

impl SigningKeysArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.remote.connect()?;
        match self.command {
            Command::List => remote.ask_and_show(Request::get(&["v1", "signing-keys"]), print).await,
            Command::Rotate { compromised, dry_run } => {
                let do_it = match &compromised {
                    Some(kid) => format!("withdraw {kid} at once, and invalidate every token that it signed"),
                    None => "publish a next signing key".into(),
                };
                let request = Request::post(&["v1", "signing-keys", "rotate"])
                    .json(&Body::new().with("compromised", compromised))
                    .map_err(CliError::failed)?;
                match dry_run.send(&remote, request, &do_it).await? {
                    Some(answer) => remote.show(&answer, print),
                    None => Ok(()),
                }
            }
        }
    }
}

fn print(keys: SigningKeys) -> Result<(), OutputError> {
    let mut table = Table::new(&["kid", "algorithm", "status", "created", "signs from", "signs until"]);
    for key in keys.data {
        let ends = key.withdrawn_at.as_deref().or(key.superseded_at.as_deref());
        table.row([
            key.kid.into(),
            key.algorithm.into(),
            Cell::toned(&key.status, tone(&key.status)),
            key.created_at.into(),
            key.activates_at.into(),
            or_never(ends).into(),
        ]);
    }
    table.print()
}

fn tone(status: &str) -> Tone {
    match status {
        "active" | "signing" | "current" => Tone::Good,
        "withdrawn" => Tone::Bad,
        _ => Tone::Plain,
    }
}
