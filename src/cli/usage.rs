//! `claviger usage`.

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;

use super::CliError;
use super::key_argument::KeyArgument;
use super::output::{Cell, OutputError, Table, note};
use super::remote::OrganizationArgs;
use super::when::Moment;
use crate::base::clock::Clock;
use crate::client::Request;
use crate::domain::names::ProjectId;

/// Show how often keys are used
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger usage key key_wgIfG8DxmYsdKIm5 --interval hour --from 24h
  claviger usage org --project web --from 2026-11-01 --to 2026-12-01

TOKENS counts issued tokens, DIRECT counts uses of the key itself, and REFUSED counts uses with a wrong secret, after the key's
end, from outside its network ranges, or without a DPoP proof that the key requires. Counters are written every few seconds,
so the latest uses may be missing.")]
pub(super) struct UsageArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the usage of one key
    #[command(alias = "keys")]
    Key {
        /// The key's id, or the whole key (its secret is neither used nor sent)
        key: KeyArgument,

        #[command(flatten)]
        window: WindowArgs,
    },
    /// Show the usage of all keys of an organization together
    #[command(alias = "orgs")]
    Org {
        /// Only this project
        #[arg(long)]
        project: Option<ProjectId>,

        #[command(flatten)]
        window: WindowArgs,
    },
}

/// The period and its resolution.
#[derive(Debug, Args)]
struct WindowArgs {
    /// Size of the buckets [default: day]
    #[arg(long)]
    interval: Option<Interval>,

    /// Start: 2026-11-21, or how long ago, such as 7d [default: 30 days ago; 48 hours with --interval hour]
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,

    /// End [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Interval {
    Hour,
    Day,
}

#[derive(Deserialize)]
struct Use {
    data: Vec<Bucket>,
}

#[derive(Deserialize)]
struct Bucket {
    start: String,
    tokens: u64,
    direct: u64,
    refused: Refusals,
}

#[derive(Deserialize)]
struct Refusals {
    revoked: u64,
    expired: u64,
    /// Absent in responses of older servers.
    #[serde(default)]
    disabled: u64,
    address: u64,
    secret: u64,
    /// Absent in responses of older servers.
    #[serde(default)]
    proof: u64,
}

impl UsageArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let org = remote.organization().await?;
        let request = match &self.command {
            Command::Key { key, window } => {
                window.on(Request::get(&["v1", "orgs", org.as_str(), "keys", &key.to_string(), "usage"]))
            }
            Command::Org { project, window } => window
                .on(Request::get(&["v1", "orgs", org.as_str(), "usage"]))
                .query("project", project.as_ref()),
        };
        remote.ask_and_show(request, print).await
    }
}

impl WindowArgs {
    fn on(&self, request: Request) -> Request {
        let now = Clock::system().now();
        let interval = self.interval.map(|interval| match interval {
            Interval::Hour => "hour",
            Interval::Day => "day",
        });
        request
            .query("interval", interval)
            .query("from", self.from.map(|moment| moment.rfc3339(now)))
            .query("to", self.to.map(|moment| moment.rfc3339(now)))
    }
}

fn print(usage: Use) -> Result<(), OutputError> {
    let mut table = Table::new(&["start", "tokens", "direct", "refused", "of these"]);
    let (mut tokens, mut direct, mut refused) = (0, 0, 0);
    for bucket in usage.data {
        let all = bucket.refused.all();
        tokens += bucket.tokens;
        direct += bucket.direct;
        refused += all;
        table.row([
            bucket.start.into(),
            Cell::number(bucket.tokens),
            Cell::number(bucket.direct),
            Cell::number(all),
            bucket.refused.in_words().into(),
        ]);
    }
    table.print()?;
    note(&format!("Total: {tokens} tokens, {direct} direct, {refused} refused."))
}

impl Refusals {
    fn all(&self) -> u64 {
        self.revoked + self.expired + self.disabled + self.address + self.secret + self.proof
    }

    /// The reasons of refusals, with their counts.
    fn in_words(&self) -> String {
        let reasons = [
            (self.revoked, "revoked"),
            (self.expired, "expired"),
            (self.disabled, "disabled"),
            (self.address, "wrong address"),
            (self.secret, "wrong secret"),
            (self.proof, "no proof"),
        ];
        let counted = reasons.iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, reason)| format!("{count} {reason}")).collect::<Vec<_>>().join(", ")
    }
}
