//! `claviger issuers`.

mod check;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hyper::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::check::CheckArgs;
use super::CliError;
use super::body::Body;
use super::dry_run::DryRunArgs;
use super::failure::UsageError;
use super::idempotency::IdempotencyArgs;
use super::output::{Sheet, Stream, Table};
use super::pages::{PageArgs, mention_more};
use super::patch::PatchArgs;
use super::remote::{OrganizationArgs, Remote, etag};
use crate::client::Request;
use crate::domain::names::{OrganizationId, TrustedIssuerId};

/// Manage the issuers whose tokens can open keys of an organization
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger issuers create gh --issuer https://token.actions.githubusercontent.com --discovery --algorithm RS256
  kubectl get --raw /openid/v1/jwks >keys.json
  claviger issuers create cluster --issuer https://kubernetes.default.svc.cluster.local --jwks-file keys.json
  claviger keys trust key_wgIfG8DxmYsdKIm5 --issuer gh --preset github --pin repository_id=74 --pin ref=refs/heads/main
  claviger issuers check gh --key key_wgIfG8DxmYsdKIm5 --token-file token.jwt
  claviger issuers update gh --status disabled")]
pub(super) struct IssuersArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the trusted issuers that the caller can read
    List(PageArgs),
    /// Trust an issuer
    Create(CreateArgs),
    /// Show a trusted issuer, with its ETag
    Get(NamedArgs),
    /// Change a trusted issuer, or disable it
    Update(UpdateArgs),
    /// Stop trusting an issuer; its id is never reused
    Delete(DeleteArgs),
    /// Check whether an issuer's keys can be fetched, and what is wrong with a token
    Check(CheckArgs),
}

/// Where an issuer's keys come from.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct KeysArgs {
    /// Keys are where the issuer's description says
    #[arg(long)]
    discovery: bool,

    /// Address of the key set
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,

    /// File with the key set, for an issuer that the server does not reach
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Id, which cannot change later: a-z, 0-9 and -, starting with a letter
    id: TrustedIssuerId,

    /// URL of the issuer, exactly as its tokens have it in `iss`
    #[arg(long = "issuer", value_name = "URL")]
    issuer_url: String,

    #[command(flatten)]
    keys: KeysArgs,

    #[command(flatten)]
    members: MemberArgs,

    /// Accept each token once, by its `jti`
    #[arg(long)]
    single_use: bool,

    #[command(flatten)]
    idempotency: IdempotencyArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct MemberArgs {
    /// Name [default: the id]
    #[arg(long)]
    name: Option<String>,

    /// Signature algorithm to accept, such as RS256; repeatable
    #[arg(long = "algorithm", value_name = "NAME")]
    algorithms: Vec<String>,

    /// Longest lifetime of a token, in seconds
    #[arg(long, value_name = "SECONDS")]
    max_lifetime: Option<u32>,
}

#[derive(Debug, Args)]
struct NamedArgs {
    /// Id
    issuer: TrustedIssuerId,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Id
    issuer: TrustedIssuerId,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
struct UpdateArgs {
    /// Id
    issuer: TrustedIssuerId,

    /// New URL
    #[arg(long = "issuer", value_name = "URL")]
    issuer_url: Option<String>,

    #[command(flatten)]
    keys: KeysArgs,

    #[command(flatten)]
    members: MemberArgs,

    /// Whether each token is accepted once
    #[arg(long, value_name = "true|false")]
    single_use: Option<bool>,

    /// Whether tokens of the issuer are accepted
    #[arg(long)]
    status: Option<Status>,

    #[command(flatten)]
    patch: PatchArgs,
}

#[derive(Clone, Copy, Debug, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// They are.
    Active,
    /// They are not, from the next request on, and tokens of the keys that trust the issuer end.
    Disabled,
}

#[derive(Debug, Deserialize)]
struct Issuer {
    id: String,
    organization: String,
    name: String,
    issuer: String,
    keys: Value,
    algorithms: Vec<String>,
    max_lifetime: u32,
    single_use: bool,
    status: String,
    created_at: String,
}

impl IssuersArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let remote = self.organization.connect()?;
        let org = remote.organization().await?;
        match self.command {
            Command::List(pages) => list(&remote, &org, &pages).await,
            Command::Create(arguments) => arguments.run(&remote, &org).await,
            Command::Get(arguments) => arguments.get(&remote, &org).await,
            Command::Update(arguments) => arguments.run(&remote, &org).await,
            Command::Delete(arguments) => arguments.run(&remote, &org).await,
            Command::Check(arguments) => arguments.run(&remote, &org).await,
        }
    }
}

