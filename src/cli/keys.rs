//! `claviger keys`.

mod bulk;
mod create;
mod disable;
mod empty_list;
mod find;
mod list;
mod new_secret;
mod public_keys;
mod revoke;
mod rotate;
mod tag_arguments;
mod trust;
mod update;

use clap::{Args, Subcommand};

use self::bulk::{DisableMatchingArgs, EnableMatchingArgs, RescopeMatchingArgs, RevokeMatchingArgs};
use self::create::CreateArgs;
use self::disable::{DisableArgs, EnableArgs};
use self::find::FindArgs;
use self::list::ListArgs;
use self::public_keys::{AddPublicKeyArgs, RemovePublicKeyArgs};
use self::revoke::{DeleteArgs, RetireSecretArgs, RevokeArgs};
use self::rotate::RotateArgs;
use self::trust::{DistrustArgs, TrustArgs};
use self::update::UpdateArgs;
use super::CliError;
use super::key_argument::KeyArgument;
use super::output::Stream;
use super::remote::{OrganizationArgs, Remote, etag};
use super::view::Key;
use crate::client::Request;
use crate::domain::names::OrganizationId;

/// Manage API keys
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  KEY=$(claviger keys create Reporting --project web --env prd --preset query_only --expires-in 90d)
  claviger keys list --project web --status all
  claviger keys list --expires-within 30d
  claviger keys find clv_prd_wgIf
  claviger keys update key_wgIfG8DxmYsdKIm5 --cidr 10.0.0.0/8 --dry-run
  NEW=$(claviger keys rotate key_wgIfG8DxmYsdKIm5 --overlap 24h)
  claviger keys revoke key_wgIfG8DxmYsdKIm5 --reason 'left in a repository'
  claviger keys revoke-matching --unused-since 90d --dry-run")]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the keys that the caller can read
    List(ListArgs),
    /// Find a key in all organizations by its id or prefix
    Find(FindArgs),
    /// Create a key; the last output line is the key, shown only once
    Create(Box<CreateArgs>),
    /// Show a key's details
    Get(GetArgs),
    /// Change a key's name, note, scopes, network ranges or expiry
    Update(Box<UpdateArgs>),
    /// Give a key a new secret; the last output line is the new key, shown only once
    Rotate(RotateArgs),
    /// Retire one of a key's two secrets early
    RetireSecret(RetireSecretArgs),
    /// Register a public key, whose holder can then get tokens for the key
    AddPublicKey(AddPublicKeyArgs),
    /// Remove a public key of a key
    RemovePublicKey(RemovePublicKeyArgs),
    /// Let tokens of a trusted issuer open a key
    Trust(TrustArgs),
    /// Remove a trust rule of a key
    Distrust(DistrustArgs),
    /// Disable a key and its tokens at once, until the key is enabled again
    Disable(DisableArgs),
    /// Enable a disabled key
    Enable(EnableArgs),
    /// Revoke a key and its tokens at once and for good
    Revoke(RevokeArgs),
    /// Delete a key; this revokes it, too
    Delete(DeleteArgs),
    /// Revoke all matching keys
    RevokeMatching(RevokeMatchingArgs),
    /// Disable all matching keys
    DisableMatching(DisableMatchingArgs),
    /// Enable all matching disabled keys
    EnableMatching(EnableMatchingArgs),
    /// Change the scopes of all matching keys
    RescopeMatching(RescopeMatchingArgs),
}

#[derive(Debug, Args)]
struct GetArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,
}

/// The keys of one organization.
struct Keys<'a> {
    remote: &'a Remote,
    org: OrganizationId,
}

impl KeysArgs {
    pub(super) async fn run(mut self) -> Result<(), CliError> {
        if matches!(&self.command, Command::List(arguments) if arguments.is_json()) {
            self.organization.print_json();
        }
        let remote = self.organization.connect()?;
        let keys = Keys { org: remote.organization().await?, remote: &remote };
        match self.command {
            Command::List(arguments) => arguments.run(&keys).await,
            Command::Find(arguments) => arguments.run(&remote).await,
            Command::Create(arguments) => arguments.run(&keys).await,
            Command::Get(arguments) => keys.get(arguments.key).await,
            Command::Update(arguments) => arguments.run(&keys).await,
            Command::Rotate(arguments) => arguments.run(&keys).await,
            Command::RetireSecret(arguments) => arguments.run(&keys).await,
            Command::AddPublicKey(arguments) => arguments.run(&keys).await,
            Command::RemovePublicKey(arguments) => arguments.run(&keys).await,
            Command::Trust(arguments) => arguments.run(&keys).await,
            Command::Distrust(arguments) => arguments.run(&keys).await,
            Command::Disable(arguments) => arguments.run(&keys).await,
            Command::Enable(arguments) => arguments.run(&keys).await,
            Command::Revoke(arguments) => arguments.run(&keys).await,
            Command::Delete(arguments) => arguments.run(&keys).await,
            Command::RevokeMatching(arguments) => arguments.run(&keys).await,
            Command::DisableMatching(arguments) => arguments.run(&keys).await,
            Command::EnableMatching(arguments) => arguments.run(&keys).await,
            Command::RescopeMatching(arguments) => arguments.run(&keys).await,
        }
    }
}

impl Keys<'_> {
    async fn get(&self, key: KeyArgument) -> Result<(), CliError> {
        let key = key.to_string();
        let answer = self.remote.ask(Request::get(&self.path(&[&key]))).await?;
        self.remote.show(&answer, |key: Key| key.sheet().if_any("ETag", etag(&answer)).print(Stream::Out))
    }

    /// The path of a resource below the organization's keys.
    fn path<'p>(&'p self, below: &[&'p str]) -> Vec<&'p str> {
        [&["v1", "orgs", self.org.as_str(), "keys"], below].concat()
    }
}
