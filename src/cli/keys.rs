//! `claviger keys`.

mod bulk;
mod create;
mod disable;
mod end;
mod find;
mod list;
mod new_secret;
mod none;
mod rotate;
mod update;

use clap::{Args, Subcommand};

use self::bulk::{DisableMatchingArgs, EnableMatchingArgs, RescopeMatchingArgs, RevokeMatchingArgs};
use self::create::CreateArgs;
use self::disable::{DisableArgs, EnableArgs};
use self::end::{DeleteArgs, RetireSecretArgs, RevokeArgs};
use self::find::FindArgs;
use self::list::ListArgs;
use self::rotate::RotateArgs;
use self::update::UpdateArgs;
use super::CliError;
use super::key_argument::KeyArgument;
use super::output::Stream;
use super::remote::{OrganizationArgs, Remote, etag};
use super::view::Key;
use crate::client::Request;
use crate::names::OrganizationId;

/// API keys: their whole life
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
    /// List the keys that the caller may read
    List(ListArgs),
    /// Find a key by its id or prefix in all organizations
    Find(FindArgs),
    /// Make a key; the last line printed is the key alone, shown this once
    Create(Box<CreateArgs>),
    /// Show a key and all that is known of it
    Get(GetArgs),
    /// Change a key's name, note, scopes, addresses or end
    Update(Box<UpdateArgs>),
    /// Give a key a new secret; the last line printed is the new key alone, shown this once
    Rotate(RotateArgs),
    /// End one of a key's two secrets before its time
    RetireSecret(RetireSecretArgs),
    /// Suspend a key: it and its tokens are refused at once, until the key is enabled
    Disable(DisableArgs),
    /// Let a disabled key work again
    Enable(EnableArgs),
    /// Revoke a key: it and its tokens are over at once, and for good
    Revoke(RevokeArgs),
    /// Delete a key; one that is not revoked is revoked by that
    Delete(DeleteArgs),
    /// Revoke all keys that match
    RevokeMatching(RevokeMatchingArgs),
    /// Disable all keys that match
    DisableMatching(DisableMatchingArgs),
    /// Enable all disabled keys that match
    EnableMatching(EnableMatchingArgs),
    /// Change the scopes of all keys that match
    RescopeMatching(RescopeMatchingArgs),
}

#[derive(Debug, Args)]
struct GetArgs {
    /// The key's id; or the key itself, whose secret is not used
    key: KeyArgument,
}

/// The keys of one organization.
struct Keys<'a> {
    remote: &'a Remote,
    org: OrganizationId,
}

impl KeysArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
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
