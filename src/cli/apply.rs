//! `claviger apply`: makes an organization match a file.

mod diff;
mod document;
mod secrets;

use std::path::PathBuf;

use clap::Args;
use hyper::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use self::diff::print_diff;
use self::secrets::SecretsFolder;
use super::CliError;
use super::confirm::ConfirmArgs;
use super::force::ForceArgs;
use super::output::{self, Stream, say};
use super::remote::{OrganizationArgs, Remote, read};
use crate::client::{Answer, BearerCredential, Request};
use crate::domain::api_key::KeyId;
use crate::domain::names::ProjectId;

/// Apply a file to an organization: its name, projects, named scopes, trusted issuers and keys
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger orgs export > acme.toml              # the current state
  claviger apply -f acme.toml --dry-run         # what would change
  claviger apply -f acme.toml                   # shows the changes, asks, and applies them
  claviger apply -f acme.toml --yes --secrets-dir secrets    # in a pipeline

The file:
  [organization]
  id = \"acme\"                                  # required

  [[projects]]
  id = \"web\"
  environments = [\"dev\", \"prd\"]

  [[keys]]
  name = \"Reporting\"
  project = \"web\"
  environment = \"prd\"
  scopes = [\"read:projects/web/*\"]              # or: preset = \"query_only\"
  cidrs = [\"10.0.0.0/8\"]                        # default: everywhere
  expires_at = 2027-12-31T00:00:00Z             # default: never
  disabled = true                               # default: unchanged
  dpop = \"required\"                             # default: unchanged

  [[scopes]]                                    # the whole catalogue of scopes; default: unchanged
  id = \"read-reports\"
  scope = \"read:reports/**\"
  name = \"Read reports\"
  group = \"Reporting\"

  [[issuers]]                                   # all trusted issuers; default: unchanged
  id = \"gh\"
  issuer = \"https://token.actions.githubusercontent.com\"
  keys = { discovery = true }

  [[keys]]
  name = \"Deploy\"
  project = \"web\"
  environment = \"prd\"
  preset = \"query_only\"
  secret = false                                # only for a new key; default: true

  [[keys.public_keys]]                          # JWKs: all public keys of the key; default: unchanged
  kty = \"OKP\"
  crv = \"Ed25519\"
  x = \"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"

  [[keys.trust_rules]]                          # all trust rules of the key; default: unchanged
  issuer = \"gh\"
  claims = { \"/repository_id\" = \"74\", \"/ref\" = \"refs/heads/main\" }

An entry matches the key with its `id`, or else the key with its name in its project and environment. Otherwise it creates a
key. What the file omits stays as it is, except that --prune revokes omitted keys, and removes the trusted issuers and named scopes
that a list of them omits. All changes take effect, or none. Applying the same file again changes nothing.")]
pub(super) struct ApplyArgs {
    /// TOML or JSON file, or - for standard input
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,

    /// Show what would change, without changing anything
    #[arg(long)]
    dry_run: bool,

    /// Revoke the keys, and remove the trusted issuers and named scopes, that the file omits
    #[arg(long)]
    prune: bool,

    /// Confirm --prune even for more than half of the organization's keys
    #[arg(long, requires = "prune")]
    prune_all: bool,

    /// Folder for the secrets of new keys, one file of mode 0600 each [default: print them]
    #[arg(long, value_name = "FOLDER")]
    secrets_dir: Option<PathBuf>,

    #[command(flatten)]
    confirm: ConfirmArgs,

    #[command(flatten)]
    force: ForceArgs,

    #[command(flatten)]
    organization: OrganizationArgs,
}

#[derive(Deserialize)]
struct Applied {
    changes: Vec<Change>,
    keys: Vec<NewKey>,
}

/// A change to one thing.
#[derive(Deserialize)]
struct Change {
    action: String,
    kind: String,
    id: Option<String>,
    name: String,
    changes: Map<String, Value>,
}

/// A created key. It has no text if it has no secret.
#[derive(Deserialize)]
struct NewKey {
    id: KeyId,
    name: String,
    project: ProjectId,
    environment: String,
    key: Option<BearerCredential>,
}

impl ApplyArgs {
    pub(super) async fn run(self) -> Result<(), CliError> {
        let document = document::read(&self.file)?;
        let remote = self.organization.clone().connect()?;
        let org = remote.organization().await?;
        let path = ["v1", "orgs", org.as_str(), "configuration"];
        let dry_run = self.send(&remote, &path, &document, true).await?;
        if self.dry_run {
            return remote.show(&dry_run, |applied: Applied| print_diff(&applied.changes));
        }
        let planned: Applied = read(&dry_run)?;
        if !remote.as_json() {
            print_diff(&planned.changes)?;
        }
        if planned.changes.is_empty() {
            return remote.show(&dry_run, |_: Applied| Ok(()));
        }
        self.confirm.confirm(&format!("Change {org}?"))?;
        // The folder is opened first, because the keys that the server creates are shown only once.
        let folder = self.secrets_dir.as_deref().map(SecretsFolder::open).transpose()?;
        let done = self.send(&remote, &path, &document, false).await?;
        finish(&remote, &done, folder)
    }

    async fn send(
        &self,
        remote: &Remote,
        path: &[&str],
        document: &Value,
        dry_run: bool,
    ) -> Result<Answer, CliError> {
        let request = Request::new(Method::PUT, path)
            .flag("dry_run", dry_run)
            .flag("prune", self.prune)
            .flag("prune_all", self.prune_all)
            .flag("force", self.force.force);
        remote.ask(request.json(document).map_err(CliError::failed)?).await
    }
}

/// Writes or prints the new keys' secrets, and reports success.
fn finish(remote: &Remote, done: &Answer, folder: Option<SecretsFolder<'_>>) -> Result<(), CliError> {
    let applied: Applied = read(done)?;
    // Keys that could not be written to files are printed, or they would be lost.
    let (kept, files) = match folder.map(|folder| folder.keep(&applied.keys)) {
        Some(Ok(files)) => (Ok(()), Some(files)),
        Some(Err(error)) => (Err(error), None),
        None => (Ok(()), None),
    };
    print(remote, done, &applied, files.is_some())?;
    for file in files.iter().flatten() {
        output::note(file)?;
    }
    remote.remark(&format!("Done: {} changes.", applied.changes.len()))?;
    kept
}

fn print(remote: &Remote, done: &Answer, applied: &Applied, are_kept: bool) -> Result<(), CliError> {
    let text = match (remote.as_json(), are_kept) {
        (true, true) => without_keys(read(done)?).to_string(),
        (true, false) => String::from_utf8_lossy(&done.body).into_owned(),
        (false, true) => return Ok(()),
        (false, false) => applied.keys.iter().map(in_a_line).collect::<Vec<_>>().join("\n"),
    };
    let with_secrets = applied.keys.iter().filter(|key| key.key.is_some());
    let lost_keys: Vec<_> = with_secrets.map(|key| key.id.to_string()).collect();
    if are_kept || lost_keys.is_empty() {
        return if text.is_empty() { Ok(()) } else { Ok(say(&text)?) };
    }
    Stream::Out.only_copy(&text).map_err(|source| CliError::SecretLost {
        lost_keys,
        source,
        advice: "The changes have been made. Get another secret for each of these keys with `claviger keys rotate \
                 KEY --overlap 0`, or revoke them; with --secrets-dir, secrets go into files."
            .into(),
    })
}

/// The key's place, its id and the key itself, separated by tabs. A key without a secret has no third part.
fn in_a_line(key: &NewKey) -> String {
    let place = output::plain(&format!("{}/{}/{}", key.project, key.environment, key.name));
    let text = key.key.as_ref().map(|key| format!("\t{}", key.expose())).unwrap_or_default();
    format!("{place}\t{}{text}", key.id)
}

/// The response without the keys that are in files.
fn without_keys(mut answer: Value) -> Value {
    let keys = answer.get_mut("keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten() {
        key["key"] = Value::Null;
    }
    answer
}
