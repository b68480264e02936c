//! `claviger keys revoke-matching` and its siblings: they list the matching keys, ask for confirmation, and then act.

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Keys;
use super::tag_arguments::tag_filter;
use crate::base::clock::Clock;
use crate::cli::CliError;
use crate::cli::body::Body;
use crate::cli::changes::change_lines;
use crate::cli::confirm::ConfirmArgs;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::{OutputError, Table, note};
use crate::cli::remote::read;
use crate::cli::view::lines;
use crate::cli::when::Moment;
use crate::client::{Answer, Request};
use crate::domain::api_key::EnvironmentSlug;
use crate::domain::key::{Owner, TagFilter};
use crate::domain::names::ProjectId;
use crate::domain::scope::Scope;

/// The filters, of which at least one is required.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct FilterArgs {
    /// Keys of this project
    #[arg(long)]
    project: Option<ProjectId>,

    /// Keys of this environment
    #[arg(long, alias = "environment", value_name = "ENV")]
    env: Option<EnvironmentSlug>,

    /// Keys that this key created
    #[arg(long, value_name = "KEY")]
    created_by: Option<KeyArgument>,

    /// Keys neither created nor used since this time: 2026-11-21, or how long ago, such as 90d
    #[arg(long, value_name = "TIME")]
    unused_since: Option<Moment>,

    /// Keys whose name contains this text
    #[arg(long = "query", short = 'q', value_name = "TEXT")]
    q: Option<String>,

    /// Keys with this tag: its name, or name=value; repeatable, and all have to match
    #[arg(long = "tag", value_name = "TAG", value_parser = tag_filter)]
    tags: Vec<TagFilter>,

    /// Keys of this owner
    #[arg(long)]
    owner: Option<Owner>,

    /// Keys that were issued under a master key that was replaced since
    #[arg(long)]
    earlier_master_key: bool,
}

/// The options of every bulk command.
#[derive(Debug, Args)]
struct BulkArgs {
    /// List what would change, without changing anything
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    confirm: ConfirmArgs,

    #[command(flatten)]
    force: ForceArgs,
}

#[derive(Debug, Args)]
#[command(override_usage = "claviger keys revoke-matching [OPTIONS] <FILTER>...")]
#[command(after_long_help = "\
Examples:
  claviger keys revoke-matching --project web --env dev --dry-run
  claviger keys revoke-matching --unused-since 90d --reason 'not used for 90 days' --yes

The command lists the matching keys first. On a terminal, it then asks for confirmation; scripts use --yes.")]
pub(super) struct RevokeMatchingArgs {
    #[command(flatten)]
    filter: FilterArgs,

    /// Reason, for the audit trail
    #[arg(long)]
    reason: Option<String>,

    #[command(flatten)]
    bulk: BulkArgs,
}

