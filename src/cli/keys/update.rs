//! `claviger keys update`.

use clap::Args;

use super::Keys;
use super::tag_arguments::{Tag, as_object};
use crate::base::clock::Clock;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::patch::PatchArgs;
use crate::cli::view::Key;
use crate::cli::when::{Moment, Span};
use crate::domain::key::{DpopRequirement, Owner};
use crate::domain::scope::{Preset, Scope};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger keys update key_wgIfG8DxmYsdKIm5 --scope read:projects/web/** --dry-run
  claviger keys update key_wgIfG8DxmYsdKIm5 --any-address --never-expires
  claviger keys update key_wgIfG8DxmYsdKIm5 --dpop required
  claviger keys update key_wgIfG8DxmYsdKIm5 --tag team=billing --tag tier=gold --owner 'Payments team'

If a change takes something away from the key, its earlier tokens become invalid at once.")]
pub(super) struct UpdateArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New note
    #[arg(long, conflicts_with = "no_note")]
    note: Option<String>,

    /// Remove the note
    #[arg(long)]
    no_note: bool,

    /// New tag, such as team=billing; repeatable, replaces the current tags
    #[arg(long = "tag", value_name = "NAME=VALUE", conflicts_with = "no_tags")]
    tags: Vec<Tag>,

    /// Remove all tags
    #[arg(long)]
    no_tags: bool,

    /// Who is responsible for the key: a member's id, or free text
    #[arg(long, conflicts_with = "no_owner")]
    owner: Option<Owner>,

    /// Remove the owner
    #[arg(long)]
    no_owner: bool,

    /// New scope; repeatable, replaces the current scopes
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with = "preset")]
    scopes: Vec<Scope>,

    /// Preset of scopes: full_access, query_only or key_admin
    #[arg(long)]
    preset: Option<Preset>,

    /// Network range from which the key works; repeatable, replaces the current ranges
    #[arg(long = "cidr", value_name = "CIDR", conflicts_with = "any_address")]
    cidrs: Vec<String>,

    /// Remove the network restriction
    #[arg(long)]
    any_address: bool,

    /// Whether the key's tokens have to be bound to a key of the client (DPoP): required or optional
    #[arg(long, value_name = "REQUIREMENT")]
    dpop: Option<DpopRequirement>,

    /// Lifetime from now on: 30d, 1y, or another span such as 12h
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["expires_at", "never_expires"])]
    expires_in: Option<Span>,

    /// Time of expiry
    #[arg(long, value_name = "TIME", conflicts_with = "never_expires")]
    expires_at: Option<Moment>,

    /// Remove the expiry
    #[arg(long)]
    never_expires: bool,

    #[command(flatten)]
    patch: PatchArgs,

    #[command(flatten)]
    force: ForceArgs,
}

impl UpdateArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let now = Clock::system().now();
        let body = Body::new()
            .with("name", self.name.as_ref())
            .with("note", self.note.as_ref())
            .clear("note", self.no_note)
            .with("tags", as_object(&self.tags))
            .clear("tags", self.no_tags)
            .with("owner", self.owner.as_ref())
            .clear("owner", self.no_owner)
            .with_list("scopes", &self.scopes)
            .with("preset", self.preset.map(Preset::as_str))
            .with_list("cidrs", &self.cidrs)
            .clear("cidrs", self.any_address)
            .with("dpop", self.dpop)
            .with("expires_in", self.expires_in.map(Span::seconds))
            .with("expires_at", self.expires_at.map(|end| end.rfc3339(now)))
            .clear("expires_at", self.never_expires);
        let key = self.key.to_string();
        let path = keys.path(&[&key]);
        self.patch.send(keys.remote, &path, &body, self.force.force, |key: Key| key.sheet()).await
    }
}
