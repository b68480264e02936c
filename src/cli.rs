//! The command line: runs a server, and administers one from a shell.

mod admin_key;
mod apply;
mod arguments;
mod audit;
mod backup;
mod body;
mod changes;
mod completions;
mod confirm;
mod doctor;
mod dry_run;
mod export;
mod failure;
mod force;
mod health;
mod idempotency;
mod init;
mod issuers;
mod key_argument;
mod keys;
mod logging;
mod man;
mod master_key;
mod members;
mod misspelled;
mod orgs;
mod output;
mod pages;
mod patch;
mod portal_sessions;
mod profiles;
mod projects;
mod remote;
mod restore;
mod scopes;
mod serve;
mod server_args;
mod signing_keys;
mod token;
mod usage;
mod variables;
mod verify;
mod view;
mod welcome;
mod when;
mod whoami;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::failure::{CliError, EXIT_CODES, Failure};
use self::output::within;
use self::server_args::ServerArgs;

/// Claviger exchanges long-lived API keys for ten-minute access tokens
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    override_usage = "claviger [serve] [SETTINGS]\n       claviger <COMMAND> [OPTIONS]",
    after_help = "Without a command, Claviger runs the server. For details, run claviger --help or claviger <COMMAND> --help.",
    after_long_help = long_help(),
    disable_help_subcommand = true,
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::ServeArgs>),
    Health(Box<health::HealthArgs>),
    Doctor(Box<doctor::DoctorArgs>),
    /// Bootstrap an empty store and exit; the last output line is the administrator's key
    Init(Box<ServerArgs>),
    AdminKey(Box<admin_key::AdminKeyArgs>),
    Backup(Box<backup::BackupArgs>),
    Restore(Box<restore::RestoreArgs>),
    Token(token::TokenArgs),
    Verify(verify::VerifyArgs),
    #[command(name = "self")]
    Own(whoami::SelfArgs),
    Orgs(Box<orgs::OrgsArgs>),
    Projects(Box<projects::ProjectsArgs>),
    Keys(Box<keys::KeysArgs>),
    Issuers(Box<issuers::IssuersArgs>),
    Scopes(Box<scopes::ScopesArgs>),
    Members(Box<members::MembersArgs>),
    PortalSessions(Box<portal_sessions::PortalSessionsArgs>),
    Usage(Box<usage::UsageArgs>),
    Audit(Box<audit::AuditArgs>),
    Apply(Box<apply::ApplyArgs>),
    SigningKeys(Box<signing_keys::SigningKeysArgs>),
    MasterKey(Box<master_key::MasterKeyArgs>),
    Profiles(profiles::ProfilesArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

/// How long a failed server waits for its error message to be read.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// Runs the command of this process.
pub fn run() -> ExitCode {
    let (cli, as_json) = match arguments::parse() {
        Ok(parsed) => parsed,
        Err(error) => return arguments::refuse(&error),
    };
    let is_server = matches!(cli.command, Command::Serve(_));
    let done = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.command.run()),
        Err(error) => Err(Failure::Runtime(error).into()),
    };
    logging::finish();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let exit = error.exit().into();
            let report = move || error.report(as_json);
            // A supervisor waits for the server to exit and may not read its output.
            if is_server {
                within(LAST_WORDS_WITHIN, report)
            } else {
                report()
            }
            exit
        }
    }
}

impl Command {
    /// The server's settings, for commands that take them.
    fn server_args(&mut self) -> Option<&mut ServerArgs> {
        match self {
            Self::Serve(arguments) => Some(arguments.server()),
            Self::Health(arguments) => Some(arguments.server()),
            Self::Doctor(arguments) => Some(arguments.server()),
            Self::Init(settings) => Some(settings),
            Self::AdminKey(arguments) => Some(arguments.server()),
            Self::Backup(arguments) => Some(arguments.server()),
            Self::Restore(arguments) => Some(arguments.server()),
            _ => None,
        }
    }

    async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Serve(arguments) => arguments.run().await,
            Self::Health(arguments) => arguments.run().await,
            Self::Doctor(arguments) => arguments.run().await,
            Self::Init(settings) => settings.load()?.run(init::init).await,
            Self::AdminKey(arguments) => arguments.run().await,
            Self::Backup(arguments) => arguments.run().await,
            Self::Restore(arguments) => arguments.run().await,
            Self::Token(arguments) => arguments.run().await,
            Self::Verify(arguments) => arguments.run().await,
            Self::Own(arguments) => arguments.run().await,
            Self::Orgs(arguments) => arguments.run().await,
            Self::Projects(arguments) => arguments.run().await,
            Self::Keys(arguments) => arguments.run().await,
            Self::Issuers(arguments) => arguments.run().await,
            Self::Scopes(arguments) => arguments.run().await,
            Self::Members(arguments) => arguments.run().await,
            Self::PortalSessions(arguments) => arguments.run().await,
            Self::Usage(arguments) => arguments.run().await,
            Self::Audit(arguments) => arguments.run().await,
            Self::Apply(arguments) => arguments.run().await,
            Self::SigningKeys(arguments) => arguments.run().await,
            Self::MasterKey(arguments) => arguments.run().await,
            Self::Profiles(arguments) => arguments.run(),
            Self::Completions(arguments) => arguments.run(Cli::command()).await,
            Self::Man(arguments) => arguments.run(Cli::command()),
        }
    }
}

fn long_help() -> String {
    format!(
        "\
Without a command, Claviger runs the server. `claviger serve --help` lists the settings.

serve, init, admin-key, backup, restore and doctor access the store directly, and health asks the server on this machine. All other
commands call a server's REST API. They read the server's URL and the API key from the environment:
  export CLAVIGER_URL=https://auth.example.com
  export CLAVIGER_API_KEY=clv_prd_…          # or --api-key-file, or a profile: claviger profiles --help

Examples:
  claviger self
  KEY=$(claviger keys create Reporting --project default --env prd --preset query_only)
  curl -H \"Authorization: Bearer $(CLAVIGER_API_KEY=$KEY claviger token)\" https://api.example.com
  claviger keys list --json | jq -r '.data[].id'

Tables are for people. With --json, commands print the server's JSON unchanged, and errors are JSON, too. Results go to
standard output, and everything else goes to standard error. Colors are off without a terminal, or if NO_COLOR is set.

{EXIT_CODES}"
    )
}
