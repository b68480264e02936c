//! `claviger portal-sessions`.

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::idempotency::IdempotencyArgs;
use super::output::{Sheet, Stream, say};
use super::remote::{OrganizationArgs, Remote};
use super::when::Span;
use crate::client::Request;
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::PortalSubject;
use crate::domain::scope::Scope;
use crate::domain::web_url::WebUrl;

/// Let your own users manage their keys in the customers' portal
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger portal-sessions create user-4711 --name Ada --project web --may list --may create --may revoke \\
    --scope 'read:orders/**' --max-keys 5 --max-key-lifetime 90d
  claviger portal-sessions end user-4711

The URL that create prints opens the session, once, and for 15 minutes. Lead the browser of this user to it, and of nobody else.")]
pub(super) struct PortalSessionsArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a session for a user, and print the URL that opens it
    Create(Box<CreateArgs>),
    /// End all sessions of a user, and the URLs that would open one
    End(EndArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Your own id of the user
    subject: PortalSubject,

    /// Name of the user, in the audit log and beside the keys
    #[arg(long)]
    name: String,

    /// Project whose keys the session is about; repeatable
    #[arg(long = "project", value_name = "ID", required = true)]
    projects: Vec<ProjectId>,

    /// What the user can do; repeatable. Without list, only create
    #[arg(
        long,
        value_name = "ACT",
        required = true,
        value_parser = ["list", "create", "rotate", "revoke", "edit", "usage"]
    )]
    may: Vec<String>,

    /// Scope that the user can give a key, such as read:orders/**; repeatable
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,

    /// Network range within which keys work, such as 10.0.0.0/8; repeatable [default: everywhere]
    #[arg(long = "cidr", value_name = "CIDR")]
    cidrs: Vec<String>,

    /// Longest lifetime of a key: 90d, 1y, 12h [default: a key can last forever]
    #[arg(long, value_name = "SPAN")]
    max_key_lifetime: Option<Span>,

    /// The most keys of the user that are neither revoked nor expired: 0 to 1000
    #[arg(long, value_name = "NUMBER")]
    max_keys: u32,

    /// Which keys: own for those that the same user created, all for all of the projects
    #[arg(long, value_name = "WHICH", default_value = "own", value_parser = ["own", "all"])]
    keys: String,

    /// Page of your product to which the portal leads back
    #[arg(long, value_name = "URL")]
    return_url: Option<WebUrl>,

    /// How long the session lasts once it is open, up to 1h, which is the default
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<Span>,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct EndArgs {
    /// Your own id of the user
    subject: PortalSubject,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

/// A session that has just been made. A repeated request has no URL.
#[derive(Deserialize)]
struct Made {
    url: Option<String>,
    expires_at: String,
}

#[derive(Deserialize)]
struct Ended {
    count: u64,
}

impl PortalSessionsArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let organization = remote.organization().await?;
        match self.command {
            Command::Create(arguments) => arguments.run(&remote, &organization).await,
            Command::End(arguments) => arguments.run(&remote, &organization).await,
        }
    }
}

impl CreateArgs {
    async fn run(self, remote: &Remote, organization: &OrganizationId) -> Result<(), CliError> {
        let body = Body::new()
            .with("subject", Some(&self.subject))
            .with("name", Some(&self.name))
            .with_list("projects", &self.projects)
            .with_list("may", &self.may)
            .with_list("scopes_within", &self.scopes)
            .with_list("cidrs_within", &self.cidrs)
            .with("max_key_lifetime", self.max_key_lifetime.map(Span::seconds))
            .with("max_keys", Some(self.max_keys))
            .with("keys", Some(&self.keys))
            .with("return_url", self.return_url.as_ref())
            .with("expires_in", self.expires_in.map(Span::seconds));
        let request = Request::post(&["v1", "orgs", organization.as_str(), "portal-sessions"]);
        let request = self.idempotency.on(request).json(&body).map_err(CliError::failed)?;
        let do_it = format!("make a session of the portal for {} in {organization}", self.subject);
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |Made { url, expires_at }| {
            let url = url.unwrap_or_else(|| "was shown when this request was first made".into());
            Sheet::new().line("URL", &url).line("Until", &expires_at).print(Stream::Out)
        })
    }
}

impl EndArgs {
    async fn run(self, remote: &Remote, organization: &OrganizationId) -> Result<(), CliError> {
        let body = Body::new().with("subject", Some(&self.subject));
        let request = Request::post(&["v1", "orgs", organization.as_str(), "portal-sessions", "end"]);
        let request = request.json(&body).map_err(CliError::failed)?;
        let do_it = format!("end the sessions of {} in {organization}", self.subject);
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |Ended { count }| {
            let sessions = if count == 1 { "session" } else { "sessions" };
            say(&format!("Ended {count} {sessions} of {}.", self.subject))
        })
    }
}
