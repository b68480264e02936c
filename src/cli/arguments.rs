//! From what the process was started with to a command.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::Cli;
use super::failure::{CliError, Exit};
use crate::text::redacted;

/// What happens without a command.
const DEFAULT_COMMAND: &str = "serve";

/// The command, and whether it is to answer in JSON.
pub(super) fn parse() -> Result<(Cli, bool), clap::Error> {
    let command = Cli::command();
    let arguments = with_command(&command, std::env::args_os().collect());
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| {
        let as_json = asks_for_json(&matches);
        Ok((Cli::from_arg_matches(&matches)?, as_json))
    });
    parsed.map_err(without_secrets)
}

/// Says why there is no command: help that was asked for, or a mistake.
pub(super) fn refuse(error: &clap::Error) -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && as_json {
        let error = CliError::Usage(error.render().to_string());
        error.report(true);
        return error.exit().into();
    }
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8))
}

/// The arguments, with the default command where they begin with a setting of its own or not at all.
fn with_command(command: &Command, mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_setting = |argument: &OsString| {
        let flag = argument.to_str().and_then(|argument| argument.strip_prefix("--"));
        let name = flag.map(|flag| flag.split_once('=').map_or(flag, |(name, _)| name));
        let default = command.find_subcommand(DEFAULT_COMMAND);
        let mut settings = default.into_iter().flat_map(Command::get_arguments);
        name.is_some_and(|name| settings.any(|setting| setting.get_long() == Some(name)))
    };
    if arguments.get(1).is_none_or(is_setting) {
        let at = arguments.len().min(1);
        arguments.insert(at, DEFAULT_COMMAND.into());
    }
    arguments
}

fn asks_for_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, below)) => asks_for_json(below),
        None => matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or_default(),
    }
}

/// The error without what could be a key in the wrong place: it is repeated in logs, unlike the command line.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg, ContextKind::InvalidSubcommand] {
        if let Some(ContextValue::String(said)) = error.get(kind) {
            let kept = redacted(said);
            error.insert(kind, ContextValue::String(kept));
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(arguments: &[&str]) -> String {
        let arguments = arguments.iter().map(OsString::from).collect();
        with_command(&Cli::command(), arguments).swap_remove(1).into_string().unwrap()
    }

    #[test]
    fn without_a_command_it_serves() {
        assert_eq!(first(&["claviger"]), "serve");
        assert_eq!(first(&["claviger", "--listen", "127.0.0.1:0"]), "serve");
        assert_eq!(first(&["claviger", "--log=debug"]), "serve");
        for other in ["init", "keys", "--help", "-V", "--nonsense", "nonsense", "--json"] {
            assert_eq!(first(&["claviger", other]), other);
        }
    }

    #[test]
    fn every_command_is_well_formed() {
        Cli::command().debug_assert();
    }
}
