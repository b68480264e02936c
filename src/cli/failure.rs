//! Why a command failed: what people are told, and the exit code that tells scripts.

mod refused;

use std::process::ExitCode;

use serde_json::json;

use super::output::{OutputError, Stream, Tone};

use crate::client::{ClientError, TrustError};
use crate::server::config::{ConfigError, Origins};
use crate::use_cases::bootstrap::{BootstrapError, MasterKeyFault};

pub(super) use refused::Refused;

/// What the exit code tells scripts; 0 is success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// It failed, for a reason that has no code of its own.
    Failed = 1,
    /// A flag, a setting or a request makes no sense: the same again will not help.
    Usage = 2,
    /// Not authenticated, or not allowed.
    Denied = 3,
    /// There is no such thing.
    NotFound = 4,
    /// It contradicts what is there.
    Conflict = 5,
    /// The server can't be reached or can't answer: the same again may help.
    Unavailable = 6,
    /// The token that was to be verified does not hold.
    Invalid = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The same for people, at the end of `claviger --help`.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed for another reason
  2  invalid flag, setting, file or request
  3  not authenticated, or not allowed
  4  not found
  5  conflict with the current state, or changed in the meantime
  6  server unreachable or unavailable
  7  verify: the token is not valid";

/// Why a command failed. Displayed, it is what people are told first.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// The server's settings make no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be begun, or its master key is not here.
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    /// What the command was told makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nobody's certificate can be believed.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The server says no.
    #[error("{0}")]
    Refused(Box<Refused>),
    /// Any of these that asking a server came to, and where server and credential were found.
    #[error("{error}")]
    Asking {
        /// What went wrong.
        error: Box<Self>,
        /// Where they were found, as a sentence.
        sources: String,
    },
    /// A new secret was made, and the answer that showed it was an earlier one.
    #[error("a request with this idempotency key was made before, and the new key was shown then")]
    ShownBefore,
    /// Output was lost.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// New secrets were made that nobody has seen.
    #[error("{}", lost(lost_keys, source))]
    SecretLost {
        /// The ids of the keys that they belong to.
        lost_keys: Vec<String>,
        /// What happened.
        source: OutputError,
        /// What to do next.
        advice: String,
    },
    /// The token does not hold; why has been said.
    #[error("the token is not valid")]
    Invalid,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl From<Refused> for CliError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused.into())
    }
}

impl CliError {
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// The same, where it is one that could be about the wrong server or the wrong credential, with where they come from.
    pub(super) fn asking(self, sources: &str) -> Self {
        let is_about_them = match &self {
            Self::Client(_) => true,
            Self::Refused(refused) => matches!(refused.exit(), Exit::Denied) || !refused.is_json(),
            _ => false,
        };
        if is_about_them { Self::Asking { error: self.into(), sources: sources.into() } } else { self }
    }

    /// The same; where it is about a setting, with the place that its value comes from.
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
            Self::Client(_) => Exit::Unavailable,
            Self::Refused(refused) => refused.exit(),
            Self::Asking { error, .. } => error.exit(),
            Self::ShownBefore => Exit::Conflict,
            Self::Invalid => Exit::Invalid,
            Self::Bootstrap(_) | Self::Output(_) | Self::SecretLost { .. } | Self::Failed(_) => Exit::Failed,
        }
    }

    /// Says what went wrong and what to do next; as JSON in the server's form, for those who asked for JSON. What
    /// standard error does not take is lost: the exit code still tells.
    pub(super) fn report(&self, as_json: bool) {
        let _ = match (self, as_json) {
            // Everything has been said on standard output.
            (Self::Invalid, _) => Ok(()),
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

    /// What to do next, where that can be known.
    fn advice(&self) -> Option<String> {
        match self {
            Self::Client(ClientError::Exposed(_)) => Some(
                "Use https://. On a private network, you can use --allow-http instead.".into(),
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
