//! `claviger members`.

use clap::{Args, Subcommand};
use hyper::Method;
use serde::Deserialize;

use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::idempotency::IdempotencyArgs;
use super::output::{Sheet, Stream, Table};
use super::pages::{PageArgs, mention_more};
use super::patch::PatchArgs;
use super::remote::{OrganizationArgs, Remote, etag};
use crate::client::Request;
use crate::domain::member::{EmailAddress, Role};
use crate::domain::names::{OrganizationId, ProjectId};
use crate::domain::person::MemberId;

/// Manage the people who work in the console
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger members invite ada@example.com --role developer --project web
  claviger members invite ada@example.com --role operator --deployment
  claviger members list
  claviger members edit usr_5d41402abc4b2a76 --role admin
  claviger members resend usr_5d41402abc4b2a76
  claviger members keys usr_5d41402abc4b2a76
  claviger members remove usr_5d41402abc4b2a76

An invitation's link is shown once. Send it to the person yourself.")]
pub(super) struct MembersArgs {
    #[command(subcommand)]
    command: Command,

    /// The members of the deployment, who are its operators
    #[arg(long, global = true, conflicts_with = "org")]
    deployment: bool,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the members that the caller can read
    List(ListArgs),
    /// Invite somebody, and print the link to send
    Invite(InviteArgs),
    /// Show a member, with its ETag
    Show(MemberArgs),
    /// Change a member's name, role or projects
    Edit(EditArgs),
    /// Make a new link for somebody who has not signed in yet; the earlier one ends
    Resend(ActArgs),
    /// List the keys that a member created or rotated, and may have copies of
    Keys(KeysArgs),
    /// Remove a member; their sessions end at once
    Remove(ActArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    pages: PageArgs,
}

#[derive(Debug, Args)]
struct InviteArgs {
    /// E-mail address, which the provider has to confirm
    email: EmailAddress,

    /// owner, admin, developer or auditor; operator for the deployment
    #[arg(long)]
    role: Role,

    /// Project of a developer; can be repeated
    #[arg(long = "project", value_name = "ID")]
    projects: Vec<ProjectId>,

    /// Name that people see; by default what stands before the @
    #[arg(long)]
    name: Option<String>,

    /// Where the member signs in; only needed if there are several providers
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct MemberArgs {
    /// Id, usr_…
    id: MemberId,
}

#[derive(Debug, Args)]
struct ActArgs {
    /// Id, usr_…
    id: MemberId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct KeysArgs {
    /// Id, usr_…
    id: MemberId,

    #[command(flatten)]
    pages: PageArgs,
}

#[derive(Debug, Args)]
struct EditArgs {
    /// Id, usr_…
    id: MemberId,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New role
    #[arg(long)]
    role: Option<Role>,

    /// Project of a developer, in place of the present ones; can be repeated
    #[arg(long = "project", value_name = "ID")]
    projects: Vec<ProjectId>,

    #[command(flatten)]
    patch: PatchArgs,
}

#[derive(Debug, Deserialize)]
struct Member {
    id: String,
    organization: Option<String>,
    email: String,
    name: String,
    role: String,
    projects: Vec<String>,
    status: String,
    provider: String,
    source: String,
    created_at: String,
    last_seen_at: Option<String>,
    invitation_expires_at: Option<String>,
    invitation_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct HeldKey {
    id: String,
    organization: String,
    project: String,
    name: String,
}

/// Whose members: an organization's, or with `None` the deployment's.
struct Whose(Option<OrganizationId>);

impl MembersArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let whose = Whose(match self.deployment {
            true => None,
            false => Some(remote.organization().await?),
        });
        match self.command {
            Command::List(arguments) => arguments.run(&remote, &whose).await,
            Command::Invite(arguments) => arguments.run(&remote, &whose).await,
            Command::Show(arguments) => arguments.run(&remote, &whose).await,
            Command::Edit(arguments) => arguments.run(&remote, &whose).await,
            Command::Resend(arguments) => arguments.resend(&remote, &whose).await,
            Command::Keys(arguments) => arguments.run(&remote, &whose).await,
            Command::Remove(arguments) => arguments.remove(&remote, &whose).await,
        }
    }
}

impl Whose {
    fn path(&self) -> Vec<&str> {
        match &self.0 {
            Some(org) => vec!["v1", "orgs", org.as_str(), "members"],
            None => vec!["v1", "members"],
        }
    }