#[derive(Debug, Args)]
#[command(override_usage = "claviger keys rescope-matching [OPTIONS] <FILTER>...")]
#[command(after_long_help = "\
Examples:
  claviger keys rescope-matching --project web --add read:reports/** --remove write:reports/** --dry-run
  claviger keys rescope-matching --env dev --scope read:* --yes

The command lists the matching keys first. On a terminal, it then asks for confirmation; scripts use --yes.")]
pub(super) struct RescopeMatchingArgs {
    #[command(flatten)]
    filter: FilterArgs,

    /// New scope; repeatable, replaces the current scopes
    #[arg(long = "scope", value_name = "SCOPE", conflicts_with_all = ["add", "remove"],
          required_unless_present_any = ["add", "remove"])]
    scopes: Vec<Scope>,

    /// Scope to add; repeatable
    #[arg(long, value_name = "SCOPE")]
    add: Vec<Scope>,

    /// Scope to remove, exactly as listed; repeatable
    #[arg(long, value_name = "SCOPE")]
    remove: Vec<Scope>,

    #[command(flatten)]
    bulk: BulkArgs,
}

#[derive(Debug, Args)]
#[command(override_usage = "claviger keys disable-matching [OPTIONS] <FILTER>...")]
#[command(after_long_help = "\
Examples:
  claviger keys disable-matching --created-by key_wgIfG8DxmYsdKIm5 --dry-run
  claviger keys disable-matching --project web --yes

The command lists the matching keys first. On a terminal, it then asks for confirmation; scripts use --yes.")]
pub(super) struct DisableMatchingArgs {
    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    bulk: BulkArgs,
}

#[derive(Debug, Args)]
#[command(override_usage = "claviger keys enable-matching [OPTIONS] <FILTER>...")]
#[command(after_long_help = "\
Examples:
  claviger keys enable-matching --project web --dry-run

The command lists the matching keys first. On a terminal, it then asks for confirmation; scripts use --yes.")]
pub(super) struct EnableMatchingArgs {
    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    bulk: BulkArgs,
}

#[derive(Deserialize)]
struct BulkResult {
    count: u64,
    data: Vec<ChangedKey>,
}

#[derive(Deserialize)]
struct ChangedKey {
    id: String,
    name: String,
    project: String,
    environment: String,
    changes: Map<String, Value>,
}

impl RevokeMatchingArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let body = Body::new().with("filter", Some(self.filter.body())).with("reason", self.reason.as_ref());
        self.bulk.run(keys, "revoke", &body, "Revoke").await
    }
}

impl DisableMatchingArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let body = Body::new().with("filter", Some(self.filter.body()));
        self.bulk.run(keys, "disable", &body, "Disable").await
    }
}

impl EnableMatchingArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let body = Body::new().with("filter", Some(self.filter.body()));
        self.bulk.run(keys, "enable", &body, "Enable").await
    }
}

impl RescopeMatchingArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let body = Body::new()
            .with("filter", Some(self.filter.body()))
            .with_list("scopes", &self.scopes)
            .with_list("add", &self.add)
            .with_list("remove", &self.remove);
        self.bulk.run(keys, "rescope", &body, "Change the scopes of").await
    }
}

impl FilterArgs {
    fn body(&self) -> Body {
        let now = Clock::system().now();
        Body::new()
            .with("project", self.project.as_ref())
            .with("environment", self.env.as_ref())
            .with("created_by", self.created_by.map(|key| key.0))
            .with("unused_since", self.unused_since.map(|moment| moment.rfc3339(now)))
            .with("q", self.q.as_ref())
            .with_list("tag", &self.tags)
            .with("owner", self.owner.as_ref())
            .with("earlier_master_key", self.earlier_master_key.then_some(true))
    }
}

impl BulkArgs {
    async fn run(&self, keys: &Keys<'_>, operation: &str, body: &Body, verb: &str) -> Result<(), CliError> {
        let dry_run = self.send(keys, operation, body, true).await?;
        if self.dry_run {
            return keys.remote.show(&dry_run, |touched: BulkResult| touched.print());
        }
        let touched: BulkResult = read(&dry_run)?;
        if touched.count > 0 {
            let count = touched.count;
            if !keys.remote.as_json() {
                touched.print()?;
            }
            self.confirm.confirm(&format!("{verb} {count} key{}?", if count == 1 { "" } else { "s" }))?;
        }
        let done = self.send(keys, operation, body, false).await?;
        keys.remote.show(&done, |touched: BulkResult| note(&format!("Done: {}.", touched.count)))
    }

    async fn send(
        &self,
        keys: &Keys<'_>,
        operation: &str,
        body: &Body,
        dry_run: bool,
    ) -> Result<Answer, CliError> {
        let request =
            Request::post(&keys.path(&[operation])).flag("dry_run", dry_run).flag("force", self.force.force);
        keys.remote.ask(request.json(body).map_err(CliError::failed)?).await
    }
}

impl BulkResult {
    fn print(self) -> Result<(), OutputError> {
        let mut table = Table::new(&["id", "name", "project", "env", "changes"]);
        for key in self.data {
            let changes = lines(&change_lines(&key.changes));
            table.row([
                key.id.into(),
                key.name.into(),
                key.project.into(),
                key.environment.into(),
                changes.into(),
            ]);
        }
        if table.rows() == 0 {
            note("No matching keys.")?;
        }
        table.print()
    }
}
