//! `claviger keys list`.

use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::Keys;
use super::empty_list::PlaceArgs;
use super::tag_arguments::LabelFilterArgs;
use crate::base::clock::Clock;
use crate::cli::CliError;
use crate::cli::export::{Format, export};
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::Table;
use crate::cli::pages::{PageArgs, mention_more};
use crate::cli::view::{Key, or_never};
use crate::cli::when::{Moment, Span};
use crate::client::Request;
use crate::store::{KeyOrder, KeyOrderError};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger keys list --project web --status all
  claviger keys list --format csv > keys.csv
  claviger keys list --status all --format jsonl | jq -r 'select(.owner == null) | .name'

jsonl and csv are exports: they stream all matching keys.")]
pub(super) struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,

    /// Only keys with this status [default: active]
    #[arg(long)]
    status: Option<Status>,

    /// Only keys whose name or note contains this text, or whose id or prefix begins with it
    #[arg(long = "query", short = 'q', value_name = "TEXT")]
    q: Option<String>,

    #[command(flatten)]
    labels: LabelFilterArgs,

    /// Only keys that this key created
    #[arg(long, value_name = "KEY")]
    created_by: Option<KeyArgument>,

    /// Only keys neither created nor used since this time: 2026-11-21, or how long ago, such as 90d
    #[arg(long, value_name = "TIME")]
    unused_since: Option<Moment>,

    /// Only keys that expire within this time, such as 30d
    #[arg(long, value_name = "SPAN")]
    expires_within: Option<Span>,

    /// Only keys that work from any IPv4 or any IPv6 address
    #[arg(long)]
    any_address: bool,

    /// Only keys that were issued under a master key that was replaced since
    #[arg(long)]
    earlier_master_key: bool,

    /// Order: name, created, expires or last_used, with a - before it for the opposite order [default: -created]
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    sort: Option<Order>,

    /// Format [default: table, or json with --json]
    #[arg(long, conflicts_with = "json")]
    format: Option<Format>,

    #[command(flatten)]
    pages: PageArgs,
}

/// An order that the server knows.
#[derive(Clone, Debug)]
struct Order(String);

impl FromStr for Order {
    type Err = KeyOrderError;

    fn from_str(text: &str) -> Result<Self, KeyOrderError> {
        text.parse::<KeyOrder>().map(|_| Self(text.to_owned()))
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Active,
    Disabled,
    Expired,
    Revoked,
    All,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::All => "all",
        }
    }
}

impl ListArgs {
    /// Whether the pages are to be printed unchanged, whatever the other options say.
    pub(super) fn is_json(&self) -> bool {
        self.format == Some(Format::Json)
    }

    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let now = Clock::system().now();
        let request = Request::get(&keys.path(&[]))
            .queries("tag", &self.labels.tags)
            .query("owner", self.labels.owner.as_ref())
            .query("sort", self.sort.as_ref().map(|order| &order.0))
            .query("project", self.place.project.as_ref())
            .query("environment", self.place.env.as_ref())
            .query("status", self.status.map(Status::as_str))
            .query("q", self.q.as_ref())
            .query("created_by", self.created_by)
            .query("unused_since", self.unused_since.map(|moment| moment.rfc3339(now)))
            .query("expires_before", self.expires_within.map(|span| span.from(now).rfc3339()))
            .flag("any_address", self.any_address)
            .flag("earlier_master_key", self.earlier_master_key);
        match self.format {
            Some(Format::Jsonl) => return export(keys.remote, &self.pages, request, "jsonl").await,
            Some(Format::Csv) => return export(keys.remote, &self.pages, request, "csv").await,
            Some(Format::Table | Format::Json) | None => {}
        }
        let mut listed = Vec::new();
        let more = self.pages.walk(keys.remote, request, |key: Key| listed.push(key)).await?;
        let table = table(&listed);
        if table.rows() == 0 && !keys.remote.as_json() {
            let reason = self.place.reason_for_none(keys).await?;
            let usual = "No keys. The list shows active keys unless you set --status.";
            keys.remote.remark(reason.as_deref().unwrap_or(usual))?;
        }
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}

/// Tags and owners have columns if any of the keys has some.
fn table(keys: &[Key]) -> Table {
    let has_labels = keys.iter().any(Key::has_labels);
    let labels: &[&str] = if has_labels { &["tags", "owner"] } else { &[] };
    let [before, after] =
        [&["id", "name", "project", "env", "status", "scopes"][..], &["expires", "last used"]];
    let mut table = Table::new(&[before, labels, after].concat());
    for key in keys {
        let before = [
            (&key.id).into(),
            (&key.name).into(),
            (&key.project).into(),
            (&key.environment).into(),
            key.status_cell(),
            key.scopes_in_short().into(),
        ];
        let labels = [key.tags_in_short().into(), key.owner.as_deref().unwrap_or_default().into()];
        let ends = [&key.expires_at, &key.last_used_at].map(|at| or_never(at.as_deref()).into());
        table.row(before.into_iter().chain(labels.into_iter().filter(|_| has_labels)).chain(ends));
    }
    table
}
