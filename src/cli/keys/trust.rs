//! `claviger keys trust` and `distrust`.

use clap::Args;
use hyper::Method;
use serde::Deserialize;

use super::Keys;
use crate::cli::CliError;
use crate::cli::dry_run::DryRunArgs;
use crate::cli::failure::UsageError;
use crate::cli::force::ForceArgs;
use crate::cli::key_argument::KeyArgument;
use crate::cli::output::{Sheet, Stream};
use crate::client::Request;
use crate::domain::key::TrustRuleId;
use crate::domain::names::TrustedIssuerId;
use crate::domain::trust_rule::{Preset, TrustRule};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  claviger keys trust key_wgIfG8DxmYsdKIm5 --issuer gh --preset github --pin repository_id=74 --pin ref=refs/heads/main
  claviger keys trust key_wgIfG8DxmYsdKIm5 --issuer gitlab --preset gitlab --pin project_id=20
  claviger keys trust key_wgIfG8DxmYsdKIm5 --issuer cluster --preset kubernetes --pin namespace=web --pin serviceaccount_uid=…
  claviger keys trust key_wgIfG8DxmYsdKIm5 --issuer ci --subject 'project:web:*' --pin /project/id=7

Presets and their names: github (repository_id; repository_owner_id, ref, environment, event_name, job_workflow_ref),
gitlab (project_id; namespace_id, ref, ref_type, ref_protected, environment), kubernetes (namespace, serviceaccount_uid;
serviceaccount_name), google (subject), entra (tid, oid; appid). Those before the semicolon are required.")]
pub(super) struct TrustArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// Id of the trusted issuer
    #[arg(long)]
    issuer: TrustedIssuerId,

    /// Name the claims of a well-known platform
    #[arg(long, value_name = "NAME", value_parser = ["github", "gitlab", "kubernetes", "google", "entra"])]
    preset: Option<String>,

    /// Claim that a token must have: NAME=VALUE of the preset, or a JSON Pointer (/claim=VALUE) without one; repeatable
    #[arg(long = "pin", value_name = "NAME=VALUE")]
    pins: Vec<String>,

    /// Subject that a token must have; * at the end, behind : or /, stands for any rest
    #[arg(long)]
    subject: Option<String>,

    /// Audience that a token must have [default: the server's issuer]
    #[arg(long)]
    audience: Option<String>,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Debug, Args)]
pub(super) struct DistrustArgs {
    /// The key's id, or the whole key (its secret is neither used nor sent)
    key: KeyArgument,

    /// Id of the trust rule, which `claviger keys get --json` shows
    rule: TrustRuleId,

    #[command(flatten)]
    force: ForceArgs,

    #[command(flatten)]
    dry_run: DryRunArgs,
}

#[derive(Deserialize)]
struct Added {
    id: String,
    issuer: String,
}

impl TrustArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let key = self.key.to_string();
        let dry_run = self.dry_run;
        let rule = self.rule()?;
        let request =
            Request::post(&keys.path(&[&key, "trust-rules"])).json(&rule).map_err(CliError::failed)?;
        let do_it = format!("let tokens of {} open {key}", rule.issuer());
        let Some(answer) = dry_run.send(keys.remote, request, &do_it).await? else { return Ok(()) };
        keys.remote.show(&answer, |added: Added| {
            Sheet::new().line("Rule", added.id).line("Issuer", added.issuer).print(Stream::Out)
        })
    }

    fn rule(self) -> Result<TrustRule, UsageError> {
        let refused = |error: &dyn std::fmt::Display| UsageError::input("--pin", error);
        let mut pins = Vec::new();
        for pin in &self.pins {
            let (name, value) = pin.split_once('=').ok_or_else(|| refused(&"must be NAME=VALUE"))?;
            pins.push((name.to_owned(), value.to_owned()));
        }
        let preset = self.preset.as_deref().and_then(Preset::named);
        let rule = match preset {
            Some(preset) => preset.fill(self.issuer, self.audience, self.subject, pins),
            None => TrustRule::new(self.issuer, self.audience, self.subject, pins),
        };
        rule.map_err(|fault| refused(&fault))
    }
}

impl DistrustArgs {
    pub(super) async fn run(self, keys: &Keys<'_>) -> Result<(), CliError> {
        let (key, rule) = (self.key.to_string(), self.rule.to_string());
        let request = Request::new(Method::DELETE, &keys.path(&[&key, "trust-rules", &rule]));
        let request = request.flag("force", self.force.force);
        let do_it = format!("remove the rule {rule}, and invalidate all tokens of {key}");
        if self.dry_run.send(keys.remote, request, &do_it).await?.is_none() {
            return Ok(());
        }
        Ok(keys.remote.remark(&format!("Removed {rule}. All earlier tokens of {key} are invalid."))?)
    }
}
