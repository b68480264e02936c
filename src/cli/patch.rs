//! Options that all commands share which change one thing.

use clap::Args;
use hyper::Method;
use hyper::header::IF_MATCH;
use serde::de::DeserializeOwned;

use super::CliError;
use super::body::Body;
use super::changes::print_dry_run;
use super::failure::UsageError;
use super::output::Sheet;
use super::output::Stream;
use super::remote::Remote;
use super::view::DryRun;
use crate::client::Request;

/// Dry run and precondition.
#[derive(Clone, Debug, Args)]
pub(super) struct PatchArgs {
    /// Show what would change, without changing anything
    #[arg(long)]
    dry_run: bool,

    /// Change it only if it still has this ETag, which `get` shows
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl PatchArgs {
    /// Sends the changes to the resource at `path`, and prints the result.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        remote: &Remote,
        path: &[&str],
        body: &Body,
        force: bool,
        sheet: impl FnOnce(T) -> Sheet,
    ) -> Result<(), CliError> {
        if body.is_empty() {
            return Err(UsageError::NoChange.into());
        }
        let request = Request::new(Method::PATCH, path)
            .flag("dry_run", self.dry_run)
            .flag("force", force)
            .header(IF_MATCH, self.if_match.as_deref())
            .json(body)
            .map_err(CliError::failed)?;
        let answer = remote.ask(request).await?;
        if self.dry_run {
            return remote.show(&answer, |dry_run: DryRun| print_dry_run(&dry_run.changes));
        }
        remote.show(&answer, |changed| sheet(changed).print(Stream::Out))
    }
}
