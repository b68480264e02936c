//! Parses the arguments and the environment of the process.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use super::Cli;
use super::failure::{CliError, Exit, UsageError};
use super::output::Stream;
use crate::base::text::redacted;
use crate::base::variables::raw_variable;

/// The command when none is given.
const DEFAULT_COMMAND: &str = "serve";

/// The command, and whether its output is JSON.
pub(super) fn parse() -> Result<(Cli, bool), clap::Error> {
    let command = without_empty_variables(Cli::command());
    let arguments = with_command(&command, std::env::args_os().collect());
    let parsed = command.clone().try_get_matches_from(&arguments).and_then(|matches| {
        let as_json = asks_for_json(&matches);
        let mut cli = Cli::from_arg_matches(&matches)?;
        if let Some(server) = cli.command.server_args() {
            server.flags = flags(&matches);
        }
        Ok((cli, as_json))
    });
    parsed.map_err(|error| without_secrets(from_its_source(error, &command, &arguments)))
}

/// Prints help that was requested, or a usage error.
pub(super) fn refuse(error: &clap::Error) -> ExitCode {
    let as_json = std::env::args_os().any(|argument| argument == "--json");
    if error.use_stderr() && as_json {
        let error = CliError::from(UsageError::Arguments(error.render().to_string()));
        error.report(true);
        return error.exit().into();
    }
    // Requested help is the command's output, so a failure to print it counts.
    let stream = if error.use_stderr() { Stream::Err } else { Stream::Out };
    let text = error.render();
    let text = if stream.may_paint() { text.ansi().to_string() } else { text.to_string() };
    match stream.write(text.as_bytes()) {
        Err(lost) if stream == Stream::Out => {
            let lost = CliError::from(lost);
            lost.report(as_json);
            lost.exit().into()
        }
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8)),
    }
}

/// Inserts the default command if the arguments are empty or begin with a setting.
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

/// Makes the command ignore empty variables. Compose files leave unset variables empty.
fn without_empty_variables(command: Command) -> Command {
    let is_empty = |name: &OsStr| raw_variable(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| match argument.get_env() {
            Some(name) if is_empty(name) => argument.env(Resettable::Reset),
            _ => argument,
        })
        .mut_subcommands(without_empty_variables)
}

/// The names of the flags on the command line.
fn flags(matches: &ArgMatches) -> Vec<String> {
    if let Some((_, below)) = matches.subcommand() {
        return flags(below);
    }
    let is_flag = |id: &&clap::Id| matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
    matches.ids().filter(is_flag).map(ToString::to_string).collect()
}

/// Names the variable that a bad value comes from, since clap names the flag either way.
fn from_its_source(mut error: clap::Error, command: &Command, arguments: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return error };
    let flag = named.split([' ', '=', '[']).next().unwrap_or_default();
    let is_given = arguments.iter().filter_map(|argument| argument.to_str()).any(|argument| {
        argument == flag || argument.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
    });
    let variable = flag.strip_prefix("--").filter(|_| !is_given).and_then(|flag| variable(command, flag));
    if let Some(variable) = variable {
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
    error
}

/// The name of a flag's variable, if it is set.
fn variable(command: &Command, flag: &str) -> Option<String> {
    let own = command.get_arguments().filter(|argument| argument.get_long() == Some(flag));
    let set = own.filter_map(clap::Arg::get_env).find(|name| raw_variable(name).is_some());
    let own = set.map(|name| name.to_string_lossy().into_owned());
    own.or_else(|| command.get_subcommands().find_map(|below| variable(below, flag)))
}

fn asks_for_json(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, below)) => asks_for_json(below),
        None => matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or_default(),
    }
}

/// Removes values that could be misplaced keys. Logs repeat errors, but not the command line.
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
