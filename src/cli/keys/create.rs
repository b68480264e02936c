//! `claviger keys create`.

use clap::Args;

use super::Keys;
use super::new_secret::show;
use crate::api_key::EnvironmentSlug;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::idempotency::IdempotencyArgs;
use crate::cli::rehearsal::RehearsalArgs;
use crate::cli::when::{Moment, Span};
use crate::client::Request;
use crate::clock::Clock;
use crate::names::ProjectId;
use crate::scope::{Preset, Scope};

#[derive(Debug, Args)]
#[command(after_long_help = "\
The key alone is the last line on standard output; all else is on standard error:
  KEY=$(claviger keys create Reporting --project web --env prd --scope read:reports/**)

A scope is an action (read, write, admin or *) and a path: read:projects/web/*. The presets are full_access,
query_only and key_admin.")]
pub(super) struct CreateArgs {
    /// What it is for
    name: String,

    /// Project that it belongs to, for good
    #[arg(long)]
    project: ProjectId,

    /// Environment that it belongs to, for good
    #[arg(long, alias = "environment", value_name = "ENV")]
    env: EnvironmentSlug,

    /// What it may do, such as read:projects/web/*; may be repeated
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        required_unless_present = "preset",
        conflicts_with = "preset"
    )]
    scopes: Vec<Scope>,

    /// What it may do, by name: full_access, query_only or key_admin
    #[arg(long)]
    preset: Option<Preset>,

    /// Addresses from which it may be used, such as 10.0.0.0/8; may be repeated [default: everywhere]
    #[arg(long = "cidr", value_name = "CIDR")]
    cidrs: Vec<String>,

    /// A note for whoever reads the list
    #[arg(long)]
    note: Option<String>,

    /// How long it is valid: 90d, 1y, 12h [default: it never expires; the console proposes 90d]
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["expires_at", "never_expires"])]
    expires_in: Option<Span>,

    /// When it expires
    #[arg(long, value_name = "TIME", conflicts_with = "never_expires")]
    expires_at: Option<Moment>,

    /// It never expires, as without any of the three, and nothing is said about that
    #[arg(long)]
    never_expires: bool,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    rehearsal: RehearsalArgs,
}

impl CreateArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let now = Clock::system().now();
        let body = Body::new()
            .with("name", Some(&self.name))
            .with("project", Some(&self.project))
            .with("environment", Some(&self.env))
            .with_list("scopes", &self.scopes)
            .with("preset", self.preset.map(Preset::as_str))
            .with_list("cidrs", &self.cidrs)
            .with("note", self.note.as_ref())
            .with("expires_in", self.expires_in.map(Span::seconds))
            .with("expires_at", self.expires_at.map(|end| end.rfc3339(now)));
        let request = self.idempotency.on(Request::post(&keys.path(&[])));
        let request = request.json(&body).map_err(CliError::failed)?;
        let do_it = format!("create a key {:?} in {}/{} for {}", self.name, keys.org, self.project, self.env);
        let Some(answer) = self.rehearsal.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        let has_an_end = self.expires_in.is_some() || self.expires_at.is_some();
        let remark = (!has_an_end && !self.never_expires).then_some(
            "\nThe key never expires. The console proposes 90 days: --expires-in 90d; --never-expires says that this is \
             intended.",
        );
        show(keys.remote, &answer, remark)
    }
}
