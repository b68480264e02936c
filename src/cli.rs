//! The command line.

mod backup;
mod init;
mod logging;
mod restore;
mod serve;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, Settings};

/// Claviger takes long-lived API keys off the wire: API keys in, ten-minute tokens out.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Every setting can also be a line of claviger.toml: listen = \"127.0.0.1:8080\"."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// File of settings [default: claviger.toml, where there is one]
    #[arg(long, global = true, env = "CLAVIGER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve; on an empty store, bootstrap it first (this is what happens without a command)
    Serve,
    /// Bootstrap an empty store and exit; the last line printed is the administrator's key alone
    Init,
    Backup(backup::BackupArgs),
    Restore(restore::RestoreArgs),
}

/// Why a command failed: what the exit code tells scripts.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// The settings make no sense: exit code 2, like a mistyped flag.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Anything else: exit code 1.
    #[error("{0}")]
    Failed(String),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(command(cli)),
        Err(error) => Err(CliError::Failed(format!("the runtime does not start: {error}"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(if matches!(error, CliError::Config(_)) { 2 } else { 1 })
        }
    }
}

async fn command(cli: Cli) -> Result<(), CliError> {
    let settings = cli.settings.over(Settings::from_file(cli.config.as_deref())?);
    logging::start(settings.log_format.unwrap_or_default(), settings.log.as_deref())?;
    let config = Config::try_from(settings)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::serve(config).await,
        Command::Init => init::init(config).await,
        Command::Backup(arguments) => arguments.run(&config).await,
        Command::Restore(arguments) => arguments.run(&config).await,
    }
}

#[expect(clippy::print_stderr, reason = "what a command line is for")]
fn complain(message: &str) {
    eprintln!("claviger: {message}");
}

impl CliError {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}
