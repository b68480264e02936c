//! `claviger doctor`.

mod database;
mod disk;
mod files;
mod finding;
mod network;
mod settings;
mod sign_in;
mod signing;

use clap::Args;
use serde_json::json;

use self::finding::{Report, Severity};
use super::CliError;
use super::failure::Exit;
use super::output::{Stream, say};
use super::server_args::ServerArgs;
use crate::base::clock::Clock;

/// Check the settings, the files, the store and the server, and say what to do
#[derive(Debug, Args)]
#[command(after_help = "\
Give the command the same file, variables and flags as the server, and run it as the server's user. It works beside a running
server and without one. Each finding is ok, a warning or an error. The exit code is the worst of them: 0 if all are ok, 1 if there
are warnings, 2 if there are errors.")]
pub(super) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    server: ServerArgs,
}

impl DoctorArgs {
    pub(super) fn server(&mut self) -> &mut ServerArgs {
        &mut self.server
    }

    pub(super) async fn run(self) -> Result<(), CliError> {
        let now = Clock::system().now();
        let examined = self.server.examine();
        let in_effect = settings::in_effect(&examined);
        let mut report = Report::default();
        settings::check(&examined, &mut report);
        if let Ok(config) = &examined.config {
            // Once, because this runs the command that prints the master key.
            let sources = config.master_key_sources().await;
            files::check(config, &sources, now, &mut report);
            let contents = database::check(config, sources.ok().as_ref(), now, &mut report).await;
            if let Some(contents) = &contents {
                signing::check(config, contents, now, &mut report);
            }
            disk::check(config, &mut report);
            let is_served = network::check_server(config, &mut report).await;
            network::check_issuer(config, contents.as_ref(), is_served, now, &mut report).await;
            network::check_proxies(config, &mut report);
            sign_in::check(config, contents.as_ref(), &mut report).await;
        }
        if self.json {
            let document = json!({
                "status": report.worst(),
                "findings": report.findings(),
                "settings": in_effect,
            });
            say(&document.to_string())?;
        } else {
            for setting in in_effect.iter().filter(|setting| setting.is_given()) {
                say(&setting.in_words())?;
            }
            report.findings().iter().try_for_each(|finding| finding.print(Stream::Out))?;
        }
        match report.worst() {
            Severity::Ok => Ok(()),
            Severity::Warning => Err(CliError::Findings(Exit::Failed)),
            Severity::Error => Err(CliError::Findings(Exit::Usage)),
        }
    }
}