async fn list(remote: &Remote, org: &OrganizationId, pages: &PageArgs) -> Result<(), CliError> {
    let mut table = Table::new(&["id", "name", "issuer", "status", "created"]);
    let row = |issuer: Issuer| {
        let Issuer { id, name, issuer, status, created_at, .. } = issuer;
        table.row([id.into(), name.into(), issuer.into(), status.into(), created_at.into()]);
    };
    let more = pages.walk(remote, Request::get(&["v1", "orgs", org.as_str(), "issuers"]), row).await?;
    if table.rows() == 0 {
        remote.remark(&format!("This credential cannot read any trusted issuer of {org}."))?;
    }
    table.print()?;
    Ok(mention_more(more.as_deref())?)
}

impl KeysArgs {
    /// The member `keys`, if the arguments name a place.
    fn member(&self) -> Result<Option<Value>, UsageError> {
        if let Some(path) = &self.jwks_file {
            let text = std::fs::read(path).map_err(|error| UsageError::input(path.display(), error))?;
            let set: Value =
                serde_json::from_slice(&text).map_err(|error| UsageError::input(path.display(), error))?;
            return Ok(Some(json!({ "jwks": set })));
        }
        let address = self.jwks_uri.as_ref().map(|url| json!({ "jwks_uri": url }));
        Ok(address.or_else(|| self.discovery.then(|| json!({ "discovery": true }))))
    }
}

impl MemberArgs {
    fn on(&self, body: Body) -> Body {
        body.with("name", self.name.as_ref())
            .with_list("algorithms", &self.algorithms)
            .with("max_lifetime", self.max_lifetime)
    }
}

impl CreateArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let keys = self.keys.member()?.unwrap_or_else(|| json!({ "discovery": true }));
        let body = Body::new().with("id", Some(&self.id)).with("issuer", Some(&self.issuer_url));
        let body = self.members.on(body).with("keys", Some(keys)).with("single_use", Some(self.single_use));
        let request = Request::post(&["v1", "orgs", org.as_str(), "issuers"]);
        let request = self.idempotency.on(request).json(&body).map_err(CliError::failed)?;
        let do_it = format!("trust the issuer {} in {org}", self.id);
        let Some(answer) = self.dry_run.send(remote, request, &do_it).await? else { return Ok(()) };
        remote.show(&answer, |made: Issuer| made.sheet().print(Stream::Out))
    }
}

impl NamedArgs {
    async fn get(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let answer = remote.ask(Request::get(&path(org, &self.issuer))).await?;
        remote.show(&answer, |issuer: Issuer| issuer.sheet().if_any("ETag", etag(&answer)).print(Stream::Out))
    }
}

impl DeleteArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let request = Request::new(Method::DELETE, &path(org, &self.issuer));
        let do_it = format!("stop trusting the issuer {}", self.issuer);
        if self.dry_run.send(remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(remote.remark(&format!("Deleted {}.", self.issuer))?)
    }
}

impl UpdateArgs {
    async fn run(self, remote: &Remote, org: &OrganizationId) -> Result<(), CliError> {
        let body = Body::new().with("issuer", self.issuer_url.as_ref()).with("keys", self.keys.member()?);
        let body = self.members.on(body).with("single_use", self.single_use).with("status", self.status);
        self.patch.send(remote, &path(org, &self.issuer), &body, false, |issuer: Issuer| issuer.sheet()).await
    }
}

fn path<'p>(org: &'p OrganizationId, issuer: &'p TrustedIssuerId) -> [&'p str; 5] {
    ["v1", "orgs", org.as_str(), "issuers", issuer.as_str()]
}

impl Issuer {
    fn sheet(&self) -> Sheet {
        Sheet::new()
            .line("Id", &self.id)
            .line("Organization", &self.organization)
            .line("Name", &self.name)
            .line("Issuer", &self.issuer)
            .line("Keys", self.keys_in_words())
            .line("Algorithms", self.algorithms.join(" "))
            .line("Longest lifetime", format!("{} s", self.max_lifetime))
            .line("Tokens count", if self.single_use { "once" } else { "until they end" })
            .line("Status", &self.status)
            .line("Created", &self.created_at)
    }

    fn keys_in_words(&self) -> String {
        match (self.keys["jwks_uri"].as_str(), self.keys["jwks"]["keys"].as_array()) {
            (Some(url), _) => url.to_owned(),
            (None, Some(keys)) => format!("{} in the record", keys.len()),
            (None, None) => "by discovery".to_owned(),
        }
    }
}
