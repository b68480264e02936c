//! `claviger keys create`.

use std::path::PathBuf;

use clap::Args;

use super::Keys;
use super::new_secret::{show, show_without_secret};
use super::public_keys::PublicKeyArgs;
use super::tag_arguments::{Tag, as_object};
use crate::base::clock::Clock;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::dry_run::DryRunArgs;
use crate::cli::idempotency::IdempotencyArgs;
use crate::cli::when::{Moment, Span};
use crate::client::Request;
use crate::domain::api_key::EnvironmentSlug;
use crate::domain::key::{DpopRequirement, Owner};
use crate::domain::names::ProjectId;
use crate::domain::scope::{Preset, Scope};

#[derive(Debug, Args)]
#[command(after_long_help = "\
The last line on standard output is the key. Everything else goes to standard error:
  KEY=$(claviger keys create Reporting --project web --env prd --scope read:reports/**)

A scope is an action (read, write, admin or *) and a path: read:projects/web/*. The presets are full_access,
query_only and key_admin.

A key can do without a secret. The holder of a private key then signs assertions (private_key_jwt), and no secret ever
leaves their machine:
  ID=$(openssl pkey -in client.pem -pubout | claviger keys create Build --project web --env prd --preset query_only \\
       --no-secret --public-key -)
  claviger token --client-id $ID --private-key client.pem")]
pub(super) struct CreateArgs {
    /// Name of the key
    name: String,

    /// Project of the key; it cannot change later
    #[arg(long)]
    project: ProjectId,

    /// Environment of the key; it cannot change later
    #[arg(long, alias = "environment", value_name = "ENV")]
    env: EnvironmentSlug,

    /// Scope, such as read:projects/web/*; repeatable
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        required_unless_present = "preset",
        conflicts_with = "preset"
    )]
    scopes: Vec<Scope>,

    /// Preset of scopes: full_access, query_only or key_admin
    #[arg(long)]
    preset: Option<Preset>,

    /// Network range from which the key works, such as 10.0.0.0/8; repeatable [default: everywhere]
    #[arg(long = "cidr", value_name = "CIDR")]
    cidrs: Vec<String>,

    /// Whether the key's tokens have to be bound to a key of the client (DPoP): required or optional [default: optional]
    #[arg(long, value_name = "REQUIREMENT")]
    dpop: Option<DpopRequirement>,

    /// Note
    #[arg(long)]
    note: Option<String>,

    /// Tag, such as team=billing; repeatable
    #[arg(long = "tag", value_name = "NAME=VALUE")]
    tags: Vec<Tag>,

    /// Who is responsible for the key: a member's id, or free text
    #[arg(long)]
    owner: Option<Owner>,

    /// Lifetime: 90d, 1y, 12h [default: the key never expires; the console suggests 90d]
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["expires_at", "never_expires"])]
    expires_in: Option<Span>,

    /// Time of expiry
    #[arg(long, value_name = "TIME", conflicts_with = "never_expires")]
    expires_at: Option<Moment>,

    /// No expiry; this is also the default, but with the flag there is no reminder
    #[arg(long)]
    never_expires: bool,

    /// File with a public key as PEM or JWK, whose holder can get tokens for the key, or - for standard input; repeatable
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<PathBuf>,

    #[command(flatten)]
    public_key: PublicKeyArgs,

    /// No secret: only the holders of the public keys can get tokens for the key. The last output line is the key's id
    #[arg(long, requires = "public_keys")]
    no_secret: bool,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

impl CreateArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let now = Clock::system().now();
        let public_keys = self.public_keys.iter().map(|path| self.public_key.read(path));
        let public_keys = public_keys.collect::<Result<Vec<_>, _>>()?;
        let body = Body::new()
            .with("name", Some(&self.name))
            .with("project", Some(&self.project))
            .with("environment", Some(&self.env))
            .with_list("scopes", &self.scopes)
            .with("preset", self.preset.map(Preset::as_str))
            .with_list("cidrs", &self.cidrs)
            .with("dpop", self.dpop)
            .with("note", self.note.as_ref())
            .with("tags", as_object(&self.tags))
            .with("owner", self.owner.as_ref())
            .with("expires_in", self.expires_in.map(Span::seconds))
            .with("expires_at", self.expires_at.map(|end| end.rfc3339(now)))
            .with("secret", self.no_secret.then_some(false))
            .with_list("public_keys", &public_keys);
        let request = self.idempotency.on(Request::post(&keys.path(&[])));
        let request = request.json(&body).map_err(CliError::failed)?;
        let do_it = format!("create a key {:?} in {}/{} for {}", self.name, keys.org, self.project, self.env);
        let Some(answer) = self.dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        let has_an_end = self.expires_in.is_some() || self.expires_at.is_some();
        let remark = (!has_an_end && !self.never_expires).then_some(
            "\nThe key never expires. The console suggests 90 days (--expires-in 90d). If this is intended, use \
             --never-expires.",
        );
        if self.no_secret {
            show_without_secret(keys.remote, &answer, remark)
        } else {
            show(keys.remote, &answer, remark)
        }
    }
}