    fn name(&self) -> &str {
        self.0.as_ref().map_or("the deployment", OrganizationId::as_str)
    }
}

impl ListArgs {
    async fn run(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let mut table = Table::new(&["id", "name", "email", "role", "source", "status", "last seen"]);
        let row = |member: Member| {
            let Member { id, name, email, role, source, status, last_seen_at, .. } = member;
            let seen = last_seen_at.unwrap_or_else(|| "never".into());
            let cells = [id, name, email, role, source, status, seen];
            table.row(cells.map(Into::into));
        };
        let more = self.pages.walk(remote, Request::get(&whose.path()), row).await?;
        if table.rows() == 0 {
            remote.remark(&format!("This credential cannot read any member of {}.", whose.name()))?;
        }
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}

impl InviteArgs {
    async fn run(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let body = Body::new()
            .with("email", Some(&self.email))
            .with("role", Some(self.role))
            .with_list("projects", &self.projects)
            .with("name", self.name.as_ref())
            .with("provider", self.provider.as_ref());
        let request = Request::post(&whose.path());
        let request = self.idempotency.on(request).json(&body).map_err(CliError::failed)?;
        let do_it = format!("invite {} as {} of {}", self.email, self.role, whose.name());
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: Member| made.sheet().print(Stream::Out))
    }
}

impl MemberArgs {
    async fn run(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let id = self.id.to_string();
        let answer = remote.ask(Request::get(&[&whose.path()[..], &[id.as_str()]].concat())).await?;
        let etag = etag(&answer);
        remote.show(&answer, |member: Member| member.sheet().if_any("ETag", etag).print(Stream::Out))
    }
}

impl ActArgs {
    async fn resend(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let id = self.id.to_string();
        let request = Request::post(&[&whose.path()[..], &[id.as_str(), "invitation"]].concat());
        let do_it = format!("make a new link for {id}");
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: Member| made.sheet().print(Stream::Out))
    }

    async fn remove(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let id = self.id.to_string();
        let request = Request::new(Method::DELETE, &[&whose.path()[..], &[id.as_str()]].concat());
        let do_it = format!("remove {id} from the members of {}", whose.name());
        if self.dry_run.send(remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(remote.remark(&format!("Removed {id}."))?)
    }
}

impl KeysArgs {
    async fn run(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let id = self.id.to_string();
        let mut table = Table::new(&["id", "name", "organization", "project"]);
        let row = |key: HeldKey| {
            table.row([key.id.into(), key.name.into(), key.organization.into(), key.project.into()]);
        };
        let request = Request::get(&[&whose.path()[..], &[id.as_str(), "keys"]].concat());
        let more = self.pages.walk(remote, request, row).await?;
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}

impl EditArgs {
    async fn run(self, remote: &Remote, whose: &Whose) -> Result<(), CliError> {
        let id = self.id.to_string();
        let body = Body::new()
            .with("name", self.name.as_ref())
            .with("role", self.role)
            .with_list("projects", &self.projects);
        let path = [&whose.path()[..], &[id.as_str()]].concat();
        self.patch.send(remote, &path, &body, false, |member: Member| member.sheet()).await
    }
}

impl Member {
    fn sheet(&self) -> Sheet {
        let projects = (!self.projects.is_empty()).then(|| self.projects.join(" "));
        Sheet::new()
            .line("Id", &self.id)
            .line("Member of", self.organization.as_deref().unwrap_or("deployment"))
            .line("E-mail", &self.email)
            .line("Name", &self.name)
            .line("Role", &self.role)
            .if_any("Projects", projects.as_ref())
            .line("Status", &self.status)
            .line("Provider", &self.provider)
            .line("Source", &self.source)
            .line(if self.source == "groups" { "Since" } else { "Invited" }, &self.created_at)
            .if_any("Last seen", self.last_seen_at.as_ref())
            .if_any("Invitation ends", self.invitation_expires_at.as_ref())
            .if_any("Link", self.invitation_url.as_ref())
    }
}
