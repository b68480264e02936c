//! The settings in effect, where each comes from, and variables that are no settings.

use clap::{Command, CommandFactory as _};
use serde::Serialize;
use serde_json::Value;

use super::finding::Report;
use crate::cli::server_args::Examined;
use crate::cli::{Cli, misspelled};
use crate::server::config::Origin;
use crate::store::Place;

/// A setting in effect. Never has a secret in it.
#[derive(Debug, Serialize)]
pub(super) struct Setting {
    /// The name in the settings file.
    name: String,
    /// The value; for a default, its description. Null if the default is that there is none.
    value: Value,
    /// `flag`, `variable`, `file` or `default`.
    source: &'static str,
}

impl Setting {
    pub(super) fn is_given(&self) -> bool {
        self.source != "default"
    }

    pub(super) fn in_words(&self) -> String {
        format!("{:<7}  {:<12}  {} = {} ({})", "", "setting", self.name, self.value, self.source)
    }
}

/// All settings, in the order of `claviger serve --help`.
pub(super) fn in_effect(examined: &Examined) -> Vec<Setting> {
    let given = serde_json::to_value(&examined.settings).unwrap_or_default();
    let command = Cli::command();
    let serve = command.find_subcommand("serve").into_iter().flat_map(Command::get_arguments);
    let settings = serve.filter_map(|argument| {
        let name = argument.get_id().to_string();
        let value = given.get(&name)?;
        let variable = argument.get_env()?.to_string_lossy().into_owned();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        Some(match value {
            Value::Null => Setting { name, value: default_in(&help), source: "default" },
            value => {
                let source = match examined.origins.of(&variable) {
                    Origin::Flag => "flag",
                    Origin::Variable => "variable",
                    Origin::File(_) => "file",
                };
                Setting { value: without_secret(&name, value), name, source }
            }
        })
    });
    settings.collect()
}

/// The default as the help names it: `… [default: 8080]`.
fn default_in(help: &str) -> Value {
    let named = help.rsplit_once("[default: ").and_then(|(_, rest)| rest.strip_suffix(']'));
    named.map_or(Value::Null, Value::from)
}

fn without_secret(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("database_url", Value::String(url)) => match Place::of(url) {
            Ok(Place::File(path)) => format!("sqlite://{}", path.display()).into(),
            Ok(Place::Servers(servers)) => servers.into(),
            Err(_) => "[redacted]".into(),
        },
        (_, value) => value.clone(),
    }
}

pub(super) fn check(examined: &Examined, report: &mut Report) {
    match &examined.config {
        Ok(_) => report.ok("settings", "the settings are valid"),
        Err(error) => report.fail(
            "settings",
            error.to_string(),
            "Correct it: docs/configuration.md lists all settings. The server does not start, and the other checks wait for it.",
        ),
    }
    let complaints = misspelled::complaints();
    if complaints.is_empty() {
        report.ok("variables", "every CLAVIGER_ variable is a setting");
    }
    for complaint in complaints {
        report.warn("variables", complaint, "Correct or remove the variable.");
    }
}
