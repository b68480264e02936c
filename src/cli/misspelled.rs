//! Warns about environment variables that look like settings but are none. A misspelled setting would have no effect.

use clap::{Command, CommandFactory as _};

use super::Cli;
use crate::base::variables::variable_names;

const PREFIX: &str = "CLAVIGER_";

/// Variables without a command-line option.
const WITHOUT_OPTION: [&str; 9] = [
    "CLAVIGER_API_KEY",
    "CLAVIGER_CA_FILE",
    "CLAVIGER_CLIENT_ALLOW_HTTP",
    "CLAVIGER_MASTER_KEY",
    "CLAVIGER_NEXT_MASTER_KEY",
    "CLAVIGER_ORG",
    "CLAVIGER_PROFILE",
    "CLAVIGER_TIMEOUT",
    "CLAVIGER_URL",
];

/// The similarity from 0 to 1 above which a name counts as a misspelling of another.
const LIKENESS: f64 = 0.85;

/// Logs a warning for each variable that looks like a setting but is none.
pub(super) fn warn() {
    for said in complaints() {
        tracing::warn!("{said}");
    }
}

/// A sentence for each variable that looks like a setting but is none.
pub(super) fn complaints() -> Vec<String> {
    let known = known();
    let given = variable_names().filter_map(|name| name.into_string().ok());
    let unknown = given.filter(|name| is_unknown(name, &known));
    let complain = |name: String| match nearest(&name, &known) {
        Some(nearest) => format!("{name} is not a setting and has no effect; did you mean {nearest}?"),
        None => format!("{name} is not a setting and has no effect"),
    };
    unknown.map(complain).collect()
}

/// Every variable that any command reads.
fn known() -> Vec<String> {
    let mut known: Vec<_> = WITHOUT_OPTION.map(str::to_owned).to_vec();
    collect(&Cli::command(), &mut known);
    known
}

fn collect(command: &Command, known: &mut Vec<String>) {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    known.extend(variables.map(str::to_owned));
    command.get_subcommands().for_each(|command| collect(command, known));
}

fn is_unknown(name: &str, known: &[String]) -> bool {
    name.starts_with(PREFIX) && !known.iter().any(|known| known == name) && !is_of_a_service(name)
}

/// Kubernetes sets such variables in every container for each service of the namespace. A service name may be or begin
/// with `claviger`: `CLAVIGER_PORT`, `CLAVIGER_PORT_8080_TCP_ADDR`, `CLAVIGER_INTERNAL_SERVICE_HOST`.
fn is_of_a_service(name: &str) -> bool {
    let words: Vec<_> = name.split('_').collect();
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.ends_with(&["PORT"])
        || words.windows(2).any(|pair| pair == ["SERVICE", "HOST"] || pair == ["SERVICE", "PORT"])
        || words.windows(3).any(|three| {
            three[0] == "PORT" && is_number(three[1]) && matches!(three[2], "TCP" | "UDP" | "SCTP")
        })
}

fn nearest<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    // The common prefix is left out, because it would make all names similar.
    let own = |name: &str| name.strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let likeness = |known: &str| strsim::jaro_winkler(&own(name), &own(known));
    let known = known.iter().map(|known| (likeness(known), known.as_str()));
    let nearest = known.max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.filter(|(likeness, _)| *likeness >= LIKENESS).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_setting_is_named_with_the_one_that_it_is_nearest_to() {
        let known = known();
        for (given, meant) in [
            ("CLAVIGER_ISUER", Some("CLAVIGER_ISSUER")),
            ("CLAVIGER_SIGNING_KEYFILE", Some("CLAVIGER_SIGNING_KEY_FILE")),
            ("CLAVIGER_TLS_CERTIFICATE", Some("CLAVIGER_TLS_CERT")),
            ("CLAVIGER_DATABASE", Some("CLAVIGER_DATABASE_URL")),
            ("CLAVIGER_MASTERKEY", Some("CLAVIGER_MASTER_KEY")),
            ("CLAVIGER_AUDIENCE", Some("CLAVIGER_AUDIENCES")),
            ("CLAVIGER_SOMETHING_ELSE_ALTOGETHER", None),
        ] {
            assert!(is_unknown(given, &known), "{given}");
            assert_eq!(nearest(given, &known), meant, "{given}");
        }
    }

    #[test]
    fn settings_and_what_kubernetes_sets_are_not_warned_of() {
        let known = known();
        for name in ["CLAVIGER_ISSUER", "CLAVIGER_CONFIG", "CLAVIGER_URL", "CLAVIGER_MASTER_KEY", "PATH"] {
            assert!(!is_unknown(name, &known), "{name}");
        }
        for service in ["CLAVIGER", "CLAVIGER_INTERNAL", "CLAVIGER_V2"] {
            for rest in [
                "PORT",
                "SERVICE_HOST",
                "SERVICE_PORT",
                "SERVICE_PORT_HTTPS",
                "PORT_8080_TCP",
                "PORT_8080_TCP_ADDR",
                "PORT_8080_TCP_PORT",
                "PORT_8080_TCP_PROTO",
            ] {
                let name = format!("{service}_{rest}");
                assert!(!is_unknown(&name, &known), "{name}");
            }
        }
    }
}
