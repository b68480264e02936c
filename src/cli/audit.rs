//! `claviger audit`.

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::CliError;
use super::export::{Format, export};
use super::key_argument::KeyArgument;
use super::output::Table;
use super::pages::{PageArgs, mention_more};
use super::remote::{OrganizationArgs, Remote};
use super::when::Moment;
use crate::base::clock::Clock;
use crate::client::Request;

/// Show the audit trail: who did what, when and from where
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger audit --key key_wgIfG8DxmYsdKIm5
  claviger audit --action key.revoke --from 7d
  claviger audit --action 'key.*' --actor key_mtamQ2vV9qYb3L0d --json
  claviger audit --from 2026-01-01 --format jsonl > audit-2026.jsonl
  claviger audit --all-orgs --format csv > everything.csv

jsonl and csv are exports: they stream all matching events.")]
pub(super) struct AuditArgs {
    /// Only events by this actor: the id of a key or member, portal:SUBJECT, provider:NAME, bootstrap, schedule or operator
    #[arg(long)]
    actor: Option<String>,

    /// Only events about this key
    #[arg(long)]
    key: Option<KeyArgument>,

    /// Only this action, such as key.revoke, or all of a kind, such as 'key.*'
    #[arg(long)]
    action: Option<String>,

    /// Start: 2026-11-21, or how long ago, such as 7d
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,

    /// End
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,

    /// The whole deployment's audit trail, including events without an organization
    #[arg(long, conflicts_with = "org")]
    all_orgs: bool,

    /// Format [default: table, or json with --json]
    #[arg(long, conflicts_with = "json")]
    format: Option<Format>,

    #[command(flatten)]
    pages: PageArgs,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Deserialize)]
struct Event {
    at: String,
    actor: String,
    address: Option<String>,
    action: String,
    organization: Option<String>,
    subject: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
}

impl AuditArgs {
    pub(super) async fn run(mut self) -> Result<(), CliError> {
        if self.format == Some(Format::Json) {
            self.organization.print_json();
        }
        let remote = self.organization.clone().connect()?;
        let request = self.request(&remote).await?;
        match self.format {
            Some(Format::Jsonl) => export(&remote, &self.pages, request, "jsonl").await,
            Some(Format::Csv) => export(&remote, &self.pages, request, "csv").await,
            _ => self.list(&remote, request).await,
        }
    }

    async fn request(&self, remote: &Remote) -> Result<Request, CliError> {
        let now = Clock::system().now();
        let request = if self.all_orgs {
            Request::get(&["v1", "audit"])
        } else {
            Request::get(&["v1", "orgs", remote.organization().await?.as_str(), "audit"])
        };
        Ok(request
            .query("actor", self.actor.as_ref())
            .query("key", self.key.as_ref())
            .query("action", self.action.as_ref())
            .query("from", self.from.map(|moment| moment.rfc3339(now)))
            .query("to", self.to.map(|moment| moment.rfc3339(now))))
    }

    async fn list(&self, remote: &Remote, request: Request) -> Result<(), CliError> {
        let mut table =
            Table::new(&["at", "actor", "address", "action", "organization", "subject", "details"]);
        let more = self.pages.walk(remote, request, |event| row(&mut table, &event)).await?;
        if table.rows() == 0 {
            remote.remark("No events.")?;
        }
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}

fn row(table: &mut Table, event: &Event) {
    table.row([
        (&event.at).into(),
        (&event.actor).into(),
        event.address.as_deref().unwrap_or_default().into(),
        (&event.action).into(),
        event.organization.as_deref().unwrap_or_default().into(),
        event.subject.as_deref().unwrap_or_default().into(),
        details(event).into(),
    ]);
}

/// The reason of a refusal, or the members that have changed.
fn details(event: &Event) -> String {
    if let (None, Some(Value::String(reason))) =
        (&event.before, event.after.as_ref().and_then(|after| after.get("reason")))
    {
        return reason.clone();
    }
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (&event.before, &event.after) else {
        return String::new();
    };
    let members = after.iter().filter(|(member, value)| before.get(*member) != Some(value));
    members.map(|(member, _)| member.as_str()).collect::<Vec<_>>().join(" ")
}
