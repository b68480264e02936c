//! Errors of commands: their texts and their exit codes.

mod reason;
mod refused;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use serde_json::json;

use super::output::{OutputError, Stream, Tone};

use crate::client::{ClientError, TrustError};
use crate::server::config::{ConfigError, Origins};
use crate::use_cases::bootstrap::{BootstrapError, MasterKeyFault};

pub(super) use reason::{Failure, UsageError};
pub(super) use refused::Refused;

/// The exit code. 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Failed for a reason without a code of its own.
    Failed = 1,
    /// A flag, a setting or a request is invalid. A retry will not help.
    Usage = 2,
    /// Authentication or authorization failed.
    Denied = 3,
    /// The thing does not exist.
    NotFound = 4,
    /// The request conflicts with the server's state.
    Conflict = 5,
    /// The server can't be reached or can't answer. A retry may help.
    Unavailable = 6,
    /// The token is not valid.
    Invalid = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The codes for people, at the end of `claviger --help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for another reason
  2  invalid flag, setting, file or request
  3  not authenticated, or not allowed
  4  not found
  5  conflict with the current state, or changed in the meantime
  6  server unreachable or unavailable
  7  verify: the token is not valid
claviger doctor: 0 everything is in order, 1 there are warnings, 2 there are errors";

/// Why a command failed. `Display` is the first line that people see.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The server's settings are invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store can't be bootstrapped, or its master key is missing.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// The arguments or the input are invalid.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The server gave no response.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server on this machine gave no response to `health`.
    #[error("{0}")]
    Health(ClientError),
    /// No trusted certificate authorities are available.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The server refused the request.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// An error of a request, with the sources of the server's URL and of the credential.
    #[error("{error}")]
    Asking {
        /// The error.
        error: Box<Self>,
        /// The sources, as a sentence.
        sources: String,
    },
    /// The response replays an earlier request, which had shown the new secret.
    #[error("a request with this idempotency key was made before, and the new key was shown then")]
    ShownBefore,
    /// A write to standard output or standard error failed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The output with new secrets failed, so nobody has seen them.
    #[error("{}", lost(lost_keys, source))]
    SecretLost {
        /// The ids of the secrets' keys.
        lost_keys: Vec<String>,
        /// The failed write.
        source: OutputError,
        /// Advice for the user.
        advice: String,
    },
    /// The token is not valid. The report has been printed.
    #[error("the token is not valid")]
    Invalid,
    /// The findings of `doctor`. They have been printed.
    #[error("there are findings")]
    Findings(Exit),
    /// Any other error.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused.into())
    }
}

impl CliError {
    /// An error of another module, which brings its text along.
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        Failure::Other(error.to_string()).into()
    }

    /// Adds the sources if the wrong server or the wrong credential could have caused the error.
    pub(super) fn asking(self, sources: &str) -> Self {
        let is_about_them = match &self {
            Self::Client(_) => true,
            Self::Refused(refused) => matches!(refused.exit(), Exit::Denied) || !refused.is_json(),
            _ => false,
        };
        if is_about_them { Self::Asking { error: self.into(), sources: sources.into() } } else { self }
    }

    /// Replaces the advice if the server does not have what the command is about.
    pub(super) fn if_not_found(self, advice: &'static str) -> Self {
        match self {
            Self::Refused(refused) if refused.is_json() && refused.exit() == Exit::NotFound => {
                refused.advised(advice).into()
            }
            other => other,
        }
    }

    /// Adds the source of the value if the error is about a setting.
    pub(super) fn located(self, origins: &Origins) -> Self {
        match self {
            Self::Config(error) => Self::Config(origins.locate(error)),
            other => other,
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Usage(_) | Self::Trust(_) => Exit::Usage,
            Self::Client(ClientError::Exposed(_)) => Exit::Usage,
            Self::Bootstrap(BootstrapError::MasterKey(MasterKeyFault::Malformed(..))) => Exit::Usage,
            Self::Client(_) | Self::Health(_) => Exit::Unavailable,
            Self::Refused(refused) => refused.exit(),
            Self::Asking { error, .. } => error.exit(),
            Self::ShownBefore => Exit::Conflict,
            Self::Invalid => Exit::Invalid,
            Self::Findings(exit) => *exit,
            Self::Bootstrap(_) | Self::Output(_) | Self::SecretLost { .. } | Self::Failed(_) => Exit::Failed,
        }
    }

    /// Prints the error and the advice; with `--json`, in the server's JSON. Failed writes to standard error are
    /// ignored, since the exit code remains.
    pub(super) fn report(&self, as_json: bool) {
        let _ = match (self, as_json) {
            // The report is on standard output already.
            (Self::Invalid | Self::Findings(_), _) => Ok(()),
            (Self::Asking { error, .. }, true) => return error.report(true),
            (Self::Refused(refused), true) if refused.is_json() => Stream::Err.line(&refused.body()),
            (_, true) => Stream::Err.line(&self.json().to_string()),
            (_, false) => self.explain(),
        };
    }

    fn explain(&self) -> Result<(), OutputError> {
        let name = Stream::Err.painted("claviger:", Tone::Bad);
        Stream::Err.line(&format!("{name} {self}"))?;
        self.advice().map_or(Ok(()), |advice| Stream::Err.line(&format!("  {advice}")))
    }

    fn json(&self) -> serde_json::Value {
        let code = match self.exit() {
            Exit::Failed => "failed",
            Exit::Usage => "usage",
            Exit::Denied => "denied",
            Exit::NotFound => "not_found",
            Exit::Conflict => "conflict",
            Exit::Unavailable => "unavailable",
            Exit::Invalid => "invalid",
        };
        json!({ "error": { "code": code, "message": self.to_string(), "request_id": null } })
    }

    /// Advice, if the error has a known remedy.
    fn advice(&self) -> Option<String> {
        match self {
            Self::Client(ClientError::Exposed(_)) => Some(
                "Use https://. On a private network, you can use --allow-http instead.".into(),
            ),
            // `health` knows no URL and no time limit: the server's settings say where it listens.
            Self::Health(ClientError::Slow { .. }) => {
                Some("The server accepts connections and does not respond. Read its log.".into())
            }
            Self::Health(_) => Some(
                "Check that the server is running, and that this command has its settings: CLAVIGER_LISTEN, and \
                 CLAVIGER_TLS_CERT and CLAVIGER_TLS_KEY if TLS ends there."
                    .into(),
            ),
            Self::Client(ClientError::Connect { .. }) => Some(
                "Check that the server is running and that the URL is right: see CLAVIGER_URL, --url and `claviger profiles list`."
                    .into(),
            ),
            Self::Client(ClientError::Proxy { .. }) => Some(
                "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY sets the proxy, with user and password if it requires them. NO_PROXY \
                 lists hosts that are reached directly."
                    .into(),
            ),
            Self::Client(ClientError::Tls { .. }) => Some(
                "If the certificate is from a private authority, pass that authority's certificate with --ca-file or CLAVIGER_CA_FILE."
                    .into(),
            ),
            Self::Client(ClientError::Slow { .. }) => {
                Some("Try again, or allow more time with --timeout.".into())
            }
            Self::Trust(TrustError::NoneInSystem(_)) => {
                Some("Install ca-certificates, or pass a file with --ca-file or CLAVIGER_CA_FILE.".into())
            }
            Self::Refused(refused) => refused.advice(),
            Self::Asking { error, sources } => {
                let advice = error.advice().map(|advice| format!("{advice}\n  ")).unwrap_or_default();
                Some(format!("{advice}{sources}"))
            }
            Self::Output(_) => Some(
                "The output is incomplete. If the command makes a change, the change has been made.".into(),
            ),
            Self::SecretLost { advice, .. } => Some(advice.clone()),
            Self::ShownBefore => {
                Some("If that key is lost, rotate it, or revoke it and create another.".into())
            }
            _ => None,
        }
    }
}

fn lost(keys: &[String], source: &OutputError) -> String {
    match keys {
        [key] => format!("{source}: the new secret of {key} is lost"),
        keys => format!("{source}: the new secrets of these keys are lost: {}", keys.join(", ")),
    }
}
