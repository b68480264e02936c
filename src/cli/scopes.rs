//! `claviger scopes`.

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
use crate::domain::names::{NamedScopeId, OrganizationId};
use crate::domain::scope::Scope;

/// Manage the catalogue of scopes from which people choose
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger scopes create read-invoices --scope 'read:invoices/**' --name 'Read invoices' --group Billing
  claviger scopes create read-all --scope 'read:*' --name 'Read everything' --deployment
  claviger scopes list --inherited
  claviger scopes update read-invoices --description 'Lists invoices and downloads them.'
  claviger scopes delete read-invoices

An entry is a name for a scope. It grants nothing, and keys may have scopes that no catalogue lists.")]
pub(super) struct ScopesArgs {
    #[command(subcommand)]
    command: Command,

    /// The catalogue of the deployment, which every organization inherits
    #[arg(long, global = true, conflicts_with = "org")]
    deployment: bool,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the named scopes that the caller can read
    List(ListArgs),
    /// Name a scope
    Create(CreateArgs),
    /// Show a named scope, with its ETag
    Get(NamedArgs),
    /// Change a named scope; keys keep the scopes that they have
    Update(UpdateArgs),
    /// Remove a name from the catalogue; keys keep the scope
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Also list the deployment's scopes, which the organization inherits
    #[arg(long, conflicts_with = "deployment")]
    inherited: bool,

    #[command(flatten)]
    pages: PageArgs,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Id, which cannot change later: a-z, 0-9 and -, starting with a letter
    id: NamedScopeId,

    /// Scope, such as read:invoices/**
    #[arg(long)]
    scope: Scope,

    /// Name that people see
    #[arg(long)]
    name: String,

    /// A sentence that says what the scope allows
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,

    /// Heading under which forms show the scope
    #[arg(long, value_name = "NAME")]
    group: Option<String>,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct NamedArgs {
    /// Id
    id: NamedScopeId,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Id
    id: NamedScopeId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// Id
    id: NamedScopeId,

    /// New scope
    #[arg(long)]
    scope: Option<Scope>,

    /// New name
    #[arg(long)]
    name: Option<String>,

    /// New description
    #[arg(long, value_name = "TEXT", conflicts_with = "no_description")]
    description: Option<String>,

    /// Remove the description
    #[arg(long)]
    no_description: bool,

    /// New group
    #[arg(long, value_name = "NAME", conflicts_with = "no_group")]
    group: Option<String>,

    /// Remove the scope from its group
    #[arg(long)]
    no_group: bool,

    #[command(flatten)]
    patch: PatchArgs,
}

#[derive(Debug, Deserialize)]
struct NamedScope {
    id: String,
    organization: Option<String>,
    scope: String,
    name: String,
    description: Option<String>,
    group: Option<String>,
    created_at: String,
}

/// A catalogue on the server: an organization's, or with `None` the deployment's.
struct Catalogue(Option<OrganizationId>);

impl ScopesArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let catalogue = Catalogue(match self.deployment {
            true => None,
            false => Some(remote.organization().await?),
        });
        match self.command {
            Command::List(arguments) => arguments.run(&remote, &catalogue).await,
            Command::Create(arguments) => arguments.run(&remote, &catalogue).await,
            Command::Get(arguments) => arguments.run(&remote, &catalogue).await,
            Command::Update(arguments) => arguments.run(&remote, &catalogue).await,
            Command::Delete(arguments) => arguments.run(&remote, &catalogue).await,
        }
    }
}

impl Catalogue {
    fn path(&self) -> Vec<&str> {
        match &self.0 {
            Some(org) => vec!["v1", "orgs", org.as_str(), "scopes"],
            None => vec!["v1", "scopes"],
        }
    }

    fn entry<'p>(&'p self, id: &'p NamedScopeId) -> Vec<&'p str> {
        [&self.path()[..], &[id.as_str()]].concat()
    }

    /// Whose catalogue it is.
    fn whose(&self) -> &str {
        self.0.as_ref().map_or("the deployment", OrganizationId::as_str)
    }
}

impl ListArgs {
    async fn run(self, remote: &Remote, catalogue: &Catalogue) -> Result<(), CliError> {
        let mut table = Table::new(&["id", "scope", "name", "group"]);
        let row = |entry: NamedScope| {
            let NamedScope { id, scope, name, group, .. } = entry;
            table.row([id.into(), scope.into(), name.into(), group.unwrap_or_default().into()]);
        };
        let request = Request::get(&catalogue.path()).flag("inherited", self.inherited);
        let more = self.pages.walk(remote, request, row).await?;
        if table.rows() == 0 {
            let whose = catalogue.whose();
            remote.remark(&format!("This credential cannot read any named scope of {whose}."))?;
        }
        table.print()?;
        Ok(mention_more(more.as_deref())?)
    }
}

impl CreateArgs {
    async fn run(self, remote: &Remote, catalogue: &Catalogue) -> Result<(), CliError> {
        let body = Body::new()
            .with("id", Some(&self.id))
            .with("scope", Some(self.scope.to_string()))
            .with("name", Some(&self.name))
            .with("description", self.description.as_ref())
            .with("group", self.group.as_ref());
        let request = Request::post(&catalogue.path());
        let request = self.idempotency.on(request).json(&body).map_err(CliError::failed)?;
        let do_it = format!("name the scope {} in the catalogue of {}", self.scope, catalogue.whose());
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: NamedScope| made.sheet().print(Stream::Out))
    }
}

impl NamedArgs {
    async fn run(self, remote: &Remote, catalogue: &Catalogue) -> Result<(), CliError> {
        let answer = remote.ask(Request::get(&catalogue.entry(&self.id))).await?;
        remote
            .show(&answer, |entry: NamedScope| entry.sheet().if_any("ETag", etag(&answer)).print(Stream::Out))
    }
}

impl DeleteArgs {
    async fn run(self, remote: &Remote, catalogue: &Catalogue) -> Result<(), CliError> {
        let request = Request::new(Method::DELETE, &catalogue.entry(&self.id));
        let do_it = format!("remove {} from the catalogue of {}", self.id, catalogue.whose());
        if self.dry_run.send(remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(remote.remark(&format!("Deleted {}.", self.id))?)
    }
}

impl UpdateArgs {
    async fn run(self, remote: &Remote, catalogue: &Catalogue) -> Result<(), CliError> {
        let body = Body::new()
            .with("scope", self.scope.map(|scope| scope.to_string()))
            .with("name", self.name.as_ref())
            .with("description", self.description.as_ref())
            .clear("description", self.no_description)
            .with("group", self.group.as_ref())
            .clear("group", self.no_group);
        let sheet = |entry: NamedScope| entry.sheet();
        self.patch.send(remote, &catalogue.entry(&self.id), &body, false, sheet).await
    }
}

impl NamedScope {
    fn sheet(&self) -> Sheet {
        Sheet::new()
            .line("Id", &self.id)
            .line("Catalogue", self.organization.as_deref().unwrap_or("deployment"))
            .line("Scope", &self.scope)
            .line("Name", &self.name)
            .if_any("Description", self.description.as_ref())
            .if_any("Group", self.group.as_ref())
            .line("Created", &self.created_at)
    }
}
