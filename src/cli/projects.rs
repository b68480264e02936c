//! `claviger projects`.

use clap::{Args, Subcommand};
use hyper::Method;

use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::idempotency::IdempotencyArgs;
use super::output::{Stream, Table};
use super::pages::{PageArgs, mention_more};
use super::patch::PatchArgs;
use super::remote::{OrganizationArgs, Remote, etag};
use super::view::Project;
use crate::client::Request;
use crate::domain::api_key::EnvironmentSlug;
use crate::domain::names::{OrganizationId, ProjectId};

/// Manage the projects of an organization
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger projects create web --name 'Web shop' --environment dev --environment prd
  claviger projects list
  claviger projects update web --environment dev --environment stg --environment prd --dry-run
  claviger projects delete web")]
pub(super) struct ProjectsArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the projects that the caller can read
    List(PageArgs),
    /// Create a project
    Create(CreateArgs),
    /// Show a project, with its ETag
    Get(NamedArgs),
    /// Change a project's name, environments or audiences
    Update(UpdateArgs),
    /// Delete a project without unrevoked keys; its id is never reused
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Id, which cannot change later: a-z, 0-9 and -, starting with a letter
    id: ProjectId,

    /// Name [default: the id]
    #[arg(long)]
    name: Option<String>,

    /// Environment for keys, such as prd; repeatable [default: dev, stg and prd]
    #[arg(long = "environment", alias = "env", value_name = "ENV")]
    environments: Vec<EnvironmentSlug>,

    /// Audience that its tokens can have; repeatable [default: all of the organization's]
    #[arg(long = "audience", value_name = "URI")]
    audiences: Vec<String>,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct NamedArgs {
    /// Id
    project: ProjectId,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Id
    project: ProjectId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// Id
    project: ProjectId,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// Environment; repeatable, replaces the current list
    #[arg(long = "environment", alias = "env", value_name = "ENV")]
    environments: Vec<EnvironmentSlug>,

    /// Audience that its tokens can have; repeatable, replaces the current list
    #[arg(long = "audience", value_name = "URI", conflicts_with = "all_audiences")]
    audiences: Vec<String>,

    /// Allow all of the organization's audiences
    #[arg(long)]
    all_audiences: bool,

    #[command(flatten)]
    patch: PatchArgs,
}

impl ProjectsArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let org = remote.organization().await?;
        match self.command {
            Command::List(pages) => list(&remote, &org, &pages).await,
            Command::Create(arguments) => arguments.run(&remote, &org).await,
            Command::Get(arguments) => arguments.get(&remote, &org).await,
            Command::Update(arguments) => arguments.run(&remote, &org).await,
            Command::Delete(arguments) => arguments.run(&remote, &org).await,
        }
    }
}

async fn list(remote: &Remote, org: &OrganizationId, pages: &PageArgs) -> Result<(), CliError> {
    let mut table = Table::new(&["id", "name", "environments", "created"]);
    let row = |project: Project| {
        let environments = project.environments.join(" ");
        table.row([project.id.into(), project.name.into(), environments.into(), project.created_at.into()]);
    };
    let more = pages.walk(remote, Request::get(&["v1", "orgs", org.as_str(), "projects"]), row).await?;
    if table.rows() == 0 {
        remote.remark(&format!("This credential cannot read any project of {org}."))?;
    }
    table.print()?;
    Ok(mention_more(more.as_deref())?)
}

impl CreateArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let body = Body::new()
            .with("id", Some(&self.id))
            .with("name", self.name.as_ref())
            .with_list("environments", &self.environments)
            .with_list("audiences", &self.audiences);
        let request = Request::post(&["v1", "orgs", org.as_str(), "projects"]);
        let request = self.idempotency.on(request).json(&body).map_err(CliError::failed)?;
        let do_it = format!("create the project {} in {org}", self.id);
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: Project| made.sheet().print(Stream::Out))
    }
}

impl NamedArgs {
    async fn get(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let request = Request::get(&["v1", "orgs", org.as_str(), "projects", self.project.as_str()]);
        let answer = remote.ask(request).await?;
        remote.show(&answer, |project: Project| {
            project.sheet().if_any("ETag", etag(&answer)).print(Stream::Out)
        })
    }
}

impl DeleteArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let path = ["v1", "orgs", org.as_str(), "projects", self.project.as_str()];
        let request = Request::new(Method::DELETE, &path);
        let do_it = format!("delete the project {}", self.project);
        if self.dry_run.send(remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(remote.remark(&format!("Deleted {}.", self.project))?)
    }
}

impl UpdateArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let body = Body::new()
            .with("name", self.name.as_ref())
            .with_list("environments", &self.environments)
            .with_list("audiences", &self.audiences)
            .clear("audiences", self.all_audiences);
        let path = ["v1", "orgs", org.as_str(), "projects", self.project.as_str()];
        self.patch.send(remote, &path, &body, false, |project: Project| project.sheet()).await
    }
}
