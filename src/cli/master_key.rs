//! `claviger master-key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use http::Method;
use serde::Deserialize;

use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::output::{Cell, OutputError, Table, Tone, say};
use super::remote::RemoteArgs;
use super::view::or_never;
use crate::base::entropy::Entropy;
use crate::base::key_file;
use crate::base::master_key::MasterKey;
use crate::client::Request;
use crate::node::master_keys::hex;

/// Rotate the master key of a running deployment
#[derive(Debug, Args)]
#[command(after_long_help = "\
A rotation has three steps:
  claviger master-key generate keys/next-master.key   # then copy this file to every node
  claviger master-key status                          # until every node has the next master key
  claviger master-key rotate

After that, replace master.key with next-master.key on every node. API keys that were issued earlier stay valid. To end the
tags of the replaced master key, rotate or revoke those API keys, and then run claviger master-key end-tags.

Backups that were made earlier need the replaced master key, see claviger restore --help.")]
pub(super) struct MasterKeyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a new master key to a file, which must not exist
    Generate {
        /// The new file (mode 0600)
        file: PathBuf,
    },
    /// Show the active master key, the nodes, and the replaced master keys
    Status {
        #[command(flatten)]
        remote: RemoteArgs,
    },
    /// Make the next master key, which every node must have, the active one
    Rotate {
        /// The active master key has leaked: also replace and withdraw all signing keys, which invalidates all tokens
        #[arg(long)]
        compromised: bool,

        #[command(flatten)]
        dry_run: DryRunArgs,

        #[command(flatten)]
        remote: RemoteArgs,
    },
    /// Stop accepting API keys whose tags a replaced master key made; no live API key may have one
    EndTags {
        /// The number of the replaced master key
        number: i64,

        #[command(flatten)]
        dry_run: DryRunArgs,

        #[command(flatten)]
        remote: RemoteArgs,
    },
}

#[derive(Deserialize)]
struct Status {
    active: Active,
    next: Option<String>,
    nodes: Vec<Node>,
    replaced: Vec<Replaced>,
}

#[derive(Deserialize)]
struct Active {
    number: i64,
    check: String,
    activated_at: String,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    version: String,
    seen_at: String,
    has_active: bool,
    has_next: bool,
}

#[derive(Deserialize)]
struct Replaced {
    number: i64,
    check: String,
    replaced_at: String,
    tags_ended_at: Option<String>,
    secrets: i64,
}

impl MasterKeyArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::Generate { file } => generate(&file),
            Command::Status { remote } => {
                remote.connect()?.ask_and_show(Request::get(&["v1", "master-key"]), print).await
            }
            Command::Rotate { compromised, dry_run, remote } => {
                let body = Body::new().with("compromised", compromised.then_some(true));
                let request = Request::post(&["v1", "master-key", "rotate"]);
                let request = request.json(&body).map_err(CliError::failed)?;
                let do_it = if compromised {
                    "make the next master key the active one, and withdraw all signing keys"
                } else {
                    "make the next master key the active one"
                };
                change(&remote, dry_run, request, do_it).await
            }
            Command::EndTags { number, dry_run, remote } => {
                let request =
                    Request::new(Method::DELETE, &["v1", "master-key", &number.to_string(), "tags"]);
                let done =
                    change(&remote, dry_run, request, &format!("end the tags of master key {number}")).await;
                done.map_err(|error| {
                    error.if_not_found(
                        "`claviger master-key status` lists the replaced master keys by their numbers.",
                    )
                })
            }
        }
    }
}

async fn change(
    remote: &RemoteArgs,
    dry_run: DryRunArgs,
    request: Request,
    do_it: &str,
) -> Result<(), CliError> {
    let remote = remote.connect()?;
    match dry_run.send(&remote, request, do_it).await? {
        Some(answer) => remote.show(&answer, print),
        None => Ok(()),
    }
}

fn generate(file: &std::path::Path) -> Result<(), CliError> {
    let entropy = Entropy::system();
    let key = MasterKey::generate(&entropy).map_err(CliError::failed)?;
    key_file::create(file, &key.expose(), &entropy).map_err(CliError::failed)?;
    Ok(say(&format!("{} has a new master key (check value {}).", file.display(), hex(&key.check())))?)
}

fn print(status: Status) -> Result<(), OutputError> {
    let Status { active, next, nodes, replaced } = status;
    say(&format!(
        "Master key {} (check value {}) is active since {}.",
        active.number, active.check, active.activated_at
    ))?;
    say(&match &next {
        Some(check) => format!("The next one (check value {check}) is at hand.\n"),
        None => "The node has no next one.\n".to_owned(),
    })?;
    let mut table = Table::new(&["node", "version", "seen", "active key", "next key"]);
    for node in nodes {
        table.row([
            node.id.into(),
            node.version.into(),
            node.seen_at.into(),
            has(node.has_active, true),
            has(node.has_next, next.is_some()),
        ]);
    }
    table.print()?;
    if replaced.is_empty() {
        return Ok(());
    }
    say("")?;
    let mut table = Table::new(&["replaced", "check value", "replaced at", "live secrets", "tags ended"]);
    for key in replaced {
        table.row([
            key.number.to_string().into(),
            key.check.into(),
            key.replaced_at.into(),
            key.secrets.to_string().into(),
            or_never(key.tags_ended_at.as_deref()).into(),
        ]);
    }
    table.print()
}

fn has(has: bool, is_needed: bool) -> Cell {
    let tone = match (has, is_needed) {
        (true, _) => Tone::Good,
        (false, true) => Tone::Bad,
        (false, false) => Tone::Plain,
    };
    Cell::toned(if has { "yes" } else { "no" }, tone)
}
