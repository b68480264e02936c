//! `claviger orgs`.

mod export;

use clap::{Args, Subcommand};
use hyper::Method;

use self::export::ExportArgs;
use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::idempotency::IdempotencyArgs;
use super::output::{Stream, Table};
use super::pages::{PageArgs, mention_more};
use super::patch::PatchArgs;
use super::remote::{Remote, RemoteArgs, etag};
use super::view::Organization;
use crate::client::Request;
use crate::domain::names::OrganizationId;

/// Manage organizations (tenants)
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger orgs create acme --name 'Acme Inc.' --audience https://api.acme.example
  claviger orgs list
  claviger orgs update acme --all-audiences
  claviger orgs export acme > acme.toml")]
pub(super) struct OrgsArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    remote: RemoteArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the organizations that the caller can read
    List(PageArgs),
    /// Create an organization
    Create(CreateArgs),
    /// Show an organization, with its ETag
    Get(NamedArgs),
    /// Change an organization's name or audiences
    Update(UpdateArgs),
    /// Delete an organization without unrevoked keys; its id is never reused
    Delete(DeleteArgs),
    /// Export an organization's configuration for version control; see `claviger apply`
    Export(ExportArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Id, which cannot change later: a-z, 0-9 and -, starting with a letter
    id: OrganizationId,

    /// Name [default: the id]
    #[arg(long)]
    name: Option<String>,

    /// Audience that its tokens can have; repeatable [default: all of the deployment's]
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct NamedArgs {
    #[command(flatten)]
    org: ChosenOrganization,
}

/// An organization, given as an argument, or as a flag like in other commands.
#[derive(Debug, Args)]
struct ChosenOrganization {
    /// Id [default: the caller's own]
    #[arg(value_name = "ORG", conflicts_with = "org")]
    named: Option<OrganizationId>,

    /// Id, as a flag [env: CLAVIGER_ORG, or a profile's]
    #[arg(long, value_name = "ORG")]
    org: Option<OrganizationId>,
}

impl ChosenOrganization {
    async fn of(self, remote: &Remote) -> Result<OrganizationId, CliError> {
        match self.named.or(self.org) {
            Some(org) => Ok(org),
            None => remote.organization().await,
        }
    }
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// Id
    org: OrganizationId,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// Audience that its tokens can have; repeatable, replaces the current list
    #[arg(long = "audience", value_name = "URI", conflicts_with = "all_audiences")]
    audiences: Vec<String>,

    /// Allow all of the deployment's audiences
    #[arg(long)]
    all_audiences: bool,

    #[command(flatten)]
    patch: PatchArgs,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Id
    org: OrganizationId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

impl OrgsArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.remote.connect()?;
        match self.command {
            Command::List(pages) => list(&remote, &pages).await,
            Command::Create(arguments) => arguments.run(&remote).await,
            Command::Get(arguments) => arguments.run(&remote).await,
            Command::Update(arguments) => arguments.run(&remote).await,
            Command::Delete(arguments) => arguments.run(&remote).await,
            Command::Export(arguments) => arguments.run(&remote).await,
        }
    }
}

async fn list(remote: &Remote, pages: &PageArgs) -> Result<(), CliError> {
    let mut table = Table::new(&["id", "name", "created"]);
    let row = |org: Organization| table.row([org.id.into(), org.name.into(), org.created_at.into()]);
    let more = pages.walk(remote, Request::get(&["v1", "orgs"]), row).await?;
    if table.rows() == 0 {
        remote.remark("This credential cannot read any organization.")?;
    }
    table.print()?;
    Ok(mention_more(more.as_deref())?)
}

impl CreateArgs {
    async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let body = Body::new()
            .with("id", Some(&self.id))
            .with("name", self.name.as_ref())
            .with_list("audiences", &self.audiences);
        let request =
            self.idempotency.on(Request::post(&["v1", "orgs"])).json(&body).map_err(CliError::failed)?;
        let do_it = format!("create the organization {}", self.id);
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: Organization| made.sheet().print(Stream::Out))
    }
}

impl NamedArgs {
    async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let org = self.org.of(remote).await?;
        let answer = remote.ask(Request::get(&["v1", "orgs", org.as_str()])).await?;
        remote.show(&answer, |org: Organization| org.sheet().if_any("ETag", etag(&answer)).print(Stream::Out))
    }
}

impl UpdateArgs {
    async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let body = Body::new()
            .with("name", self.name.as_ref())
            .with_list("audiences", &self.audiences)
            .clear("audiences", self.all_audiences);
        let path = ["v1", "orgs", self.org.as_str()];
        self.patch.send(remote, &path, &body, false, |org: Organization| org.sheet()).await
    }
}

impl DeleteArgs {
    async fn run(self, remote: &Remote) -> Result<(), CliError> {
        let request = Request::new(Method::DELETE, &["v1", "orgs", self.org.as_str()]);
        let do_it = format!("delete the organization {}", self.org);
        if self.dry_run.send(remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(remote.remark(&format!("Deleted {}.", self.org))?)
    }
}
